//! Quoting and refusing.

use jarre_core::testing::HashEmbedder;
use jarre_rag::{
    Answerer as _, Block, BlockKind, Chunk, ChunkId, DocId, Document, Error, Format, Span, Verdict,
    answer::{Answer, Calibration, Citation, Extractive, Passage, Passages, Reason, RefusalWeights, Signals},
};
use proptest::prelude::*;

use crate::{HARBOUR, Library, all_sentences, document, whole};

fn ask(library: &Library, question: &str) -> Answer {
    answer(&Extractive::new(), library, question)
}

fn answer(extractive: &Extractive, library: &Library, question: &str) -> Answer {
    pollster::block_on(extractive.answer(question, &library.passages())).unwrap()
}

fn reason(answer: &Answer) -> &Reason {
    let Verdict::Refused { reason } = &answer.verdict else { panic!("answered: {}", answer.text) };
    assert!(answer.citations.is_empty() && answer.flags.is_empty());
    assert_eq!(answer.text, reason.to_string());
    reason
}

#[test]
fn the_sentence_that_answers_is_quoted() {
    let library = Library::of(&HARBOUR);
    for (question, expected) in [
        ("From which quay does the ferry to Lindholm leave?", "The ferry to Lindholm leaves from the eastern quay."),
        ("When was the Lindholm ferry built?", "It was built in 1964 by the Norrby shipyard."),
        ("Who measured the tide of the harbour?", "Anders Bergman measured it first."),
        ("Why is fish sold until noon on the market?", "Fish is sold until noon because it does not keep."),
        ("What is a harbour pilot?", "A harbour pilot is a sailor who steers ships through difficult waters."),
    ] {
        let answer = ask(&library, question);
        assert_eq!(answer.verdict, Verdict::Answered, "{question}: {}", answer.text);
        assert!(answer.text.contains(expected), "{question}: {}", answer.text);
        assert!(answer.citations.len() <= 2 && answer.confidence > 0.5);
    }
}

#[test]
fn what_the_documents_do_not_say_is_refused_with_what_is_missing() {
    let library = Library::of(&HARBOUR);
    let zanzibar = ask(&library, "How long does the ferry to Zanzibar take?");
    assert_eq!(*reason(&zanzibar), Reason::Unknown { words: vec!["Zanzibar".into()] }, "`take` is missing too, but says little");
    assert!(zanzibar.text.contains("\"Zanzibar\""), "{}", zanzibar.text);

    let apart = ask(&library, "Which sailor sold bicycles on the square at new moon?");
    assert!(matches!(reason(&apart), Reason::Apart { without, .. } if !without.is_empty()), "{}", apart.text);
}

#[test]
fn words_outside_of_the_passages_are_missing_and_not_unknown() {
    let library = Library::of(&HARBOUR);
    let all = library.passages();
    let passages = Passages::new(all.list()[2..].to_vec(), &library);
    let answer = pollster::block_on(Extractive::new().answer("Where is the quay of the ferry to Lindholm?", &passages)).unwrap();
    assert!(matches!(reason(&answer), Reason::Missing { words } if words.contains(&"Lindholm".to_owned())), "{}", answer.text);
}

#[test]
fn nothing_to_ask_and_nothing_to_ask_it_of() {
    let library = Library::of(&HARBOUR);
    for question in ["", " \n", "?!", "🦀"] {
        assert_eq!(*reason(&ask(&library, question)), Reason::EmptyQuestion, "{question:?}");
    }
    assert_eq!(*reason(&ask(&Library::of(&[]), "What is a quay?")), Reason::NothingFound);
}

#[test]
fn neighbours_make_one_citation_and_others_two() {
    let texts = ["Kelp grows in cold water. Kelp is eaten in cold countries.", "Herring lives near kelp."];
    let library = Library::of(&texts);
    let extractive = Extractive::new().without_refusal().with_margin(f32::MAX);
    let answer = answer(&extractive, &library, "Where does kelp grow in cold water and who eats cold kelp?");
    assert_eq!(answer.citations.len(), 1, "{answer:?}");
    assert_eq!(answer.citations[0].quote, texts[0]);
    assert_eq!(answer.text, texts[0]);

    let one = pollster::block_on(extractive.clone().with_margin(-1.0).answer("kelp in cold water", &library.passages())).unwrap();
    assert_eq!(one.text, "Kelp grows in cold water.");
}

#[test]
fn markup_is_in_the_quote_and_not_in_the_text() {
    let text = "# Kelp\n\n- **Kelp** grows in [cold](https://a.example) `water`.\n- Other things do not.\n\n```\nkelp grows\n```\n";
    let kind = |needle: &str, kind: BlockKind| {
        let start = text.find(needle).unwrap();
        Block { kind, span: Span::new(start, start + needle.len()), page: None }
    };
    let mut markdown = document(0, text, Format::Markdown);
    markdown.blocks = vec![
        kind("# Kelp", BlockKind::Heading { level: 1, text: "Kelp".into() }),
        kind("- **Kelp** grows in [cold](https://a.example) `water`.", BlockKind::ListItem),
        kind("- Other things do not.", BlockKind::ListItem),
        kind("```\nkelp grows\n```", BlockKind::Code),
    ];
    let library = Library { documents: vec![whole(markdown)], cosines: None };
    let answer = answer(&Extractive::new().with_margin(-1.0), &library, "Where does kelp grow?");
    assert_eq!(answer.text, "Kelp grows in cold water.");
    assert_eq!(answer.citations[0].quote, "- **Kelp** grows in [cold](https://a.example) `water`.");
}

#[test]
fn code_is_quoted_only_where_there_is_nothing_else() {
    let code = "let kelp = grow();\nlet herring = swim();";
    let mut only_code = document(0, code, Format::Markdown);
    only_code.blocks[0].kind = BlockKind::Code;
    let with_prose = document(1, "Kelp grows.", Format::Markdown);
    let alone = Library { documents: vec![whole(only_code.clone())], cosines: None };
    let extractive = Extractive::new().without_refusal().with_margin(-1.0);
    assert_eq!(answer(&extractive, &alone, "kelp grow").citations[0].quote, "let kelp = grow();");
    let both = Library { documents: vec![whole(only_code), whole(with_prose)], cosines: None };
    assert_eq!(answer(&extractive, &both, "kelp grow").citations[0].quote, "Kelp grows.");

    let markup = Library { documents: vec![whole(document(0, "<a id=\"kelp\"></a>", Format::Markdown))], cosines: None };
    assert_eq!(*reason(&answer(&extractive, &markup, "kelp")), Reason::NothingToQuote);
}

#[test]
fn a_sentence_that_the_chunk_cuts_is_quoted_whole() {
    let text = "Kelp grows in cold water, mostly near rocks, and herring likes that. The rest is silence.";
    let (document, chunk) = whole(document(0, text, Format::Text));
    let middle = text.find("mostly").unwrap();
    let chunk = Chunk { span: Span::new(middle, text.len()), ..chunk };
    let library = Library { documents: vec![(document, chunk)], cosines: None };
    let answer = answer(&Extractive::new().without_refusal().with_margin(-1.0), &library, "What does herring like near rocks?");
    assert_eq!(answer.text, "Kelp grows in cold water, mostly near rocks, and herring likes that.");
}

#[test]
fn a_giant_sentence_is_cut_to_a_readable_quote() {
    let text = format!("{} the quay is made of oak {}", "and so on ".repeat(5000), "and so forth ".repeat(5000));
    let library = Library::of(&[&text]);
    let answer = answer(&Extractive::new().without_refusal().with_margin(-1.0), &library, "Is the quay made of oak?");
    assert!(answer.text.contains("quay is made of oak"), "{}", answer.text);
    assert!(answer.citations[0].quote.len() <= 800);
}

#[test]
fn the_same_sentence_twice_is_said_once() {
    let library = Library::of(&["The quay is made of oak.", "The quay is made of oak."]);
    let answer = answer(&Extractive::new().with_margin(f32::MAX), &library, "What is the quay made of?");
    assert_eq!(answer.text, "The quay is made of oak.");
}

#[test]
fn a_question_in_the_source_leads_to_the_answer_behind_it() {
    let library =
        Library::of(&["Why do herrings avoid warm water? They carry too little oxygen there. Warm water has other guests.", HARBOUR[0]]);
    let answer = answer(&Extractive::new().with_margin(-1.0), &library, "Why do herrings avoid warm water?");
    assert_eq!(answer.text, "They carry too little oxygen there.");
}

#[test]
fn a_sentence_that_points_back_brings_the_one_before() {
    let library = Library::of(&["Eusebio Kino was a priest. He founded the mission of San Xavier in 1700. It still stands.", HARBOUR[1]]);
    let answer = answer(&Extractive::new().with_margin(0.0), &library, "Who founded the mission of San Xavier?");
    assert_eq!(answer.text, "Eusebio Kino was a priest. He founded the mission of San Xavier in 1700.");
    assert_eq!(answer.citations.len(), 1);
}

#[test]
fn the_page_is_that_of_the_sentence() {
    let text = "The quay is old.\nThe pier is new.";
    let mut paged = document(0, text, Format::Pdf);
    paged.blocks = vec![
        Block { kind: BlockKind::Paragraph, span: Span::new(0, 16), page: Some(3) },
        Block { kind: BlockKind::Paragraph, span: Span::new(17, 33), page: Some(4) },
    ];
    let (document, mut chunk) = whole(paged);
    chunk.page = Some(3);
    let library = Library { documents: vec![(document, chunk)], cosines: None };
    let answer = answer(&Extractive::new().with_margin(-1.0), &library, "How new is the pier?");
    assert_eq!(answer.citations[0].page, Some(4));
}

#[test]
fn cosines_and_their_absence_are_judged_by_their_own_weights() {
    let never = RefusalWeights { signals: Signals::default(), bias: -9.0, threshold: 0.5 };
    let always = RefusalWeights { bias: 9.0, ..never };
    let extractive = Extractive::new().with_calibration(Calibration { dense: never, sparse: always });
    let question = "What is a harbour pilot?";
    assert!(answer(&extractive, &Library::of(&HARBOUR).with_cosines(0.9), question).is_refused());
    assert!(!answer(&extractive, &Library::of(&HARBOUR), question).is_refused());
}

#[test]
fn a_higher_cosine_never_makes_a_refusal_more_likely() {
    let confidence = |cosine| answer(&Extractive::new(), &Library::of(&HARBOUR).with_cosines(cosine), "What is a pilot?").confidence;
    assert!(confidence(0.1) < confidence(0.4) && confidence(0.4) < confidence(0.8));
}

#[test]
fn an_embedder_can_have_the_last_word() {
    let texts = ["Kelp is a plant that grows.", "Kelp is a thing that grows tall in the sea."];
    let extractive = Extractive::new().without_refusal().with_margin(-1.0).with_embedder(std::sync::Arc::new(HashEmbedder::default()));
    let answer = answer(&extractive, &Library::of(&texts), "Kelp is a thing that grows tall in the sea");
    assert_eq!(answer.text, texts[1]);
}

#[test]
fn a_citation_of_another_text_is_an_error() {
    let library = Library::of(&HARBOUR);
    let passages = library.passages();
    let passage: &Passage<'_> = &passages.list()[0];
    let citation = Citation::new(passage, Span::new(0, 9)).unwrap();
    assert_eq!(citation.quote, "The ferry");
    citation.verify(passage.document).unwrap();
    assert!(matches!(citation.verify(passages.list()[1].document), Err(Error::Citation { .. })));
    let forged = Citation { quote: "The whale".into(), ..citation };
    assert!(matches!(forged.verify(passage.document), Err(Error::Citation { .. })));
    for span in [Span::new(0, 9999), Span::new(3, 4), Span::new(0, 0)] {
        assert!(matches!(Citation::new(passage, span), Err(Error::Citation { .. })), "{span:?}");
    }
}

fn any_document() -> impl Strategy<Value = Document> {
    let piece = prop_oneof![
        "\\PC{0,40}",
        "[a-z. !?\n|`*_#\\[\\]()<>0-9-]{0,60}",
        Just("The quay is made of oak. ".to_owned()),
        Just("水は冷たい。魚がいる。".to_owned()),
    ];
    let kinds = prop_oneof![
        Just(BlockKind::Paragraph),
        Just(BlockKind::ListItem),
        Just(BlockKind::Table),
        Just(BlockKind::Code),
        Just(BlockKind::Heading { level: 1, text: "h".into() }),
    ];
    let format = prop_oneof![Just(Format::Markdown), Just(Format::Text), Just(Format::Html)];
    (prop::collection::vec((piece, kinds), 0..6), format).prop_map(|(pieces, format)| {
        let mut document = document(0, "", format);
        for (piece, kind) in pieces {
            let start = document.text.len();
            document.text.push_str(&piece);
            if !piece.is_empty() {
                document.blocks.push(Block { kind, span: Span::new(start, document.text.len()), page: None });
            }
            document.text.push('\n');
        }
        document
    })
}

/// Chunks of a document at arbitrary character boundaries, overlapping or not.
fn chunks(document: &Document, cuts: &[(prop::sample::Index, prop::sample::Index)]) -> Vec<Chunk> {
    let bounds: Vec<usize> = document.text.char_indices().map(|(at, _)| at).chain([document.text.len()]).collect();
    let span = |(a, b): &(prop::sample::Index, prop::sample::Index)| {
        let (a, b) = (*a.get(&bounds), *b.get(&bounds));
        Span::new(a.min(b), a.max(b))
    };
    let spans = cuts.iter().map(span).filter(|span| !span.is_empty());
    let id = |ordinal| ChunkId { doc: DocId("d0".into()), ordinal };
    spans.enumerate().map(|(at, span)| Chunk { id: id(at as u32), span, headings: vec!["quay".into()], page: None, tokens: 1 }).collect()
}

proptest! {
    #[test]
    fn every_citation_verifies(
        document in any_document(),
        cuts in prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 0..4),
        question in prop_oneof!["\\PC{0,40}", Just("What is the quay made of?".to_owned())],
        margin in -1.0_f32..20.0,
    ) {
        let chunks = chunks(&document, &cuts);
        let counts = Library { documents: vec![whole(document.clone())], cosines: None };
        let list = chunks.iter().map(|chunk| Passage { document: &document, chunk, score: 0.0, dense: None, sparse: None }).collect();
        let passages = Passages::new(list, &counts);
        let extractive = Extractive::new().without_refusal().with_margin(margin);
        let answer = pollster::block_on(extractive.answer(&question, &passages)).unwrap();
        prop_assert_eq!(answer.is_refused(), answer.citations.is_empty());
        for citation in &answer.citations {
            prop_assert_eq!(citation.span.of(&document.text), Some(citation.quote.as_str()));
            prop_assert!(!citation.quote.trim().is_empty());
        }
        let scored = extractive.scored(&question, &passages).unwrap();
        prop_assert!(scored.iter().all(|sentence| sentence.score.is_finite()));
        let signals = extractive.signals(&question, &passages).unwrap();
        for share in [signals.sentence, signals.passage, signals.top, signals.closeness] {
            prop_assert!((0.0..=1.0001).contains(&share), "{signals:?}");
        }
    }

    #[test]
    fn quotes_of_prose_are_whole_sentences(question in "[a-z ]{3,40}") {
        let library = Library::of(&HARBOUR);
        let answer = answer(&Extractive::new().without_refusal().with_margin(-1.0), &library, &question);
        let known = all_sentences(&HARBOUR);
        prop_assert!(answer.citations.iter().all(|citation| known.contains(&citation.quote)), "{answer:?}");
    }
}
