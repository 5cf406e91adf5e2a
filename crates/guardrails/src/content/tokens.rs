use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use jarre_core::TokenCounter;
use serde::{Deserialize, Serialize};

use crate::{Basis, Context, Effect, Error, Finding, Guard, Reach, Result, Scan, scan::boundary_before};

/// Bytes that are counted together, at most.
const BLOCK: usize = 2048;

/// How many tokens a text may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenConfig {
    /// What is done at the token that is one too many.
    pub effect: Effect,
    /// Tokens of a text.
    pub tokens: usize,
}

impl Default for TokenConfig {
    /// 8,192 tokens, and an end.
    fn default() -> Self {
        Self { effect: Effect::Block, tokens: 8192 }
    }
}

/// The tokens that are left to a conversation. Clones share it.
#[derive(Clone, Debug)]
pub struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// So many are left.
    pub fn new(tokens: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(tokens)))
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes so many, or what is left; says how many it took.
    pub fn take(&self, tokens: usize) -> usize {
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(tokens)));
        tokens.min(before.unwrap_or_else(|left| left))
    }
}

/// Finds where a text has more tokens than it may, or than its conversation has left: `tokens` and `budget`.
///
/// Text is counted in blocks of at most 2 KiB that end before white space where they can, so that pieces make no difference. A tokenizer
/// that joins words over white space would count a little less; the difference is at most one token a block.
pub struct TokenGuard {
    config: TokenConfig,
    counter: Arc<dyn TokenCounter>,
    budget: Option<Budget>,
}

impl TokenGuard {
    /// A guard that counts by `counter`.
    ///
    /// # Errors
    /// [`Error::Config`] where no token is allowed.
    pub fn new(config: TokenConfig, counter: Arc<dyn TokenCounter>) -> Result<Self> {
        if config.tokens == 0 {
            return Err(Error::config("tokens", "`tokens` is 0, so that nothing could be said"));
        }
        Ok(Self { config, counter, budget: None })
    }

    /// Spends from `budget`: what is read is spent, whether it is let through or not.
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }
}

impl fmt::Debug for TokenGuard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TokenGuard").field("config", &self.config).field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl Guard for TokenGuard {
    fn name(&self) -> &'static str {
        "tokens"
    }

    fn reach(&self) -> Reach {
        Reach::Bytes(BLOCK)
    }

    fn basis(&self) -> Basis {
        if self.budget.is_some() { Basis::Other } else { Basis::Text }
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        Box::new(TokenScan {
            left: Some(self.config.tokens),
            budget: self.budget.clone(),
            counter: Arc::clone(&self.counter),
            effect: self.config.effect.clone(),
            text: String::new(),
            decided: 0,
        })
    }
}

struct TokenScan {
    /// What the text may still have; none once that was told.
    left: Option<usize>,
    /// None once it was told to be spent.
    budget: Option<Budget>,
    counter: Arc<dyn TokenCounter>,
    effect: Effect,
    text: String,
    decided: usize,
}

impl TokenScan {
    fn count(&mut self, from: usize, to: usize, found: &mut Vec<Finding>) {
        let spans = self.counter.token_spans(&self.text[from..to]);
        let mut excess: Vec<(usize, &'static str)> = Vec::new();
        if let Some(left) = self.left {
            self.left = left.checked_sub(spans.len());
            excess.extend(self.left.is_none().then_some((left, "tokens")));
        }
        if let Some(budget) = &self.budget {
            let taken = budget.take(spans.len());
            if taken < spans.len() {
                excess.push((taken, "budget"));
                self.budget = None;
            }
        }
        excess.sort_unstable();
        for (index, label) in excess {
            let span = &spans[index];
            found.push(Finding::certain(self.decided + span.start..self.decided + span.end, label, self.effect.clone()));
        }
        self.decided += to - from;
    }
}

impl Scan for TokenScan {
    fn push(&mut self, text: &str, found: &mut Vec<Finding>) -> Result<()> {
        self.text.push_str(text);
        let mut at = 0;
        while self.text.len() - at > BLOCK {
            let most = boundary_before(&self.text[at..], BLOCK);
            let space = self.text[at..at + most].rfind(char::is_whitespace).filter(|&space| space > 0);
            let end = at + space.unwrap_or(most);
            self.count(at, end, found);
            at = end;
        }
        self.text.drain(..at);
        Ok(())
    }

    fn finish(&mut self, found: &mut Vec<Finding>) -> Result<()> {
        self.count(0, self.text.len(), found);
        self.text.clear();
        Ok(())
    }

    fn decided(&self) -> usize {
        self.decided
    }
}
