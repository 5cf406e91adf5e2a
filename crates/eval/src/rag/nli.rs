use jarre_core::{BoxFuture, TextClassifier};

use super::{Detail, RagJudge};
use crate::judge::{JudgeId, NliJudge, Unjudged, digest, sentences};

/// Statements are sentences, and one is supported where the premise entails it with a probability of at least a half. A passage is useful
/// where it supports a sentence of the answer.
impl<C: TextClassifier> RagJudge for NliJudge<C> {
    fn id(&self) -> JudgeId {
        JudgeId { name: self.kind(), version: digest(&["rag nli", &crate::judge::Judge::id(self).version]) }
    }

    fn statements<'a>(&'a self, _: &'a str, text: &'a str, _: Detail) -> BoxFuture<'a, Result<Vec<String>, Unjudged>> {
        Box::pin(async move { Ok(sentences(text).into_iter().map(str::to_owned).collect()) })
    }

    fn supported<'a>(&'a self, premise: &'a str, statements: &'a [String]) -> BoxFuture<'a, Result<Vec<Option<bool>>, Unjudged>> {
        Box::pin(async move {
            let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
            Ok(self.entailment(premise, &statements)?.into_iter().map(|probability| Some(probability >= 0.5)).collect())
        })
    }

    fn is_useful<'a>(&'a self, _: &'a str, passage: &'a str, answer: &'a str) -> BoxFuture<'a, Result<bool, Unjudged>> {
        Box::pin(async move { Ok(self.entailment(passage, &sentences(answer))?.into_iter().any(|probability| probability >= 0.5)) })
    }
}
