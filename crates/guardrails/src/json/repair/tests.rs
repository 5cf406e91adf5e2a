use super::*;

/// The looks at bytes that reading `text` takes, for each byte of it.
fn looks(text: &str) -> usize {
    let mut reader = Reader::new(Cursor::new(text, 0), RepairConfig { fixes: usize::MAX, ..RepairConfig::default() });
    let _ = reader.whole();
    reader.cursor.looks.get() / text.len()
}

#[test]
fn reading_is_linear_in_hostile_texts() {
    let pieces = [
        "\"", "\\", "[", "{", "]", "}", "'", "','", "\",\"", "\", \"a", "{\"a\":", "[\"a\", ", "\"a\" ", "\" , ", "',“", "\"a: ",
        "\"\n}\n,", "\n,\n", "a, ", "a \"", "/*", "//", "# ", "... ", "...", "+\"", "\" + ", "` ", "\\\"", "(", "\\u12", "é", "\"}", "\"]",
        "\"],", "a:", "a b ", "1,234,", ",", "“", "\"\"\"", "“x”", "'\"`", "\"a\":", ": ", "=", "\"\n\"", "   ", "\u{a0}", "\" : \"",
    ];
    for piece in pieces {
        for start in ["", "{", "[", "\"", "{\"a\": \"", "[\"", "{\"a\": '", "{'a", "{a: b ", "[b", "{\"a\": 1", "[[{\"a\":\"x"] {
            let text = |times: usize| start.to_owned() + &piece.repeat(times);
            let (short, long) = (looks(&text(2_000)), looks(&text(20_000)));
            assert!(long <= 2 * short.max(4) && long < 1_000, "{start:?} and {piece:?}: {short}, then {long}");
        }
    }
}

#[test]
fn a_million_brackets_are_refused_and_no_stack_is_used() {
    for open in ["[", "{\"a\":", "(", "{a:["] {
        let refused = repair(&open.repeat(1_000_000), &RepairConfig::default()).unwrap_err();
        assert_eq!(refused.reason, crate::json::Reason::Depth, "{open}");
    }
}
