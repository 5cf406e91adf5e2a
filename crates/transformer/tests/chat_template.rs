//! Chat templates: what transformers renders, byte for byte, and what hostile templates and folders come to.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jarre_core::{ErrorKind, Message, Part, Role, Timestamp, ToolCall, ToolResult, ToolSpec};
use jarre_transformer::Error;
use jarre_transformer::chat_template::{ChatInput, ChatTemplate};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What `chat/make_chat_golden.py` writes.
#[derive(Deserialize)]
struct Golden {
    special_tokens: BTreeMap<String, String>,
    now_unix_micros: i64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    messages: Vec<Message>,
    tools: Vec<ToolSpec>,
    variables: Map<String, Value>,
    /// By template: without and with a generation prompt.
    expected: BTreeMap<String, [Expected; 2]>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expected {
    Text(String),
    /// What `raise_exception` was given.
    Raises(String),
    /// What Python said.
    Fails(String),
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chat"))
}

#[test]
fn every_template_renders_what_transformers_renders() {
    let golden: Golden = serde_json::from_slice(&fs::read(folder().join("golden.json")).unwrap()).unwrap();
    let tokens = || golden.special_tokens.iter().map(|(name, token)| (name.as_str(), token.as_str()));
    let mut compared = BTreeMap::<&str, usize>::new();
    for case in &golden.cases {
        for (family, expected) in &case.expected {
            let source = fs::read_to_string(folder().join("templates").join(format!("{family}.jinja"))).unwrap();
            let template = ChatTemplate::new(&source, tokens()).unwrap();
            for (expected, prompt) in expected.iter().zip([false, true]) {
                let mut input = ChatInput::new(&case.messages).with_tools(&case.tools);
                input = input.with_date(Timestamp::from_unix_micros(golden.now_unix_micros));
                input.add_generation_prompt = prompt;
                input.variables = case.variables.clone();
                expected.hold(&template.render(&input), &format!("{family}, {}, prompt: {prompt}", case.name));
                *compared.entry(family).or_default() += 1;
            }
        }
    }
    assert_eq!((compared.len(), compared.values().sum::<usize>()), (12, 528), "{compared:?}");
}

impl Expected {
    fn hold(&self, rendered: &Result<String, Error>, case: &str) {
        match (self, rendered) {
            (Self::Text(text), Ok(rendered)) => assert_eq!(rendered, text, "{case}"),
            (Self::Raises(message), Err(error)) => assert!(error.to_string().contains(message), "{case}: {error}"),
            (Self::Fails(_), Err(Error::Template { reason })) => assert!(!reason.contains("refuses"), "{case}: {reason}"),
            (Self::Text(text), Err(error)) => panic!("{case}: {error}, not {text:?}"),
            (Self::Raises(message) | Self::Fails(message), rendered) => panic!("{case}: {rendered:?}, not the error {message:?}"),
        }
    }
}

fn render(source: &str) -> Result<String, Error> {
    ChatTemplate::new(source, [("bos_token", "<s>")])?.render(&ChatInput::new(&[Message::user("Hi"), Message::assistant("Hello")]))
}

fn reason(source: &str) -> String {
    match render(source) {
        Err(Error::Template { reason }) => reason,
        other => panic!("{source:.200}: {other:.200?}"),
    }
}

#[test]
fn endless_work_is_an_error() {
    let endless = [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}".to_owned(),
        "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}".to_owned(),
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}".to_owned(),
        "{% for a in [[1]] recursive %}{{ loop([a]) }}{% endfor %}".to_owned(),
        "{% for a in range(100000) %}{{ messages | tojson(indent=64) }}{% endfor %}".to_owned(),
        "{% set ns = namespace(x=1) %}{% for a in range(90000) %}{% set ns.x = ns.x * 3 + 1.5 %}{% for b in range(9) %}{% endfor %}{% endfor %}".to_owned(),
        format!("{{% set x = [1] %}}{{% set y = [1] %}}{}{{{{ x == y }}}}", "{% set x = [x, x] %}{% set y = [y, y] %}".repeat(40)),
        format!("{{% set x = [1] %}}{}{{{{ x | length }}}}", "{% set x = x + x %}".repeat(40)),
        "{% macro m(x, n) %}{% if n %}{{ m([x, x], n - 1) }}{% else %}{{ x == [x] }}{% endif %}{% endmacro %}{{ m(1, 40) }}".to_owned(),
        "{% set ns = namespace(x=[1, 2]) %}{% for a in range(100000) %}{% set ns.x = ns.x[0:] %}{% endfor %}".to_owned(),
        "{{ [[1] * 30000] * 30000 == [[2] * 30000] * 30000 }}".to_owned(),
    ];
    for source in &endless {
        reason(source);
    }
}

#[test]
fn output_and_memory_are_bounded() {
    let a_megabyte = "{% set x = 'x' * 1000000 %}";
    let greedy = [
        "{{ 'x' * 100000000 }}".to_owned(),
        "{% for a in range(1000) %}{{ 'x' * 100000 }}{% endfor %}".to_owned(),
        format!("{{% set x = 'ab' %}}{}{{{{ x }}}}", "{% set x = x ~ x %}".repeat(40)),
        format!("{{% set x = 'ab' %}}{}{{{{ x }}}}", "{% set x = x + x %}".repeat(40)),
        format!("{{% set x %}}ab{{% endset %}}{}{{{{ x }}}}", "{% set x %}{{ x }}{{ x }}{% endset %}".repeat(40)),
        format!("{{% set x = [1] %}}{}{{{{ x }}}}", "{% set x = [x, x] %}".repeat(40)),
        format!("{{% set x = [1] %}}{}{{{{ x ~ '' }}}}", "{% set x = {1: x, 2: x} %}".repeat(40)),
        format!("{{% set x = [1] %}}{}{{{{ x | string }}}}", "{% with x = (x, x) %}".repeat(30)) + &"{% endwith %}".repeat(30),
        "{{ [0] * 100000000 }}".to_owned(),
        "{{ 100000000 * [0] ~ '' }}".to_owned(),
        "{{ 2 * 100000000 * 'a,b' | split(',') }}".to_owned(),
        format!("{a_megabyte}{{{{ x | replace('x', x) }}}}"),
        format!("{a_megabyte}{{{{ x.replace('', x) }}}}"),
        format!("{a_megabyte}{{{{ range(100000) | join(x) }}}}"),
        format!("{a_megabyte}{{{{ x.join(range(100000)) }}}}"),
        "{{ '{:>999999999}'.format(1) }}".to_owned(),
        "{{ '%999999999d' | format(1) }}".to_owned(),
        "{{ '%.999999999f' | format(1.5) }}".to_owned(),
        "{{ 'a\nb' | indent(999999999) }}".to_owned(),
        "{{ [1, 2] | batch(999999999, 'x') | list }}".to_owned(),
        "{{ [1, 2] | slice(999999999) | list }}".to_owned(),
        "{{ messages | tojson(indent=999999999) }}".to_owned(),
        format!("{a_megabyte}{{{{ messages | tojson(separators=[x, x]) }}}}{{{{ range(1000) | list | tojson(separators=[x, x]) }}}}"),
    ];
    for source in &greedy {
        reason(source);
    }
}

#[test]
fn what_would_overflow_the_stack_is_an_error() {
    let deep = [
        "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}".to_owned(),
        "{% set ns = namespace() %}{% set ns.a = [{'b': ns}] %}{{ ns == ns }}".to_owned(),
        "{% set ns = namespace() %}{% for a in [1, 2] %}{% set ns.a = loop %}{% endfor %}".to_owned(),
        "{% set ns = namespace(x=[]) %}{% for a in range(10000) %}{% set ns.x = [ns.x] %}{% endfor %}".to_owned(),
        "{% set n = namespace() %}".to_owned() + &"{% set n = namespace(n=n) %}".repeat(4000),
        format!("{{{{ 1{} }}}}", " + 1".repeat(20_000)),
        format!("{{{{ bos_token{} }}}}", ".a".repeat(20_000)),
        format!("{{{{ {}1 }}}}", "-".repeat(20_000)),
        format!("{{{{ {}1 }}}}", "not ".repeat(20_000)),
        format!("{{{{ {}{} }}}}", "[".repeat(20_000), "]".repeat(20_000)),
        format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(5000)),
        "{% if 1 %}".repeat(5000) + &"{% endif %}".repeat(5000),
        "{% set x %}".repeat(5000) + &"{% endset %}".repeat(5000),
        "{% set x | replace('a', new='b') %}".repeat(5000) + &"{% endset %}".repeat(5000),
        "{% for x in [1] %}{{ loop.cycle() }}{% endfor %}".to_owned(),
    ];
    for source in &deep {
        reason(source);
    }
}

#[test]
fn large_templates_within_the_bounds_are_rendered() {
    let nested = |block: &str, end: &str, inside: &str| format!("{}{inside}{}", block.repeat(40), end.repeat(40));
    let brackets =
        |open: &str, inside: &str, close: &str| format!("{{{{ {}{inside}{} | string | length }}}}", open.repeat(12), close.repeat(12));
    assert_eq!(render(&format!("{{{{ 1{} }}}}", "+1".repeat(199))).unwrap(), "200");
    assert_eq!(render(&format!("{{{{ '{}'{} }}}}", "x", "|trim".repeat(199))).unwrap(), "x");
    assert_eq!(render(&nested("{% if 1 %}", "{% endif %}", &format!("{{{{ 1{} }}}}", "+1".repeat(199)))).unwrap(), "200");
    assert_eq!(render(&nested("{% for a in [1] %}", "{% endfor %}", &brackets("[", "-1", "]"))).unwrap(), "26");
    assert_eq!(render(&brackets("dict(a=", "not 1", ")")).unwrap(), "89");
    assert_eq!(render(&format!("{{% if 0 %}}{}{{% else %}}e{{% endif %}}", "{% elif 0 %}".repeat(150))).unwrap(), "e");
    assert_eq!(render("{% macro m(n) %}{{ m(n - 1) if n else 'x' }}{% endmacro %}{{ m(45) }}").unwrap(), "x");
}

#[test]
fn broken_templates_are_refused_with_the_line() {
    let broken = [
        ("a\nb\n{{ x", 3),
        ("a\n{% if x %}", 2),
        ("\r\n\r{{ x | }}", 3),
        ("{% endfor %}", 1),
        ("\n{% include 'other' %}", 2),
        ("\n\n{{ x | unheard_of }}", 3),
        ("\n{{ messages[0].speaker.name }}", 2),
        ("{{ messages[0].content() }}", 1),
        ("\n\n\n{{ raise_exception('no') }}", 4),
        ("\n{{ unheard_of() }}", 2),
        ("\n{{ 'a' + 1 }}", 2),
        ("\n{{ bos_token | tojson(indent='none', x=1) }}", 2),
        ("\n{{ strftime_now('%Y') }}", 2),
        ("{# \n", 1),
        ("\n{% raw %} {% endraw", 2),
    ];
    for (source, line) in broken {
        let reason = reason(source);
        assert!(reason.contains(&format!("line {line})")), "{source:?}: {reason}");
    }
    assert!(reason("{{ strftime_now('%Y') }}").contains("give the input one"));
    assert!(reason(&"x".repeat(200_000)).contains("200000 bytes"));
    assert_eq!(reason("{{ raise_exception('roles: ' ~ messages | length) }}"), "it refuses the conversation: roles: 2 (line 1)");
}

#[test]
fn fields_that_are_not_there_are_empty() {
    assert_eq!(render("[{{ messages[0].speaker }}{{ messages[7] }}{{ nobody }}{{ bos_token }}{{ eos_token }}]").unwrap(), "[<s>]");
    assert_eq!(render("{{ tools is defined }}{{ tools }}{{ documents }}{{ add_generation_prompt }}").unwrap(), "TrueNoneNoneFalse");
}

#[test]
fn messages_become_the_dictionaries_of_transformers() {
    let call = ToolCall::new("1", "f", "{\"z\": 1, \"a\": [null]}");
    let broken = ToolCall::new("2", "g", "{oops");
    let messages = [
        Message::user("a").with_part(Part::image_url("u")).with_part(Part::image_bytes("image/png", [1])),
        Message::new(Role::Assistant, []).with_part(call.clone()).with_part(broken.clone()).with_part(ToolCall::new("3", "h", " ")),
        Message::tool(ToolResult::new(&call, "r")).with_part(ToolResult::error(&broken, "e")),
        Message::new(Role::User, []),
    ];
    let template = ChatTemplate::new("{{ messages | tojson }}", []).unwrap();
    let expected = json!([
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image", "url": "u"}, {"type": "image"}]},
        {"role": "assistant", "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": {"z": 1, "a": [null]}}},
            {"id": "2", "type": "function", "function": {"name": "g", "arguments": "{oops"}},
            {"id": "3", "type": "function", "function": {"name": "h", "arguments": {}}},
        ]},
        {"role": "tool", "tool_call_id": "1", "name": "f", "content": "r"},
        {"role": "tool", "tool_call_id": "2", "name": "g", "content": "e"},
        {"role": "user", "content": ""},
    ]);
    let rendered = template.render(&ChatInput::new(&messages)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&rendered).unwrap(), expected);
    assert!(rendered.contains(r#"{"z": 1, "a": [null]}"#), "arguments keep their order: {rendered}");
}

#[test]
fn inputs_that_fit_no_template_are_refused() {
    let template = ChatTemplate::new("{{ messages | length }}{% for a in range(50000) %}{{ a }}{% endfor %}", []).unwrap();
    let messages = [Message::user("Hi")];
    let input = ChatInput::new(&messages);
    assert!(template.render(&ChatInput::new(&[])).unwrap_err().to_string().contains("empty"));
    assert!(template.render(&input.clone().with_template("rag")).unwrap_err().to_string().contains("choose from default"));
    assert!(template.render(&input.clone().with_variable("tools", 1)).unwrap_err().to_string().contains("`tools` is set by the input"));
    assert!(template.render(&input.clone().with_max_steps(1000)).unwrap_err().to_string().contains("steps"));
    let error: jarre_core::Error = template.render(&ChatInput::new(&[])).unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(template.render(&input.with_max_steps(10_000_000)).is_ok());
}

#[test]
fn a_long_conversation_stays_within_its_steps() {
    let messages: Vec<Message> =
        (0..2000).flat_map(|turn| [Message::user(format!("{turn} {}", "word ".repeat(40))), Message::assistant("yes")]).collect();
    for family in ["qwen2_5", "qwen3", "llama3", "mistral", "gemma2", "deepseek", "smollm2", "functions"] {
        let source = fs::read_to_string(folder().join("templates").join(format!("{family}.jinja"))).unwrap();
        let template = ChatTemplate::new(&source, [("bos_token", "<s>"), ("eos_token", "</s>")]).unwrap();
        let text = template.render(&ChatInput::new(&messages).with_variable("date_string", "today")).unwrap();
        assert!(text.len() > 400_000, "{family}: {}", text.len());
    }
}

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

#[test]
fn folders_are_read_as_transformers_reads_them() {
    let config = |config: Value| config.to_string();
    let tokens = json!({"bos_token": "<b>", "eos_token": {"content": "<e>", "lstrip": false}, "pad_token": null, "chat_template": "{{ bos_token }}{{ eos_token }}{{ pad_token }}"});
    let many = json!({"chat_template": [{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T"}, {"name": "rag", "template": "R"}]});
    let tools = [ToolSpec::new("f", "", json!({}), jarre_core::Permission::Read)];
    let messages = [Message::user("Hi")];
    let input = ChatInput::new(&messages);
    let open = |files: &[(&str, &str)]| ChatTemplate::from_folder(folder_with(files).path()).unwrap();
    let render = |files: &[(&str, &str)], input: &ChatInput<'_>| open(files).unwrap().render(input).unwrap();

    assert_eq!(render(&[("tokenizer_config.json", &config(tokens.clone()))], &input), "<b><e>");
    assert_eq!(render(&[("tokenizer_config.json", &config(tokens.clone())), ("chat_template.jinja", "J{{ eos_token }}")], &input), "J<e>");
    assert_eq!(render(&[("chat_template.jinja", "J{{ eos_token }}")], &input), "J");
    let files = [("tokenizer_config.json", &*config(many))];
    assert_eq!(render(&files, &input), "D");
    assert_eq!(render(&files, &input.clone().with_tools(&tools)), "T");
    assert_eq!(render(&files, &input.clone().with_tools(&tools).with_template("rag")), "R");
    let files =
        [("chat_template.jinja", "D"), ("additional_chat_templates/tool_use.jinja", "T"), ("additional_chat_templates/readme.md", "{{")];
    assert_eq!(render(&files, &input.clone().with_tools(&tools)), "T");
    assert_eq!(open(&files).unwrap().names().collect::<Vec<_>>(), ["default", "tool_use"]);

    assert!(open(&[]).is_none());
    assert!(open(&[("tokenizer_config.json", r#"{"bos_token": "<b>", "chat_template": null}"#)]).is_none());
}

#[test]
fn folders_that_make_no_sense_are_refused_by_name() {
    let malformed = [
        r#"{"chat_template": 7}"#,
        r#"{"chat_template": [{"name": "default"}]}"#,
        r#"{"chat_template": ["D"]}"#,
        r#"{"chat_template": "D", "bos_token": 1}"#,
        r#"{"chat_template": "D", "eos_token": {"text": "x"}}"#,
        "[]",
        "{",
        "",
    ];
    for config in malformed {
        let error = ChatTemplate::from_folder(folder_with(&[("tokenizer_config.json", config)]).path()).unwrap_err();
        assert!(matches!(&error, Error::Malformed { path, .. } if path.ends_with("tokenizer_config.json")), "{config}: {error}");
    }
    let error = ChatTemplate::from_folder(folder_with(&[("tokenizer_config.json", r#"{"chat_template": "{{"}"#)]).path()).unwrap_err();
    assert!(matches!(&error, Error::Template { reason } if reason.contains("line 1")), "{error}");
    let missing: jarre_core::Error = ChatTemplate::from_folder("no such folder").unwrap_err().into();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let not_text = tempfile::tempdir().unwrap();
    fs::write(not_text.path().join("chat_template.jinja"), b"\xff\xfe").unwrap();
    assert!(matches!(ChatTemplate::from_folder(not_text.path()).unwrap_err(), Error::Io { .. }));
}
