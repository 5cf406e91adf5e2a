//! Answers as a person reads them and as a program does.

use std::time::Duration;

use anyhow::Result;
use jarre_rag::{
    Rag, Reply,
    answer::Citation,
    retrieve::{Leg, RetrievedHit},
};
use serde_json::{Value, json};

use crate::stats;

/// A row of questions to one index.
pub(crate) struct Session<'a> {
    rag: &'a Rag,
    json: bool,
    explain: bool,
    refused: usize,
    times: Vec<Duration>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(rag: &'a Rag, json: bool, explain: bool) -> Self {
        Self { rag, json, explain, refused: 0, times: Vec::new() }
    }

    /// Answers on standard output.
    pub(crate) fn ask(&mut self, question: &str) -> Result<()> {
        let reply = pollster::block_on(self.rag.ask(question))?;
        self.refused += usize::from(reply.answer.is_refused());
        self.times.push(reply.total());
        if self.json {
            println!("{}", self.as_json(question, &reply));
        } else {
            self.print(question, &reply);
        }
        Ok(())
    }

    /// How many questions the documents did not answer.
    pub(crate) fn refused(&self) -> usize {
        self.refused
    }

    /// Latency and memory, on standard error.
    pub(crate) fn print_stats(&mut self) {
        self.times.sort_unstable();
        let ms = |share| stats::percentile(&self.times, share).as_secs_f64() * 1e3;
        eprintln!("{} questions: p50 {:.1} ms, p95 {:.1} ms", self.times.len(), ms(0.50), ms(0.95));
        if let Some(mib) = stats::peak_memory_mib() {
            eprintln!("peak memory: {mib} MiB");
        }
    }

    fn print(&self, question: &str, reply: &Reply) {
        println!("\nQ: {question}\n\n{}", indent(&reply.answer.text));
        for (number, citation) in reply.answer.citations.iter().enumerate() {
            println!("   [{}] {}", number + 1, place(citation));
        }
        if self.explain {
            println!("\n   confidence {:.2}; passages, best first:", reply.answer.confidence);
            for hit in &reply.retrieved.hits {
                println!("   {}", explained(hit));
            }
        }
        println!("   ({:.0} ms)", reply.total().as_secs_f64() * 1e3);
    }

    fn as_json(&self, question: &str, reply: &Reply) -> Value {
        let answer = &reply.answer;
        let citations: Vec<Value> = answer.citations.iter().map(citation_json).collect();
        let hits: Vec<Value> = reply.retrieved.hits.iter().map(|hit| self.hit_json(hit)).collect();
        json!({
            "question": question,
            "answer": answer.text,
            "refused": answer.is_refused(),
            "verdict": answer.verdict,
            "confidence": answer.confidence,
            "citations": citations,
            "hits": hits,
            "timings_ms": timings_json(reply),
        })
    }

    fn hit_json(&self, hit: &RetrievedHit) -> Value {
        let found = self.rag.snapshot().chunk(&hit.chunk);
        let (source, span) = found.map(|(document, chunk)| (document.source.as_str(), [chunk.span.start, chunk.span.end])).unzip();
        json!({ "chunk": hit.chunk.to_string(), "path": source, "span": span, "score": hit.score, "legs": hit.legs })
    }
}

/// A hit in one line: its fused score, and rank and score in each leg.
fn explained(hit: &RetrievedHit) -> String {
    let legs: Vec<String> = hit.legs.iter().map(|leg| format!("{} #{} {:.3}", name(leg.leg), leg.rank, leg.score)).collect();
    format!("{:>7.3}  {}  ({})", hit.score, hit.chunk, legs.join(", "))
}

fn citation_json(citation: &Citation) -> Value {
    json!({
        "path": citation.source,
        "title": citation.title,
        "headings": citation.headings,
        "page": citation.page,
        "span": [citation.span.start, citation.span.end],
        "quote": citation.quote,
    })
}

fn timings_json(reply: &Reply) -> Value {
    let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    let search = &reply.retrieved.timings;
    json!({
        "embed": ms(search.embed),
        "dense": ms(search.dense),
        "sparse": ms(search.sparse),
        "fuse": ms(search.fuse),
        "answer": ms(reply.answering),
        "total": ms(reply.total()),
    })
}

/// Where a quote stands, as a person would look it up.
fn place(citation: &Citation) -> String {
    let page = citation.page.map(|page| format!("page {page}"));
    let heading = citation.headings.last().or(citation.title.as_ref()).map(|heading| format!("\"{heading}\""));
    let parts = [Some(citation.source.clone()), page, heading, Some(format!("bytes {}..{}", citation.span.start, citation.span.end))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn name(leg: Leg) -> &'static str {
    match leg {
        Leg::Dense => "dense",
        Leg::Sparse => "sparse",
        _ => "other",
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("   {line}")).collect::<Vec<_>>().join("\n")
}
