use std::collections::VecDeque;

use jarre_openai::{Completion, ErrorResponse, sse};
use reqwest::Response;

/// The most bytes of one event.
const MAX_EVENT_BYTES: usize = 1 << 20;

/// A streamed answer that is being read.
pub(crate) struct Events {
    response: Response,
    decoder: sse::Decoder,
    ready: VecDeque<Event>,
    ended: bool,
}

/// What a stream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// More of the answer.
    Piece,
    /// Tokens of prompt and answer.
    Usage(usize, usize),
    /// `[DONE]`.
    Done,
    /// The server gives up, and says why.
    Error(String),
    /// It ended without a word, or cannot be read.
    Broken(String),
}

impl Event {
    /// Whether nothing comes after it.
    pub(crate) fn is_last(&self) -> bool {
        matches!(self, Self::Done | Self::Error(_) | Self::Broken(_))
    }
}

impl Events {
    pub(super) fn new(response: Response) -> Self {
        Self { response, decoder: sse::Decoder::new(MAX_EVENT_BYTES), ready: VecDeque::new(), ended: false }
    }

    /// The next event. After the last there is none to ask for.
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            if self.ended {
                return Event::Broken("the stream ended without [DONE]".to_owned());
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.decoder.push(&bytes),
                Ok(None) => {
                    self.decoder.finish();
                    self.ended = true;
                }
                Err(error) => return Event::Broken(error.to_string()),
            }
            while let Some(event) = self.decoder.next_event() {
                let event = event.map_or_else(|error| vec![Event::Broken(error.to_string())], |event| read(&event.data));
                let is_last = event.last().is_some_and(Event::is_last);
                self.ready.extend(event);
                if is_last {
                    break;
                }
            }
        }
    }
}

/// What an event's data says; some say nothing, and one may hold a piece and the usage.
fn read(data: &str) -> Vec<Event> {
    if data == "[DONE]" {
        return vec![Event::Done];
    }
    if let Ok(ErrorResponse { error }) = serde_json::from_str(data) {
        return vec![Event::Error(error.message)];
    }
    let completion: Completion = match serde_json::from_str(data) {
        Ok(completion) => completion,
        Err(error) => return vec![Event::Broken(format!("an event cannot be read: {error}"))],
    };
    let piece = (!completion.choices.is_empty()).then_some(Event::Piece);
    let usage = completion.usage.map(|usage| Event::Usage(usage.prompt_tokens as usize, usage.completion_tokens as usize));
    piece.into_iter().chain(usage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_apart() {
        assert_eq!(read("[DONE]"), [Event::Done]);
        assert_eq!(read(r#"{"error": {"message": "too late", "type": "timeout", "code": 504}}"#), [Event::Error("too late".to_owned())]);
        assert_eq!(read(r#"{"object": "text_completion", "choices": [{"index": 0, "text": "a", "finish_reason": null}]}"#), [Event::Piece]);
        let usage = r#""usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}"#;
        assert_eq!(read(&format!(r#"{{"object": "text_completion", "choices": [], {usage}}}"#)), [Event::Usage(7, 3)]);
        assert_eq!(read(&format!(r#"{{"choices": [{{"text": "b"}}], {usage}}}"#)), [Event::Piece, Event::Usage(7, 3)]);
        assert!(matches!(&read("{")[..], [Event::Broken(_)]));
    }
}
