use serde_json::{Number, Value};

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

/// What of a number was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digits {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    E,
    Sign,
    Exponent,
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

    /// The characters of a string up to the next quote, escape or end of the piece; how many bytes were read.
    fn run(&mut self, text: &str, key: bool, sink: &mut impl Sink) -> Result<usize, (usize, Fault)> {
        let end = text.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(text.len());
        if end > 0 {
            self.tell(&text[..end], key, sink).map_err(|at| (at, Fault::Schema))?;
            return Ok(end);
        }
        match text.as_bytes()[0] {
            b'"' => self.end_text(key, sink),
            b'\\' => self.go(State::Escape { key }),
            _ => Err(Fault::Syntax("a control character has to be escaped")),
        }
        .map(|()| 1)
        .map_err(|fault| (0, fault))
    }

    fn tell(&mut self, run: &str, key: bool, sink: &mut impl Sink) -> Result<(), usize> {
        if !key {
            return sink.text(run);
        }
        self.held.push_str(run);
        sink.key(run)
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

    fn end_text(&mut self, key: bool, sink: &mut impl Sink) -> Step {
        if key {
            self.state = State::Colon;
            return sink.end_key(&self.held);
        }
        self.after_value();
        went(sink.end_text())
    }

    fn escape(&mut self, byte: u8, key: bool, sink: &mut impl Sink) -> Step {
        if byte == b'u' {
            return self.go(State::Hex { key, digits: 0, code: 0 });
        }
        let character = match byte {
            _ if self.high.is_some() => return Err(Fault::Syntax("the second half of a surrogate pair has to follow")),
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => return Err(Fault::Syntax("an escape that JSON knows has to follow")),
        };
        self.escaped(character, key, sink)
    }

    fn escaped(&mut self, character: char, key: bool, sink: &mut impl Sink) -> Step {
        self.state = State::Text { key };
        // Whatever byte of the character is at fault, the escape's last byte is where it was seen.
        self.tell(character.encode_utf8(&mut [0; 4]), key, sink).map_err(|_| Fault::Schema)
    }

    fn hex(&mut self, byte: u8, key: bool, digits: u8, code: u32, sink: &mut impl Sink) -> Step {
        let digit = char::from(byte).to_digit(16).ok_or(Fault::Syntax("four hexadecimal digits have to follow"))?;
        let (digits, code) = (digits + 1, code * 16 + digit);
        if digits < 4 {
            return self.go(State::Hex { key, digits, code });
        }
        let code = match (self.high.take(), code) {
            (None, 0xD800..=0xDBFF) => {
                self.high = Some(code);
                return self.go(State::Text { key });
            }
            (Some(high), 0xDC00..=0xDFFF) => 0x1_0000 + ((high - 0xD800) << 10) + (code - 0xDC00),
            (Some(_), _) => return Err(Fault::Syntax("the second half of a surrogate pair has to follow")),
            (None, code) => code,
        };
        let character = char::from_u32(code).ok_or(Fault::Syntax("half a surrogate pair is no character"))?;
        self.escaped(character, key, sink)
    }

    fn digit(&mut self, byte: u8, digits: Digits, sink: &mut impl Sink) -> Step {
        let next = match (digits, byte) {
            (Digits::Minus, b'0') => Digits::Zero,
            (Digits::Minus | Digits::Whole, b'0'..=b'9') => Digits::Whole,
            (Digits::Zero | Digits::Whole, b'.') => Digits::Point,
            (Digits::Point | Digits::Fraction, b'0'..=b'9') => Digits::Fraction,
            (Digits::Zero | Digits::Whole | Digits::Fraction, b'e' | b'E') => Digits::E,
            (Digits::E, b'+' | b'-') => Digits::Sign,
            (Digits::E | Digits::Sign | Digits::Exponent, b'0'..=b'9') => Digits::Exponent,
            _ => {
                self.end_number(digits, sink)?;
                return self.byte(byte, sink);
            }
        };
        self.held.push(char::from(byte));
        self.state = State::Number(next);
        Ok(())
    }

    fn end_number(&mut self, digits: Digits, sink: &mut impl Sink) -> Step {
        if !matches!(digits, Digits::Zero | Digits::Whole | Digits::Fraction | Digits::Exponent) {
            return Err(Fault::Syntax("a digit has to follow"));
        }
        let number = self.held.parse().map_err(|_| Fault::Syntax("the number is beyond the range of a double"))?;
        self.after_value();
        went(sink.number(number))
    }

    fn letter(&mut self, byte: u8, word: &'static str, done: usize, sink: &mut impl Sink) -> Step {
        if word.as_bytes()[done] != byte {
            return Err(Fault::Syntax("`true`, `false` or `null` has to be written out"));
        }
        if done + 1 < word.len() {
            return self.go(State::Literal { word, done: done + 1 });
        }
        self.after_value();
        went(sink.literal(if word == "null" { Value::Null } else { Value::Bool(word == "true") }))
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
