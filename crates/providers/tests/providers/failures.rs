use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jarre_core::{ChatModel, ChatRequest, ErrorKind, SystemClock, future};
use jarre_providers::{ApiKey, Endpoint, EndpointConfig, OpenAiChat, RetryPolicy, Timeouts};

use crate::server::{Act, Request, Server, answer, events, reply, text};

/// A model of the server, with waits of 10 ms between tries, and what `change` makes of that.
fn changed(server: &Server, change: impl FnOnce(EndpointConfig) -> EndpointConfig) -> OpenAiChat {
    let retry = RetryPolicy::default().with_waits(Duration::from_millis(10), Duration::from_secs(8));
    let config = EndpointConfig::new(&server.url).with_retry(retry).with_api_key(ApiKey::new("sk-secret").unwrap());
    OpenAiChat::new(Endpoint::new(&change(config)).unwrap(), "m")
}

fn model(server: &Server) -> OpenAiChat {
    changed(server, |config| config)
}

/// A model that gives up where an answer does not begin or go on within 300 ms.
fn hasty(server: &Server, retry: RetryPolicy) -> OpenAiChat {
    let (connect, first_byte, idle) = (Duration::from_millis(150), Duration::from_millis(150), Duration::from_millis(300));
    let timeouts = Timeouts::default().with_connect(connect).with_first_byte(first_byte).with_idle(idle);
    changed(server, |config| config.with_timeouts(timeouts).with_retry(retry))
}

/// The kind and the message of what a question fails with.
async fn failure(model: &OpenAiChat) -> (ErrorKind, String) {
    let error = model.chat(ChatRequest::user("hi")).await.unwrap_err();
    assert!(!format!("{error} {error:?} {model:?}").contains("sk-secret"), "the key stays hidden");
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn what_the_server_says_is_told_and_not_asked_again() {
    for (status, body, kind, message) in [
        (
            400,
            r#"{"error": {"message": "too hot", "type": "invalid_request_error", "param": "temperature", "code": null}}"#,
            ErrorKind::InvalidRequest,
            "too hot",
        ),
        (400, r#"{"error": {"message": "too long", "code": "context_length_exceeded"}}"#, ErrorKind::ContextLength, "too long"),
        (401, r#"{"error": {"message": "who are you?"}}"#, ErrorKind::Authentication, "who are you?"),
        (404, r#"{"error": {"message": "no such model", "code": "model_not_found"}}"#, ErrorKind::NotFound, "no such model"),
        (429, r#"{"error": {"message": "pay first", "code": "insufficient_quota"}}"#, ErrorKind::Authentication, "pay first"),
        (307, "", ErrorKind::InvalidResponse, "status 307"),
        (200, "{}", ErrorKind::InvalidResponse, "no choices"),
        (200, r#"{"error": {"message": "too long", "code": "context_length_exceeded"}}"#, ErrorKind::ContextLength, "too long"),
        (200, "<html>", ErrorKind::InvalidResponse, "cannot be read"),
    ] {
        let server = Server::start(move |_, _| reply(status, "location: http://127.0.0.1:1/\r\n", body));
        let (got, told) = failure(&model(&server)).await;
        assert_eq!(got, kind, "{told}");
        assert!(told.contains(message), "{told}");
        assert_eq!(server.requests().len(), 1, "{status} is not asked again");
    }
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let server = Server::start(|number, _: &Request| match number {
        0 => reply(429, "retry-after: 0.2\r\n", r#"{"error": {"message": "busy"}}"#),
        1 => reply(503, "", "down"),
        _ => answer("id", &["at last"]),
    });
    let start = Instant::now();
    let response = model(&server).chat(ChatRequest::user("hi")).await.unwrap();
    assert_eq!(response.message.text(), "at last");
    assert!(start.elapsed() >= Duration::from_millis(200), "the wait that was asked for is kept");
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].body, requests[2].body);
}

#[tokio::test]
async fn tries_end() {
    let server = Server::start(|_, _| reply(500, "", r#"{"error": {"message": "oops"}}"#));
    assert_eq!(failure(&model(&server)).await, (ErrorKind::Internal, "oops".into()));
    assert_eq!(server.requests().len(), 3, "the first try and two more");

    let server = Server::start(|_, _| reply(429, "retry-after: 30\r\n", r#"{"error": {"message": "busy"}}"#));
    let error = model(&server).chat(ChatRequest::user("hi")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(Duration::from_secs(30))));
    assert_eq!(server.requests().len(), 1, "a wait longer than the policy has is handed on");
}

#[tokio::test]
async fn nobody_there_is_an_outage() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = EndpointConfig::new(format!("http://{closed}/v1")).with_retry(RetryPolicy::never());
    let (kind, message) = failure(&OpenAiChat::new(Endpoint::new(&config).unwrap(), "m")).await;
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(message.starts_with("openai cannot be reached"), "{message}");
}

#[tokio::test]
async fn a_whole_answer_that_breaks_off_is_asked_for_again_and_a_stream_is_not() {
    let broken =
        |number: usize, _: &Request| if number.is_multiple_of(2) { events(&[text("id", "half an ")]) } else { answer("id", &["whole"]) };
    let server = Server::start(broken);
    assert_eq!(model(&server).chat(ChatRequest::user("hi")).await.unwrap().message.text(), "whole");
    assert_eq!(server.requests().len(), 2);

    let mut stream = model(&server).stream(ChatRequest::user("hi")).await.unwrap();
    assert_eq!(server.requests().len(), 3);
    assert!(future::next(&mut stream).await.unwrap().is_ok());
    let error = future::next(&mut stream).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("broke off"), "{error}");
    assert!(future::next(&mut stream).await.is_none(), "after an error the stream ends");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_stream_that_breaks_off_before_its_first_piece_is_begun_again() {
    let server = Server::start(|number, _| if number == 0 { events(&[]) } else { answer("id", &["here"]) });
    let mut stream = model(&server).stream(ChatRequest::user("hi")).await.unwrap();
    assert!(future::next(&mut stream).await.unwrap().is_ok());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn errors_inside_a_stream_are_told() {
    let refused = r#"{"error": {"message": "too long", "code": "context_length_exceeded"}}"#;
    let server = Server::start(move |_, _| events(&[text("id", "a"), refused.into()]));
    assert_eq!(failure(&model(&server)).await, (ErrorKind::ContextLength, "too long".into()));
    let server = Server::start(|_, _| events(&[text("id", "a"), "{".into()]));
    assert_eq!(failure(&model(&server)).await.0, ErrorKind::InvalidResponse);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_came_before_an_error_is_given_out_however_it_was_cut() {
    let server = Server::start(|_, _| {
        let acts = events(&[text("id", "a"), text("id", "b"), r#"{"error": "crashed"}"#.into(), text("id", "c")]);
        let whole = acts.into_iter().map(|act| if let Act::Send(text) = act { text } else { String::new() }).collect();
        vec![Act::Send(whole)]
    });
    let mut stream = model(&server).stream(ChatRequest::user("hi")).await.unwrap();
    for _ in 0..2 {
        assert_eq!(future::next(&mut stream).await.unwrap().unwrap().deltas.len(), 1);
    }
    assert_eq!(future::next(&mut stream).await.unwrap().unwrap_err().to_string(), "crashed");
    assert!(future::next(&mut stream).await.is_none());
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let silent = |before: Vec<Act>| Server::start(move |_, _| before.iter().cloned().chain([Act::Wait(Duration::from_secs(5))]).collect());
    for (server, what) in [
        (silent(vec![]), "the beginning of the answer of openai took longer than 0.3 s"),
        (silent(events(&[text("id", "a")])), "the next piece of the answer took longer than 0.3 s"),
    ] {
        let start = Instant::now();
        let (kind, message) = failure(&hasty(&server, RetryPolicy::never())).await;
        assert_eq!(kind, ErrorKind::Timeout);
        assert!(message.contains(what), "{message}");
        assert!(start.elapsed() < Duration::from_secs(4));
    }
    let server = silent(vec![]);
    let retry = RetryPolicy::default().with_retries(1).with_waits(Duration::ZERO, Duration::ZERO);
    assert_eq!(failure(&hasty(&server, retry)).await.0, ErrorKind::Timeout);
    assert!(eventually(|| server.requests().len() == 2).await, "a timeout is tried again");
}

#[tokio::test]
async fn the_deadline_holds_over_everything() {
    let ask = async |server: &Server| {
        let start = Instant::now();
        let request = ChatRequest::user("hi").with_timeout(&SystemClock::new(), Duration::from_millis(400));
        let error = model(server).chat(request).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(4));
        error
    };
    for before in [vec![], events(&[text("id", "a")])] {
        let server = Server::start(move |_, _| before.iter().cloned().chain([Act::Wait(Duration::from_secs(5))]).collect());
        let error = ask(&server).await;
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Timeout, "the deadline of the request has passed"));
        assert_eq!(server.requests().len(), 1);
    }
    // A wait that would end after the deadline is not begun.
    let busy = Server::start(|_, _| reply(429, "retry-after: 2\r\n", "{}"));
    assert_eq!(ask(&busy).await.kind(), ErrorKind::RateLimited);
    assert_eq!(busy.requests().len(), 1);
}

#[tokio::test]
async fn answers_are_bounded() {
    let flood = |head: &'static str, text: String| {
        let noticed = Arc::<Mutex<bool>>::default();
        let told = Arc::clone(&noticed);
        let server = Server::start(move |_, _| vec![Act::Send(head.into()), Act::Flood(text.clone(), Arc::clone(&told))]);
        (server, noticed)
    };
    let events = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    for (head, text) in
        [(events, format!("data: {}\n\n", text("id", &"x".repeat(1000)))), (events, "data: x".repeat(1000)), (json, " ".repeat(1000))]
    {
        let (server, noticed) = flood(head, text);
        let (kind, message) = failure(&changed(&server, |config| config.with_max_response_bytes(20_000))).await;
        assert_eq!(kind, ErrorKind::InvalidResponse, "{message}");
        assert!(message.contains("longer than it may be"), "{message}");
        assert!(eventually(|| *noticed.lock().unwrap()).await, "the connection is closed");
    }
    // The body of an error is read as far as it goes, and what it says is told all the same.
    let (server, _) = flood("HTTP/1.1 400 No\r\ncontent-type: text/plain\r\n\r\n", "no. ".repeat(1000));
    let (kind, message) = failure(&model(&server)).await;
    assert_eq!(kind, ErrorKind::InvalidRequest);
    assert!(message.starts_with("the server answered with status 400: no. no.") && message.len() < 1000, "{message}");
}

#[tokio::test]
async fn dropping_the_stream_cancels_the_request() {
    let noticed = Arc::<Mutex<bool>>::default();
    let told = Arc::clone(&noticed);
    let piece = format!("data: {}\n\n", text("id", "more "));
    let server = Server::start(move |_, _| events(&[]).into_iter().chain([Act::Flood(piece.clone(), Arc::clone(&told))]).collect());
    let mut stream = model(&server).stream(ChatRequest::user("hi")).await.unwrap();
    assert!(future::next(&mut stream).await.unwrap().is_ok());
    assert!(!*noticed.lock().unwrap());
    drop(stream);
    assert!(eventually(|| *noticed.lock().unwrap()).await, "the server is told");
}

/// Whether `holds` within five seconds, in which the runtime goes on.
async fn eventually(holds: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > Duration::from_secs(5) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}
