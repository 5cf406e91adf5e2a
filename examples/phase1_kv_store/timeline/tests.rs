use super::*;
use crate::request::{Answer, Input, Level, Refusal, Value};

fn operation(client: u64, call: Micros, input: Input, answer: Answer) -> Operation {
    Operation { client, node: 0, key: 0, input, call, end: Some(call + 1), answer }
}

#[test]
fn a_strip_shows_who_led_and_what_became_of_requests() {
    let written = |number| Input::Write(Value::new(1, number));
    let operations = [
        operation(1, 0, written(1), Answer::Written),
        operation(1, 5, written(2), Answer::Written),
        operation(1, 500, Input::Read(Level::Linearizable), Answer::Refused { reason: Refusal::NoLeader, hint: None }),
        operation(2, 999, written(3), Answer::Unknown),
    ];
    let reigns = [Reign { node: 0, term: Some(12), from: 0, until: Some(490) }, Reign { node: 1, term: None, from: 800, until: None }];
    let faults = vec![(500, 599, "cut".to_owned())];
    let timeline = Timeline { title: "t".to_owned(), end: 1_000, nodes: 2, reigns: &reigns, operations: &operations, lost: &[1], faults };
    let text = strip(&timeline);
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows[0], format!("   broken {}{}", " ".repeat(50), "#".repeat(10)));
    assert_eq!(rows[1], format!("        A {}{}", "c".repeat(50), ".".repeat(50)));
    assert_eq!(rows[2], format!("        B {}{}", ".".repeat(80), "*".repeat(20)));
    assert_eq!(rows[3], format!(" client 1 X{}-", " ".repeat(49)), "what is lost stands before what was written");
    assert_eq!(rows[4], format!(" client 2 {}?", " ".repeat(99)));
}

#[test]
fn a_drawing_names_what_it_shows_and_escapes_it() {
    let reigns = [Reign { node: 0, term: Some(3), from: 0, until: None }];
    let operations = [operation(1, 10, Input::Write(Value::new(1, 1)), Answer::Written)];
    let faults = vec![(0, 5, "<cut>".to_owned())];
    let timeline = Timeline { title: "a & b".to_owned(), end: 100, nodes: 1, reigns: &reigns, operations: &operations, lost: &[], faults };
    let svg = String::from(jarre_report::Chart::to_inline_svg(&Drawing(timeline)));
    assert!(svg.contains("<title>a &amp; b</title>") && svg.contains("&lt;cut&gt;") && !svg.contains("<cut>"));
    assert!(svg.contains("A leads in term 3") && svg.contains("class=\"reign t3\""));
    assert!(svg.contains("client 1 at A: x = 1.1: write acknowledged"));
}
