//! Requests are read as the official client sends them, come back as they were, and are refused with the field to blame.

#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_openai::{
    ChatCompletionRequest, CompletionRequest, DetokenizeRequest, EmbeddingRequest, EncodingFormat, LoadLoraAdapterRequest, Prompt,
    PromptItem, RerankRequest, ScoreRequest, StructuredOutputs, TokenizeInput, TokenizeRequest, TopK, UnloadLoraAdapterRequest,
};
use serde_json::{Value, json};

const CHAT: &str = include_str!("golden/chat_request.json");
const VLLM: &str = include_str!("golden/vllm_request.json");

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// `(param, code, message)` of what a chat request is refused with, which is the smallest one and `more`.
fn refused(more: &Value) -> (String, String, String) {
    let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let error = ChatCompletionRequest::from_json(&bytes(&request)).unwrap_err();
    assert_eq!((error.status, error.body.kind.as_str()), (400, "invalid_request_error"));
    (error.body.param.unwrap_or_default(), error.body.code.unwrap_or_default(), error.body.message)
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "calls read better with the value in place")]
fn blames(param: &str, more: Value) {
    let (blamed, _, message) = refused(&more);
    assert_eq!(blamed, param, "{message}");
}

#[test]
fn a_request_of_the_official_client_is_read_and_written() {
    let request = ChatCompletionRequest::from_json(CHAT.as_bytes()).unwrap();
    assert_eq!((request.token_limit(), request.wants_usage(), request.sampling.n), (Some(256), true, Some(2)));
    assert_eq!(request.sampling.logit_bias.keys().collect::<Vec<_>>(), [&50256]);

    // What is written is what was read, less what says nothing.
    let mut expected: Value = serde_json::from_str(CHAT).unwrap();
    let answer = expected["messages"][2].as_object_mut().unwrap();
    answer.retain(|_, value| !(value.is_null() || *value == json!([])));
    expected["messages"][4].as_object_mut().unwrap().remove("refusal");
    for number in ["temperature", "top_p"] {
        expected[number] = json!(expected[number].as_f64().unwrap() as f32);
    }
    expected["logit_bias"]["50256"] = json!(-100.0);
    assert_eq!(serde_json::to_value(&request).unwrap(), expected);
    assert_eq!(ChatCompletionRequest::from_json(&serde_json::to_vec(&request).unwrap()).unwrap(), request);
}

#[test]
fn vllms_fields_are_read_and_written() {
    let request = ChatCompletionRequest::from_json(VLLM.as_bytes()).unwrap();
    let sampling = &request.sampling;
    assert_eq!((sampling.top_k, sampling.min_p, sampling.min_tokens), (Some(TopK::Likeliest(40)), Some(0.05), Some(2)));
    assert_eq!(sampling.structured_outputs, Some(StructuredOutputs::Choice(vec!["red".into(), "blue".into()])));
    let mut expected: Value = serde_json::from_str(VLLM).unwrap();
    for number in ["min_p", "repetition_penalty"] {
        expected[number] = json!(expected[number].as_f64().unwrap() as f32);
    }
    assert_eq!(serde_json::to_value(&request).unwrap(), expected);
}

#[test]
fn constraints_have_old_and_new_names() {
    let read = |more: Value| {
        let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ChatCompletionRequest::from_json(&bytes(&request)).unwrap().sampling
    };
    let schema = json!({"type": "object"});
    let pairs = [
        (json!({"guided_json": schema}), json!({"structured_outputs": {"json": "{\"type\": \"object\"}"}})),
        (json!({"guided_regex": "a+"}), json!({"structured_outputs": {"regex": "a+"}})),
        (json!({"guided_choice": ["a"]}), json!({"structured_outputs": {"choice": ["a"]}})),
        (json!({"guided_grammar": "start: \"a\""}), json!({"structured_outputs": {"grammar": "start: \"a\""}})),
    ];
    for (old, new) in pairs {
        assert_eq!(read(old), read(new));
    }
    let object = read(json!({"structured_outputs": {"json_object": true}}));
    assert_eq!(serde_json::to_value(&object).unwrap(), json!({"structured_outputs": {"json_object": true}}));
    assert_eq!(read(json!({"top_k": 0})).top_k, Some(TopK::All));
    assert_eq!(read(json!({"stop": null, "n": null, "tools": null})), read(json!({})));

    blames("structured_outputs.regex", json!({"structured_outputs": {"json": schema, "regex": "a"}}));
    blames("structured_outputs.json", json!({"structured_outputs": {}}));
    blames("structured_outputs.json_object", json!({"structured_outputs": {"json_object": false}}));
    blames("structured_outputs.structural_tag", json!({"structured_outputs": {"regex": "a", "structural_tag": "x"}}));
    blames("guided_regex", json!({"guided_json": schema, "guided_regex": "a"}));
    blames("guided_json", json!({"guided_json": "{"}));
    blames("guided_json", json!({"guided_json": r#"{"type": "object", "type": "array"}"#}));
    blames("guided_choice", json!({"guided_choice": []}));
    blames("response_format", json!({"response_format": {"type": "json_object"}, "guided_regex": "a"}));
}

#[test]
fn unknown_fields_are_refused_wherever_they_stand() {
    let (param, code, message) = refused(&json!({"max_token": 1}));
    assert_eq!((param.as_str(), code.as_str()), ("max_token", "unknown_parameter"));
    assert_eq!(message, "the parameter 'max_token' is unknown, did you mean 'max_tokens'?");
    for meaningless in ["store", "metadata", "service_tier", "functions", "best_of", "reasoning_effort"] {
        blames(meaningless, json!({meaningless: {}}));
    }
    blames("messages[0].contents", json!({"messages": [{"role": "user", "content": "a", "contents": "b"}]}));
    blames("stream_options.include_usge", json!({"stream": true, "stream_options": {"include_usge": true}}));
    blames("tools[0].function.params", json!({"tools": [{"type": "function", "function": {"name": "a", "params": {}}}]}));
}

#[test]
fn messages_are_refused_by_their_place() {
    let message = |message: Value| json!({"messages": [{"role": "user", "content": "a"}, message]});
    let part = |part: Value| message(json!({"role": "user", "content": [part]}));
    blames("messages", json!({"messages": []}));
    blames("messages", json!({"messages": "hi"}));
    blames("messages[1].role", message(json!({"content": "a"})));
    blames("messages[1].role", message(json!({"role": "function", "name": "f", "content": "a"})));
    blames("messages[1].role", message(json!({"role": 1})));
    blames("messages[1]", message(json!("hi")));
    blames("messages[1].content", message(json!({"role": "user", "content": null})));
    blames("messages[1].content", message(json!({"role": "user", "content": {}})));
    blames("messages[1].content", message(json!({"role": "user", "content": []})));
    blames("messages[1].content", message(json!({"role": "assistant"})));
    blames("messages[1].content[0].type", part(json!({"type": "input_audio", "input_audio": {}})));
    blames("messages[1].content[0].type", part(json!({"text": "a"})));
    blames("messages[1].content[0].text", part(json!({"type": "text"})));
    blames("messages[1].content[0].image_url.url", part(json!({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}})));
    blames(
        "messages[1].content[0].image_url.detail",
        part(json!({"type": "image_url", "image_url": {"url": "http://x", "detail": "max"}})),
    );
    blames(
        "messages[1].content[0].type",
        message(json!({"role": "system", "content": [{"type": "image_url", "image_url": {"url": "http://x"}}]})),
    );
    blames("messages[1].tool_call_id", message(json!({"role": "tool", "content": "a", "tool_call_id": "nobody asked"})));
    blames("messages[1].audio", message(json!({"role": "assistant", "content": "a", "audio": {"id": "x"}})));
    blames("messages[1].tool_calls[0].type", message(json!({"role": "assistant", "tool_calls": [{"id": "a", "type": "custom"}]})));
    assert!(refused(&message(json!({"role": "sytem", "content": "a"}))).2.contains("did you mean 'system'?"));
}

#[test]
fn values_keep_to_their_ranges() {
    for (name, values) in [
        ("temperature", vec![json!(-0.1), json!(2.1), json!("1"), json!(1e300)]),
        ("top_p", vec![json!(0), json!(1.1)]),
        ("min_p", vec![json!(-0.1), json!(1.1)]),
        ("mirostat", vec![json!(1), json!(3), json!(-1)]),
        ("mirostat_tau", vec![json!(0)]),
        ("mirostat_eta", vec![json!(0), json!(1.1)]),
        ("top_k", vec![json!(-2), json!(1.5), json!(4_294_967_296_u64)]),
        ("presence_penalty", vec![json!(2.5)]),
        ("frequency_penalty", vec![json!(-2.5)]),
        ("repetition_penalty", vec![json!(0), json!(-1), json!(1e39)]),
        ("seed", vec![json!(u64::MAX), json!(0.5)]),
        ("n", vec![json!(0), json!(129), json!(true)]),
        ("stop", vec![json!(""), json!(7), json!(vec!["a"; 33])]),
        ("max_tokens", vec![json!(0), json!(-1), json!(4_294_967_296_u64)]),
        ("max_completion_tokens", vec![json!(0)]),
        ("top_logprobs", vec![json!(21), json!(2)]),
        ("prompt_logprobs", vec![json!(21), json!(-1)]),
        ("allowed_token_ids", vec![json!([])]),
        ("logit_bias", vec![json!([1])]),
        ("cache_salt", vec![json!("")]),
        ("priority", vec![json!(2_147_483_648_u64)]),
        ("model", vec![json!(""), json!(null), json!(1)]),
        ("user", vec![json!(1)]),
        ("chat_template_kwargs", vec![json!([])]),
        ("stream_options", vec![json!({"include_usage": true})]),
        ("parallel_tool_calls", vec![json!(true)]),
        ("tool_choice", vec![json!("auto")]),
    ] {
        for value in values {
            blames(name, json!({name: value}));
        }
    }
    blames("logit_bias.07", json!({"logit_bias": {"07": 1}}));
    blames("logit_bias.7", json!({"logit_bias": {"7": 101}}));
    blames("stop[1]", json!({"stop": ["a", ""]}));
    blames("stop_token_ids[0]", json!({"stop_token_ids": [-1]}));
    blames("min_tokens", json!({"min_tokens": 5, "max_completion_tokens": 4}));
    blames("max_tokens", json!({"max_tokens": 4, "max_completion_tokens": 4}));
    blames("prompt_logprobs", json!({"prompt_logprobs": 1, "stream": true}));
}

#[test]
fn tools_and_formats_are_checked() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let choice = |choice: Value| json!({"tools": [tool("a")], "tool_choice": choice});
    blames("tools[1].function", json!({"tools": [tool("a"), tool("a")]}));
    blames("tools[0].function.name", json!({"tools": [tool("no spaces")]}));
    blames("tools[0].function.name", json!({"tools": [tool(&"x".repeat(65))]}));
    blames("tools[0].type", json!({"tools": [{"type": "web_search"}]}));
    blames("tool_choice", choice(json!("any")));
    blames("tool_choice.function.name", choice(json!({"type": "function", "function": {"name": "b"}})));
    blames("tool_choice.type", choice(json!({"type": "allowed_tools"})));
    let format = |format: Value| json!({"response_format": format});
    blames("response_format.type", format(json!({"type": "json"})));
    blames("response_format.json_schema", format(json!({"type": "json_schema"})));
    blames("response_format.json_schema.schema", format(json!({"type": "json_schema", "json_schema": {"name": "a"}})));
    blames("response_format.json_schema", format(json!({"type": "text", "json_schema": {}})));
}

#[test]
fn completions_take_four_kinds_of_prompts() {
    let read = |prompt: Value| CompletionRequest::from_json(&bytes(&json!({"model": "m", "prompt": prompt})));
    let prompts = [
        (json!("a"), Prompt::Text("a".into())),
        (json!(["a", ""]), Prompt::Texts(vec!["a".into(), String::new()])),
        (json!([1, 2]), Prompt::Tokens(vec![1, 2])),
        (json!([[1], [2, 3]]), Prompt::TokenLists(vec![vec![1], vec![2, 3]])),
    ];
    for (wire, prompt) in prompts {
        let request = read(wire.clone()).unwrap();
        assert_eq!(request.prompt, prompt);
        assert_eq!(serde_json::to_value(&request).unwrap(), json!({"model": "m", "prompt": wire}));
    }
    assert_eq!(Prompt::TokenLists(vec![vec![1], vec![2, 3]]).items()[1], PromptItem::Tokens(&[2, 3]));
    let param = |prompt: Value| read(prompt).unwrap_err().body.param.unwrap();
    assert_eq!(param(json!([])), "prompt");
    assert_eq!(param(json!(null)), "prompt");
    assert_eq!(param(json!(["a", 1])), "prompt[1]");
    assert_eq!(param(json!([1, "a"])), "prompt[1]");
    assert_eq!(param(json!([[1], []])), "prompt[1]");
    assert_eq!(param(json!([[1], [-1]])), "prompt[1][0]");

    let blamed = |more: Value| {
        let mut request = json!({"model": "m", "prompt": "a"});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        CompletionRequest::from_json(&bytes(&request)).map_err(|error| error.body.param.unwrap())
    };
    assert!(blamed(json!({"echo": true, "logprobs": 5, "best_of": 3, "n": 2, "suffix": null})).is_ok());
    assert_eq!(blamed(json!({"suffix": "z"})).unwrap_err(), "suffix");
    assert_eq!(blamed(json!({"best_of": 1, "n": 2})).unwrap_err(), "best_of");
    assert_eq!(blamed(json!({"best_of": 3, "n": 2, "stream": true})).unwrap_err(), "best_of");
    assert_eq!(blamed(json!({"logprobs": true})).unwrap_err(), "logprobs");
    assert_eq!(blamed(json!({"messages": []})).unwrap_err(), "messages");
}

#[test]
fn the_other_requests_are_read() {
    let embedding = json!({"model": "m", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 4, "user": "u"});
    let read = EmbeddingRequest::from_json(&bytes(&embedding)).unwrap();
    assert_eq!((read.encoding_format, read.input.len()), (Some(EncodingFormat::Base64), 2));
    assert_eq!(serde_json::to_value(&read).unwrap(), embedding);

    let tokenize = json!({"messages": [{"role": "user", "content": "a"}], "add_generation_prompt": false, "return_token_strs": true});
    let read = TokenizeRequest::from_json(&bytes(&tokenize)).unwrap();
    assert!(matches!(&read.input, TokenizeInput::Chat { add_generation_prompt: Some(false), .. }));
    assert_eq!(serde_json::to_value(&read).unwrap(), tokenize);
    assert!(TokenizeRequest::from_json(br#"{"prompt": "a", "add_generation_prompt": true}"#).is_err(), "it means nothing for a text");
    assert!(TokenizeRequest::from_json(br#"{"prompt": "a", "messages": [{"role": "user", "content": "a"}]}"#).is_err());
    assert!(TokenizeRequest::from_json(b"{}").is_err());
    assert_eq!(DetokenizeRequest::from_json(br#"{"model": "m", "tokens": [3]}"#).unwrap().tokens, [3]);

    let score = ScoreRequest::from_json(br#"{"model": "m", "text_1": "q", "text_2": ["a", "b"]}"#).unwrap();
    assert_eq!(score.pairs().collect::<Vec<_>>(), [("q", "a"), ("q", "b")]);
    let paired = ScoreRequest::from_json(br#"{"model": "m", "text_1": ["p", "q"], "text_2": ["a", "b"]}"#).unwrap();
    assert_eq!(paired.pairs().collect::<Vec<_>>(), [("p", "a"), ("q", "b")]);
    assert!(ScoreRequest::from_json(br#"{"model": "m", "text_1": ["p", "q"], "text_2": "a"}"#).is_err());

    let rerank = RerankRequest::from_json(br#"{"model": "m", "query": "q", "documents": ["a", {"text": "b"}], "top_n": 1}"#).unwrap();
    assert_eq!((rerank.documents, rerank.top_n), (vec!["a".into(), "b".into()], Some(1)));

    let load = LoadLoraAdapterRequest::from_json(br#"{"lora_name": "sql", "lora_path": "/adapters/sql"}"#).unwrap();
    assert_eq!((load.lora_name.as_str(), load.load_inplace), ("sql", None));
    let unload = UnloadLoraAdapterRequest::from_json(br#"{"lora_name": "sql", "lora_int_id": 3}"#).unwrap_err();
    assert_eq!(unload.body.param.as_deref(), Some("lora_int_id"));
}

#[test]
fn hostile_bodies_are_refused_at_once() {
    let deep = format!(r#"{{"model": "m", "messages": {}"#, "[".repeat(1 << 20));
    let twice = br#"{"model": "a", "model": "b", "messages": [{"role": "user", "content": "hi"}]}"#;
    let lone = br#"{"model": "m", "messages": [{"role": "user", "content": "\ud800"}]}"#;
    for body in [deep.as_bytes(), twice, lone, b"[]", b"", b"null", b"{\"model\": \"m\"", b"\xff\xfe"] {
        assert_eq!(ChatCompletionRequest::from_json(body).unwrap_err().status, 400);
    }
    let nested = format!(
        r#"{{"model": "m", "messages": [{{"role": "user", "content": "a"}}], "guided_json": {{"a": {}1{}}}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    assert!(ChatCompletionRequest::from_json(nested.as_bytes()).is_err());
}
