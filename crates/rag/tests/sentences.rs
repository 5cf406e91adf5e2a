#![expect(clippy::unwrap_used, reason = "tests")]

//! The sentence splitter against hand-written cases; `|` marks where a sentence must end, and nowhere else may one.

use jarre_rag::{Span, sentences};
use proptest::prelude::*;

fn split(text: &str) -> Vec<&str> {
    sentences(text).into_iter().map(|span| span.of(text).unwrap()).collect()
}

/// Each case is a text with `|` at the ends of its sentences.
fn check(cases: &[&str]) {
    let wrong: Vec<String> = cases.iter().filter_map(|case| mismatch(case)).collect();
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn mismatch(case: &str) -> Option<String> {
    let text = case.replace('|', "");
    let wanted: Vec<&str> = case.split('|').map(str::trim).filter(|sentence| !sentence.is_empty()).collect();
    let found = split(&text);
    (found != wanted).then(|| format!("wanted {wanted:?}\n found {found:?}"))
}

#[test]
fn plain_sentences() {
    check(&[
        "One sentence.| Another one.",
        "No stop at the end",
        "Really?| Yes!| Good.",
        "What?!| No way.",
        "He left.| She stayed; it rained.",
        "Two  spaces follow.|  They are not part of it.",
        "Tabs\tinside.|\tAnd between.",
        "",
        "   \n\t \n",
    ]);
}

#[test]
fn abbreviations_do_not_end_a_sentence() {
    check(&[
        "Mr. Smith met Dr. Jones and Mrs. Brown.| They talked.",
        "Prof. Ada Lovelace wrote it.| Gen. Lee read it.",
        "Some fruits, e.g. apples, are red.| Others, i.e. limes, are not.",
        "Use a store, e.g. Redis.| It is fast.",
        "The U.S. Army moved.| It won.",
        "He moved to the U.S.| The year was 1999.",
        "St. Louis lies on the river.| St. Paul does too.",
        "She lives on Main St.| It is quiet.",
        "See No. 5 and Nos. 6 and 7.| Then stop.",
        "He said no.| They agreed.",
        "Smith vs. Jones was decided.| Roe v. Wade too.",
        "As Fig. 3 shows, it grows.| Figs. 4 and 5 agree.",
        "See Fig. A and Eq. (2).| Done.",
        "Knuth, Vol. IV, pp. 12 ff. is good.| Read it.",
        "Shown by Vaswani et al. (2017) and Lewis et al. [3] before.| Fine.",
        "Apple Inc. Chief Tim Cook spoke.| He left.",
        "It was bought by Apple Inc.| The price was not told.",
        "On Jan. 5 it rained.| By Sept. 1940 it was over.",
        "At 5 p.m. Tom left.| At 6 a.m. he came back.",
        "It ended at 5 p.m.| Then we left.",
        "He sat.| Tom left.| The sun rose.| May came.",
        "Dr. J. R. R. Tolkien wrote it.| J.R.R. Tolkien did.",
        "John F. Kennedy spoke.| George W. Bush did not.",
        "J.-P. Serre proved it.| So it is.",
        "She holds a Ph.D. in physics.| He has none.",
        "It is rich in vitamin C.| It helps.",
        "Apples, pears, etc. are fruit.| Dogs, cats, etc.| Birds too.",
        "It weighs approx. 5 kg.| It is light.",
        "MR. SMITH CAME.| HE LEFT.",
        "Martin Luther King Jr. Day is in January.| Sammy Davis Jr.| He sang.",
    ]);
}

#[test]
fn dates_of_a_life_do_not_end_a_sentence() {
    check(&[
        "Only Louis the Pious (r. 814–840), was alive.| He reigned.",
        "His son Lothair I (d. 855) ruled, and Charles (b. 823; d. 877) too.| So they did.",
        "Ella (b. March 1985) and Tom [m. 12 May 1990] came.| They left.",
        "Metrocles (Greek: ; fl. c. 325 BC) was a Cynic.| He taught.",
        "He died c. 1054.| It is not known.",
        "She did (a) and (b).| 12 people came.",
        "The answer is part d.| 12 people chose it.",
        "Theorem (see b) holds by part d.| 12 lines prove it.",
        "It was b.| Nobody knew.",
    ]);
}

#[test]
fn numbers_names_and_paths_do_not_end_a_sentence() {
    check(&[
        "Pi is 3.14159.| It is not 3.",
        "Rust 1.95.0 is out.| Use v1.2.3 of it.",
        "Edit Cargo.toml and src/main.rs.| Then build.",
        "Node.js and .NET run.| So does index.HTML in the browser.",
        "See https://example.com/a?b=c&d=E!f for more.| It helps.",
        "Call foo.bar() or Foo.Bar() now.| Wait.",
        "It cost $4.50.| 12 people paid.",
        "The war ended in 1999.| 12 people died.",
        "Costs fell by .5 percent.| Good.",
        "Mail a.b@c.org.| Then wait.",
        "Yahoo! is a company.| Jeopardy! was a show.",
    ]);
}

#[test]
fn ellipses() {
    check(&[
        "Well... maybe not.| Fine.",
        "Well...| That is new.",
        "He waited… and left.| Gone.",
        "He waited…| Nobody came.",
        "One . . . two . . . three.| Four.",
    ]);
}

#[test]
fn quotes_and_brackets_after_the_stop() {
    check(&[
        "\"Stop.\"| She stopped.",
        "“Is it?” he asked.| “It is.”| She nodded.",
        "\"Done!\" he said.| Nobody heard.",
        "He wrote “Who Knows?” in 1990.| It sold.",
        "It works (mostly.)| Then it fails.",
        "It works (it really does!) for us.| Good.",
        "It holds.[1]| Then it fails.[2][3]| And [4, 5-7] says so.[8, 9]| End.",
        "It holds [1].| Then (see below.) it fails.",
        "He said (in 1990).| (She did not.)| All left.",
        "It is **bold.**| Then plain.",
        "**Note.**| This is it.",
        "Use `foo.`| Then _stop._| *Go.*",
        "First.| **Second** is bold.",
        "[Read it.](a.html) is a link.| Done.",
        "¡Hola!| ¿Qué tal?| Bien.",
        "«Fini.»| Alors il part.",
    ]);
}

#[test]
fn chinese_japanese_and_others() {
    check(&[
        "我爱你。|你呢？|好！|走吧",
        "他说：「好。」|然后走了。",
        "「一。」|「二。」|（三。）|四。",
        "文。|（注）次。",
        "「本当ですか？」と彼は言った。|はい。",
        "価格は3.5円です。|次。",
        "यह है।| वह है।",
        "هل هو؟| نعم.",
        "東京は\n大きい。\n|はい。",
    ]);
}

#[test]
fn lines_and_blank_lines() {
    check(&[
        "A sentence that is\nwrapped by hand.| Another\nthat is too.",
        "Title without stop\n\n|A paragraph.\n\n\n|Another",
        "Windows\r\nlines wrap.\r\n\r\n|And part.",
        "It ends here.\n|The next begins.",
        "He met Dr.\nSmith there.| Then left.",
        "He uses stores, e.g.\nRedis, a lot.| Fine.",
        "in the year\n12.| Then it was",
        "Old\rMac\r\r|lines",
        "a\u{2028}b\u{2029}|c",
        "> Quoted text that is\n> wrapped.| Still quoted.",
    ]);
}

#[test]
fn structure_of_markdown() {
    check(&[
        "- One item\n|- Another item.\n|- Third.| With two sentences.",
        "1. First item\n|2. Second item\n|3. Third.",
        "Steps:\n|2. Second item\n|3. Third item",
        "(a) One\n|(b) Two",
        "# Heading\n|Text under it\nwrapped.",
        "Text\n|## 1. Intro\n|More.",
        "Title\n|=====\n|Text.",
        "Code:\n|```\n|let a = 1.5;\nlet b = 2;\n|```\n|Done.",
        "* Star\n|+ plus\n|• dot",
        "1. Do this.| 2. Do that.",
        "> ## Head\n|>\n> Text that is\n> wrapped.|\n|>\n> More\n|> - item",
        "> Title without stop\n|>\n> Text",
        "3.1. Results\n\n|They are good.",
    ]);
}

#[test]
fn rows_of_a_table_are_parted() {
    assert_eq!(split("Text\n| a | b. |\n|---|---|\n| 1 | 2 |\nMore"), ["Text", "| a | b. |", "|---|---|", "| 1 | 2 |", "More"]);
}

/// A text that holds every kind of trouble more often than chance would.
fn troubled() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(". "),
        Just("."),
        Just("!\" "),
        Just("? "),
        Just("\n"),
        Just("\n\n"),
        Just("\r\n"),
        Just(" "),
        Just("。"),
        Just("「"),
        Just("」"),
        Just("…"),
        Just(".[1] "),
        Just("[1"),
        Just("("),
        Just(") "),
        Just("**"),
        Just("- "),
        Just("1. "),
        Just("# "),
        Just("| "),
        Just("```"),
        Just("Dr"),
        Just("U.S"),
        Just("e.g"),
        Just("(r"),
        Just("The"),
        Just("word"),
        Just("42"),
        Just("é"),
        Just("日本"),
        Just("👩‍👩‍👧"),
        Just("\u{2029}"),
        Just("\u{301}"),
        Just("\u{feff}"),
        Just("---"),
        Just("I"),
        Just("A"),
        Just("No"),
        Just("と"),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn without_white_space(text: &str) -> String {
    text.split_whitespace().collect()
}

fn holds(text: &str) -> Result<(), TestCaseError> {
    let spans = sentences(text);
    for span in &spans {
        let sentence = span.of(text);
        prop_assert!(sentence.is_some_and(|sentence| !sentence.is_empty() && sentence.trim() == sentence), "{span:?} of {text:?}");
    }
    prop_assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
    let kept: String = spans.iter().map(|span: &Span| without_white_space(span.of(text).unwrap())).collect();
    prop_assert_eq!(kept, without_white_space(text));
    let shifted = format!("First.\n\n{text}");
    prop_assert_eq!(sentences(&shifted).len(), spans.len() + 1, "a paragraph before changes nothing in {:?}", text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn spans_are_sound_on_troubled_text(text in troubled()) {
        holds(&text)?;
    }

    #[test]
    fn spans_are_sound_on_any_text(text in any::<String>()) {
        holds(&text)?;
    }
}

/// Quadratic time would take minutes here; the bound is loose enough for a busy machine.
#[test]
#[expect(clippy::disallowed_methods, reason = "the time that it takes is what is tested")]
fn long_texts_take_linear_time() {
    for unit in [
        "e.g. ",
        "a\n",
        "Mr. ",
        "(r. 1 ",
        "文。（",
        ".[1, ",
        "12\n",
        "** ",
        "((",
        "]",
        "a.\u{2028}",
        "* * ",
        "\"",
        "1. a\n",
        ">\n",
        "> a\n>\n",
    ] {
        let text = unit.repeat(300_000 / unit.len());
        let started = std::time::Instant::now();
        assert!(sentences(&text).len() <= text.len());
        assert!(started.elapsed().as_secs() < 5, "{unit:?} took {:?}", started.elapsed());
    }
}
