use jarre_agent::view::{Story, Terminal};
use jarre_core::Timestamp;
use proptest::prelude::*;

use crate::html::HOSTILE;
use crate::sample;

/// Whether a terminal would be commanded by it: line breaks aside, nothing may be.
fn commands(text: &str) -> bool {
    text.chars().any(|c| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

#[test]
fn a_run_reads_from_top_to_bottom() {
    let text = Terminal::new(100).story(&Story::of(&sample::run("r1", Timestamp::UNIX_EPOCH)));
    let places = [
        "Mend the calendar",
        "r1: done",
        "1 plan",
        "file_read src/lib.rs",
        "+    if day.day == days_in(day.month) {",
        "2 failed, 6 passed",
        "a_year_ends at tests/calendar.rs:31",
        "5 reflect",
        "why: I only",
        "9 passed",
        "Done.",
    ]
    .map(|needle| text.find(needle).unwrap_or_else(|| panic!("{needle} in\n{text}")));
    assert!(places.is_sorted(), "{places:?}");
    assert!(!commands(&text));
}

#[test]
fn no_control_of_others_gets_through_in_color_either() {
    let records = sample::hostile(HOSTILE);
    let story = Story::of(&records);
    let plain = Terminal::new(60);
    assert!(!commands(&plain.story(&story)));
    for record in &records {
        let line = plain.line(record);
        assert!(!commands(&line) && !line.contains('\n'), "{line:?}");
        assert!(line.chars().count() <= 60, "{line:?}");
        let colored = plain.with_color(true).line(record);
        assert_eq!(stripped(&colored), line, "colours are the only codes");
    }
    assert_eq!(stripped(&plain.with_color(true).story(&story)), plain.story(&story));
}

/// Without the codes that set and end colours.
fn stripped(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        kept.push_str(before);
        let (code, after) = after.split_once('m').unwrap();
        assert!(["0", "1", "2", "31", "32", "33", "36"].contains(&code), "{code:?}");
        rest = after;
    }
    kept + rest
}

#[test]
fn a_question_names_its_token() {
    let (log, _, token) = sample::until_approval("r1", Timestamp::UNIX_EPOCH);
    let text = Terminal::new(100).story(&Story::of(&log.records));
    assert!(text.contains(token.as_str()) && text.contains("not over: needs approval"));
}

#[test]
fn each_record_is_a_line() {
    let lines: Vec<String> = sample::run("r1", Timestamp::UNIX_EPOCH).iter().map(|record| Terminal::new(72).line(record)).collect();
    assert_eq!(lines[0], "00:00:00     0 began: Mend the calendar, with qwen2.5-coder-7b");
    assert!(lines[2].starts_with("00:00:01     2 answered (1,240 + 62 tokens, $0.000297): 1. Read"), "{}", lines[2]);
    assert!(lines.iter().any(|line| line.contains("ada approved")));
    assert!(lines.iter().any(|line| line.contains("6 passed, 2 failed, 2.8 s")));
    assert!(lines.last().unwrap().contains("Done. next_day asks"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_text_fits_and_commands_nothing(text: String, width in 0..50_usize) {
        let records = sample::hostile(&text);
        let terminal = Terminal::new(width);
        prop_assert!(!commands(&terminal.story(&Story::of(&records))));
        for record in &records {
            prop_assert!(!commands(&terminal.line(record)));
        }
    }
}
