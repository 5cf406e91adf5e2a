use super::{Fault, Sink, State, Step, Syntax, went};

/// Strings, those that are keys too.
impl Syntax {
    /// The characters of a string up to the next quote, escape or end of the piece; how many bytes were read.
    pub(super) fn run(&mut self, text: &str, key: bool, sink: &mut impl Sink) -> Result<usize, (usize, Fault)> {
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

    fn end_text(&mut self, key: bool, sink: &mut impl Sink) -> Step {
        if key {
            self.state = State::Colon;
            return sink.end_key(&self.held);
        }
        self.after_value();
        went(sink.end_text())
    }

    pub(super) fn escape(&mut self, byte: u8, key: bool, sink: &mut impl Sink) -> Step {
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

    pub(super) fn hex(&mut self, byte: u8, key: bool, digits: u8, code: u32, sink: &mut impl Sink) -> Step {
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
}
