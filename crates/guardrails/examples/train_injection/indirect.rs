use std::{collections::BTreeMap, error::Error, sync::Arc};

use jarre_eval::classification::BinaryScores;
use jarre_guardrails::{
    Context, Guard, Stage,
    injection::{IndirectConfig, IndirectGuard, InjectionConfig, InjectionGuard},
    learn::NgramModel,
};

use crate::{
    report::share,
    rows::{Row, embed},
};

/// What a passage is cut to, in bytes.
const PASSAGE: usize = 1500;

/// Reports how well passages with a demand in them are told from those without, by a model that learnt from none of `test`.
pub(crate) fn report(model: &Arc<NgramModel>, test: &[&Row]) -> Result<(), Box<dyn Error>> {
    println!("\n### In data");
    let carriers: Vec<&Row> =
        test.iter().filter(|row| ["pages", "book", "paragraphs", "passages"].contains(&row.set.as_str())).copied().collect();
    let demands = test.iter().filter(|row| row.demand == Some(true));
    let attacked: Vec<Attacked> =
        demands.enumerate().map(|(at, demand)| Attacked::new(demand, carriers[at * 7 % carriers.len()], at % 3)).collect();
    let guard = guard(model, IndirectConfig::default())?;
    let score = |text: &str| guard.score(text).map(f64::from);
    let plain: Vec<(&str, f64)> =
        carriers.iter().map(|row| Ok((row.set.as_str(), score(clip(&row.text))?))).collect::<Result<_, jarre_guardrails::Error>>()?;
    let found: Vec<(&Attacked, f64)> =
        attacked.iter().map(|it| Ok((it, score(&it.text)?))).collect::<Result<_, jarre_guardrails::Error>>()?;
    let pool = BinaryScores::new(plain.iter().map(|(_, score)| (*score, false)).chain(found.iter().map(|(_, score)| (*score, true))))?;
    let at = |rate| pool.best_at_false_positive_rate(rate).and_then(|point| point.threshold).unwrap_or(1.0);
    let thresholds = [at(0.01), at(0.05), f64::from(IndirectConfig::default().threshold)];
    println!("average precision {:.3}, ROC AUC {:.3}", pool.average_precision().unwrap_or(f64::NAN), pool.roc_auc().unwrap_or(f64::NAN));
    println!(
        "{:<28} {:>6}  found at {:.3} (1 %)      at {:.3} (5 %)      at {:.2} (default)",
        "", "texts", thresholds[0], thresholds[1], thresholds[2]
    );
    let mut groups: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (set, score) in &plain {
        groups.entry(format!("passage {set}")).or_default().push(*score);
    }
    for (it, score) in &found {
        groups.entry(format!("demand {}", it.family)).or_default().push(*score);
        groups.entry(format!("demand {}", ["at the start", "in the middle", "at the end"][it.place])).or_default().push(*score);
    }
    for (name, scores) in groups {
        let shares: Vec<String> = thresholds.iter().map(|threshold| share(&scores, *threshold)).collect::<Result<_, _>>()?;
        println!("{name:<28} {:>6}  {}", scores.len(), shares.join("  "));
    }
    spans(model, &attacked, thresholds[0])
}

fn guard(model: &Arc<NgramModel>, config: IndirectConfig) -> Result<IndirectGuard, jarre_guardrails::Error> {
    let direct = InjectionConfig { threshold: config.attack_threshold, ..InjectionConfig::default() };
    let direct = InjectionGuard::new(direct)?.without_own_classifier().joined_by(Arc::clone(model) as _, "attack");
    Ok(IndirectGuard::new(config)?.without_own_classifier().joined_by(Arc::clone(model) as _, "demand").beside(direct))
}

/// In how many passages the demand itself is found, and in how many of them nothing else is.
fn spans(model: &Arc<NgramModel>, attacked: &[Attacked], threshold: f64) -> Result<(), Box<dyn Error>> {
    let guard = guard(model, IndirectConfig { threshold: threshold as f32, ..IndirectConfig::default() })?;
    let (mut hit, mut clean) = (Vec::new(), Vec::new());
    for it in attacked {
        let found = guard.check(&it.text, &Context::new(Stage::Context))?;
        let overlaps = |span: &std::ops::Range<usize>| span.start < it.span.end && it.span.start < span.end;
        let any = found.iter().any(|finding| overlaps(&finding.span));
        hit.push(f64::from(u8::from(any)));
        if any {
            clean.push(f64::from(u8::from(found.iter().all(|finding| overlaps(&finding.span)))));
        }
    }
    println!("the demand itself is found   {:>6}  {}", hit.len(), share(&hit, 1.0)?);
    println!("and nothing else             {:>6}  {}", clean.len(), share(&clean, 1.0)?);
    Ok(())
}

/// A passage with a demand in it.
struct Attacked {
    text: String,
    span: std::ops::Range<usize>,
    family: String,
    place: usize,
}

impl Attacked {
    fn new(demand: &Row, carrier: &Row, place: usize) -> Self {
        let text = embed(clip(&carrier.text), &demand.text, PASSAGE, place);
        let start = text.find(&demand.text).unwrap_or(0);
        let family = if demand.set == "demands" || demand.set == "attacks" {
            format!("{} {}", demand.set, demand.family)
        } else {
            demand.set.clone()
        };
        Self { span: start..start + demand.text.len(), text, family, place }
    }
}

fn clip(text: &str) -> &str {
    let end = (0..=PASSAGE.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    &text[..end]
}
