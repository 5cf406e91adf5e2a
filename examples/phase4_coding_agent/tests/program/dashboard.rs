//! `serve`: the dashboard of a store.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use jarre_agent::Event;
use tokio::time::timeout;

use crate::{
    approvals::{place_with_a_question, token},
    client::{Events, send},
    program::{Place, Running, line_with},
};

const PATIENCE: Duration = Duration::from_mins(1);

/// A dashboard at work, where it is, and what opens it. Nobody reads what it says after that, which must not hold it up.
fn serve(place: &Place) -> (Running, SocketAddr, String) {
    let mut running = Running::start(&mut place.program(["serve", "--address", "127.0.0.1:0"]));
    let line = line_with(&mut running.stderr(), "http://");
    let (address, secret) = line.strip_prefix("http://").unwrap().split_once("/sign-in#").unwrap();
    assert!(secret.len() >= 32, "{line}");
    (running, address.parse().unwrap(), secret.to_owned())
}

#[tokio::test]
async fn a_dashboard_shows_a_run_takes_an_answer_and_stops_when_asked() {
    let Some(place) = place_with_a_question() else { return };
    let asked = token(&place);
    let (mut running, address, secret) = serve(&place);
    let bearer = format!("Authorization: Bearer {secret}\r\n");
    assert!(address.ip().is_loopback());

    for (path, headers, status) in [
        ("/", String::new(), 401),
        ("/runs/careful", String::new(), 401),
        ("/runs/careful/events", String::new(), 401),
        ("/", "Authorization: Bearer another-secret-that-is-wrong\r\n".to_owned(), 401),
        ("/", format!("Host: evil.example:{}\r\n{bearer}", address.port()), 421),
        ("/", "Accept: text/html\r\n".to_owned(), 303),
        ("/runs/none", bearer.clone(), 404),
    ] {
        let reply = send(address, "GET", path, &headers, "").await;
        assert_eq!(reply.status, status, "{path} {headers}");
        assert!(!reply.body.contains("merge") && !reply.body.contains(&secret), "{path} {headers}");
    }
    let list = send(address, "GET", "/", &bearer, "").await;
    assert!(list.status == 200 && list.body.contains("href=\"/runs/careful\"") && list.body.contains("needs approval"), "{list:?}");
    place.run(["runs"]).refused(2, "in use");

    let signed_in = send(address, "POST", "/sign-in", "", &format!("secret={secret}")).await;
    let cookie = format!("Cookie: {}\r\n", signed_in.header("set-cookie").unwrap().split(';').next().unwrap());
    let page = send(address, "GET", "/runs/careful", &cookie, "").await;
    assert!(page.body.contains(&asked) && page.body.contains("An interval is only compared with the last one"), "{page:?}");
    let mut events = Events::open(address, "/runs/careful/events", &bearer).await;
    timeout(PATIENCE, events.next_named("parts")).await.unwrap();
    let form = format!("token={asked}&decision=approve&csrf=");
    assert_eq!(send(address, "POST", "/runs/careful/approvals", &cookie, &form).await.status, 403, "not from a page of this session");
    assert_eq!(send(address, "POST", "/runs/careful/approvals", &cookie, &(form + &page.csrf())).await.status, 303);
    timeout(PATIENCE, events.next_named("parts")).await.expect("those who follow hear of the answer");

    running.signal("TERM");
    // Pages that follow are let go; until then they may hear that there is nothing to hear.
    let let_go = async { while events.next().await.is_some() {} };
    timeout(PATIENCE, let_go).await.unwrap();
    assert_eq!(running.wait(), Some(0));
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    let answered =
        |event: &Event| matches!(event, Event::ApprovalAnswered { token, by, .. } if token.as_str() == asked && by == "dashboard");
    assert!(answered(&place.records("careful").last().unwrap().event), "the store is free, and has the answer");
}

#[test]
fn a_dashboard_is_not_opened_to_others_by_mistake() {
    let Some(place) = place_with_a_question() else { return };
    place.run(["serve", "--address", "0.0.0.0:0"]).refused(2, "0.0.0.0:0 is open to other machines");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    place.run(["serve", "--address", &address]).refused(2, &format!("listen on {address}"));
}
