//! Findings on real text: 100 pages of documentation, drawn by a hash of their names, with every finding judged by hand and every
//! miss that a search by hand came upon. `corpus/pages.tsv` holds a page's repository, path and digest, and the judgements as
//! `label:start-end:verdict`. `cargo test -p jarre-guardrails --test pii_pages -- --include-ignored --nocapture` prints the table.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use flate2::read::GzDecoder;
use jarre_guardrails::{
    Context, Guard,
    pii::{Kind, PiiConfig, PiiGuard},
    secrets::{SecretsConfig, SecretsGuard},
};
use serde_json::Value;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    /// The span is right, to the byte.
    right: u32,
    /// It is a part of what it should be.
    part: u32,
    wrong: u32,
    missed: u32,
}

/// FNV-1a.
fn digest(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

fn pages(folder: &Path) -> BTreeMap<(String, String), String> {
    let lines = BufReader::new(GzDecoder::new(File::open(folder.join("text/tech_docs.jsonl.gz")).unwrap())).lines();
    let page = |line: String| {
        let page: Value = serde_json::from_str(&line).unwrap();
        let field = |name: &str| page[name].as_str().unwrap().to_owned();
        ((field("repo"), field("path")), field("text"))
    };
    lines.map(|line| page(line.unwrap())).collect()
}

/// All findings, names among them, as the judgements write them.
fn found(pii: &PiiGuard, secrets: &SecretsGuard, text: &str) -> BTreeSet<String> {
    let both = [pii.check(text, &Context::default()).unwrap(), secrets.check(text, &Context::default()).unwrap()].concat();
    both.iter().map(|found| format!("{}:{}-{}", found.label, found.span.start, found.span.end)).collect()
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn findings_on_real_pages_are_as_they_were_judged() {
    let pages = pages(Path::new(&std::env::var("JARRE_DATA").expect("JARRE_DATA names the folder of the data")));
    let pii = PiiGuard::new(PiiConfig { kinds: Kind::ALL.iter().copied().collect(), ..PiiConfig::default() }).unwrap();
    let secrets = SecretsGuard::new(SecretsConfig::default()).unwrap();
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    let judged = include_str!("corpus/pages.tsv");
    for line in judged.lines() {
        let [repo, path, hash, judgements] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let text = &pages[&(repo.to_owned(), path.to_owned())];
        assert_eq!(digest(text), hash, "{repo} {path} has changed");
        let mut known = BTreeSet::new();
        for judgement in judgements.split_whitespace() {
            let (finding, verdict) = judgement.rsplit_once(':').unwrap();
            let of = counts.entry(finding.split(':').next().unwrap().to_owned()).or_default();
            match verdict {
                "right" => of.right += 1,
                "part" => of.part += 1,
                "wrong" => of.wrong += 1,
                "missed" => of.missed += 1,
                other => panic!("{other} is no verdict"),
            }
            if verdict != "missed" {
                known.insert(finding.to_owned());
            }
        }
        assert_eq!(found(&pii, &secrets, text), known, "{repo} {path}: judge what is new, and strike what is gone");
    }
    println!("{counts:#?}");
    assert_eq!(judged.lines().count(), 100);
    assert_eq!(counts["email"], Counts { right: 12, ..Counts::default() });
    assert_eq!(counts["name"], Counts { right: 20, part: 10, wrong: 0, missed: 82 });
    assert_eq!(counts.len(), 2, "no other kind is on these pages, and none was found");
}
