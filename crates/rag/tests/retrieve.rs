//! Searching a real index: strategies, filters, reranking, timings.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{sync::Arc, time::Duration};

use jarre_core::{
    Embedder, Reranker,
    testing::{HashEmbedder, ManualClock},
};
use jarre_rag::{
    Chunk, ChunkId, DocId, Document, Error, Format, Span,
    index::{Index, IndexConfig, Snapshot},
    retrieve::{Field, Filter, Fusion, Leg, Retriever, Strategy},
};

const TEXTS: [(&str, &str, Format, &str); 5] = [
    ("harbour/ferry.md", "Ferries to the island leave from the eastern quay every hour.", Format::Markdown, "en"),
    ("harbour/tide.pdf", "The tide in the harbour rises by four metres at new moon.", Format::Pdf, "en-GB"),
    ("town/market.html", "The market on the square opens at dawn on Saturdays.", Format::Html, "en"),
    ("town/ferry.txt", "A ferry ticket costs four euros; the ferry takes bicycles.", Format::Text, "EN"),
    ("stadt/markt.md", "Der Markt beginnt bei Sonnenaufgang.", Format::Markdown, "de"),
];

fn snapshot(dir: &std::path::Path, embedder: &HashEmbedder) -> Snapshot {
    let config = IndexConfig { encoder: embedder.info().clone(), chunker: "whole documents".into() };
    let mut writer = Index::open_or_create(dir, config).unwrap().writer().unwrap();
    for (name, text, format, language) in TEXTS {
        let document = Document {
            id: DocId(name.into()),
            source: name.into(),
            title: None,
            language: Some(language.into()),
            format,
            content_hash: name.into(),
            text: text.into(),
            blocks: vec![],
            metadata: [("place".into(), name.split('/').next().unwrap().into())].into(),
        };
        let id = ChunkId { doc: document.id.clone(), ordinal: 0 };
        let page = (format == Format::Pdf).then_some(3);
        let chunk = Chunk { id, span: Span::new(0, text.len()), headings: vec!["Notes".into(), name.into()], page, tokens: 10 };
        writer.put(&document, &[chunk], &embedder.embed(&[text]).unwrap()).unwrap();
    }
    writer.commit().unwrap();
    Snapshot::open(dir).unwrap()
}

fn retriever() -> Retriever {
    let (dir, embedder) = (tempfile::tempdir().unwrap(), HashEmbedder::default());
    let snapshot = snapshot(dir.path(), &embedder);
    Retriever::new(snapshot, Arc::new(embedder)).unwrap()
}

fn names(retriever: &Retriever, question: &str, filter: Option<&Filter>) -> Vec<String> {
    retriever.retrieve(question, filter).unwrap().hits.into_iter().map(|hit| hit.chunk.doc.0).collect()
}

#[test]
fn each_strategy_finds_the_answer_and_says_why() {
    let strategies = [Strategy::Dense, Strategy::Sparse, Strategy::Hybrid(Fusion::rrf()), Strategy::Hybrid(Fusion::dbsf())];
    for strategy in strategies {
        let found = retriever().with_strategy(strategy).with_k(2).retrieve("where do ferries to the island leave", None).unwrap();
        assert_eq!(found.hits[0].chunk.doc.0, "harbour/ferry.md", "{strategy}");
        assert!(found.hits.len() <= 2);
        let legs: Vec<Leg> = found.hits[0].legs.iter().map(|leg| leg.leg).collect();
        let expected: &[Leg] = match strategy {
            Strategy::Dense => &[Leg::Dense],
            Strategy::Sparse => &[Leg::Sparse],
            Strategy::Hybrid(_) => &[Leg::Dense, Leg::Sparse],
        };
        assert_eq!(legs, expected);
        assert!(found.hits[0].legs.iter().all(|leg| leg.rank == 1));
    }
}

#[test]
fn the_sparse_leg_finds_only_what_shares_a_term() {
    assert_eq!(names(&retriever().with_strategy(Strategy::Sparse), "moon", None), ["harbour/tide.pdf"]);
    assert!(names(&retriever().with_strategy(Strategy::Sparse), "the of", None).is_empty());
}

#[test]
fn a_question_without_words_has_no_hits() {
    for question in ["", "   ", "?!", "\u{0}"] {
        assert!(names(&retriever(), question, None).is_empty(), "{question:?}");
    }
}

#[test]
fn filters_hold_in_every_leg() {
    let language = |value| Filter::equals(Field::Language, value);
    let cases: [(Filter, &[&str]); 9] = [
        (Filter::prefix(Field::Id, "town/"), &["town/ferry.txt", "town/market.html"]),
        (Filter::equals(Field::Metadata("place".into()), "harbour"), &["harbour/ferry.md", "harbour/tide.pdf"]),
        (Filter::is_in(Field::Format, ["pdf", "html"]), &["harbour/tide.pdf", "town/market.html"]),
        (language("en"), &["harbour/ferry.md", "town/ferry.txt", "town/market.html"]),
        (Filter::prefix(Field::Language, "EN"), &["harbour/ferry.md", "harbour/tide.pdf", "town/ferry.txt", "town/market.html"]),
        (Filter::not(Filter::prefix(Field::Language, "en")), &["stadt/markt.md"]),
        (Filter::equals(Field::Page, "3"), &["harbour/tide.pdf"]),
        (Filter::equals(Field::Heading, "town/ferry.txt"), &["town/ferry.txt"]),
        (Filter::and([language("en"), Filter::or([Filter::prefix(Field::Id, "h"), language("de")])]), &["harbour/ferry.md"]),
    ];
    for (filter, expected) in cases {
        for strategy in [Strategy::Dense, Strategy::default()] {
            let mut found = names(&retriever().with_strategy(strategy), "market", Some(&filter));
            found.sort();
            assert_eq!(found, expected, "{filter:?} {strategy}");
        }
        let sparse = names(&retriever().with_strategy(Strategy::Sparse), "market ferry tide Markt", Some(&filter));
        assert!(!sparse.is_empty() && sparse.iter().all(|name| expected.contains(&name.as_str())), "{filter:?}");
    }
}

#[test]
fn filters_without_members_and_fields_without_values() {
    let all = names(&retriever().with_strategy(Strategy::Dense), "ferry", None).len();
    let count = |filter: &Filter| names(&retriever().with_strategy(Strategy::Dense), "ferry", Some(filter)).len();
    let absent = || Field::Metadata("author".into());
    assert_eq!((all, count(&Filter::and([])), count(&Filter::or([]))), (5, 5, 0));
    assert_eq!((count(&Filter::equals(absent(), "")), count(&Filter::not(Filter::equals(absent(), "x")))), (0, 5));
    assert_eq!(count(&Filter::prefix(absent(), "")), 0, "an absent field has no beginning");
    // The cut falls inside a character of the value: no match, and no panic.
    assert_eq!(count(&Filter::prefix(Field::Id, "harbour/é")), 0);
}

#[test]
fn filters_are_read_as_json_and_unknown_fields_are_refused() {
    let filter = Filter::and([
        Filter::prefix(Field::Source, "docs/"),
        Filter::or([Filter::equals(Field::Metadata("a.b".into()), "c"), Filter::not(Filter::is_in(Field::Title, ["x"]))]),
    ]);
    let json = serde_json::to_string(&filter).unwrap();
    assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter);
    for wrong in
        [r#"{"equals": {"field": "author", "value": "x"}}"#, r#"{"equals": {"field": "metadata.", "value": "x"}}"#, r#"{"xor": []}"#]
    {
        assert!(serde_json::from_str::<Filter>(wrong).is_err(), "{wrong}");
    }
    let error = "author".parse::<Field>().unwrap_err();
    assert!(error.to_string().ends_with("use id, source, title, language, format, heading, page or metadata.NAME"), "{error}");
}

/// Likes short texts.
struct ByLength(f32);

impl Reranker for ByLength {
    fn name(&self) -> &'static str {
        "by length"
    }

    fn score(&self, _: &str, candidates: &[&str]) -> jarre_core::Result<Vec<f32>> {
        Ok(candidates.iter().map(|text| self.0 / text.len() as f32).collect())
    }
}

#[test]
fn a_reranker_orders_the_candidates_and_keeps_the_fused_score() {
    let plain = retriever().retrieve("ferry", None).unwrap();
    let found = retriever().with_reranker(Arc::new(ByLength(1.0))).retrieve("ferry", None).unwrap();
    assert_eq!(found.hits.len(), plain.hits.len());
    assert!(found.hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
    for hit in &found.hits {
        let before = plain.hits.iter().find(|other| other.chunk == hit.chunk).unwrap();
        assert_eq!((hit.before_rerank, &hit.legs), (Some(before.score), &before.legs));
    }
    let few = retriever().with_reranker(Arc::new(ByLength(1.0))).with_candidates(1).with_k(1).retrieve("ferry", None).unwrap();
    assert_eq!(few.hits.len(), 1);
    let broken = retriever().with_reranker(Arc::new(ByLength(f32::NAN))).retrieve("ferry", None);
    assert!(matches!(broken, Err(Error::Model(_))));
}

#[test]
fn vectors_of_another_encoder_are_refused() {
    let (dir, embedder) = (tempfile::tempdir().unwrap(), HashEmbedder::default());
    let snapshot = snapshot(dir.path(), &embedder);
    for other in [HashEmbedder::new(256, 8), HashEmbedder::new(64, 512)] {
        assert!(matches!(Retriever::new(snapshot.clone(), Arc::new(other)), Err(Error::Query(_))));
    }
}

/// Lets a second pass with every text.
struct Slow(HashEmbedder, Arc<ManualClock>);

impl Embedder for Slow {
    fn info(&self) -> &jarre_core::EmbedderInfo {
        self.0.info()
    }

    fn embed(&self, texts: &[&str]) -> jarre_core::Result<jarre_core::Embeddings> {
        self.1.advance(Duration::from_secs(texts.len() as u64));
        self.0.embed(texts)
    }
}

#[test]
fn timings_say_where_the_time_went() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::default()));
    let snapshot = snapshot(dir.path(), &HashEmbedder::default());
    let slow = Arc::new(Slow(HashEmbedder::default(), clock.clone()));
    let retriever = Retriever::new(snapshot, slow).unwrap().with_clock(clock);
    let timings = retriever.retrieve("ferry", None).unwrap().timings;
    assert_eq!((timings.embed, timings.total()), (Duration::from_secs(1), Duration::from_secs(1)));
    let timings = retriever.with_strategy(Strategy::Sparse).retrieve("ferry", None).unwrap().timings;
    assert_eq!(timings.total(), Duration::ZERO, "the sparse leg needs no vector");
}

#[test]
fn names_of_strategies_are_read_back() {
    for name in ["dense", "sparse", "rrf:20", "dbsf", "convex:0.3"] {
        assert_eq!(name.parse::<Strategy>().unwrap().to_string(), name);
    }
    assert_eq!("hybrid".parse::<Strategy>().unwrap(), Strategy::default());
    assert!("denser".parse::<Strategy>().is_err());
}
