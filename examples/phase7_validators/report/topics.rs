//! How well a topic by examples parts one domain of CLINC150 from all the others, by a real encoder.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use jarre_core::{Embedder, EmbedderInfo, Embeddings, ErrorKind};
use jarre_guardrails::{
    Context, Guard,
    topics::{Closeness, Topic, TopicConfig, TopicGuard},
};
use serde::Deserialize;

use super::{
    domains::{DOMAINS, domain_of},
    figures::{TopicRate, TopicUse},
};

/// Utterances of each intent that a topic is given by.
const EXAMPLES: usize = 10;
/// The shares of texts to be left alone that thresholds are chosen for.
const AIMS: [f32; 2] = [0.01, 0.05];
/// Texts that are encoded together.
const BATCH: usize = 32;

/// Utterances with their domains; those out of scope have none.
type Part = Vec<(String, Option<&'static str>)>;

/// The parts of CLINC150 that are read here: examples are from the first, thresholds from the second, figures from the third.
struct Parts {
    examples: Part,
    choosing: Part,
    measured: Part,
}

/// How often each domain is found where it is denied, and other texts where it alone is allowed.
pub(crate) fn rates(data: &Path, encoder: &dyn Embedder, bar: &ProgressBar) -> Result<Vec<TopicRate>> {
    let parts = Parts::read(&data.join("router/clinc150.json"))?;
    let known: Arc<dyn Embedder> = Arc::new(Known::new(encoder, parts.texts(), bar)?);
    let mut rates = Vec::new();
    for (domain, _) in DOMAINS {
        for closeness in [Closeness::Nearest, Closeness::Centroid] {
            for usage in [TopicUse::Denied, TopicUse::Allowed] {
                for aim in AIMS {
                    rates.push(rate(&parts, &known, domain, closeness, usage, aim)?);
                }
            }
        }
    }
    Ok(rates)
}

fn rate(parts: &Parts, known: &Arc<dyn Embedder>, domain: &str, closeness: Closeness, usage: TopicUse, aim: f32) -> Result<TopicRate> {
    let guard = |threshold| {
        let topic = Topic { name: domain.to_owned(), examples: of(&parts.examples, domain, true), threshold };
        let (deny, allow) = match usage {
            TopicUse::Denied => (vec![topic], Vec::new()),
            TopicUse::Allowed => (Vec::new(), vec![topic]),
        };
        TopicGuard::new(TopicConfig { deny, allow, closeness, ..TopicConfig::default() }, Arc::clone(known))
    };
    let [about, others] = [true, false].map(|about| of(&parts.choosing, domain, about));
    let [about, others] = [&about, &others].map(|texts| texts.iter().map(String::as_str).collect::<Vec<_>>());
    let chosen = guard(None)?.calibrate(domain, &about, &others, aim)?.context("a domain has no texts to choose by")?;
    let guard = guard(Some(chosen.threshold))?;
    let found = |texts: &[String]| -> Result<u64> {
        let mut found = 0;
        for text in texts {
            found += u64::from(!guard.check(text, &Context::default())?.is_empty());
        }
        Ok(found)
    };
    // What is to be found where the domain is allowed are the others.
    let [wanted, others] = [true, false].map(|wanted| of(&parts.measured, domain, wanted == (usage == TopicUse::Denied)));
    Ok(TopicRate {
        domain: domain.to_owned(),
        closeness,
        usage,
        aim,
        threshold: chosen.threshold,
        texts: wanted.len() as u64,
        found: found(&wanted)?,
        others: others.len() as u64,
        falsely_found: found(&others)?,
    })
}

/// Those texts of `part` that are of `domain`, or those that are not.
fn of(part: &Part, domain: &str, wanted: bool) -> Vec<String> {
    part.iter().filter(|(_, of)| (*of == Some(domain)) == wanted).map(|(text, _)| text.clone()).collect()
}

#[derive(Deserialize)]
struct Clinc {
    train: Vec<(String, String)>,
    val: Vec<(String, String)>,
    test: Vec<(String, String)>,
    oos_val: Vec<(String, String)>,
    oos_test: Vec<(String, String)>,
}

impl Parts {
    fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let Clinc { train, val, test, oos_val, oos_test } = serde_json::from_str(&text)?;
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        let first = train.into_iter().filter(|(_, intent)| {
            let taken = taken.entry(intent.clone()).or_default();
            *taken += 1;
            *taken <= EXAMPLES
        });
        Ok(Self {
            examples: part(first)?,
            choosing: part(val.into_iter().chain(oos_val))?,
            measured: part(test.into_iter().chain(oos_test))?,
        })
    }

    fn texts(&self) -> Vec<&str> {
        [&self.examples, &self.choosing, &self.measured].into_iter().flatten().map(|(text, _)| text.as_str()).collect()
    }
}

fn part(rows: impl Iterator<Item = (String, String)>) -> Result<Part> {
    rows.map(|(text, intent)| match (domain_of(&intent), intent.as_str()) {
        (None, "oos") => Ok((text, None)),
        (None, _) => bail!("`{intent}` is an intent of no domain"),
        (domain, _) => Ok((text, domain)),
    })
    .collect()
}

/// Vectors that were made before, so that ten domains and eight thresholds each cost no more than one.
struct Known {
    info: EmbedderInfo,
    vectors: HashMap<String, Vec<f32>>,
}

impl Known {
    fn new(encoder: &dyn Embedder, mut texts: Vec<&str>, bar: &ProgressBar) -> Result<Self> {
        // Texts of one length are not padded.
        texts.sort_unstable_by_key(|text| (text.len(), *text));
        texts.dedup();
        bar.set_message("vectors of utterances");
        bar.inc_length(texts.len() as u64);
        let mut vectors = HashMap::new();
        for batch in texts.chunks(BATCH) {
            let rows = encoder.embed(batch)?;
            vectors.extend(batch.iter().map(|text| (*text).to_owned()).zip(rows.rows().map(<[f32]>::to_vec)));
            bar.inc(batch.len() as u64);
        }
        Ok(Self { info: encoder.info().clone(), vectors })
    }
}

impl Embedder for Known {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    fn embed(&self, texts: &[&str]) -> jarre_core::Result<Embeddings> {
        let vector = |text: &&str| {
            let missing = || jarre_core::Error::new(ErrorKind::Internal, "a text was not encoded before");
            self.vectors.get(*text).ok_or_else(missing)
        };
        let vectors: Vec<&Vec<f32>> = texts.iter().map(vector).collect::<jarre_core::Result<_>>()?;
        Embeddings::new(self.info.dims, vectors.into_iter().flatten().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use jarre_core::testing::HashEmbedder;

    use super::*;

    #[test]
    fn every_domain_is_measured_both_ways() {
        let rows = |from: usize, to: usize| -> Vec<(String, String)> {
            let intents = DOMAINS.iter().map(|(_, intents)| intents[0]);
            intents
                .flat_map(|intent| (from..to).map(move |at| (format!("please {intent} {intent} number {at}"), intent.to_owned())))
                .collect()
        };
        let out = vec![("what is the colour of envy in the mountains".to_owned(), "oos".to_owned())];
        let file = serde_json::json!({"train": rows(0, 12), "val": rows(20, 24), "test": rows(30, 33), "oos_val": out, "oos_test": out});
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("router")).unwrap();
        fs::write(folder.path().join("router/clinc150.json"), file.to_string()).unwrap();
        let rates = rates(folder.path(), &HashEmbedder::default(), &ProgressBar::hidden()).unwrap();
        assert_eq!(rates.len(), DOMAINS.len() * 8);
        for rate in &rates {
            let expected = if rate.usage == TopicUse::Denied { (3, 28) } else { (28, 3) };
            assert_eq!((rate.texts, rate.others), expected);
            assert_eq!(rate.found, rate.texts, "{rate:?}");
            // One of 37 was allowed to be found where the threshold was chosen for 5 %.
            assert!(rate.falsely_found <= u64::from(rate.aim > 0.04), "{rate:?}");
        }
    }
}
