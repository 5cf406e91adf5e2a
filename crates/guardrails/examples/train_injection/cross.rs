use std::{collections::BTreeMap, error::Error, sync::Arc};

use jarre_guardrails::{
    Context, Guard, Stage,
    injection::{InjectionConfig, InjectionGuard, Normal, sentences, windows},
    learn::NgramModel,
};

use crate::{
    fit,
    report::share,
    rows::{Row, embed, rows},
    split::PARTS,
};

/// Attacks that are put in pages are shorter than this, in bytes, and the pages longer than that.
const SHORT: usize = 300;
const PAGE: usize = 3000;

/// Reports what the default finds in each text, by five models of which each learnt from the four parts that the text is not of; and what it
/// would find were one window as much in a long text as in a short one, and a pattern always enough.
pub(crate) fn report(sets: &crate::sets::Sets) -> Result<(), Box<dyn Error>> {
    let mut groups: BTreeMap<(&str, String), [Vec<f64>; 2]> = BTreeMap::new();
    for part in 0..PARTS {
        let rows = rows(sets, part);
        let (kept, learnt): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.kept);
        let kept_texts: std::collections::HashSet<&str> = kept.iter().map(|row| row.text.as_str()).collect();
        // Some texts are in two sets.
        let learnt: Vec<Row> = learnt.into_iter().filter(|row| !kept_texts.contains(row.text.as_str())).collect();
        let found = Found::new(Arc::new(fit(&learnt)?))?;
        let within = in_pages(&kept);
        for row in kept.iter().chain(&within).filter(|row| row.attack.is_some()) {
            let side = if row.attack == Some(true) { "attack" } else { "harmless" };
            let [by_length, flat] = groups.entry((side, row.set.clone())).or_default();
            by_length.push(found.by_length(&row.text)?);
            flat.push(found.flat(&row.text)?);
        }
    }
    println!("\n## Each fifth left out in turn\n{:<28} {:>6}  found by length         at one bar", "", "texts");
    for ((side, set), [by_length, flat]) in groups {
        println!("{:<28} {:>6}  {}  {}", format!("{side} {set}"), flat.len(), share(&by_length, 1.0)?, share(&flat, 1.0)?);
    }
    Ok(())
}

/// The short attacks of `kept`, each within a whole page of it: at the start, in the middle and at the end.
fn in_pages(kept: &[Row]) -> Vec<Row> {
    let pages: Vec<&Row> = kept.iter().filter(|row| row.set == "pages" && row.text.len() > PAGE).collect();
    let short = kept.iter().filter(|row| row.set == "attacks" && row.text.len() < SHORT);
    let within = |(at, row): (usize, &Row)| {
        let page = &pages[at * 13 % pages.len()].text;
        Row { text: embed(page, &row.text, page.len(), at % 3), set: "in a page".into(), ..row.clone() }
    };
    short.enumerate().map(within).collect()
}

/// What is found, 1 where something is.
struct Found {
    model: Arc<NgramModel>,
    guard: InjectionGuard,
    patterns: InjectionGuard,
}

impl Found {
    fn new(model: Arc<NgramModel>) -> Result<Self, Box<dyn Error>> {
        let patterns = InjectionGuard::new(InjectionConfig::default())?.without_own_classifier();
        Ok(Self { guard: patterns.clone().joined_by(Arc::clone(&model) as _, "attack"), patterns, model })
    }

    fn by_length(&self, text: &str) -> Result<f64, Box<dyn Error>> {
        any(&self.guard, text)
    }

    fn flat(&self, text: &str) -> Result<f64, Box<dyn Error>> {
        let normal = Normal::of(text);
        let mut windows = windows(&sentences(normal.text())).into_iter();
        let attacks = windows.any(|window| self.model.score(&normal.text()[window])[0] >= InjectionConfig::default().threshold);
        if attacks { Ok(1.0) } else { any(&self.patterns, text) }
    }
}

fn any(guard: &InjectionGuard, text: &str) -> Result<f64, Box<dyn Error>> {
    Ok(f64::from(u8::from(!guard.check(text, &Context::new(Stage::Input))?.is_empty())))
}
