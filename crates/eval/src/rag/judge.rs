use jarre_core::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::judge::{JudgeId, Unjudged};

/// Reads for the metrics of this module.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot judge retrieval", note = "use `LlmRagJudge`, `NliJudge` or `LexicalRagJudge`")]
pub trait RagJudge: Send + Sync {
    /// Which judge this is: the kind, with the model where there is one (`llm:gpt-x`, `nli:minicheck`, `lexical`), and its version.
    fn id(&self) -> JudgeId;

    /// The statements that `text`, an answer to `question`, makes. None for a text that states nothing.
    fn statements<'a>(&'a self, question: &'a str, text: &'a str, detail: Detail) -> BoxFuture<'a, Result<Vec<String>, Unjudged>>;

    /// Whether each statement follows from `premise` alone, in their order; `None` where the judge did not say, or said both.
    fn supported<'a>(&'a self, premise: &'a str, statements: &'a [String]) -> BoxFuture<'a, Result<Vec<Option<bool>>, Unjudged>>;

    /// Whether `passage` helps to reach `answer` to `question`.
    fn is_useful<'a>(&'a self, question: &'a str, passage: &'a str, answer: &'a str) -> BoxFuture<'a, Result<bool, Unjudged>>;
}

/// How finely a text is taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// A statement a sentence, the main ones only.
    Low,
    /// A statement a fact, all of them.
    #[default]
    High,
}

/// Writes the question that an answer answers.
pub trait QuestionWriter: Send + Sync {
    /// Which judge this is.
    fn id(&self) -> JudgeId;

    /// A question to which `answer` is the answer. Repeats differ in `repeat`, counted from 0.
    fn question<'a>(&'a self, answer: &'a str, repeat: u32) -> BoxFuture<'a, Result<PosedQuestion, Unjudged>>;
}

/// A question made of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PosedQuestion {
    /// The question; empty where none could be made.
    pub question: String,
    /// Whether the answer evades it.
    pub noncommittal: bool,
}

/// Finds the names of people, places, organisations, works, dates and quantities in a text.
pub trait EntityFinder: Send + Sync {
    /// Which judge this is.
    fn id(&self) -> JudgeId;

    /// The names in `text`, as they stand there.
    fn entities<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Vec<String>, Unjudged>>;
}

macro_rules! forward_judges {
    ($($pointer:ty),*) => {
        $(impl<J: RagJudge + ?Sized> RagJudge for $pointer {
            fn id(&self) -> JudgeId {
                (**self).id()
            }

            fn statements<'a>(&'a self, question: &'a str, text: &'a str, detail: Detail) -> BoxFuture<'a, Result<Vec<String>, Unjudged>> {
                (**self).statements(question, text, detail)
            }

            fn supported<'a>(&'a self, premise: &'a str, statements: &'a [String]) -> BoxFuture<'a, Result<Vec<Option<bool>>, Unjudged>> {
                (**self).supported(premise, statements)
            }

            fn is_useful<'a>(&'a self, question: &'a str, passage: &'a str, answer: &'a str) -> BoxFuture<'a, Result<bool, Unjudged>> {
                (**self).is_useful(question, passage, answer)
            }
        }

        impl<J: QuestionWriter + ?Sized> QuestionWriter for $pointer {
            fn id(&self) -> JudgeId {
                (**self).id()
            }

            fn question<'a>(&'a self, answer: &'a str, repeat: u32) -> BoxFuture<'a, Result<PosedQuestion, Unjudged>> {
                (**self).question(answer, repeat)
            }
        }

        impl<J: EntityFinder + ?Sized> EntityFinder for $pointer {
            fn id(&self) -> JudgeId {
                (**self).id()
            }

            fn entities<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Vec<String>, Unjudged>> {
                (**self).entities(text)
            }
        })*
    };
}

forward_judges!(&J, Box<J>, std::sync::Arc<J>);
