//! Real files: forty PDFs made by many programs, and a book in Markdown.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use jarre_rag::{
    BlockKind, Document,
    ingest::{self, Limits, Reason, Unreadable},
};

use crate::assert_sound;

/// Most memory that reading all of the files may take, in bytes.
const MEMORY: u64 = 300 << 20;

#[expect(clippy::disallowed_methods, reason = "tests find their data through this variable")]
fn data(path: &str) -> PathBuf {
    let root = std::env::var_os("JARRE_DATA").expect("JARRE_DATA names the folder of test data");
    Path::new(&root).join(path)
}

/// Reads every file under a folder, in order of their ids.
fn read_all(folder: &str) -> Vec<(String, Result<Document, Unreadable>)> {
    let limits = Limits::default();
    let walk = ingest::walk(&[data(folder)], &limits);
    assert!(walk.unreadable.is_empty(), "{:?}", walk.unreadable);
    walk.files.iter().map(|file| (file.id.0.clone(), timed(&file.id.0, || ingest::read_file(file, &limits)))).collect()
}

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "the table of outcomes is for people")]
fn timed(id: &str, read: impl FnOnce() -> Result<Document, Unreadable>) -> Result<Document, Unreadable> {
    let start = Instant::now();
    let result = read();
    let outcome = match &result {
        Ok(document) => {
            let tables = document.blocks.iter().filter(|block| block.kind == BlockKind::Table).count();
            let pages = document.blocks.iter().filter_map(|block| block.page).max().unwrap_or(0);
            let characters = document.text.chars().count();
            format!("{pages:>3} pages {:>4} blocks {tables:>3} tables {characters:>6} characters", document.blocks.len())
        }
        Err(unreadable) => unreadable.reason.to_string(),
    };
    println!("{id:<55} {:>7.1} ms  {outcome}", start.elapsed().as_secs_f64() * 1e3);
    result
}

fn pdf(name: &str) -> Result<Document, Unreadable> {
    let limits = Limits::default();
    let walk = ingest::walk(&[data("rag/pdfs").join(name)], &limits);
    ingest::read_file(&walk.files[0], &limits)
}

fn reason(name: &str) -> Reason {
    pdf(name).unwrap_err().reason
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn every_file_gives_a_document_or_a_reason() {
    let mut refused = Vec::new();
    for (id, result) in read_all("rag/pdfs").into_iter().chain(read_all("rag/rust_book")) {
        match result {
            Ok(document) => {
                assert_sound(&document);
                assert!(!document.blocks.is_empty(), "{id} has no blocks");
            }
            Err(unreadable) => refused.push((id, unreadable.reason)),
        }
    }
    let scanned = ("issue-203-decimalize.pdf".to_owned(), Reason::NoText { pages: 3 });
    assert_eq!(refused, [scanned, ("password-example.pdf".to_owned(), Reason::Encrypted)]);
    let peak = peak_memory();
    assert!(peak.is_none_or(|peak| peak < MEMORY), "{peak:?} bytes");
}

/// The most memory that this process has had, where the system says.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn a_damaged_pdf_gives_what_is_left_and_a_broken_one_a_reason() {
    // Its cross-reference table is wrong; its text is not.
    assert_eq!(pdf("malformed-from-issue-932.pdf").unwrap().text.trim(), "2021 3 31");
    assert_eq!(reason("password-example.pdf"), Reason::Encrypted);
    let mut bytes = fs::read(data("rag/pdfs/scotus-transcript-p1.pdf")).unwrap();
    bytes.truncate(600);
    let broken = crate::read(jarre_rag::Format::Pdf, &bytes).unwrap_err();
    assert!(matches!(broken, Reason::Malformed { .. } | Reason::NoText { .. }), "{broken:?}");
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn a_transcript_keeps_its_words_in_order() {
    let expected = fs::read_to_string(data("rag/pdfs/expected/scotus-transcript-p1.txt")).unwrap();
    let expected: Vec<&str> = expected.split_whitespace().collect();
    let document = pdf("scotus-transcript-p1.pdf").unwrap();
    let found: Vec<&str> = document.text.split_whitespace().collect();
    let kept = longest_common(&expected, &found);
    assert!(kept * 100 >= expected.len() * 95, "{kept} of {} words in order: {}", expected.len(), document.text);
}

/// Length of the longest common subsequence.
fn longest_common(a: &[&str], b: &[&str]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for x in a {
        let mut diagonal = 0;
        for (column, y) in b.iter().enumerate() {
            let above = row[column + 1];
            row[column + 1] = if x == y { diagonal + 1 } else { above.max(row[column]) };
            diagonal = above;
        }
    }
    row[b.len()]
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn a_table_of_numbers_keeps_its_rows() {
    let alabama = "Alabama | 18,870 | 23,022 | 22,650 | 859 | 1,178 | 0 | 14 | 15 | 0 | 2,179 | 2,307 | 11 | 0 | 0 | 0 |  |  | 13 | 14 | 0 | 3 | 2 | 0 | 71,137";
    let florida = "Florida | 15,907 | 50,796 | 28,981 | 2,268 | 1,957 | 121 | 8 | 9 | 0 | 2,248 | 1,135 | 2 | 40 | 5 | 0 |  |  | 36 | 19 | 0 | 0 | 0 | 0 | 103,532";
    let upright = pdf("nics-background-checks-2015-11.pdf").unwrap();
    for row in [alabama, florida] {
        assert!(upright.text.lines().any(|line| line == row), "{}", upright.text);
    }
    let turned = pdf("nics-background-checks-2015-11-rotated.pdf").unwrap();
    assert_eq!(turned.text, upright.text);
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn tables_of_many_kinds_keep_their_rows() {
    for (name, row) in [
        (
            "WARN-Report-for-7-1-2015-to-03-25-2016.pdf",
            "06/30/2015 | 08/30/2015 | 07/01/2015 | Long Beach Memorial Medical Center | Long Beach | 90 | Layoff Permanent",
        ),
        // Each table of this file leaves out other rules.
        ("issue-466-example.pdf", "T1-10 | T1-11 | T1-12"),
        ("issue-466-example.pdf", "T2-20-last | T2-21-last | T2-22-last"),
        // Turned by a quarter.
        ("issue-140-example.pdf", "| 0085648100305 | CENTRAL KMA | LILYS 40% SLTD ALMND CHOC | 637 | $ 0.61 | $ 388.57 | 0.0000 |"),
        ("issue-53-example.pdf", "FY2013 | 7,723,293 | 102.6 | 35,390,384 | 104.0 | 46,235,058 | 103.3 | 76.5"),
        ("san-jose-pd-firearm-sample.pdf", "PISTOL | REVOLVER | COLT | DETECTIVE SPEC | 38 | FOUND | _d__"),
    ] {
        let document = pdf(name).unwrap();
        let tables = document.blocks.iter().filter(|block| block.kind == BlockKind::Table);
        let mut rows = tables.flat_map(|table| table.span.of(&document.text).unwrap().lines());
        assert!(rows.any(|line| line == row), "{name} has no row {row:?}: {}", document.text);
    }
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn columns_of_a_journal_are_read_in_order() {
    let document = pdf("federal-register-2020-17221.pdf").unwrap();
    let sentences = [
        "This section of the FEDERAL REGISTER contains notices to the public",
        "SUMMARY: The FAA proposes to supersede Airworthiness Directive",
        "DATES: The FAA must receive comments on this proposed AD by September 21, 2020.",
        "ADDRESSES: You may send comments",
        "Federal eRulemaking Portal: Go to https://www.regulations.gov.",
        "You may examine the AD docket on the internet",
        "The FAA invites you to participate in this rulemaking",
        "CBI is commercial or financial information that is both customarily and actually treated as private by its owner.",
        "On October 29, 2018, a Boeing Model 737\u{2013}8 airplane operated by Lion Air",
    ];
    let places = sentences.map(|sentence| document.text.find(sentence).unwrap_or_else(|| panic!("{sentence:?} is not in one piece")));
    assert!(places.is_sorted(), "{places:?}");
}
