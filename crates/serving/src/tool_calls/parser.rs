use super::ToolFormat;
use super::call;
use super::scan::{Found, Scan};

/// What comes out of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolEvent {
    /// Text that belongs to no call.
    Text(String),
    /// A call begins.
    Call {
        /// Calls before it.
        index: usize,
        /// How the model calls the call, where it does.
        id: Option<String>,
        /// Which tool.
        name: String,
    },
    /// Arguments of the call with this index: JSON as the model wrote it.
    ArgumentsDelta {
        /// Which call.
        index: usize,
        /// What is added.
        text: String,
    },
}

/// Reads calls of tools out of a text that comes in pieces.
///
/// Text is held back only where it could be the beginning of a call. A call comes out when its object is complete, its arguments in one
/// piece, so that one that turns out malformed is text, as it was written. However the text is cut, the same comes out: pieces of text between
/// two calls are cut otherwise, and are the same put together. White space between calls, and before a call that begins an answer, is dropped.
///
/// ```
/// use jarre_serving::{ToolCallParser, ToolEvent, ToolFormat};
///
/// let mut parser = ToolCallParser::new(ToolFormat::Hermes);
/// let mut events = parser.push("Let me look. <tool_");
/// assert_eq!(events, [ToolEvent::Text("Let me look. ".into())]);
/// events = parser.push("call>{\"name\": \"search\", \"arguments\": {\"query\": \"rust\"}}</tool_call>");
/// assert_eq!(events[0], ToolEvent::Call { index: 0, id: None, name: "search".into() });
/// assert_eq!(events[1], ToolEvent::ArgumentsDelta { index: 0, text: "{\"query\": \"rust\"}".into() });
/// assert_eq!(parser.finish(), []);
/// ```
#[derive(Clone, Debug)]
pub struct ToolCallParser {
    format: ToolFormat,
    /// The tools that calls without a marker name; any where it is not given.
    tools: Option<Vec<String>>,
    /// Whether the object that is read has no marker.
    is_bare: bool,
    /// Text of which it is not known what it is.
    held: String,
    /// Bytes of it that stand before a call's object: marker, bracket, separator.
    opening: usize,
    state: State,
    scan: Scan,
    in_list: bool,
    calls: usize,
    events: Vec<ToolEvent>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing but white space was read.
    Start,
    Text,
    /// Behind a marker.
    Marked,
    /// Where an object begins, or in it.
    Object,
    /// Behind an object.
    Behind,
    /// Behind calls.
    Between,
}

/// What is to be done after a step: another one, or wait for text.
enum Step {
    Again,
    Wait,
}

impl ToolCallParser {
    /// A parser at the beginning of an answer.
    pub fn new(format: ToolFormat) -> Self {
        let (held, events) = (String::new(), Vec::new());
        let (state, scan) = (State::Start, Scan::default());
        Self { format, tools: None, is_bare: false, held, opening: 0, state, scan, in_list: false, calls: 0, events }
    }

    /// Takes an object that no marker announces for a call only where it names one of these tools.
    pub fn with_tools(self, names: impl IntoIterator<Item = String>) -> Self {
        Self { tools: Some(names.into_iter().collect()), ..self }
    }

    /// Takes the next piece of the text.
    pub fn push(&mut self, text: &str) -> Vec<ToolEvent> {
        self.held.push_str(text);
        while let Step::Again = self.step() {}
        std::mem::take(&mut self.events)
    }

    /// The end of the text: what is held back comes out as text.
    pub fn finish(mut self) -> Vec<ToolEvent> {
        match self.state {
            // A list whose end is missing after whole calls, or a tag cut short, says nothing.
            State::Between | State::Behind if self.held.trim_ascii().is_empty() => {}
            _ => self.emit(self.held.len()),
        }
        self.events
    }

    /// Calls that came out so far.
    pub fn calls(&self) -> usize {
        self.calls
    }

    fn step(&mut self) -> Step {
        match self.state {
            State::Start => self.start(),
            State::Text => self.text(),
            State::Marked => self.marked(),
            State::Object => self.object(),
            State::Behind => self.behind(),
            State::Between => self.between(),
        }
    }

    fn start(&mut self) -> Step {
        let body = self.held.trim_ascii_start();
        let Some(first) = body.chars().next() else { return Step::Wait };
        if self.format.marker().is_some_and(|marker| body.len() < marker.len() && marker.starts_with(body)) {
            return Step::Wait;
        }
        let at = self.held.len() - body.len();
        if self.format.marker().is_some_and(|marker| body.starts_with(marker)) || !self.format.begins_bare(first) {
            return self.go(State::Text);
        }
        self.is_bare = true;
        self.enter(at)
    }

    fn text(&mut self) -> Step {
        let Some(marker) = self.format.marker() else {
            self.emit(self.held.len());
            return Step::Wait;
        };
        if let Some(at) = self.held.find(marker) {
            self.emit(at);
            self.opening = marker.len();
            self.is_bare = false;
            return self.go(State::Marked);
        }
        self.emit(self.held.len() - beginning_at_end(&self.held, marker));
        Step::Wait
    }

    fn marked(&mut self) -> Step {
        let body = self.held[self.opening..].trim_ascii_start();
        let at = self.held.len() - body.len();
        match body.chars().next() {
            None => Step::Wait,
            Some('{') => self.enter(at),
            Some('[') if self.format == ToolFormat::Mistral => self.enter(at),
            Some(_) => self.give_up(self.opening),
        }
    }

    /// Goes to the object or list that begins at `at`.
    fn enter(&mut self, at: usize) -> Step {
        self.in_list = self.held[at..].starts_with('[');
        self.opening = at + usize::from(self.in_list);
        self.scan = Scan::default();
        self.go(State::Object)
    }

    fn object(&mut self) -> Step {
        let body = self.held[self.opening..].trim_ascii_start();
        let at = self.held.len() - body.len();
        if body.is_empty() {
            return Step::Wait;
        }
        if !body.starts_with('{') {
            return self.give_up(self.opening.max(1));
        }
        match self.scan.advance(body) {
            Found::More => Step::Wait,
            Found::Not => self.give_up(at + 1),
            Found::End(length) => match call::read(&body[..length]).filter(|call| self.takes(&call.name)) {
                Some(call) => {
                    self.call(call, at + length);
                    self.go(State::Behind)
                }
                None => self.give_up(at + length),
            },
        }
    }

    fn takes(&self, name: &str) -> bool {
        !self.is_bare || self.tools.as_ref().is_none_or(|tools| tools.iter().any(|tool| tool == name))
    }

    fn call(&mut self, call: call::Call, end: usize) {
        let index = self.calls;
        self.calls += 1;
        self.events.push(ToolEvent::Call { index, id: call.id, name: call.name });
        self.events.push(ToolEvent::ArgumentsDelta { index, text: call.arguments });
        self.held.drain(..end);
    }

    fn behind(&mut self) -> Step {
        let rest = self.held.trim_ascii_start();
        let at = self.held.len() - rest.len();
        if rest.is_empty() {
            return Step::Wait;
        }
        if let Some(closing) = self.format.closing() {
            if rest.len() < closing.len() && closing.starts_with(rest) {
                return Step::Wait;
            }
            if rest.starts_with(closing) {
                self.held.drain(..at + closing.len());
            }
            return self.go(State::Between);
        }
        match rest.as_bytes()[0] {
            b',' if self.in_list => self.another(at),
            b']' if self.in_list => {
                self.held.drain(..=at);
                self.go(State::Between)
            }
            b';' if !self.in_list && self.format == ToolFormat::Llama3 => self.another(at),
            _ => self.go(State::Between),
        }
    }

    /// Goes to the object behind a separator.
    fn another(&mut self, separator: usize) -> Step {
        self.opening = separator + 1;
        self.scan = Scan::default();
        self.go(State::Object)
    }

    fn between(&mut self) -> Step {
        let rest = self.held.trim_ascii_start();
        if rest.is_empty() {
            return Step::Wait;
        }
        if let Some(marker) = self.format.marker() {
            if rest.len() < marker.len() && marker.starts_with(rest) {
                return Step::Wait;
            }
            if rest.starts_with(marker) {
                self.held.drain(..self.held.len() - rest.len());
            }
        }
        self.go(State::Text)
    }

    fn go(&mut self, state: State) -> Step {
        self.state = state;
        Step::Again
    }

    /// The first bytes are text after all.
    fn give_up(&mut self, bytes: usize) -> Step {
        self.emit(bytes);
        self.go(State::Text)
    }

    fn emit(&mut self, bytes: usize) {
        if bytes > 0 {
            self.events.push(ToolEvent::Text(self.held.drain(..bytes).collect()));
        }
    }
}

/// How many bytes at the end of a text could be the beginning of a marker.
fn beginning_at_end(text: &str, marker: &str) -> usize {
    let longest = (marker.len() - 1).min(text.len());
    (1..=longest).rev().find(|length| text.as_bytes().ends_with(&marker.as_bytes()[..*length])).unwrap_or(0)
}
