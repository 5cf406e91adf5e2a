//! `--url`: a model behind OpenAI's API, which mends the shipped task, breaks down, or talks nonsense.

use std::{net::TcpListener, time::Duration};

use jarre_agent::{Event, Outcome};
use serde_json::{Value, json};

use crate::{
    program::{Ended, Place, Running, has_sandbox, line_with},
    server::{Act, Server, answer, end, events, reply},
};

/// The answer that calls a tool.
pub(crate) fn call(number: usize, tool: &str, arguments: &Value) -> Vec<Act> {
    let function = json!({"name": tool, "arguments": arguments.to_string()});
    let delta = json!({"role": "assistant", "content": format!("I use {tool}."),
                       "tool_calls": [{"index": 0, "id": format!("c{number}"), "type": "function", "function": function}]});
    let said = json!({"id": "id", "object": "chat.completion.chunk", "model": "m-1", "choices": [{"index": 0, "delta": delta}]});
    let datas: Vec<String> = std::iter::once(said.to_string()).chain(end("id", "tool_calls")).collect();
    events(&datas)
}

pub(crate) fn edit(number: usize, path: &str, search: &str, replace: &str) -> Vec<Act> {
    call(number, "file_edit", &json!({"path": path, "search": search, "replace": replace}))
}

/// What mends the shipped task, from its plan on.
fn mends(number: usize) -> Vec<Act> {
    let sorted = "let mut intervals = intervals;\n    intervals.sort();\n    let mut merged: Vec<(i64, i64)>";
    match number {
        0 => answer("id", &["1. Sort. ", "2. Keep the larger end."]),
        1 => edit(number, "intervals.rs", "let mut merged: Vec<(i64, i64)>", sorted),
        2 => edit(number, "intervals.rs", "before.1 = last", "before.1 = before.1.max(last)"),
        3 => call(number, "test_run", &json!({})),
        _ => call(number, "finish", &json!({"answer": "a server mended it"})),
    }
}

/// A run with the model of a server.
fn with<'a>(args: &[&'a str], server: &'a Server) -> Vec<&'a str> {
    [&["run"], args, &["--url", &server.url, "--model-name", "m"]].concat()
}

#[test]
fn a_model_behind_a_server_mends_the_shipped_task() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    let server = Server::start(|number, _| mends(number));
    let args = with(&["--key-env", "JARRE_TEST_KEY", "--price", "1000000", "2000000", "--json"], &server);
    let ended = crate::program::end(place.program(args).env("JARRE_TEST_KEY", "sk-open"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stdout.contains("sk-open"), "a key stands in no log");
    let records = ended.records();
    assert!(
        matches!(&records.last().unwrap().event, Event::Finished { outcome: Outcome::Done { answer } } if answer == "a server mended it")
    );
    assert!(place.worked_on("demo", "intervals.rs").contains("before.1.max(last)"));
    let summary = place.summary("demo");
    // Five answers, each of 9 tokens read and 4 written.
    assert_eq!((&summary["model"], &summary["cost"]), (&"m".into(), &(5 * (9 + 2 * 4)).into()), "{summary}");
    assert_eq!(place.succeed(["replay", "demo"]).stdout, format!("the same, byte for byte: {} records\n", records.len()));

    let requests = server.requests();
    assert_eq!(requests.len(), 5);
    assert!(requests.iter().all(|request| request.headers["authorization"] == "Bearer sk-open" && request.body["model"] == "m"));
    let tools: Vec<&str> =
        requests[1].body["tools"].as_array().unwrap().iter().map(|tool| tool["function"]["name"].as_str().unwrap()).collect();
    assert!(["file_read", "file_edit", "test_run", "code_execute", "finish"].iter().all(|tool| tools.contains(tool)), "{tools:?}");
    let last = requests[4].body["messages"].as_array().unwrap();
    let told = last.iter().find(|message| message["role"] == "tool" && message["tool_call_id"] == "c3").unwrap();
    assert!(told["content"].as_str().unwrap().contains("6 passed"), "{told}");
}

/// How a run ended that failed, with what it advises to go on.
fn failed(ended: &Ended, why: &str) -> Vec<Vec<String>> {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains(&format!("\nfailed: {why}")), "{why} in {ended:?}");
    let advice = ended.stdout.lines().last().unwrap();
    let commands: Vec<Vec<String>> =
        advice.split('`').skip(1).step_by(2).map(|command| command.split(' ').map(str::to_owned).collect()).collect();
    assert_eq!(commands.len(), 2, "{advice}");
    commands
}

#[test]
fn what_was_done_before_a_server_broke_down_is_gone_on_with() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    let breaks =
        Server::start(|number, _| if number < 2 { mends(number) } else { reply(500, "", r#"{"error": {"message": "out of order"}}"#) });
    let ended = place.run(with(&[], &breaks));
    let [branch, resume] = &failed(&ended, "")[..] else { panic!("two commands") };
    assert!(ended.stdout.contains("out of order"), "{ended:?}");
    assert!(breaks.requests().len() > 3, "it was asked again");

    place.succeed(branch);
    place.run(resume).refused(2, "the run began with the model `m`");
    let mended = Server::start(|number, _| mends(number + 2));
    let resume: Vec<&str> = resume.iter().skip(1).map(String::as_str).collect();
    assert!(place.succeed(with(&resume, &mended)).stdout.contains("done: a server mended it"));
    assert_eq!(mended.requests().len(), 3, "the plan and the first edit are not made again");
    assert!(place.worked_on("demo-again", "intervals.rs").contains("before.1.max(last)"));
    place.succeed(["replay", "demo-again"]);
}

#[test]
fn nonsense_and_silence_end_a_run_with_the_reason() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    let nonsense = Server::start(|_, _| reply(200, "", "<html>not the API</html>"));
    failed(&place.run(with(&["--name", "nonsense"], &nonsense)), "");
    let refused = Server::start(|_, _| reply(401, "", r#"{"error": {"message": "who are you?"}}"#));
    let ended = place.run(with(&["--name", "refused"], &refused));
    failed(&ended, "");
    assert!(ended.stdout.contains("who are you?"), "{ended:?}");
    assert_eq!((nonsense.requests().len(), refused.requests().len()), (1, 1), "another try cannot help");

    // A port at which nobody listens.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/v1");
    let ended = place.run(["run", "--name", "silent", "--url", &url, "--model-name", "m"]);
    failed(&ended, "");
    assert!(ended.stdout.matches("the model failed: ").count() > 1, "it was tried again: {ended:?}");
    for run in ["nonsense", "refused", "silent"] {
        assert_eq!(place.summary(run)["outcome"], "failed");
        place.succeed(["replay", run]);
    }
}

#[test]
fn a_run_that_is_killed_while_it_waits_for_a_server_goes_on_with_another() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    let waits = Server::start(|number, _| if number == 0 { mends(0) } else { vec![Act::Wait(Duration::from_mins(10))] });
    let mut first = Running::start(&mut place.program(with(&["--json"], &waits)));
    line_with(&mut first.stdout(), r#""event":{"call":1,"digest":"#);
    first.signal("KILL");
    assert_eq!(first.wait(), None);

    place.run(["run", "--resume", "demo"]).refused(2, "the run began with the model `m`");
    let mended = Server::start(|number, _| mends(number + 1));
    assert!(place.succeed(with(&["--resume", "demo"], &mended)).stdout.contains("done: a server mended it"));
    place.succeed(["replay", "demo"]);
}
