use std::sync::LazyLock;

use jarre_core::{BoxFuture, Error, ErrorKind, Usage};
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Case, Handling, JudgeId, Scale};
use crate::Outcome;

/// Gives answers a figure.
///
/// What implementations keep: a figure is one of [`scale`](Self::scale); a verdict that cannot be read is
/// [`Outcome::Unscored`] and a judge that cannot be asked [`Outcome::Failed`]; [`id`](Self::id) changes whenever a verdict could.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a judge",
    note = "use `LlmJudge`, `NliJudge`, `LexicalJudge`, `RubricJudge` or `Panel`"
)]
pub trait Judge: Send + Sync {
    /// Which judge this is.
    fn id(&self) -> &JudgeId;

    /// The figures that it gives.
    fn scale(&self) -> Scale;

    /// What it says of `case`. Repeats of one case differ in `repeat`, counted from 0, which moves the seed of judges that draw.
    ///
    /// Judges that compute do so while the future is polled: an async caller moves it off its runtime.
    fn judge<'a>(&'a self, case: &'a Case, repeat: u32) -> BoxFuture<'a, Judgement>;
}

macro_rules! forward_judge {
    ($($pointer:ty),*) => {
        $(impl<J: Judge + ?Sized> Judge for $pointer {
            fn id(&self) -> &JudgeId {
                (**self).id()
            }

            fn scale(&self) -> Scale {
                (**self).scale()
            }

            fn judge<'a>(&'a self, case: &'a Case, repeat: u32) -> BoxFuture<'a, Judgement> {
                (**self).judge(case, repeat)
            }
        })*
    };
}

forward_judge!(&J, Box<J>, std::sync::Arc<J>);

/// What a judge said of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Who said it.
    pub judge: JudgeId,
    /// The figures that it could give.
    pub scale: Scale,
    /// Its figure, or why there is none.
    pub outcome: Outcome,
    /// Its reasons, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was done to the answer before it was shown.
    #[serde(default)]
    pub handling: Handling,
    /// Tokens that the judge used.
    #[serde(default)]
    pub usage: Usage,
}

impl Judgement {
    /// A judgement without reasons.
    pub fn new(judge: &dyn Judge, outcome: Outcome) -> Self {
        let (judge, scale) = (judge.id().clone(), judge.scale());
        Self { judge, scale, outcome, reason: None, handling: Handling::default(), usage: Usage::default() }
    }

    /// The figure, where there is one.
    pub fn value(&self) -> Option<f64> {
        self.outcome.value()
    }
}

/// Why a judge has no verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unjudged {
    /// It was asked and has no verdict that can be read, or has nothing to judge by; asking again the same way does not help.
    Unreadable(String),
    /// It could not be asked; another try can help.
    Unreachable(String),
}

impl Unjudged {
    /// The figure of `outcome`, or why there is none.
    pub(crate) fn checked(outcome: Outcome) -> Result<f64, Self> {
        match outcome {
            Outcome::Scored(value) => Ok(value),
            Outcome::Unscored(why) => Err(Self::Unreadable(why)),
            Outcome::Failed(why) => Err(Self::Unreachable(why)),
        }
    }
}

impl From<Unjudged> for Outcome {
    fn from(unjudged: Unjudged) -> Self {
        match unjudged {
            Unjudged::Unreadable(why) => Self::Unscored(why),
            Unjudged::Unreachable(why) => Self::Failed(why),
        }
    }
}

impl From<Error> for Unjudged {
    /// What the model refuses for this answer's sake (too long, against a policy) is unreadable, everything else unreachable.
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::ContextLength | ErrorKind::Refused => Self::Unreadable(format!("the judge refused the request: {error}")),
            _ => Self::Unreachable(format!("the judge failed: {error}")),
        }
    }
}

/// The last `[[..]]` of a reply, as `read` understands it. One that is not on the menu is not passed over for an earlier one: what a
/// judge says last is its verdict, readable or not.
pub(crate) fn last_mark<T>(reply: &str, menu: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Unjudged> {
    static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[\[([^\[\]]{0,40})\]\]").expect("the pattern is well-formed"));
    let unreadable = |why: String| Err(Unjudged::Unreadable(why));
    let Some(mark) = MARK.captures_iter(reply).last().map(|found| found.extract::<1>().1[0].trim().to_owned()) else {
        return unreadable(format!("the judge gave no verdict of {menu}"));
    };
    read(&mark).map_or_else(|| unreadable(format!("the judge's verdict {mark:?} is not one of {menu}")), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grade(reply: &str) -> Result<f64, Unjudged> {
        last_mark(reply, "1-10", |mark| Scale::OneToTen.read(mark))
    }

    #[test]
    fn the_last_mark_is_the_verdict() {
        assert_eq!(grade("first I thought [[9]], but no: [[ 2 ]]."), Ok(2.0));
    }

    #[test]
    fn an_unreadable_last_mark_is_not_passed_over() {
        for reply in ["[[9]] then [[eleven]]", "[[9]] [[]]", "[[9]] [[11]]", "", "9", "[9]", "[[[", "]]9[["] {
            assert!(matches!(grade(reply), Err(Unjudged::Unreadable(_))), "{reply}");
        }
    }

    #[test]
    fn refusals_are_unscored_and_outages_failed() {
        let outcome = |kind| Outcome::from(Unjudged::from(Error::new(kind, "no")));
        assert!(matches!(outcome(ErrorKind::ContextLength), Outcome::Unscored(_)));
        assert!(matches!(outcome(ErrorKind::Refused), Outcome::Unscored(_)));
        assert!(matches!(outcome(ErrorKind::Unavailable), Outcome::Failed(_)));
        assert!(matches!(outcome(ErrorKind::Timeout), Outcome::Failed(_)));
    }
}
