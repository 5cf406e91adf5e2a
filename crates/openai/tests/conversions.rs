//! What goes over the wire and back is what it was, for all that the API has a place for.

use jarre_core::{
    ChatAccumulator, ChatRequest, ChatResponse, ErrorKind, FinishReason, Message, Mirostat, Part, Permission, ResponseFormat, Role,
    Sampling, ToolCall, ToolChoice, ToolResult, ToolSpec, Usage,
};
use jarre_openai::{ApiError, ChatCompletion, ChatCompletionRequest, ChunkReader, ChunkWriter, StreamEvent, sse};
use proptest::{collection::vec, option, prelude::*};
use serde_json::json;

fn call() -> impl Strategy<Value = ToolCall> {
    ("[a-z0-9]{1,8}", "[a-z_]{1,8}", any::<String>()).prop_map(|(id, name, arguments)| ToolCall::new(id, name, arguments))
}

/// An answer in the order that the wire keeps: text, then calls of different ids.
fn answer() -> impl Strategy<Value = ChatResponse> {
    (any::<String>(), vec(call(), 0..4), option::of("[a-z]{1,5}"), any::<[u16; 3]>()).prop_map(
        |(text, calls, id, [prompt, answer, cached])| {
            let text = (!text.is_empty()).then(|| Part::text(text));
            let reason = if calls.is_empty() { FinishReason::Stop } else { FinishReason::ToolCalls };
            let parts = text.into_iter().chain(calls.into_iter().map(Part::from));
            let usage = Usage::new(prompt.into(), answer.into()).with_cached(cached.min(prompt).into());
            let mut response = ChatResponse::new(Message::new(Role::Assistant, parts), reason).with_usage(usage).with_model("m");
            response.id = Some(id.unwrap_or_else(|| "given".into()));
            response
        },
    )
}

fn conversation() -> impl Strategy<Value = Vec<Message>> {
    let picture = prop_oneof![
        any::<Vec<u8>>().prop_map(|data| Part::image_bytes("image/png", data)),
        "[a-z]{1,5}".prop_map(|host| Part::image_url(format!("https://{host}/a.png"))),
    ];
    let text = || any::<String>().prop_map(Part::text);
    let user = vec(prop_oneof![text(), picture], 1..4).prop_map(|parts| vec![Message::new(Role::User, parts)]);
    let system = text().prop_map(|part| vec![Message::new(Role::System, [part])]);
    let called = (answer(), any::<String>()).prop_map(|(answer, text)| {
        let results: Vec<_> = answer.message.tool_calls().map(|call| Message::tool(ToolResult::new(call, &text))).collect();
        std::iter::once(answer.message).filter(|message| !message.parts.is_empty()).chain(results).collect()
    });
    vec(prop_oneof![user, system, called], 1..5).prop_map(|turns| turns.concat()).prop_filter("messages", |messages| {
        // A later call that takes an earlier one's id gives an answer its name.
        let ids: Vec<_> = messages.iter().flat_map(Message::tool_calls).map(|call| &call.id).collect();
        !messages.is_empty() && ids.iter().enumerate().all(|(at, id)| !ids[..at].contains(id))
    })
}

fn sampling() -> impl Strategy<Value = Sampling> {
    let real = |low: f32, high: f32| option::of(low..=high);
    let counts = (option::of(1..1000u32), option::of(any::<u64>()), option::of(1..=u32::MAX), vec("[a-z\n]{1,4}", 0..4));
    ((real(0.0, 2.0), real(0.01, 1.0), real(0.0, 1.0), real(-2.0, 2.0), real(-2.0, 2.0), real(0.01, 3.0)), counts).prop_map(
        |((temperature, top_p, min_p, presence, frequency, repetition), (top_k, seed, max_tokens, stop))| {
            let mut sampling = Sampling::default().with_stop(stop);
            (sampling.temperature, sampling.top_p, sampling.min_p) = (temperature, top_p, min_p);
            (sampling.presence_penalty, sampling.frequency_penalty, sampling.repetition_penalty) = (presence, frequency, repetition);
            (sampling.top_k, sampling.seed, sampling.max_tokens) = (top_k, seed, max_tokens);
            sampling.mirostat = min_p.filter(|eta| *eta > 0.0).map(|eta| Mirostat { tau: 1.0 + eta, eta });
            sampling
        },
    )
}

proptest! {
    #[test]
    fn a_request_comes_back_over_the_wire(messages in conversation(), sampling in sampling()) {
        let request = ChatRequest::new(messages).with_sampling(sampling);
        let wire = serde_json::to_vec(&ChatCompletionRequest::from_core("m", &request).unwrap()).unwrap();
        let read = ChatCompletionRequest::from_json(&wire).unwrap();
        prop_assert_eq!(read.to_core().unwrap(), request);
    }

    #[test]
    fn an_answer_comes_back_over_the_wire(answer in answer()) {
        let wire = serde_json::to_vec(&ChatCompletion::from_core(&answer, "unused", "unused", 0).unwrap()).unwrap();
        prop_assert_eq!(serde_json::from_slice::<ChatCompletion>(&wire).unwrap().into_core().unwrap(), answer);
    }

    #[test]
    fn a_stream_comes_back_over_the_wire(answer in answer(), cut in 1..40usize) {
        let mut writer = ChunkWriter::new(answer.id.clone().unwrap(), "m", 0, 0);
        let mut wire = sse::comment("alive");
        for chunk in answer.clone().into_chunks() {
            wire += &writer.write(chunk).unwrap().map_or_else(String::new, |chunk| sse::data(&chunk).unwrap());
        }
        wire += &sse::data(&writer.usage(answer.usage)).unwrap();
        wire += sse::DONE;

        let (mut decoder, mut reader, mut folded) = (sse::Decoder::new(1 << 20), ChunkReader::new(), ChatAccumulator::new());
        for piece in wire.as_bytes().chunks(cut) {
            decoder.push(piece);
            while let Some(event) = decoder.next_event() {
                if let StreamEvent::Chunk(chunk) = StreamEvent::parse(&event.unwrap().data).unwrap() {
                    folded.push(reader.read(*chunk)).unwrap();
                }
            }
        }
        prop_assert_eq!(folded.finish().unwrap(), answer);
    }

    #[test]
    fn damaged_requests_are_refused_or_read_as_they_are_written(
        vllm: bool,
        damage in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..3),
    ) {
        let golden = if vllm { include_str!("golden/vllm_request.json") } else { include_str!("golden/chat_request.json") };
        let mut bytes = golden.as_bytes().to_vec();
        for (from, to) in damage {
            // A byte of the request in another place keeps more of it well-formed than a byte of chance.
            bytes[to.index(golden.len())] = golden.as_bytes()[from.index(golden.len())];
        }
        match ChatCompletionRequest::from_json(&bytes) {
            Err(error) => prop_assert!(error.status == 400 && !error.body.message.is_empty()),
            Ok(request) => {
                let _ = request.to_core();
                let written = serde_json::to_vec(&request).unwrap();
                prop_assert_eq!(ChatCompletionRequest::from_json(&written).unwrap(), request);
            }
        }
    }
}

#[test]
fn tools_and_formats_come_back() {
    let schema = json!({"type": "object", "properties": {"word": {"type": "string"}}});
    let tool = ToolSpec::new("look_up", "looks a word up", schema.clone(), Permission::Execute);
    let request = ChatRequest::user("a").with_tool(tool).with_response_format(ResponseFormat::json_schema("answer", schema));
    let choices = [ToolChoice::Auto, ToolChoice::None, ToolChoice::Required, ToolChoice::Tool { name: "look_up".into() }];
    for choice in choices {
        let request = request.clone().with_tool_choice(choice);
        let wire = ChatCompletionRequest::from_core("m", &request).unwrap();
        let read = ChatCompletionRequest::from_json(&serde_json::to_vec(&wire).unwrap()).unwrap();
        assert_eq!(read.to_core().unwrap(), request);
    }
    let bare = ChatCompletionRequest::from_json(
        br#"{"model": "m", "messages": [{"role": "user", "content": "a"}], "tools": [{"type": "function", "function": {"name": "now"}}]}"#,
    );
    let tool = &bare.unwrap().to_core().unwrap().tools[0];
    assert_eq!((&tool.parameters, tool.permission), (&json!({"type": "object", "properties": {}}), Permission::Execute));
}

#[test]
fn several_results_of_one_message_become_several_messages() {
    let (first, second) = (ToolCall::new("1", "a", "{}"), ToolCall::new("2", "b", "{}"));
    let asked = Message::new(Role::Assistant, [first.clone().into(), second.clone().into()]);
    let told = Message::tool(ToolResult::new(&first, "x")).with_part(ToolResult::error(&second, "y"));
    let wire = ChatCompletionRequest::from_core("m", &ChatRequest::new([asked, told])).unwrap();
    let wire = serde_json::to_value(&wire).unwrap();
    assert_eq!(wire["messages"][1], json!({"role": "tool", "tool_call_id": "1", "content": "x"}));
    assert_eq!(wire["messages"][2], json!({"role": "tool", "tool_call_id": "2", "content": "y"}));
}

#[test]
fn what_has_no_place_on_the_wire_is_refused() {
    let kind = |request: &ChatRequest| ChatCompletionRequest::from_core("m", request).unwrap_err().kind();
    let picture = || Part::image_bytes("image/png", *b"x");
    for role in [Role::System, Role::Assistant, Role::Tool] {
        assert_eq!(kind(&ChatRequest::new([Message::new(role, [picture()])])), ErrorKind::InvalidRequest);
    }
    let nan = ChatRequest::user("a").with_sampling(Sampling::default().with_min_p(f32::NAN));
    assert_eq!(kind(&nan), ErrorKind::InvalidRequest);
    let tool = ToolSpec::new("a", "b", json!(true), Permission::Read);
    assert_eq!(kind(&ChatRequest::user("a").with_tool(tool)), ErrorKind::InvalidRequest);
    let drawn = ChatResponse::new(Message::new(Role::Assistant, [picture()]), FinishReason::Stop);
    assert_eq!(ChatCompletion::from_core(&drawn, "", "", 0).unwrap_err().kind(), ErrorKind::Internal);
    assert!(drawn.into_chunks().into_iter().any(|chunk| ChunkWriter::new("", "", 0, 0).write(chunk).is_err()));
}

#[test]
fn a_picture_that_is_no_base64_is_blamed() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "a"}, {"role": "user", "content": [
        {"type": "text", "text": "b"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,???"}}]}]});
    let error: ApiError = ChatCompletionRequest::from_json(&serde_json::to_vec(&body).unwrap()).unwrap().to_core().unwrap_err();
    assert_eq!(error.body.param.as_deref(), Some("messages[1].content[1].image_url.url"));
}

#[test]
fn a_stream_has_the_documented_form() {
    let mut writer = ChunkWriter::new("chatcmpl-1", "m", 5, 1);
    let call = ToolCall::new("c", "t", "{}");
    let response = ChatResponse::new(Message::assistant("hi").with_part(call), FinishReason::ToolCalls);
    let chunks: Vec<_> = response.into_chunks().into_iter().filter_map(|chunk| writer.write(chunk).unwrap()).collect();
    let choices: Vec<_> = chunks.iter().map(|chunk| serde_json::to_value(&chunk.choices[0]).unwrap()).collect();
    let nothing = json!(null);
    let expected = [
        json!({"index": 1, "delta": {"role": "assistant", "content": "hi"}, "logprobs": nothing, "finish_reason": nothing}),
        json!({"index": 1, "logprobs": nothing, "finish_reason": nothing, "delta": {"tool_calls": [
            {"index": 0, "id": "c", "type": "function", "function": {"name": "t", "arguments": "{}"}}]}}),
        json!({"index": 1, "delta": {}, "logprobs": nothing, "finish_reason": "tool_calls"}),
    ];
    assert_eq!(choices, expected);
    let usage = serde_json::to_value(writer.usage(Usage::new(1, 2))).unwrap();
    assert_eq!((&usage["choices"], &usage["usage"]["total_tokens"]), (&json!([]), &json!(3)));
}
