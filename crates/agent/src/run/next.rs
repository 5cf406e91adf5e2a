use jarre_core::{ChatRequest, Message, Role, Timestamp, ToolCall};

use super::{Run, Stage, conversation::push_user, prompt, reflect, step::CallState};
use crate::{Action, ApprovalRequest, ApprovalToken, PendingCall, Purpose};

/// The most reflections of earlier tasks that are looked up.
const RECALLED: usize = 3;

impl Run {
    /// What the run waits for.
    pub fn next(&self) -> Action {
        match &self.stage {
            Stage::New => Action::Begin,
            Stage::Ask(purpose) => Action::CallModel { call: self.call, purpose: *purpose, request: Box::new(self.request(*purpose)) },
            Stage::Approve => Action::AskHuman(self.requests()),
            Stage::Call => Action::CallTools(self.pending()),
            Stage::Recall => Action::Recall { query: self.failure(), limit: RECALLED },
            Stage::Remember => self.reflections.last().cloned().map_or(Action::Ended, Action::Remember),
            Stage::Finish(outcome) => Action::Finish(outcome.clone()),
            Stage::Ended(_) => Action::Ended,
        }
    }

    /// What the tests said at which the attempt ended.
    pub(super) fn failure(&self) -> String {
        self.evidence.open().map(prompt::failure).unwrap_or_default()
    }

    fn request(&self, purpose: Purpose) -> ChatRequest {
        let mut request = ChatRequest::new(self.messages(purpose)).with_sampling(self.settings.sampling.clone());
        request.id = Some(format!("{}/{}", self.name, self.call).into());
        request.deadline = Some(self.deadline()).filter(|&deadline| deadline < Timestamp::MAX);
        match purpose {
            Purpose::Compact => request,
            Purpose::Plan | Purpose::Act => self.settings.codec.prepare(request, &self.tools, purpose == Purpose::Act),
            Purpose::Reflect => {
                let request = self.settings.codec.prepare(request, &self.tools, false);
                let (mut request, told) = reflect::demand(request, &self.model);
                if let Some(told) = told {
                    push_user(&mut request.messages, &told);
                }
                request
            }
        }
    }

    fn messages(&self, purpose: Purpose) -> Vec<Message> {
        let mut messages = if purpose == Purpose::Compact {
            let transcript = self.data(&self.conversation.transcript(self.window));
            vec![Message::system(self.with_data_rule(prompt::SUM_UP)), Message::user(prompt::sum_up(&transcript))]
        } else {
            let system = self.system();
            let beside = system.len();
            let mut messages = vec![Message::system(system)];
            messages.extend(self.conversation.messages(self.window, beside));
            messages
        };
        if let Some((said, complaint)) = &self.unread {
            messages.push(Message::new(Role::Assistant, [jarre_core::Part::text(said)]));
            push_user(&mut messages, complaint);
        }
        messages
    }

    /// The calls that wait for a person.
    pub(super) fn requests(&self) -> Vec<ApprovalRequest> {
        let waiting = self.current().iter().filter_map(|call| match &call.state {
            CallState::Waiting { why, token } => Some((&call.call, why, token)),
            _ => None,
        });
        let request = |(at, (call, why, token)): (usize, (&ToolCall, &String, &Option<ApprovalToken>))| {
            let token = token.clone().unwrap_or_else(|| ApprovalToken::of(&self.name, self.approvals + at as u64, call));
            ApprovalRequest { call: call.clone(), why: why.clone(), token }
        };
        waiting.enumerate().map(request).collect()
    }

    /// The calls that are still to be made, in order.
    fn pending(&self) -> Vec<PendingCall> {
        let pending = self.current().iter().enumerate().filter_map(|(at, call)| match &call.state {
            CallState::Allowed => Some(PendingCall { call: call.call.clone(), key: self.key(at), in_doubt: false }),
            CallState::Started { key } => Some(PendingCall { call: call.call.clone(), key: key.clone(), in_doubt: true }),
            _ => None,
        });
        pending.collect()
    }

    /// The idempotency key of the `at`th call of the current step.
    fn key(&self, at: usize) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("jarre-agent 2026 idempotency key");
        hasher.update(self.name.as_bytes()).update(&[0]);
        hasher.update(&(self.steps.len() as u64).to_le_bytes()).update(&(at as u64).to_le_bytes());
        hasher.finalize().to_hex()[..32].to_owned()
    }
}
