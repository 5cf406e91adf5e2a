use jarre_core::{BoxFuture, Usage};
use serde::{Deserialize, Serialize};

use super::{Case, Handling, Judge, JudgeId, verdict::Unjudged};

/// Two answers to one question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pair {
    /// What was asked.
    pub question: String,
    /// The answer that is shown first; never trusted.
    pub first: String,
    /// The other; never trusted.
    pub second: String,
    /// An answer that is right.
    pub reference: Option<String>,
    /// What the answers had to rest on.
    pub context: Option<String>,
}

/// Which of two answers is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// The first.
    First,
    /// The second.
    Second,
    /// Neither.
    Tie,
}

/// Says which of two answers is better, as they are shown. [`BothOrders`](super::BothOrders) shows them both ways round.
#[diagnostic::on_unimplemented(message = "`{Self}` compares no pairs", note = "use `LlmPairJudge`, or `ByGrade` over any `Judge`")]
pub trait PairJudge: Send + Sync {
    /// Which judge this is.
    fn id(&self) -> &JudgeId;

    /// What it says of `pair`. Repeats of one pair differ in `repeat`, counted from 0.
    fn prefer<'a>(&'a self, pair: &'a Pair, repeat: u32) -> BoxFuture<'a, Vote>;
}

/// What a judge said of a pair in one order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// The better one, or why there is no verdict.
    pub preference: Result<Preference, Unjudged>,
    /// The judge's reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was done to the two answers before they were shown, together.
    #[serde(default)]
    pub handling: Handling,
    /// Tokens that the judge used.
    #[serde(default)]
    pub usage: Usage,
}

impl Pair {
    /// Two answers to `question`, with nothing to hold them against.
    pub fn new(question: impl Into<String>, first: impl Into<String>, second: impl Into<String>) -> Self {
        Self { question: question.into(), first: first.into(), second: second.into(), ..Self::default() }
    }

    /// Adds an answer that is right.
    pub fn with_reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// Adds what the answers had to rest on.
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// The same pair the other way round.
    pub fn swapped(&self) -> Self {
        Self { first: self.second.clone(), second: self.first.clone(), ..self.clone() }
    }

    fn case(&self, answer: &str) -> Case {
        let Self { question, reference, context, .. } = self.clone();
        Case { question, answer: answer.into(), reference, context }
    }
}

impl Preference {
    /// The preference of someone who saw the pair the other way round.
    pub fn swapped(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
            Self::Tie => Self::Tie,
        }
    }

    /// What most say; a tie where no preference has more votes than each other one.
    pub fn majority(votes: impl IntoIterator<Item = Self>) -> Self {
        let mut counts = [0_usize; 3];
        for vote in votes {
            counts[vote as usize] += 1;
        }
        match counts {
            [first, second, tie] if first > second && first > tie => Self::First,
            [first, second, tie] if second > first && second > tie => Self::Second,
            _ => Self::Tie,
        }
    }
}

/// Prefers the answer that a judge of single answers gives the higher figure. Blind to order by construction.
#[derive(Clone, Debug)]
pub struct ByGrade<J> {
    judge: J,
    id: JudgeId,
}

impl<J: Judge> ByGrade<J> {
    /// Compares by the figures of `judge`; equal ones tie.
    pub fn new(judge: J) -> Self {
        let id = JudgeId::new(judge.id().name.clone(), &["by grade", &judge.id().version]);
        Self { judge, id }
    }

    async fn vote(&self, pair: &Pair, repeat: u32) -> Vote {
        let (first, second) = (pair.case(&pair.first), pair.case(&pair.second));
        let first = self.judge.judge(&first, repeat).await;
        let second = self.judge.judge(&second, repeat).await;
        let preference = match (Unjudged::checked(first.outcome), Unjudged::checked(second.outcome)) {
            (Ok(first), Ok(second)) if first > second => Ok(Preference::First),
            (Ok(first), Ok(second)) if first < second => Ok(Preference::Second),
            (Ok(_), Ok(_)) => Ok(Preference::Tie),
            (Err(unjudged), _) | (_, Err(unjudged)) => Err(unjudged),
        };
        Vote { preference, reason: None, handling: first.handling.and(second.handling), usage: first.usage + second.usage }
    }
}

impl<J: Judge> PairJudge for ByGrade<J> {
    fn id(&self) -> &JudgeId {
        &self.id
    }

    fn prefer<'a>(&'a self, pair: &'a Pair, repeat: u32) -> BoxFuture<'a, Vote> {
        Box::pin(self.vote(pair, repeat))
    }
}

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;
    use crate::judge::{Against, LexicalJudge};

    #[test]
    fn the_higher_figure_wins_whatever_the_order() {
        let judge = ByGrade::new(LexicalJudge::containment(Against::Context));
        let pair = Pair::new("q", "red", "blue").with_context("all is blue");
        assert_eq!(block_on(judge.prefer(&pair, 0)).preference, Ok(Preference::Second));
        assert_eq!(block_on(judge.prefer(&pair.swapped(), 0)).preference, Ok(Preference::First));
        assert_eq!(block_on(judge.prefer(&Pair { first: "Blue".into(), ..pair.clone() }, 0)).preference, Ok(Preference::Tie));
        let unread = block_on(judge.prefer(&Pair { first: "?".into(), ..pair }, 0)).preference;
        assert!(matches!(unread, Err(Unjudged::Unreadable(_))));
    }

    #[test]
    fn a_majority_is_more_than_each_other() {
        use Preference::{First, Second, Tie};
        let table: [(&[Preference], Preference); 6] = [
            (&[], Tie),
            (&[First], First),
            (&[First, Second], Tie),
            (&[Second, Second, First], Second),
            (&[First, First, Tie, Tie], Tie),
            (&[Tie, Tie, First], Tie),
        ];
        for (votes, expected) in table {
            assert_eq!(Preference::majority(votes.iter().copied()), expected, "{votes:?}");
        }
    }
}
