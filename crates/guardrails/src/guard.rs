use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Result, pii::Vault};

/// Something that reads a text and says what is wrong with it.
///
/// A guard reads as the text comes: [`scan`](Self::scan) begins a reading, whose [`Scan`] takes the text in pieces. What it finds must not
/// depend on how the text was cut, and [`check`](Self::check) is the reading of a text in one piece: there is one way to read.
/// [`Matcher`](crate::scan::Matcher), [`Strides`](crate::scan::Strides) and [`Whole`](crate::scan::Whole) are readings that keep to this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a guard",
    note = "implement `jarre_guardrails::Guard` (`name`, `reach` and `scan`); `jarre_guardrails::scan` has readings to build it from"
)]
pub trait Guard: Send + Sync {
    /// What verdicts and policies call it.
    fn name(&self) -> &str;

    /// How much of the text after a place this guard has to know before it has decided about the place.
    fn reach(&self) -> Reach;

    /// What it goes by, so that a verdict can be kept: [`Basis::Other`] unless the guard says more.
    fn basis(&self) -> Basis {
        Basis::Other
    }

    /// Begins to read a text. The reading owns what it needs.
    fn scan(&self, context: &Context) -> Box<dyn Scan>;

    /// Reads a text that is there as a whole; findings are in the order of their places.
    ///
    /// # Errors
    /// Where the guard cannot read it; nothing is known about the text then.
    fn check(&self, text: &str, context: &Context) -> Result<Vec<Finding>> {
        let mut scan = self.scan(context);
        let mut found = Vec::new();
        scan.push(text, &mut found)?;
        scan.finish(&mut found)?;
        Ok(found)
    }
}

/// One reading of one text by one guard.
///
/// For any way to cut the text into pieces, the findings are the same and in the same order, and no finding starts before the place that
/// was [`decided`](Self::decided) when it was told. Where a guard's [`reach`](Guard::reach) is a number of bytes, no more than that many of
/// the bytes pushed are undecided.
pub trait Scan: Send {
    /// Reads `text`, which follows what was pushed before, and adds what is found to `found`.
    ///
    /// # Errors
    /// Where the guard cannot go on; the reading is over.
    fn push(&mut self, text: &str, found: &mut Vec<Finding>) -> Result<()>;

    /// Ends the text; everything is decided. Nothing is pushed afterwards.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    fn finish(&mut self, found: &mut Vec<Finding>) -> Result<()>;

    /// The bytes from the start of the text about which nothing more will be said. After an error: as far as the reading had come.
    fn decided(&self) -> usize;
}

/// How far a guard has to read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// At most so many bytes.
    Bytes(usize),
    /// To the end.
    Whole,
}

/// What a guard goes by when it reads a text. The later a variant, the less is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// The text and its stage, and the values that it puts into the vault or takes from it.
    Text,
    /// All of the [`Context`] as well.
    Context,
    /// Something that may be different the next time, as a budget that is spent.
    #[default]
    Other,
}

/// Something found in a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The bytes of the text, as the guard was given it; on character boundaries.
    pub span: Range<usize>,
    /// What it is, as `email` or `violence`.
    pub label: Cow<'static, str>,
    /// How sure the guard is, from 0 to 1: a calibrated probability where a model says so, 1 where a rule fits.
    pub score: f32,
    /// What is to be done about it.
    pub effect: Effect,
}

impl Finding {
    /// A finding of a rule, which is sure.
    pub fn certain(span: Range<usize>, label: impl Into<Cow<'static, str>>, effect: Effect) -> Self {
        Self { span, label: label.into(), score: 1.0, effect }
    }
}

/// What is to be done about a finding. The later a variant, the graver.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is recorded.
    Note,
    /// The span's text is replaced by this one.
    Replace(String),
    /// The text goes no further than the start of the span.
    Block,
}

/// Where a text stands on its way to a model and back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// What a person wrote.
    #[default]
    Input,
    /// What was retrieved, and what tools answered: data, whose words command nothing.
    Context,
    /// The arguments of a tool call that a model wants made.
    ToolCall,
    /// What a model wrote.
    Output,
}

/// What a guard may want to know beside the text.
#[derive(Clone, Default)]
pub struct Context {
    /// Where the text stands.
    pub stage: Stage,
    /// The operator's instructions, which must not leak.
    pub system: Option<Arc<str>>,
    /// What the answer has to be grounded in.
    pub sources: Vec<Arc<str>>,
    /// What was asked.
    pub question: Option<Arc<str>>,
    /// The tool that is called.
    pub tool: Option<Arc<str>>,
    /// Where pseudonyms of this conversation are kept.
    pub vault: Vault,
}

impl Context {
    /// Knows the stage alone.
    pub fn new(stage: Stage) -> Self {
        Self { stage, ..Self::default() }
    }
}

impl fmt::Debug for Context {
    /// Tells how much there is and none of it: instructions and sources may be secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Context").field("stage", &self.stage).field("sources", &self.sources.len()).finish_non_exhaustive()
    }
}
