mod scalar;
mod text;

use serde_json::{Number, Value};

use self::scalar::Digits;
use super::super::{Extent, extent::Excess, graph::Kind};

/// Why a reading cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// What would have been right.
    Syntax(&'static str),
    Limit(Excess),
    /// The sink had enough.
    Schema,
}

/// Takes what a document consists of. `false` ends the reading at the byte that was read last; so does an error of `text` and `key`, at
/// that byte of the run.
pub(super) trait Sink {
    fn begin(&mut self, kind: Kind) -> bool;
    fn text(&mut self, run: &str) -> Result<(), usize>;
    fn end_text(&mut self) -> bool;
    fn begin_key(&mut self) -> bool;
    fn key(&mut self, run: &str) -> Result<(), usize>;
    fn end_key(&mut self, key: &str) -> Result<(), Fault>;
    fn number(&mut self, number: Number) -> bool;
    fn literal(&mut self, value: Value) -> bool;
    /// An array or object ends.
    fn close(&mut self) -> bool;
}

/// A reader of JSON (RFC 8259) that takes the text in pieces, byte for byte.
pub(super) struct Syntax {
    state: State,
    /// The kinds of the containers that are open: whether each is an object.
    open: Vec<bool>,
    /// The key, number or escape that is being read.
    held: String,
    /// The first half of a pair of escapes that make one character.
    high: Option<u32>,
    read: usize,
    values: usize,
    extent: Extent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Value,
    ItemOrEnd,
    KeyOrEnd,
    Key,
    Colon,
    CommaOrEnd,
    Text {
        key: bool,
    },
    Escape {
        key: bool,
    },
    /// The digits of `\u`: how many are there, and what they make.
    Hex {
        key: bool,
        digits: u8,
        code: u32,
    },
    Number(Digits),
    Literal {
        word: &'static str,
        done: usize,
    },
    End,
}

type Step<T = ()> = Result<T, Fault>;

impl Syntax {
    pub(super) fn new(extent: Extent) -> Self {
        Self { state: State::Value, open: Vec::new(), held: String::new(), high: None, read: 0, values: 0, extent }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.state == State::End
    }

    /// Reads `text`; where it cannot, the byte and why.
    pub(super) fn push(&mut self, text: &str, sink: &mut impl Sink) -> Result<(), (usize, Fault)> {
        let mut from = 0;
        while from < text.len() {
            let start = self.read;
            let taken = match self.state {
                State::Text { key } if self.high.is_none() => self.run(&text[from..], key, sink),
                _ => self.byte(text.as_bytes()[from], sink).map(|()| 1).map_err(|fault| (0, fault)),
            };
            let taken = taken.map_err(|(offset, fault)| (start + offset, fault))?;
            self.read += taken;
            from += taken;
            if self.read > self.extent.bytes {
                return Err((self.extent.bytes, Fault::Limit(Excess::bytes(&self.extent))));
            }
        }
        Ok(())
    }

    /// Ends the text.
    pub(super) fn finish(&mut self, sink: &mut impl Sink) -> Result<(), (usize, Fault)> {
        let end = match self.state {
            State::Number(digits) if self.open.is_empty() => self.end_number(digits, sink),
            State::End => Ok(()),
            _ => Err(Fault::Syntax("the document goes on")),
        };
        end.map_err(|fault| (self.read, fault))
    }

    fn byte(&mut self, byte: u8, sink: &mut impl Sink) -> Step {
        let white = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match self.state {
            State::Escape { key } => self.escape(byte, key, sink),
            State::Hex { key, digits, code } => self.hex(byte, key, digits, code, sink),
            State::Number(digits) => self.digit(byte, digits, sink),
            State::Literal { word, done } => self.letter(byte, word, done, sink),
            // A half of a pair is followed by the other half and by nothing else.
            State::Text { key } => match byte {
                b'\\' => self.go(State::Escape { key }),
                _ => Err(Fault::Syntax("the second half of a surrogate pair has to follow")),
            },
            _ if white => Ok(()),
            State::ItemOrEnd if byte == b']' => self.close(sink),
            State::Value | State::ItemOrEnd => self.begin(byte, sink),
            State::KeyOrEnd if byte == b'}' => self.close(sink),
            State::KeyOrEnd | State::Key if byte == b'"' => {
                self.held.clear();
                self.state = State::Text { key: true };
                went(sink.begin_key())
            }
            State::KeyOrEnd | State::Key => Err(Fault::Syntax("a key in double quotes has to follow")),
            State::Colon if byte == b':' => self.go(State::Value),
            State::Colon => Err(Fault::Syntax("a colon has to follow")),
            State::CommaOrEnd => self.comma_or_end(byte, sink),
            State::End => Err(Fault::Syntax("nothing may follow the document")),
        }
    }

    fn begin(&mut self, byte: u8, sink: &mut impl Sink) -> Step {
        self.values += 1;
        if self.values > self.extent.values {
            return Err(Fault::Limit(Excess::values(&self.extent)));
        }
        let (state, kind) = match byte {
            b'{' => (State::KeyOrEnd, Kind::Object),
            b'[' => (State::ItemOrEnd, Kind::Array),
            b'"' => (State::Text { key: false }, Kind::String),
            b't' => (State::Literal { word: "true", done: 1 }, Kind::True),
            b'f' => (State::Literal { word: "false", done: 1 }, Kind::False),
            b'n' => (State::Literal { word: "null", done: 1 }, Kind::Null),
            b'-' => (State::Number(Digits::Minus), Kind::Number),
            b'0' => (State::Number(Digits::Zero), Kind::Number),
            b'1'..=b'9' => (State::Number(Digits::Whole), Kind::Number),
            _ => return Err(Fault::Syntax("a value has to follow")),
        };
        self.state = state;
        self.held.clear();
        if kind == Kind::Number {
            self.held.push(char::from(byte));
        }
        if matches!(kind, Kind::Array | Kind::Object) {
            if self.open.len() >= self.extent.depth {
                return Err(Fault::Limit(Excess::depth(&self.extent)));
            }
            self.open.push(kind == Kind::Object);
        }
        went(sink.begin(kind))
    }

    fn comma_or_end(&mut self, byte: u8, sink: &mut impl Sink) -> Step {
        let in_object = *self.open.last().expect("a comma is awaited inside of a container alone");
        match byte {
            b',' => self.go(if in_object { State::Key } else { State::Value }),
            b'}' if in_object => self.close(sink),
            b']' if !in_object => self.close(sink),
            _ => Err(Fault::Syntax("a comma or the end of the array or object has to follow")),
        }
    }

    fn close(&mut self, sink: &mut impl Sink) -> Step {
        self.open.pop();
        self.after_value();
        went(sink.close())
    }

    #[expect(clippy::unnecessary_wraps, reason = "going on is one outcome of reading a byte")]
    fn go(&mut self, state: State) -> Step {
        self.state = state;
        Ok(())
    }

    fn after_value(&mut self) {
        self.state = if self.open.is_empty() { State::End } else { State::CommaOrEnd };
    }
}

fn went(on: bool) -> Step {
    if on { Ok(()) } else { Err(Fault::Schema) }
}
