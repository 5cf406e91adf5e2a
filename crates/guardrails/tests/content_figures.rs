//! How often programs and commands are found where they are, and where they are not. Run with `--nocapture` to read the figures.
#![expect(clippy::unwrap_used, reason = "tests")]

mod figures;

use std::{fs::File, io::Read as _};

use figures::{Share, data, is_for_choosing, rows};
use jarre_guardrails::{
    Context, Guard,
    content::{CodeConfig, CodeGuard, CommandConfig, CommandGuard, LinkConfig, LinkGuard},
};
use serde_json::Value;

fn finds(guard: &dyn Guard, text: &str) -> bool {
    !guard.check(text, &Context::default()).unwrap().is_empty()
}

fn code() -> CodeGuard {
    CodeGuard::new(CodeConfig::default()).unwrap()
}

fn texts(rows: &[Value], field: &str) -> Vec<String> {
    rows.iter().map(|row| row[field].as_str().unwrap().to_owned()).collect()
}

/// Prose of people, none of which is code: utterances to an assistant, word problems, and ordinary requests.
fn prose() -> Vec<(&'static str, Vec<String>)> {
    let clinc: Value = serde_json::from_reader(File::open(data("router/clinc150.json")).unwrap()).unwrap();
    let utterances =
        clinc.as_object().unwrap().values().flat_map(|rows| rows.as_array().unwrap()).map(|row| row[0].as_str().unwrap().to_owned());
    let problems = [rows("eval/gsm8k/train.jsonl"), rows("eval/gsm8k/test.jsonl")].concat();
    let requests: Vec<Value> = rows("guard/injection.jsonl").into_iter().filter(|row| row["set"] == "wildguard").collect();
    vec![
        ("CLINC150", utterances.collect()),
        ("GSM8K questions", texts(&problems, "question")),
        ("WildGuard benign", texts(&requests, "text")),
    ]
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn prose_is_seldom_taken_for_code_commands_or_links() {
    let guards: [(&str, Box<dyn Guard>, f64); 3] = [
        ("code", Box::new(code()), 0.01),
        ("commands", Box::new(CommandGuard::new(CommandConfig::default()).unwrap()), 0.01),
        ("links", Box::new(LinkGuard::new(LinkConfig::default()).unwrap()), 0.01),
    ];
    for (set, texts) in prose() {
        for (name, guard, most) in &guards {
            let share = Share::of(texts.iter().map(|text| finds(guard.as_ref(), text)));
            println!("{name} found in {set}: {share}");
            for text in texts.iter().filter(|text| is_for_choosing(text) && finds(guard.as_ref(), text)).take(8) {
                println!("  as in {:?}", &text.chars().take(160).collect::<String>());
            }
            assert!(share.value() <= *most, "{name} in {set}");
        }
    }
}

/// The fenced blocks of a page, with their languages, and its paragraphs of plain text.
fn parts(page: &str) -> (Vec<(String, String)>, Vec<String>) {
    let (mut blocks, mut prose) = (Vec::new(), vec![String::new()]);
    let mut open: Option<(String, String)> = None;
    for line in page.lines() {
        if let Some(language) = line.trim().strip_prefix("```") {
            match open.take() {
                Some(block) => blocks.push(block),
                None => open = Some((language.trim().to_lowercase(), String::new())),
            }
            prose.push(String::new());
        } else if let Some((_, block)) = &mut open {
            block.extend([line, "\n"]);
        } else if line.trim().is_empty() || line.starts_with("    ") || line.starts_with(['|', '<', '{', ':', '!', '-', '#']) {
            prose.push(String::new());
        } else {
            prose.last_mut().unwrap().extend([line, "\n"]);
        }
    }
    prose.retain(|paragraph| paragraph.split_whitespace().count() >= 12);
    (blocks, prose)
}

fn pages() -> Vec<Value> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(File::open(data("text/tech_docs.jsonl.gz")).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Programs, as against data, logs and text.
const PROGRAMS: [&str; 14] =
    ["python", "py", "rust", "typescript", "ts", "javascript", "js", "go", "java", "cpp", "c++", "cs", "ruby", "sql"];
const SHELLS: [&str; 4] = ["bash", "shell", "sh", "console"];

#[test]
#[ignore = "needs JARRE_DATA"]
fn programs_without_their_fences_are_mostly_found() {
    let guard = code();
    for choosing in [true, false] {
        let pages: Vec<Value> = pages().into_iter().filter(|page| is_for_choosing(page["repo"].as_str().unwrap()) == choosing).collect();
        let (blocks, prose): (Vec<_>, Vec<_>) = pages.iter().map(|page| parts(page["text"].as_str().unwrap())).unzip();
        let blocks: Vec<(String, String)> =
            blocks.into_iter().flatten().filter(|(_, block)| block.lines().filter(|line| !line.trim().is_empty()).count() >= 3).collect();
        let of = |languages: &[&str]| {
            Share::of(blocks.iter().filter(|(language, _)| languages.contains(&language.as_str())).map(|(_, block)| finds(&guard, block)))
        };
        let paragraphs = Share::of(prose.iter().flatten().map(|paragraph| finds(&guard, paragraph)));
        println!("half {}: programs {}", if choosing { "chosen on" } else { "reported" }, of(&PROGRAMS));
        println!("  shells {}, python {}, rust {}", of(&SHELLS), of(&["python", "py"]), of(&["rust"]));
        println!("  paragraphs {paragraphs}");
        if choosing {
            let missed = blocks
                .iter()
                .filter(|(language, block)| PROGRAMS.contains(&language.as_str()) && !finds(&guard, block))
                .step_by(17)
                .take(6);
            missed.for_each(|(language, block)| println!("  missed {language}: {block}"));
            let taken = prose.iter().flatten().filter(|paragraph| finds(&guard, paragraph)).step_by(11).take(8);
            taken.for_each(|paragraph| println!("  taken: {paragraph}"));
        } else {
            assert!(of(&PROGRAMS).value() >= 0.85 && paragraphs.value() <= 0.03);
        }
    }
}

#[cfg(feature = "language")]
#[test]
#[ignore = "needs JARRE_DATA"]
fn english_is_seldom_taken_for_another_language() {
    use jarre_guardrails::content::{LanguageConfig, LanguageGuard};

    let guard = LanguageGuard::new(LanguageConfig::default()).unwrap();
    for (set, texts) in prose() {
        let share = Share::of(texts.iter().map(|text| finds(&guard, text)));
        println!("another language found in {set}: {share}");
        assert!(share.value() <= 0.02);
    }
}
