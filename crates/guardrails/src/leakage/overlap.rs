use std::{collections::HashSet, sync::Arc};

use serde::{Deserialize, Serialize};

use super::shingles::{GAP, LONGEST_WORD, Shingle, Shingles};
use crate::{Basis, Context, Effect, Error, Finding, Guard, Reach, Result, Scan};

/// Phrases that anyone may write, whatever the instructions say.
const COMMON: [&str; 8] = [
    "You are a helpful assistant. Answer the user's questions as well as you can.",
    "Please let me know if you have any other questions or need further help.",
    "I am sorry, but I cannot help you with that request.",
    "Feel free to ask me if there is anything else I can help you with.",
    "If you do not know the answer, say that you do not know it. Do not make up an answer.",
    "As an AI language model, I do not have access to personal information about you.",
    "Answer the question using only the information that is given in the context below.",
    "You should always be polite and respectful to the user and never use offensive language.",
];

/// What counts as a passage of the instructions, and what is done about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OverlapConfig {
    /// What is done about words that stand in the instructions in the same order.
    pub passage: Effect,
    /// What is done once `share` of the instructions has been written.
    pub leak: Effect,
    /// Words in a row that are a passage, from 3 to 32.
    pub words: usize,
    /// The share of the runs of so many words of the instructions that is a leak, above 0 and up to 1.
    pub share: f32,
    /// Texts whose words are no passage.
    pub common: Vec<String>,
}

impl Default for OverlapConfig {
    /// Notes eight words in a row, and ends the text once a tenth of the instructions is out.
    fn default() -> Self {
        Self { passage: Effect::Note, leak: Effect::Block, words: 8, share: 0.1, common: Vec::new() }
    }
}

/// Finds passages of [`Context::system`] in a text: `instructions` for a run of words, `leak` once enough of them has been written; the
/// score is the share of the instructions that has been written so far.
///
/// Words are compared without case and without what stands between them, as runs (w-shingles, Broder 1997) of hashes of 64 bits. Runs that
/// stand in the question, in the configured common texts or in a few phrases that everybody uses are none. Passages that follow each other are parts
/// of one: where they are replaced, the first is, and the rest is left out.
#[derive(Clone, Debug)]
pub struct OverlapGuard(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    config: OverlapConfig,
    common: HashSet<u64>,
}

impl OverlapGuard {
    /// A guard that finds such passages.
    ///
    /// # Errors
    /// [`Error::Config`] where `words` or `share` is not within its bounds.
    pub fn new(config: OverlapConfig) -> Result<Self> {
        if !(3..=32).contains(&config.words) {
            return Err(Error::config("overlap", format!("`words` is from 3 to 32, not {}", config.words)));
        }
        if !(config.share > 0.0 && config.share <= 1.0) {
            return Err(Error::config("overlap", format!("`share` is above 0 and at most 1, not {}", config.share)));
        }
        let texts = COMMON.into_iter().chain(config.common.iter().map(String::as_str));
        let common = texts.flat_map(|text| hashes(text, config.words)).collect();
        Ok(Self(Arc::new(Rules { config, common })))
    }
}

fn hashes(text: &str, words: usize) -> HashSet<u64> {
    Shingles::of(text, words).into_iter().map(|shingle| shingle.hash).collect()
}

impl Guard for OverlapGuard {
    fn name(&self) -> &'static str {
        "overlap"
    }

    fn reach(&self) -> Reach {
        Reach::Bytes(self.0.config.words * (LONGEST_WORD + GAP))
    }

    fn basis(&self) -> Basis {
        Basis::Context
    }

    fn scan(&self, context: &Context) -> Box<dyn Scan> {
        let words = self.0.config.words;
        let mut secret = context.system.as_deref().map(|system| hashes(system, words)).unwrap_or_default();
        let asked = context.question.as_deref().map(|question| hashes(question, words)).unwrap_or_default();
        secret.retain(|hash| !self.0.common.contains(hash) && !asked.contains(hash));
        let written = Written { rules: Arc::clone(&self.0), secret, told: HashSet::new(), taken: 0 };
        Box::new(OverlapScan { shingles: Shingles::new(words), written, decided: 0 })
    }
}

struct OverlapScan {
    shingles: Shingles,
    written: Written,
    decided: usize,
}

/// What of the instructions has been written.
struct Written {
    rules: Arc<Rules>,
    /// The runs of the instructions.
    secret: HashSet<u64>,
    /// Those that have been written.
    told: HashSet<u64>,
    /// Where the last finding ended.
    taken: usize,
}

impl Written {
    fn take(&mut self, shingle: Shingle) -> Option<Finding> {
        if !self.secret.contains(&shingle.hash) {
            return None;
        }
        self.told.insert(shingle.hash);
        let config = &self.rules.config;
        let share = self.told.len() as f32 / self.secret.len() as f32;
        let goes_on = self.taken > shingle.start;
        let (label, effect) = if share >= config.share { ("leak", &config.leak) } else { ("instructions", &config.passage) };
        let effect = match effect {
            Effect::Replace(_) if goes_on => Effect::Replace(String::new()),
            effect => effect.clone(),
        };
        let span = self.taken.max(shingle.start)..shingle.end;
        self.taken = shingle.end;
        Some(Finding { span, label: label.into(), score: share, effect })
    }
}

impl Scan for OverlapScan {
    fn push(&mut self, text: &str, found: &mut Vec<Finding>) -> Result<()> {
        for character in text.chars() {
            self.shingles.take(character, &mut |shingle| found.extend(self.written.take(shingle)));
        }
        self.decided = self.shingles.open_from();
        Ok(())
    }

    fn finish(&mut self, found: &mut Vec<Finding>) -> Result<()> {
        self.shingles.close(&mut |shingle| found.extend(self.written.take(shingle)));
        self.decided = self.shingles.end_of_text();
        Ok(())
    }

    fn decided(&self) -> usize {
        self.decided
    }
}
