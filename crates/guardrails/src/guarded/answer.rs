use std::{collections::BTreeMap, sync::Arc};

use jarre_core::{ChatChunk, Delta, Error, ErrorKind, FinishReason, Part, RequestId, Result, ToolCall};

use super::{
    GuardedConfig,
    arguments::{are_json, plain},
};
use crate::{
    Context, Stage,
    pipeline::{Pipeline, PipelineScan, Verdict},
};

/// The reading of one answer. It waits for nothing: chunks are pushed, and what goes on comes back.
pub(super) struct Answer {
    pipeline: Pipeline,
    context: Context,
    request: Option<RequestId>,
    config: Arc<GuardedConfig>,
    parts: BTreeMap<usize, Held>,
    state: State,
}

enum Held {
    Text(Box<PipelineScan>),
    Call {
        id: Option<String>,
        name: Option<String>,
        arguments: String,
    },
    /// It has gone on.
    Whole,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The model has told why it ended.
    Finished,
    /// The answer was cut off.
    Stopped,
}

impl Answer {
    pub(super) fn new(pipeline: Pipeline, context: Context, request: Option<RequestId>, config: Arc<GuardedConfig>) -> Self {
        Self { pipeline, context, request, config, parts: BTreeMap::new(), state: State::Open }
    }

    /// Whether the model need not go on.
    pub(super) fn is_stopped(&self) -> bool {
        self.state == State::Stopped
    }

    /// What goes on of `chunk` and of what was held, if anything does.
    pub(super) fn push(&mut self, chunk: ChatChunk) -> Result<Option<ChatChunk>> {
        if self.state != State::Open && !chunk.deltas.is_empty() {
            return Err(invalid("the stream goes on after its finish reason".into()));
        }
        let mut out = chunk;
        let (deltas, finish_reason) = (std::mem::take(&mut out.deltas), out.finish_reason.take());
        for delta in deltas {
            self.read(delta, &mut out)?;
            if self.is_stopped() {
                return Ok(Some(out));
            }
        }
        if let Some(reason) = finish_reason.filter(|_| self.state == State::Open) {
            self.state = State::Finished;
            self.finish(reason, &mut out);
        }
        Ok((out != ChatChunk::default()).then_some(out))
    }

    /// What is left of the text where the model broke off without a word. Calls may be cut short then, so they do not go on.
    pub(super) fn break_off(&mut self) -> Option<ChatChunk> {
        let mut out = ChatChunk::default();
        if self.state == State::Open {
            self.finish_texts(&mut out);
        }
        (out != ChatChunk::default()).then_some(out)
    }

    fn read(&mut self, delta: Delta, out: &mut ChatChunk) -> Result<()> {
        match delta {
            Delta::Text { index, text } => self.read_text(index, &text, out),
            Delta::ToolCall { index, id, name, arguments } => {
                let new = Held::Call { id: None, name: None, arguments: String::new() };
                let Held::Call { id: held_id, name: held_name, arguments: held } = self.parts.entry(index).or_insert(new) else {
                    return Err(continued(index));
                };
                *held_id = id.or(held_id.take());
                *held_name = name.or(held_name.take());
                held.push_str(&arguments);
                Ok(())
            }
            Delta::Part { index, part } => self.read_part(index, part, out),
            _ => Err(invalid("the stream holds something that no guard can read".into())),
        }
    }

    fn read_text(&mut self, index: usize, text: &str, out: &mut ChatChunk) -> Result<()> {
        if !self.parts.contains_key(&index) {
            // The part is there though its text may be empty, or held for long.
            out.deltas.extend(text.is_empty().then(|| Delta::Text { index, text: String::new() }));
            let scan = self.pipeline.scan(&self.context).with_request(self.request.clone());
            self.parts.insert(index, Held::Text(Box::new(scan)));
        }
        let Some(Held::Text(scan)) = self.parts.get_mut(&index) else { return Err(continued(index)) };
        let text = scan.push(text);
        let blocked = scan.is_blocked();
        out.deltas.extend((!text.is_empty()).then_some(Delta::Text { index, text }));
        if blocked {
            self.finish_text(index, out);
        }
        Ok(())
    }

    /// A part that comes as a whole is judged at once.
    fn read_part(&mut self, index: usize, part: Part, out: &mut ChatChunk) -> Result<()> {
        if self.parts.insert(index, Held::Whole).is_some() {
            return Err(continued(index));
        }
        let part = match part {
            Part::Text { text } => self.judge(&text, &self.context).map(Part::text),
            Part::ToolCall(call) => self.judge_call(&call).map(|arguments| ToolCall { arguments, ..call }.into()),
            Part::ToolResult(mut result) => self.judge(&result.text, &self.context).map(|text| {
                result.text = text;
                result.into()
            }),
            image @ Part::Image(_) => Some(image),
            _ => return Err(invalid("the stream holds a part that no guard can read".into())),
        };
        out.deltas.push(Delta::Part { index, part: part.unwrap_or_else(|| Part::text(&self.config.withheld)) });
        Ok(())
    }

    /// Ends everything that is still held.
    fn finish(&mut self, reason: FinishReason, out: &mut ChatChunk) {
        self.finish_texts(out);
        if self.is_stopped() {
            // The model was done; what it tells of its usage may still come.
            self.state = State::Finished;
            return;
        }
        let withheld = self.finish_calls(out);
        let calls = out.deltas.iter().any(|delta| matches!(delta, Delta::ToolCall { .. }));
        out.finish_reason = Some(if withheld && !calls { FinishReason::ContentFilter } else { reason });
    }

    fn finish_texts(&mut self, out: &mut ChatChunk) {
        let texts: Vec<usize> = self.parts.iter().filter(|(_, held)| matches!(held, Held::Text(_))).map(|(&index, _)| index).collect();
        for index in texts {
            self.finish_text(index, out);
            if self.is_stopped() {
                return;
            }
        }
    }

    fn finish_text(&mut self, index: usize, out: &mut ChatChunk) {
        let Some(Held::Text(scan)) = self.parts.insert(index, Held::Whole) else { return };
        let (mut text, verdict) = scan.finish();
        if !verdict.allowed {
            text.push_str(&self.config.notice);
            out.finish_reason = Some(FinishReason::ContentFilter);
            self.state = State::Stopped;
        }
        out.deltas.extend((!text.is_empty()).then_some(Delta::Text { index, text }));
    }

    /// Lets the calls go on that may, and says whether one may not.
    fn finish_calls(&mut self, out: &mut ChatChunk) -> bool {
        let mut withheld = false;
        for (index, held) in std::mem::take(&mut self.parts) {
            let Held::Call { id, name, arguments } = held else { continue };
            let call = ToolCall::new("", name.clone().unwrap_or_default(), arguments);
            let allowed = self.judge_call(&call);
            withheld |= allowed.is_none();
            out.deltas.push(match allowed {
                Some(arguments) => Delta::ToolCall { index, id, name, arguments },
                None => Delta::Text { index, text: self.config.withheld.clone() },
            });
        }
        withheld
    }

    fn judge_call(&self, call: &ToolCall) -> Option<String> {
        let context = Context { stage: Stage::ToolCall, tool: Some(call.name.as_str().into()), ..self.context.clone() };
        let arguments = self.judge(&plain(&call.arguments), &context)?;
        (are_json(&arguments) || !are_json(&call.arguments)).then_some(arguments)
    }

    fn judge(&self, text: &str, context: &Context) -> Option<String> {
        let mut scan = self.pipeline.scan(context).with_request(self.request.clone());
        scan.push(text);
        let Verdict { allowed, text, .. } = scan.finish().1;
        allowed.then_some(text)
    }
}

fn continued(index: usize) -> Error {
    invalid(format!("part {index} of the stream is continued as something else than it began"))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidResponse, message)
}
