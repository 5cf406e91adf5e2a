use jarre_guardrails::{
    injection::{Normal, sentences, windows},
    learn::Example,
};

use crate::{
    sets::Sets,
    split::{Random, is_kept},
    templates::Templates,
};

/// A text and what is known about it.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) text: String,
    /// The set that it is from, or the corpus.
    pub(crate) set: String,
    /// The family, where there is one.
    pub(crate) family: String,
    /// Whether it is kept for the report.
    pub(crate) kept: bool,
    /// Whether it attacks, as what a user writes.
    pub(crate) attack: Option<bool>,
    /// Whether its sentences demand something, as data; where not known, they are not learnt from.
    pub(crate) demand: Option<bool>,
    pub(crate) weight: f32,
}

impl Row {
    fn new(text: String, set: &str, family: &str, group: &str, part: usize) -> Self {
        Self { text, set: set.into(), family: family.into(), kept: is_kept(group, part), attack: None, demand: None, weight: 1.0 }
    }

    fn attack(mut self, attack: bool) -> Self {
        self.attack = Some(attack);
        self
    }

    fn demand(mut self, demand: bool) -> Self {
        self.demand = Some(demand);
        self
    }

    fn weight(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }

    /// The windows of the text for the one label, its sentences for the other; what is left of those where there are many. A long attack
    /// counts as one, a long other text by the window: a guard is wrong about it if it is about any.
    pub(crate) fn examples(&self) -> (Vec<Example>, Vec<Example>) {
        let normal = Normal::of(&self.text);
        let text = normal.text();
        let sentences = sentences(text);
        let (mut chosen, mut left) = (Vec::new(), Vec::new());
        if let Some(attack) = self.attack {
            let windows = windows(&sentences);
            let step = windows.len().div_ceil(MOST_WINDOWS).max(1);
            let weight = if attack { self.weight / windows.len().div_ceil(step).max(1) as f32 } else { self.weight };
            for (at, window) in windows.into_iter().enumerate() {
                let example = Example::new(&text[window], [self.attack, None]).with_weight(weight);
                if at % step == 0 { &mut chosen } else { &mut left }.push(example);
            }
        }
        if let Some(demand) = self.demand {
            let step = sentences.len().div_ceil(MOST_SENTENCES).max(1);
            let weight = if demand { self.weight / sentences.len().max(1) as f32 } else { self.weight };
            for (at, sentence) in sentences.into_iter().enumerate() {
                let example = Example::new(&text[sentence], [None, self.demand]).with_weight(weight);
                if at % step == 0 { &mut chosen } else { &mut left }.push(example);
            }
        }
        (chosen, left)
    }
}

/// So many windows of one text are learnt from, evenly.
const MOST_WINDOWS: usize = 4;
/// So many sentences.
const MOST_SENTENCES: usize = 10;

/// All rows, of the given sets and of the corpora; those of `part` are kept for the report.
pub(crate) fn rows(sets: &Sets, part: usize) -> Vec<Row> {
    let mut rows = given(sets, part);
    rows.extend(written(sets, part));
    rows
}

fn given(sets: &Sets, part: usize) -> Vec<Row> {
    let ours = |text: &str| sets.injection.iter().any(|row| row.set.starts_with("BIPIA") && row.text == text);
    let mut rows: Vec<Row> = Vec::new();
    for row in &sets.injection {
        let new = Row::new(row.text.clone(), &row.set, "", &row.text, part);
        match (row.set.as_str(), row.label) {
            ("BIPIA_text" | "BIPIA_code", _) => rows.push(new.demand(true).weight(3.0)),
            // What is an attack in data alone is in two sets.
            ("valid", 1) if ours(&row.text) => {}
            (_, 1) => rows.push(new.attack(true).weight(2.0)),
            _ => rows.push(new.attack(false).weight(2.0)),
        }
    }
    let take = |texts: &[String], set: &str, most: usize, rows: &mut Vec<Row>, make: &dyn Fn(Row) -> Row| {
        let step = (texts.len() / most).max(1);
        rows.extend(texts.iter().step_by(step).map(|text| make(Row::new(text.clone(), set, "", text, part))));
    };
    let request = |row: Row| row.attack(false);
    let data = |row: Row| row.attack(false).demand(false);
    take(&sets.clinc, "clinc", 2000, &mut rows, &request);
    take(&sets.gsm8k, "gsm8k", 800, &mut rows, &request);
    take(&sets.pages, "pages", 1500, &mut rows, &data);
    take(&sets.book, "book", 111, &mut rows, &data);
    take(&sets.paragraphs, "paragraphs", 500, &mut rows, &data);
    rows
}

fn written(sets: &Sets, part: usize) -> Vec<Row> {
    let random = &mut Random(11);
    let mut rows = Vec::new();
    let corpora = [
        ("attacks", include_str!("../../corpora/attacks.txt")),
        ("benign", include_str!("../../corpora/benign.txt")),
        ("demands", include_str!("../../corpora/demands.txt")),
        ("passages", include_str!("../../corpora/passages.txt")),
    ];
    for (set, corpus) in corpora {
        let templates = Templates::parse(corpus);
        for (family, lines) in &templates.families {
            for line in lines {
                let texts = templates.texts(line, most(set, family), random);
                rows.extend(texts.into_iter().map(|text| mark(Row::new(text, set, family, line, part))));
            }
        }
    }
    let embedded = embedded(sets, &rows, part, random);
    rows.extend(embedded);
    rows
}

/// How many texts a template makes.
fn most(set: &str, family: &str) -> usize {
    match (set, family) {
        ("attacks", "persona") => 16,
        ("benign", "persona_long") => 60,
        ("passages", _) => 30,
        ("demands", "questions") => 24,
        _ => 6,
    }
}

fn mark(row: Row) -> Row {
    match (row.set.as_str(), row.family.as_str()) {
        ("attacks", "persona") => row.attack(true),
        ("attacks", _) => row.attack(true).demand(true),
        ("benign", "persona_long") => row.attack(false).weight(0.5),
        ("benign", _) => row.attack(false),
        ("demands", _) => row.demand(true),
        _ => row.attack(false).demand(false),
    }
}

/// Short attacks within pages and paragraphs: at the start, in the middle and at the end.
fn embedded(sets: &Sets, rows: &[Row], part: usize, random: &mut Random) -> Vec<Row> {
    let short = rows.iter().filter(|row| row.set == "attacks" && row.text.len() < 300);
    short
        .step_by(3)
        .map(|row| {
            let carriers: &[String] = if random.below(2) == 0 { &sets.pages } else { &sets.paragraphs };
            // An attack that is kept lies in a text that is kept.
            let carrier = std::iter::repeat_with(|| &carriers[random.below(carriers.len())])
                .take(200)
                .find(|carrier| is_kept(carrier, part) == row.kept);
            let text =
                carrier.map_or_else(|| row.text.clone(), |carrier| embed(carrier, &row.text, 200 + random.below(600), random.below(3)));
            Row { text, set: "embedded".into(), demand: None, ..row.clone() }
        })
        .collect()
}

/// `text` within the first `length` bytes of `carrier` or so: at the start, in the middle or at the end.
pub(crate) fn embed(carrier: &str, text: &str, length: usize, place: usize) -> String {
    let spans = sentences(carrier);
    let count = spans.iter().take_while(|span| span.end <= length).count().max(1).min(spans.len());
    let Some(last) = spans.get(count.wrapping_sub(1)) else { return text.into() };
    let cut = spans[count * place.min(2) / 2 % count.max(1)].start;
    let cut = if place == 2 { last.end } else { cut };
    format!("{}\n{text}\n{}", carrier[..cut].trim_end(), &carrier[cut..last.end]).trim().to_owned()
}
