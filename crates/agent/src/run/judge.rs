use jarre_core::ToolCall;
use serde_json::Value;

use super::{
    Run,
    step::{CallState, StepCall},
};
use crate::{Verdict, codec::FINISH};

impl Run {
    /// Says of a call that could be read whether it is made: by the budget of the tool, the rules, and, for the end, what the tests said.
    pub(super) fn judge(&mut self, call: ToolCall, arguments: &Value) -> StepCall {
        if call.name == FINISH {
            let doubt = self.doubt().unwrap_or_default();
            return StepCall::refused(call, doubt);
        }
        if self.is_used_up(&call.name) {
            let most = self.settings.limits.tool_calls[&call.name];
            *self.refused_of.entry(call.name.clone()).or_default() += 1;
            let why = format!("not made: the {most} calls of `{}` that this run has are used up, go on without it", call.name);
            return StepCall::refused(call, why);
        }
        let judged = self.verdict(call, arguments);
        if !judged.is_over() {
            *self.calls_of.entry(judged.call.name.clone()).or_default() += 1;
        }
        judged
    }

    /// What the rules say of a call.
    fn verdict(&self, call: ToolCall, arguments: &Value) -> StepCall {
        let Some(spec) = self.tools.spec(&call.name) else {
            let why = format!("there is no tool `{}`, the tools are {}", call.name, self.tools.names());
            return StepCall::refused(call, why);
        };
        match self.settings.rules.verdict(spec, arguments) {
            (Verdict::Allow, _) => StepCall::new(call, CallState::Allowed),
            (Verdict::Ask, why) => StepCall::new(call, CallState::Waiting { why, token: None }),
            (Verdict::Deny, why) => StepCall::refused(call, format!("not made, as it is not allowed: {why}")),
        }
    }

    fn is_used_up(&self, tool: &str) -> bool {
        let made = self.calls_of.get(tool).copied().unwrap_or_default();
        self.settings.limits.tool_calls.get(tool).is_some_and(|&most| made >= most)
    }

    /// The tool that was asked for again after it was told that its calls are used up.
    pub(super) fn overused(&self) -> Option<String> {
        self.refused_of.iter().find(|&(_, &refused)| refused > 1).map(|(name, _)| name.clone())
    }

    /// A call that a person allowed with other arguments: these have to fit, and the rules hold for them too.
    pub(super) fn edited(&self, call: &ToolCall, arguments: &str) -> StepCall {
        match self.tools.arguments(&call.name, arguments, false) {
            Err(complaint) => StepCall::refused(call.clone(), format!("not made: it was allowed with other arguments, and {complaint}")),
            Ok(value) => {
                let edited = self.verdict(ToolCall { arguments: value.to_string(), ..call.clone() }, &value);
                if edited.is_waiting() { StepCall::new(edited.call, CallState::Allowed) } else { edited }
            }
        }
    }
}
