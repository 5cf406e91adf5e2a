use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use jarre_core::Clock;
use jarre_eval::classification::BinaryScores;
use jarre_guardrails::{
    Context, Effect, Stage,
    injection::{InjectionConfig, InjectionGuard},
    pipeline::{Layer, Pipeline},
};

use super::{
    figures::{Figures, Latency, Mistake, Ranking, Rate, Side},
    sets::Set,
};

/// So many pieces of each length are read untimed first, for patterns become automata while they read: a service has done that.
const FIRST: usize = 40;

/// What is measured, and by which clock.
pub(crate) struct Bench<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) clock: &'a dyn Clock,
}

impl Bench<'_> {
    /// How often the layers are wrong about `sets`, and about which texts.
    pub(crate) fn rates(&self, sets: &[Set], bar: &ProgressBar, figures: &mut Figures) -> Result<Vec<Mistake>> {
        let mut mistakes = Vec::new();
        for set in sets {
            bar.set_message(format!("{} on {}", set.layer, set.name));
            let wrong = self.mistakes(set, bar)?;
            let name = match set.side {
                Side::Harmful => format!("{}/harmful", set.name),
                Side::Harmless => format!("{}/harmless", set.name),
            };
            figures.rates.push(Rate {
                layer: set.layer.to_owned(),
                set: name,
                side: set.side,
                seen: set.seen,
                texts: set.texts.len() as u64,
                wrong: wrong.len() as u64,
            });
            mistakes.extend(wrong);
        }
        Ok(mistakes)
    }

    fn mistakes(&self, set: &Set, bar: &ProgressBar) -> Result<Vec<Mistake>> {
        let mut mistakes = Vec::new();
        for text in &set.texts {
            let found = self.found(set.layer, set.stage, text)?;
            bar.inc(1);
            if found.is_empty() == (set.side == Side::Harmful) {
                mistakes.push(Mistake { layer: set.layer.to_owned(), set: set.name.clone(), side: set.side, text: text.clone(), found });
            }
        }
        Ok(mistakes)
    }

    /// The labels of what the layer finds and acts on; of the pipeline the layer that stops the text.
    fn found(&self, layer: &str, stage: Stage, text: &str) -> Result<Vec<String>> {
        if layer == "pipeline" {
            let verdict = self.pipeline.check(text, &Context::new(stage));
            return Ok(verdict.blocked_by().map(|layer| layer.name.clone()).into_iter().collect());
        }
        let layer = self.layer(layer, stage)?;
        let found = layer.guard.check(text, &Context::new(stage))?;
        let acts = |finding: &&jarre_guardrails::Finding| finding.effect != Effect::Note && finding.score >= layer.min_score;
        Ok(found.iter().filter(acts).map(|finding| format!("{} {:.2}", finding.label, finding.score)).collect())
    }

    fn layer(&self, name: &str, stage: Stage) -> Result<&Arc<Layer>> {
        let mut layers = self.pipeline.groups().iter().flatten();
        layers
            .find(|layer| &*layer.name == name && layer.stages.contains(&stage))
            .with_context(|| format!("the policy has no layer `{name}` there"))
    }

    /// How long the stages take one thread for texts of these lengths, cut from `pages`; and each layer of the input.
    pub(crate) fn latencies(&self, pages: &[String], lengths: &[usize], runs: usize) -> Vec<Latency> {
        let (text, pipeline) = (pages.concat(), self.pipeline.clone().with_threads(1));
        let mut latencies = Vec::new();
        for &bytes in lengths {
            let mut pieces = pieces(&text, bytes);
            let first: Vec<&str> = pieces.by_ref().take(FIRST).collect();
            let pieces: Vec<&str> = pieces.take(runs).collect();
            if pieces.is_empty() {
                continue;
            }
            for (name, stage) in [("input", Stage::Input), ("context", Stage::Context), ("output", Stage::Output)] {
                for piece in &first {
                    drop(pipeline.check(piece, &Context::new(stage)));
                }
                let times = pieces.iter().map(|piece| self.time(|| drop(pipeline.check(piece, &Context::new(stage)))));
                latencies.push(latency(name.to_owned(), bytes, times.collect()));
            }
            latencies.extend(self.layers(&pieces, bytes));
        }
        latencies
    }

    /// How long each layer of the input takes for texts of these lengths, cut from `pages`, which are repeated where they are too short.
    pub(crate) fn growing(&self, pages: &[String], lengths: &[usize], runs: usize) -> Vec<Latency> {
        let pages = pages.concat();
        let most = lengths.iter().copied().max().unwrap_or_default();
        let text = pages.repeat(most.checked_div(pages.len()).map_or(0, |times| times + 1));
        let of = |&bytes: &usize| {
            let pieces: Vec<&str> = pieces(&text, bytes).take(runs).collect();
            self.layers(&pieces, bytes)
        };
        lengths.iter().flat_map(of).collect()
    }

    /// How long each layer of the input takes for `pieces`, of about `bytes` bytes.
    fn layers(&self, pieces: &[&str], bytes: usize) -> Vec<Latency> {
        let here = self.pipeline.groups().iter().flatten().filter(|layer| layer.stages.contains(&Stage::Input));
        let timed = |layer: &Arc<Layer>| {
            let times = pieces.iter().map(|piece| self.time(|| drop(layer.guard.check(piece, &Context::new(Stage::Input)))));
            latency(format!("input: {}", layer.name), bytes, times.collect())
        };
        here.map(timed).collect()
    }

    fn time(&self, work: impl FnOnce()) -> Duration {
        let start = self.clock.now();
        work();
        self.clock.now().saturating_sub(start)
    }
}

/// How well the classifier of injection ranks attacks above all harmless texts.
pub(crate) fn ranking(sets: &[Set]) -> Result<Vec<Ranking>> {
    let guard = InjectionGuard::new(InjectionConfig::default())?;
    let of = |side| sets.iter().filter(move |set| set.layer == "injection" && set.side == side);
    let mut rankings = Vec::new();
    let harmless: Vec<f64> =
        of(Side::Harmless).flat_map(|set| &set.texts).map(|text| Ok(f64::from(guard.score(text)?))).collect::<Result<_>>()?;
    for set in of(Side::Harmful) {
        let harmful: Vec<f64> = set.texts.iter().map(|text| Ok(f64::from(guard.score(text)?))).collect::<Result<_>>()?;
        let scores = BinaryScores::new(harmful.iter().map(|score| (*score, true)).chain(harmless.iter().map(|score| (*score, false))))?;
        rankings.push(Ranking {
            layer: set.layer.to_owned(),
            set: set.name.clone(),
            seen: set.seen,
            harmful: harmful.len() as u64,
            harmless: harmless.len() as u64,
            auprc: scores.average_precision().unwrap_or(f64::NAN),
            auroc: scores.roc_auc().unwrap_or(f64::NAN),
        });
    }
    Ok(rankings)
}

/// `text` in pieces of about `bytes` bytes.
fn pieces(text: &str, bytes: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let cut = rest.floor_char_boundary(bytes);
        if rest.len() < bytes || cut == 0 {
            return None;
        }
        let (piece, after) = rest.split_at(cut);
        rest = after;
        Some(piece)
    })
}

fn latency(layer: String, bytes: usize, mut times: Vec<Duration>) -> Latency {
    times.sort_unstable();
    // The nearest rank.
    let at = |share: f64| times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1].as_secs_f64() * 1e6;
    Latency { layer, bytes, runs: times.len(), p50_us: at(0.5), p99_us: at(0.99) }
}
