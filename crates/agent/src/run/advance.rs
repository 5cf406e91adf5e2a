use jarre_core::{ToolCall, ToolOutput};
use jarre_guardrails::injection::Spotlight;

use super::{
    Circles, Run, Stage, prompt, shorten,
    step::{CallState, Step, StepCall},
};
use crate::{Budget, Outcome, Purpose, codec::FINISH};

/// Bytes of each text of an older step that are kept.
const SHORT: usize = 400;

impl Run {
    /// The calls of the step that is not over.
    pub(super) fn current(&self) -> &[StepCall] {
        self.steps.last().filter(|step| step.ended.is_none()).map_or(&[], |step| &step.calls)
    }

    pub(super) fn current_mut(&mut self) -> &mut [StepCall] {
        self.steps.last_mut().filter(|step| step.ended.is_none()).map_or(&mut [], |step| &mut step.calls)
    }

    /// Goes on with the current step: people are asked first, then tools are called, then it is closed.
    pub(super) fn advance(&mut self) {
        if self.current().iter().any(StepCall::is_waiting) {
            self.go(Stage::Approve);
        } else if self.current().iter().any(|call| !call.is_over()) {
            self.go(Stage::Call);
        } else {
            self.close_step();
        }
    }

    /// Reads what came of the step.
    fn close_step(&mut self) {
        let Some(mut step) = self.steps.pop() else { return };
        step.ended = Some(self.now);
        let changed = step.calls.iter().fold(false, |changed, call| self.evidence.book(call, &self.tools) | changed);
        self.converse(&step, "");
        let done = step.calls.iter().any(|call| call.call.name == FINISH);
        let times = self.circles.book(&step, changed);
        self.steps.push(step);
        if self.evidence.failed(done).is_some() {
            self.fail_attempt();
        } else if let Some(name) = self.overused() {
            self.stage = Stage::Finish(Outcome::OutOfBudget { budget: Budget::Tool { name } });
        } else if times >= self.settings.limits.repeats.max(2) {
            self.leave_circle(times);
        } else {
            self.act();
        }
    }

    /// The next step, once the conversation fits.
    pub(super) fn act(&mut self) {
        let full = self.conversation.is_full(self.window, self.system().len());
        self.go(Stage::Ask(if full { Purpose::Compact } else { Purpose::Act }));
    }

    /// Another plan is demanded once an attempt; then the run is stuck.
    fn leave_circle(&mut self, times: u64) {
        if self.forced {
            let reason = format!("the same action had the same result {times} times, also after a change of plan");
            self.stage = Stage::Finish(Outcome::Stuck { reason });
            return;
        }
        self.forced = true;
        self.circles.start_anew();
        self.conversation.ask(prompt::circle(times));
        self.go(Stage::Ask(Purpose::Plan));
    }

    fn is_last_attempt(&self) -> bool {
        self.attempt >= self.settings.limits.attempts
    }

    /// The attempt ended with failing tests. After the last there is nothing to look up, but something to keep for later tasks.
    fn fail_attempt(&mut self) {
        self.recalled.clear();
        if self.is_last_attempt() { self.reflect() } else { self.stage = Stage::Recall }
    }

    pub(super) fn reflect(&mut self) {
        let data = self.data(&self.failure());
        let lessons = prompt::lessons(&self.recalled).map(|lessons| self.data(&lessons));
        self.conversation.ask(prompt::reflect(self.attempt, &data, lessons.as_deref()));
        self.go(Stage::Ask(Purpose::Reflect));
    }

    /// Begins the next attempt, where there is one.
    pub(super) fn try_again(&mut self) {
        self.evidence.next_attempt();
        if self.is_last_attempt() {
            self.stage = Stage::Finish(Outcome::OutOfBudget { budget: Budget::Attempts });
            return;
        }
        self.attempt += 1;
        (self.circles, self.forced) = (Circles::default(), false);
        self.conversation.ask(prompt::again(self.attempt));
        self.go(Stage::Ask(Purpose::Plan));
    }

    /// Adds a step to the conversation. `text` is the answer where it has no calls.
    pub(super) fn converse(&mut self, step: &Step, text: &str) {
        let render = |most_said: usize, most_argument: usize, most_output: usize| {
            let said = if step.calls.is_empty() { text } else { &step.thought };
            let said = shorten::head_and_tail(said, most_said);
            let calls: Vec<_> = step.calls.iter().map(|call| self.observed(call, most_argument, most_output)).collect();
            self.settings.codec.render(&said, &calls, step.malformed.as_deref())
        };
        let whole = render(usize::MAX, usize::MAX, self.settings.limits.observation_bytes);
        let short = render(SHORT, SHORT / 2, SHORT);
        self.conversation.step(whole, short);
    }

    /// A call and its output as the model reads them. What a tool returned is set apart as data; what the loop says is not.
    fn observed(&self, call: &StepCall, most_argument: usize, most_output: usize) -> (ToolCall, ToolOutput) {
        let mut output = call.output.clone().unwrap_or_else(|| ToolOutput::error("not made"));
        output.text = shorten::head_and_tail(&output.text, most_output);
        output.data = None;
        if call.state == CallState::Made {
            output.text = self.data(&output.text);
        }
        let arguments = shorten::arguments(&call.call.arguments, most_argument);
        (ToolCall { arguments, ..call.call.clone() }, output)
    }

    /// Text that others wrote, between marks that it cannot hold itself.
    pub(super) fn data(&self, text: &str) -> String {
        self.spotlight().apply(text).text
    }

    /// `instructions` with what has to be said of such text.
    pub(super) fn with_data_rule(&self, instructions: &str) -> String {
        format!("{instructions}\n\n{}", self.spotlight().apply("").instruction)
    }

    pub(super) fn system(&self) -> String {
        prompt::system(&self.settings, &self.tools, &self.spotlight().apply("").instruction)
    }

    /// The mark is another in every run, so that nobody writes text for it beforehand.
    fn spotlight(&self) -> Spotlight {
        let mut hasher = blake3::Hasher::new_derive_key("jarre-agent 2026 mark of data");
        hasher.update(&self.started.unix_micros().to_le_bytes()).update(self.name.as_bytes());
        Spotlight::Delimited { marker: hasher.finalize().to_hex()[..12].to_owned() }
    }
}
