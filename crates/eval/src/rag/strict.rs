use jarre_core::BoxFuture;

use super::{Detail, RagJudge};
use crate::judge::{JudgeId, Unjudged, digest};

/// A judge whose missing verdicts leave a sample unscored instead of counting as not supported: for judges that drop statements for
/// reasons of their own, such as small models.
#[derive(Clone, Debug)]
pub struct Strict<J> {
    judge: J,
}

impl<J: RagJudge> Strict<J> {
    /// Takes silence of `judge` for no verdict.
    pub fn new(judge: J) -> Self {
        Self { judge }
    }
}

impl<J: RagJudge> RagJudge for Strict<J> {
    fn id(&self) -> JudgeId {
        let JudgeId { name, version } = self.judge.id();
        JudgeId { name, version: digest(&["strict", &version]) }
    }

    fn statements<'a>(&'a self, question: &'a str, text: &'a str, detail: Detail) -> BoxFuture<'a, Result<Vec<String>, Unjudged>> {
        self.judge.statements(question, text, detail)
    }

    fn supported<'a>(&'a self, premise: &'a str, statements: &'a [String]) -> BoxFuture<'a, Result<Vec<Option<bool>>, Unjudged>> {
        Box::pin(async move {
            let verdicts = self.judge.supported(premise, statements).await?;
            let missing = verdicts.iter().filter(|verdict| verdict.is_none()).count();
            if missing > 0 {
                return Err(Unjudged::Unreadable(format!("the judge left out {missing} of {} statements", verdicts.len())));
            }
            Ok(verdicts)
        })
    }

    fn is_useful<'a>(&'a self, question: &'a str, passage: &'a str, answer: &'a str) -> BoxFuture<'a, Result<bool, Unjudged>> {
        self.judge.is_useful(question, passage, answer)
    }
}
