use super::{Run, Stage};
use crate::{Budget, Outcome, Purpose};

/// Tokens of a model's context where it is not told.
const UNKNOWN_CONTEXT: usize = 32_768;

impl Run {
    /// Goes on to `stage`, unless a budget for it is used up.
    pub(super) fn go(&mut self, stage: Stage) {
        let spent = match stage {
            Stage::Ask(purpose) => self.spent(matches!(purpose, Purpose::Act | Purpose::Plan)),
            Stage::Call | Stage::Approve => self.spent(false),
            _ => None,
        };
        self.stage = spent.map_or(stage, |budget| Stage::Finish(Outcome::OutOfBudget { budget }));
    }

    /// The budget that is used up; `steps` says whether another step would be taken.
    fn spent(&self, steps: bool) -> Option<Budget> {
        let limits = &self.settings.limits;
        if steps && self.acted >= limits.steps {
            return Some(Budget::Steps);
        }
        if self.usage.total_tokens() >= limits.tokens {
            return Some(Budget::Tokens);
        }
        if limits.cost.is_some_and(|most| self.cost >= most) {
            return Some(Budget::Cost);
        }
        // While people are waited for, time stands still.
        (self.waiting_since.is_none() && self.now >= self.deadline()).then_some(Budget::Wall)
    }

    /// The tokens of the conversation from which on it is summed up.
    pub(super) fn first_window(&self) -> usize {
        let of_model = self.model.context_tokens.unwrap_or(UNKNOWN_CONTEXT) / 4 * 3;
        self.settings.limits.context_tokens.unwrap_or(of_model).max(256)
    }
}
