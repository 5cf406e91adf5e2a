use std::sync::Arc;

use jarre_core::{ChatRequest, Message, Part, RequestId, Role, ToolResult};

use super::{GuardedConfig, Memory, OnContextBlock, model::Retrieved};
use crate::{
    Context, Stage,
    pipeline::{Pipeline, Verdict},
};

/// The reading of one request. What stops it is the name of a layer.
pub(super) struct Reading<'a> {
    pipeline: &'a Pipeline,
    config: &'a GuardedConfig,
    retrieved: Option<&'a Retrieved>,
    memory: &'a Memory,
    request: Option<RequestId>,
    /// What is known of the conversation so far.
    context: Context,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        pipeline: &'a Pipeline,
        config: &'a GuardedConfig,
        retrieved: Option<&'a Retrieved>,
        memory: &'a Memory,
        request: &ChatRequest,
    ) -> Self {
        let operator = request.messages.iter().filter(|message| message.role == Role::System);
        let parts = operator.flat_map(|message| message.parts.iter().map(move |part| (message, part)));
        let own = parts.filter(|(message, part)| retrieved.is_none_or(|retrieved| !retrieved(message, part)));
        let system: Vec<&str> = own.filter_map(|(_, part)| part.as_text()).collect();
        let system = (!system.is_empty()).then(|| system.join("\n").into());
        let context = Context { system, ..Context::new(Stage::Input) };
        Self { pipeline, config, retrieved, memory, request: request.id.clone(), context }
    }

    /// Reads `messages` and puts what goes on in their place: first what people wrote, then what was retrieved for them.
    pub(super) fn read(&mut self, messages: &mut [Message]) -> Result<(), String> {
        let places: Vec<(usize, usize, Stage)> = self.places(messages);
        for stage in [Stage::Input, Stage::Context] {
            for &(message, part, _) in places.iter().filter(|(.., at)| *at == stage) {
                let role = messages[message].role;
                match &mut messages[message].parts[part] {
                    Part::Text { text } if stage == Stage::Input => self.read_input(text, role)?,
                    Part::Text { text } => *text = self.read_context(text, None)?.1,
                    Part::ToolResult(result) => self.read_result(result)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// What guards of the answer know.
    pub(super) fn into_context(self) -> Context {
        Context { stage: Stage::Output, tool: None, ..self.context }
    }

    /// The parts that are read, and where.
    fn places(&self, messages: &[Message]) -> Vec<(usize, usize, Stage)> {
        let all = messages.iter().enumerate();
        let parts = all.flat_map(|(at, message)| message.parts.iter().enumerate().map(move |(part, it)| (at, part, message, it)));
        parts.filter_map(|(at, index, message, part)| Some((at, index, self.stage(message, part)?))).collect()
    }

    fn stage(&self, message: &Message, part: &Part) -> Option<Stage> {
        match (part, message.role) {
            (Part::ToolResult(_), _) | (Part::Text { .. }, Role::Tool) => Some(Stage::Context),
            (Part::Text { .. }, Role::User | Role::System) if self.retrieved.is_some_and(|retrieved| retrieved(message, part)) => {
                Some(Stage::Context)
            }
            (Part::Text { .. }, Role::User) => Some(Stage::Input),
            (Part::Text { .. }, Role::Assistant) => self.config.history.then_some(Stage::Input),
            _ => None,
        }
    }

    fn read_input(&mut self, text: &mut String, role: Role) -> Result<(), String> {
        self.context.stage = Stage::Input;
        let verdict = self.check(text);
        if !verdict.allowed {
            return Err(stopped_by(&verdict));
        }
        *text = verdict.text;
        if role == Role::User {
            self.context.question = Some(text.as_str().into());
        }
        Ok(())
    }

    fn read_result(&mut self, result: &mut ToolResult) -> Result<(), String> {
        let (allowed, text) = self.read_context(&result.text, Some(result.name.as_str().into()))?;
        result.text = text;
        result.is_error |= !allowed;
        Ok(())
    }

    /// Whether the data goes on, and what goes on in its place.
    fn read_context(&mut self, text: &str, tool: Option<Arc<str>>) -> Result<(bool, String), String> {
        self.context.stage = Stage::Context;
        self.context.tool = tool;
        let verdict = self.check(text);
        match (verdict.allowed, self.config.on_context) {
            (false, OnContextBlock::Refuse) => Err(stopped_by(&verdict)),
            (false, OnContextBlock::Withhold) => Ok((false, self.config.withheld.clone())),
            (true, _) => {
                self.context.sources.push(verdict.text.as_str().into());
                Ok((true, verdict.text))
            }
        }
    }

    fn check(&self, text: &str) -> Verdict {
        let (verdict, recalled) = self.memory.verdict(self.pipeline, &self.context, text, || {
            let mut scan = self.pipeline.scan(&self.context).with_request(self.request.clone());
            scan.push(text);
            scan.finish().1
        });
        if recalled {
            self.pipeline.tell(&verdict, &self.context, self.request.as_ref(), true);
        }
        verdict
    }
}

fn stopped_by(verdict: &Verdict) -> String {
    verdict.blocked_by().map(|layer| layer.name.clone()).unwrap_or_default()
}
