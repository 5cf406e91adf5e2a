//! Input that nobody wrote to be read.

use jarre_rag::{Format, ingest::Reason};
use proptest::prelude::*;

use crate::{assert_sound, read, texts};

const TEXTUAL: [Format; 3] = [Format::Markdown, Format::Html, Format::Text];

/// Strings of which the pieces mean something to a parser.
fn markup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(PIECES.to_vec()).prop_map(str::to_owned),
        2 => "[a-z ]{1,12}",
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

const PIECES: [&str; 64] = [
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "    ",
    "\0",
    "\u{feff}",
    "\u{a0}",
    "\u{85}",
    "# ",
    "## ",
    "---\n",
    "===\n",
    "- ",
    "1. ",
    "> ",
    "```\n",
    "~~~",
    "|",
    "|-|-|\n",
    "a | b\n",
    "[^1]",
    "[^1]: ",
    "[a]: b\n",
    "[",
    "](",
    ")",
    "*",
    "**",
    "_",
    "`",
    "$",
    "<!--",
    "-->",
    "<div>",
    "</div>",
    "<p>",
    "<h1>",
    "</h1>",
    "<ul>",
    "<li>",
    "<ol start=9>",
    "<table>",
    "<tr>",
    "<td>",
    "<pre>",
    "</pre>",
    "<br>",
    "<main>",
    "<article>",
    "<script>",
    "</script>",
    "<template>",
    "<svg>",
    "<title>",
    "<a href=x>",
    "<blockquote>",
    "&amp;",
    "&#0;",
    "&",
    "title: x\n",
    "+++\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_sound_blocks(text in markup()) {
        for format in TEXTUAL {
            match read(format, text.as_bytes()) {
                Ok(document) => {
                    assert_sound(&document);
                    prop_assert!(format == Format::Html || document.text == text);
                }
                Err(reason) => prop_assert_eq!(reason, Reason::Empty),
            }
        }
    }

    #[test]
    fn any_bytes_give_sound_blocks(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for format in TEXTUAL {
            match read(format, &bytes) {
                Ok(document) => assert_sound(&document),
                Err(reason) => prop_assert_eq!(reason, Reason::Empty),
            }
        }
    }

    #[test]
    fn every_word_of_plain_text_is_in_a_block(text in "[a-z \n\r\t]{1,200}") {
        if let Ok(document) = read(Format::Text, text.as_bytes()) {
            let words: Vec<&str> = text.split_whitespace().collect();
            let kept: Vec<&str> = texts(&document).into_iter().flat_map(str::split_whitespace).collect();
            prop_assert_eq!(words, kept);
        }
    }

    #[test]
    fn every_word_of_plain_paragraphs_survives_markdown_and_html(words in prop::collection::vec("[a-z]{2,8}", 1..30)) {
        let markdown = words.join("\n\n");
        let document = read(Format::Markdown, markdown.as_bytes()).unwrap();
        prop_assert_eq!(texts(&document), words.clone());
        let html = format!("<p>{}</p>", words.join("</p><p>"));
        let document = read(Format::Html, html.as_bytes()).unwrap();
        prop_assert_eq!(texts(&document), words);
    }
}

/// Each case nests or repeats something ten thousand times.
#[test]
fn nesting_and_repetition_are_survived() {
    let deep = |piece: &str| piece.repeat(10_000) + "end";
    for piece in ["> ", "[", "- ", "*", "**a ", "![", "`", "(", "<!--", "[^", "1. ", "|", "a|b\n-|-\n", "<div>", "&lt;"] {
        assert_read(Format::Markdown, &deep(piece));
    }
    for piece in [
        "<div>",
        "<p>",
        "<b>",
        "<table>",
        "<table><tr><td>",
        "<ul><li>",
        "<blockquote>",
        "<a>",
        "<form>",
        "<svg>",
        "<h1>",
        "<main>",
        "&",
        "<",
    ] {
        assert_read(Format::Html, &deep(piece));
    }
}

#[test]
fn huge_tables_are_read() {
    let html = format!("<table>{}</table>", "<tr><td>a<td>b<td>c".repeat(20_000));
    let document = read(Format::Html, html.as_bytes()).unwrap();
    assert_eq!(document.text.lines().filter(|line| *line == "a | b | c").count(), 20_000);
    let markdown = format!("a|b\n-|-\n{}", "1|2\n".repeat(50_000));
    assert_read(Format::Markdown, &markdown);
}

#[test]
fn odd_bytes_keep_their_place() {
    for text in ["a\0b\n\nc", "one\rtwo\r\r\nthree", "\u{feff}\u{feff}# h\n", "\u{2028}x\u{2029}", "a\u{301}\n\n\u{1f468}\u{200d}\u{1f469}"]
    {
        for format in [Format::Markdown, Format::Text] {
            let document = read(format, text.as_bytes()).unwrap();
            assert_eq!(document.text, text);
            assert_sound(&document);
        }
        assert_read(Format::Html, text);
    }
}

fn assert_read(format: Format, text: &str) {
    match read(format, text.as_bytes()) {
        Ok(document) => assert_sound(&document),
        Err(reason) => assert_eq!(reason, Reason::Empty, "{format:?} of {:?}", &text[..text.floor_char_boundary(40)]),
    }
}
