use std::time::Duration;

use jarre_core::{BoxFuture, ChatRequest, Cost, Error as CoreError, ErrorKind, Permission, Tool, ToolContext, ToolOutput};
use serde_json::{Value, json};

use super::{
    Driver, Journal, Reply, fit,
    race::{Ended, race},
};
use crate::{ApprovalRequest, Event, PendingCall, Purpose, Result, Run, request_digest};

/// The wait after the first failure of a model; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait, also where the other side asks for more.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

impl Driver {
    /// Asks the model, or asks again where it is not known whether it answered.
    pub(super) async fn call_model(
        &self,
        run: &mut Run,
        journal: &dyn Journal,
        call: u64,
        purpose: Purpose,
        request: ChatRequest,
    ) -> Result<()> {
        if run.in_flight().is_none() {
            let digest = request_digest(&request);
            self.write(run, journal, Event::ModelCalled { call, purpose, digest }).await?;
        }
        let event = match race(self.model.chat(request), &self.cancel, self.time_left(run)).await {
            Ended::Cancelled => return Ok(()),
            Ended::With(answered) => match answered.and_then(fit::answer) {
                Ok(response) => {
                    let cost = self.model.info().price.map_or(Cost::ZERO, |price| price.cost(response.usage));
                    Event::ModelAnswered { call, response, cost }
                }
                Err(error) => {
                    self.wait_after(&error, run).await;
                    failed(call, &error)
                }
            },
            Ended::TimeUp => failed(call, &CoreError::new(ErrorKind::Timeout, "the model did not answer within the time of the run")),
        };
        self.write(run, journal, event).await
    }

    /// Lets time pass before another try.
    async fn wait_after(&self, error: &CoreError, run: &Run) {
        let Some(timer) = self.timer.as_ref().filter(|_| error.is_retryable()) else { return };
        let doublings = run.failures_in_a_row().min(10) as u32;
        let wait = error.retry_after().unwrap_or(FIRST_WAIT * 2_u32.pow(doublings)).min(LONGEST_WAIT);
        let _ = race(timer.sleep(wait), &self.cancel, self.time_left(run)).await;
    }

    /// Makes the first of the calls that are to be made.
    pub(super) async fn call_tool(&self, run: &mut Run, journal: &dyn Journal, calls: Vec<PendingCall>) -> Result<()> {
        let Some(PendingCall { call, key, in_doubt }) = calls.into_iter().next() else { return Ok(()) };
        let offered = self.tools.get(&call.name);
        if !in_doubt {
            self.write(run, journal, Event::ToolStarted { call: call.clone(), key: key.clone() }).await?;
        }
        let before = self.clock.now();
        let output = match offered {
            None => gone_output(&call.name, in_doubt),
            Some(tool) if in_doubt && !self.may_repeat(tool.as_ref()) => in_doubt_output(),
            Some(tool) => {
                let context = context(run, &key);
                // The loop wrote the arguments as JSON itself; a log that says otherwise is answered by the tool's own check.
                let arguments = serde_json::from_str(&call.arguments).unwrap_or(Value::Null);
                match race(tool.call(arguments, &context), &self.cancel, self.time_left(run)).await {
                    Ended::Cancelled => return Ok(()),
                    Ended::With(output) => fit::output(output.unwrap_or_else(|error| tool_failed(&error))),
                    Ended::TimeUp => given_up_output(),
                }
            }
        };
        let took = self.clock.now().saturating_sub(before);
        self.write(run, journal, Event::ToolFinished { key, output, took }).await
    }

    fn may_repeat(&self, tool: &dyn Tool) -> bool {
        let spec = tool.spec();
        spec.permission == Permission::Read || self.keeps_keys.contains(&spec.name)
    }

    /// Asks about the first of the calls that wait; says whether there is an answer, or the run is to end.
    pub(super) async fn ask_human(&self, run: &mut Run, journal: &dyn Journal, requests: Vec<ApprovalRequest>) -> Result<bool> {
        if !run.is_asking() {
            self.write(run, journal, Event::ApprovalAsked { requests: requests.clone() }).await?;
        }
        let Some(request) = requests.first() else { return Ok(true) };
        match race(self.approvals.ask(request), &self.cancel, None).await {
            Ended::With(reply) => match reply? {
                Reply::Pause => Ok(false),
                Reply::Decided { decision, by } => {
                    // Where another answer got ahead of this one, that is what was written down.
                    while run.waits_for(&request.token) {
                        let (token, decision, by) = (request.token.clone(), decision.clone(), by.clone());
                        self.write(run, journal, Event::ApprovalAnswered { token, decision, by }).await?;
                    }
                    Ok(true)
                }
            },
            Ended::Cancelled | Ended::TimeUp => Ok(true),
        }
    }

    /// A future that is ready when the run's time is used up, where there is a timer.
    fn time_left(&self, run: &Run) -> Option<BoxFuture<'static, ()>> {
        self.timer.as_ref().map(|timer| timer.sleep(run.deadline().since(self.clock.timestamp())))
    }
}

/// What a tool is told beside its arguments.
fn context(run: &Run, key: &str) -> ToolContext {
    let mut context = ToolContext::new(key).with_request_id(run.name()).with_deadline(run.deadline());
    context.side.clone_from(&run.task().side);
    context
}

fn failed(call: u64, error: &CoreError) -> Event {
    Event::ModelFailed { call, kind: error.kind(), message: error.to_string() }
}

/// What a tool's error says, for the model to read: it may know another way.
fn tool_failed(error: &CoreError) -> ToolOutput {
    ToolOutput::error(format!("the tool failed: {error}")).with_data(json!({"error": error.kind()}))
}

fn gone_output(tool: &str, in_doubt: bool) -> ToolOutput {
    let data = if in_doubt { json!({"in_doubt": true}) } else { json!({"changed": false}) };
    ToolOutput::error(format!("the tool `{tool}` is not there any more")).with_data(data)
}

fn in_doubt_output() -> ToolOutput {
    let text = "it is not known whether this call was made: the run was interrupted in it. Look at what is there before you make it again";
    ToolOutput::error(text).with_data(json!({"in_doubt": true}))
}

fn given_up_output() -> ToolOutput {
    let text = "the tool did not return within the time of the run; it is not known what it did";
    ToolOutput::error(text).with_data(json!({"in_doubt": true}))
}
