use std::sync::Arc;

use jarre_core::{ToolChoice, ToolSpec};

use super::ToolFormat;
use crate::error::{Error, Result};
use crate::{Grammar, Request};

/// What a request with tools asks of its answers.
#[derive(Clone, Debug)]
pub(crate) struct ToolUse {
    pub(super) format: ToolFormat,
    /// The tools that are offered.
    pub(super) names: Arc<[String]>,
    /// Whether an answer has one call at most.
    pub(super) single: bool,
    forced: Option<Forced>,
}

/// What makes a model call.
#[derive(Clone, Debug)]
struct Forced {
    grammar: Grammar,
    /// What stands between the prompt and the answer.
    opening: Option<u32>,
}

impl ToolUse {
    /// `token` knows special tokens by their text.
    ///
    /// # Errors
    /// Where a call is asked for and there are no tools, or none with that name.
    pub(crate) fn new(
        format: ToolFormat,
        tools: &[ToolSpec],
        choice: &ToolChoice,
        parallel: bool,
        token: impl Fn(&str) -> Option<u32>,
    ) -> Result<Self> {
        let forced = format.grammar(tools, choice, parallel)?.map(|grammar| Forced { grammar, opening: format.opening().and_then(token) });
        let names = tools.iter().map(|tool| tool.name.clone()).collect();
        Ok(Self { format, names, single: !parallel || matches!(choice, ToolChoice::Tool { .. }), forced })
    }

    /// The same request, whose answers call where they must. Whether the text has to keep to a form of its own is for the caller to say.
    ///
    /// # Errors
    /// Where calls and a form are asked for, which would be two forms of one text, or where calls cannot be forced.
    pub(crate) fn apply(&self, mut request: Request, has_form: bool) -> Result<Request> {
        if has_form {
            let told = "an answer cannot keep to a format and call tools: leave one of them out, or set the tool choice to `none`";
            return Err(Error::Invalid(told.to_owned()));
        }
        let Some(Forced { grammar, opening }) = &self.forced else { return Ok(request) };
        request.prompt.extend(opening);
        request.held_to(grammar.clone())
    }
}
