use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ChatResponse, FinishReason, Timings};
use crate::{Error, ErrorKind, Message, Part, Result, Role, ToolCall, Usage, macros::setters};

/// A piece of an answer. Fields other than `deltas` are stated when they are known; a later statement replaces an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChatChunk {
    /// The provider's name for the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The model that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What is added to the message, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deltas: Vec<Delta>,
    /// Why the answer ended; no deltas follow in later chunks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<FinishReason>,
    /// The tokens used so far, not since the last chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timings: Option<Timings>,
}

impl ChatChunk {
    /// A chunk that adds `text` to the message's first part.
    pub fn text(text: impl Into<String>) -> Self {
        Delta::Text { index: 0, text: text.into() }.into()
    }

    /// A chunk that ends the answer.
    pub fn finish(reason: FinishReason) -> Self {
        Self { finish_reason: Some(reason), ..Self::default() }
    }

    /// Adds a delta at the end.
    pub fn with_delta(mut self, delta: Delta) -> Self {
        self.deltas.push(delta);
        self
    }

    setters! {
        /// States the provider's name for the answer.
        with_id(id: impl Into<String>);
        /// States the model that answers.
        with_model(model: impl Into<String>);
        /// States the tokens used so far.
        with_usage(usage: Usage);
        /// States how long it took.
        with_timings(timings: Timings);
    }
}

impl From<Delta> for ChatChunk {
    fn from(delta: Delta) -> Self {
        Self::default().with_delta(delta)
    }
}

/// What is added to the part `index` of the message. Parts end up in the order of their indices; indices may be left out, and deltas of
/// several parts may be mixed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Delta {
    /// More text.
    Text {
        /// The part.
        index: usize,
        /// What follows.
        text: String,
    },
    /// More of a tool call.
    ToolCall {
        /// The part.
        index: usize,
        /// The call's id: stated once; where it is repeated the last one counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The tool's name: stated once; where it is repeated the last one counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// What follows of the arguments' JSON text.
        #[serde(default)]
        arguments: String,
    },
    /// A part that comes as a whole.
    Part {
        /// The part's index.
        index: usize,
        /// The part.
        part: Part,
    },
}

/// Folds chunks into a [`ChatResponse`], however the answer was cut into them.
///
/// ```
/// use jarre_core::{ChatAccumulator, ChatChunk, FinishReason};
///
/// let mut answer = ChatAccumulator::new();
/// answer.push(ChatChunk::text("good "))?;
/// answer.push(ChatChunk::text("morning"))?;
/// assert_eq!(answer.message().text(), "good morning"); // what a screen shows meanwhile
///
/// answer.push(ChatChunk::finish(FinishReason::Stop))?;
/// assert_eq!(answer.finish()?.message.text(), "good morning");
///
/// assert!(ChatAccumulator::new().finish().is_err()); // a stream that broke off
/// # Ok::<(), jarre_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ChatAccumulator {
    parts: BTreeMap<usize, PartialPart>,
    rest: ChatChunk,
}

impl ChatAccumulator {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a chunk.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidResponse`] where a delta does not fit the part that it continues, or follows the finish reason.
    pub fn push(&mut self, chunk: ChatChunk) -> Result<()> {
        if self.rest.finish_reason.is_some() && !chunk.deltas.is_empty() {
            return Err(Error::new(ErrorKind::InvalidResponse, "the stream goes on after its finish reason"));
        }
        for delta in chunk.deltas {
            self.add(delta)?;
        }
        self.rest.id = chunk.id.or(self.rest.id.take());
        self.rest.model = chunk.model.or(self.rest.model.take());
        self.rest.finish_reason = chunk.finish_reason.or(self.rest.finish_reason);
        self.rest.usage = chunk.usage.or(self.rest.usage);
        self.rest.timings = chunk.timings.or(self.rest.timings);
        Ok(())
    }

    /// The message as far as it is known.
    pub fn message(&self) -> Message {
        Message::new(Role::Assistant, self.parts.values().cloned().map(PartialPart::into_part))
    }

    /// The whole answer.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] where no finish reason came (the stream broke off: another try can help);
    /// [`ErrorKind::InvalidResponse`] where a tool call has no id or no name.
    pub fn finish(self) -> Result<ChatResponse> {
        let Some(finish_reason) = self.rest.finish_reason else {
            return Err(Error::new(ErrorKind::Unavailable, "the stream broke off before the end of the answer, try again"));
        };
        if let Some(index) = self.parts.iter().find_map(|(index, part)| part.is_nameless().then_some(index)) {
            return Err(Error::new(ErrorKind::InvalidResponse, format!("the tool call in part {index} has no id or no name")));
        }
        Ok(ChatResponse {
            id: self.rest.id,
            model: self.rest.model,
            message: Message::new(Role::Assistant, self.parts.into_values().map(PartialPart::into_part)),
            finish_reason,
            usage: self.rest.usage.unwrap_or_default(),
            timings: self.rest.timings.unwrap_or_default(),
        })
    }

    fn add(&mut self, delta: Delta) -> Result<()> {
        let (index, delta) = PartialPart::split(delta);
        let Some(part) = self.parts.get_mut(&index) else {
            self.parts.insert(index, delta);
            return Ok(());
        };
        part.extend(delta).ok_or_else(|| {
            let message = format!("part {index} of the stream is continued as something else than it began");
            Error::new(ErrorKind::InvalidResponse, message)
        })
    }
}

#[derive(Clone, Debug)]
enum PartialPart {
    Text(String),
    ToolCall { id: Option<String>, name: Option<String>, arguments: String },
    Whole(Part),
}

impl PartialPart {
    fn split(delta: Delta) -> (usize, Self) {
        match delta {
            Delta::Text { index, text } => (index, Self::Text(text)),
            Delta::ToolCall { index, id, name, arguments } => (index, Self::ToolCall { id, name, arguments }),
            Delta::Part { index, part } => (index, Self::Whole(part)),
        }
    }

    /// `None` where `more` is of another kind.
    fn extend(&mut self, more: Self) -> Option<()> {
        match (self, more) {
            (Self::Text(text), Self::Text(more)) => text.push_str(&more),
            (Self::ToolCall { id, name, arguments }, Self::ToolCall { id: more_id, name: more_name, arguments: more }) => {
                *id = more_id.or(id.take());
                *name = more_name.or(name.take());
                arguments.push_str(&more);
            }
            _ => return None,
        }
        Some(())
    }

    fn is_nameless(&self) -> bool {
        matches!(self, Self::ToolCall { id: None, .. } | Self::ToolCall { name: None, .. })
    }

    fn into_part(self) -> Part {
        match self {
            Self::Text(text) => Part::Text { text },
            Self::ToolCall { id, name, arguments } => ToolCall::new(id.unwrap_or_default(), name.unwrap_or_default(), arguments).into(),
            Self::Whole(part) => part,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![
            any::<String>().prop_map(Part::text),
            any::<[String; 3]>().prop_map(|[id, name, arguments]| ToolCall::new(id, name, arguments).into()),
            any::<Vec<u8>>().prop_map(|data| Part::image_bytes("image/png", data)),
        ]
    }

    fn response() -> impl Strategy<Value = ChatResponse> {
        let reason = prop_oneof![Just(FinishReason::Stop), Just(FinishReason::ToolCalls), Just(FinishReason::Length)];
        (vec(part(), 0..5), reason, option::of(any::<String>()), any::<[u32; 4]>()).prop_map(|(parts, reason, id, [a, b, c, d])| {
            let mut response = ChatResponse::new(Message::new(Role::Assistant, parts), reason)
                .with_usage(Usage::new(a.into(), b.into()).with_cached(c.into()))
                .with_timings(Timings { time_to_first_token: id.as_ref().map(|_| Duration::from_nanos(d.into())), total: Duration::MAX });
            (response.id, response.model) = (id.clone(), id);
            response
        })
    }

    /// Cuts `text` before the characters that `cuts` says, in turn: pieces may be empty.
    fn cut(text: &str, cuts: &[bool]) -> Vec<String> {
        let mut pieces = vec![String::new()];
        for (character, &before) in text.chars().zip(cuts.iter().cycle()) {
            if before {
                pieces.push(String::new());
            }
            pieces.last_mut().unwrap().push(character);
        }
        pieces
    }

    /// Some cutting of a part into deltas; the name of a call comes with the first or the last of them.
    fn deltas(index: usize, part: Part, cuts: &[bool]) -> Vec<Delta> {
        match part {
            Part::Text { text } => cut(&text, cuts).into_iter().map(|text| Delta::Text { index, text }).collect(),
            Part::ToolCall(call) => {
                let pieces = cut(&call.arguments, cuts);
                let (named, last) = (if cuts[0] { 0 } else { pieces.len() - 1 }, pieces.len() - 1);
                let delta = |(at, arguments)| Delta::ToolCall {
                    index,
                    id: (at == 0 || at == last).then(|| call.id.clone()),
                    name: (at == named).then(|| call.name.clone()),
                    arguments,
                };
                pieces.into_iter().enumerate().map(delta).collect()
            }
            part => vec![Delta::Part { index, part }],
        }
    }

    /// Mixes sequences, keeping the order within each.
    fn mix(mut sequences: Vec<std::collections::VecDeque<Delta>>, turns: &[usize]) -> Vec<Delta> {
        let mut mixed = Vec::new();
        for turn in turns.iter().cycle() {
            sequences.retain(|sequence| !sequence.is_empty());
            if sequences.is_empty() {
                break;
            }
            let at = turn % sequences.len();
            mixed.extend(sequences[at].pop_front());
        }
        mixed
    }

    fn fold(chunks: impl IntoIterator<Item = ChatChunk>) -> Result<ChatResponse> {
        let mut answer = ChatAccumulator::new();
        chunks.into_iter().try_for_each(|chunk| answer.push(chunk))?;
        answer.finish()
    }

    proptest! {
        #[test]
        fn any_chunking_folds_to_the_whole(
            whole in response(),
            cuts in vec(any::<bool>(), 1..8),
            turns in vec(any::<usize>(), 1..16),
            group in 1..4usize,
            gap in 1..3usize,
        ) {
            let parts = whole.message.parts.iter().cloned().enumerate();
            let sequences = parts.map(|(index, part)| deltas(index * gap, part, &cuts).into()).collect();
            let mut chunks: Vec<ChatChunk> = mix(sequences, &turns)
                .chunks(group)
                .map(|deltas| ChatChunk { deltas: deltas.to_vec(), usage: Some(Usage::new(1, 1)), ..ChatChunk::default() })
                .collect();
            chunks.extend(ChatResponse { message: Message::new(Role::Assistant, []), ..whole.clone() }.into_chunks());

            let wire = serde_json::to_string(&chunks).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Vec<ChatChunk>>(&wire).unwrap(), &chunks);
            prop_assert_eq!(fold(chunks).unwrap(), whole);
        }

        #[test]
        fn the_chunks_of_a_response_fold_to_it(whole in response()) {
            prop_assert_eq!(fold(whole.clone().into_chunks()).unwrap(), whole);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let call = |id: Option<&str>| Delta::ToolCall { index: 0, id: id.map(Into::into), name: Some("t".into()), arguments: "{}".into() };
        let kind = |chunks: Vec<ChatChunk>| fold(chunks).unwrap_err().kind();
        let done = || ChatChunk::finish(FinishReason::Stop);
        assert_eq!(kind(vec![ChatChunk::text("a"), call(Some("1")).into(), done()]), ErrorKind::InvalidResponse);
        assert_eq!(kind(vec![done(), ChatChunk::text("a")]), ErrorKind::InvalidResponse);
        assert_eq!(kind(vec![call(None).into(), done()]), ErrorKind::InvalidResponse);
        assert_eq!(kind(vec![ChatChunk::text("a")]), ErrorKind::Unavailable);
        // Providers send the usage in a chunk of its own, last.
        assert_eq!(fold([done(), ChatChunk::default().with_usage(Usage::new(1, 2))]).unwrap().usage, Usage::new(1, 2));
    }

    #[test]
    fn wire_forms_are_tagged() {
        let chunk = ChatChunk::from(Delta::ToolCall { index: 1, id: None, name: None, arguments: "{".into() });
        let wire = serde_json::json!({"deltas": [{"type": "tool_call", "index": 1, "arguments": "{"}]});
        assert_eq!(serde_json::to_value(chunk).unwrap(), wire);
    }
}
