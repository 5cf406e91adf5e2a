use serde_json::Value;

use super::{MAX_DEPTH, RepairConfig, closing::Role, cursor::Cursor, frame::Frame, quote::Quote};
use crate::json::{Fix, FixKind, Reason, Refusal};

/// Reads a document with the brackets that are open on a stack of its own.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) stack: Vec<Frame>,
    pub(super) fixes: Vec<Fix>,
    config: RepairConfig,
    /// Where the last comma was, until something follows it.
    comma: Option<usize>,
    /// Whether the text is the document, so that it may lack its first bracket.
    alone: bool,
    /// Where the first key begins that may be one without its closing quote, and a text that begins with a colon.
    doubtful: Option<usize>,
    root: Option<Value>,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    Value,
    Key,
    Colon,
    /// A comma or a closing bracket.
    After,
    /// Nothing: the document is read.
    Done,
}

pub(super) type Next = Result<Expect, Refusal>;

impl<'a> Reader<'a> {
    pub(super) fn new(cursor: Cursor<'a>, config: RepairConfig) -> Self {
        Self { cursor, stack: Vec::new(), fixes: Vec::new(), config, comma: None, alone: false, doubtful: None, root: None }
    }

    /// The document, or the documents, that the text is.
    pub(super) fn whole(&mut self) -> Result<Value, Refusal> {
        self.alone = true;
        let first = self.first()?;
        self.closers()?;
        let mut all = vec![first];
        while self.cursor.peek().is_some() {
            let next =
                all.last().is_some_and(|last| last.is_object() || last.is_array()) && matches!(self.cursor.peek(), Some(b'{' | b'['));
            if !self.config.documents || !next {
                return Err(self.refuse(Reason::Trailing));
            }
            self.fix(FixKind::Documents, self.cursor.at)?;
            all.push(self.first()?);
            self.closers()?;
        }
        Ok(if all.len() == 1 { all.remove(0) } else { all.into() })
    }

    /// The document at the cursor.
    pub(super) fn first(&mut self) -> Result<Value, Refusal> {
        let mut expect = Expect::Value;
        while expect != Expect::Done {
            expect = match expect {
                Expect::Value => self.value(),
                Expect::Key => self.key(),
                Expect::Colon => self.colon(),
                Expect::After => self.after(),
                Expect::Done => break,
            }?;
        }
        self.comma = None;
        self.undoubted()?;
        Ok(self.root.take().expect("a document that is read has a root"))
    }

    /// Refuses `{"a: ":", "b": ""}`: it is `{"a": ":", "b": ""}` without a quote as well as `{"a: ": ", \"b\": "}` without its escapes. One
    /// quote that is missing shifts all that follow, so where none of them has to be mended, the key is what it looks like.
    fn undoubted(&mut self) -> Result<(), Refusal> {
        let Some(at) = self.doubtful.take() else { return Ok(()) };
        let shifted = |kind| matches!(kind, FixKind::InnerQuote | FixKind::MissingQuote | FixKind::UnquotedValue | FixKind::Truncated);
        let told = self.fixes.iter().any(|fix| fix.at >= at && shifted(fix.kind));
        if told { Err(Refusal { reason: Reason::AmbiguousText, at }) } else { Ok(()) }
    }

    /// Remembers a key that may be two texts.
    pub(super) fn doubt(&mut self, at: usize) {
        self.doubtful.get_or_insert(at);
    }

    fn value(&mut self) -> Next {
        self.skip()?;
        let at = self.cursor.at;
        let Some(first) = self.cursor.peek() else { return self.cut() };
        match first {
            b'{' => self.open(Frame::object(), Expect::Key),
            b'[' => self.open(Frame::array(false), Expect::Value),
            b'(' => {
                self.fix(FixKind::Tuple, at)?;
                self.open(Frame::array(true), Expect::Value)
            }
            b'}' | b']' | b')' if self.in_array() => self.closer(first),
            b',' if self.in_array() => self.commas(Expect::Value),
            b'}' | b']' | b')' | b',' if !self.stack.is_empty() => Err(self.refuse(Reason::MissingValue)),
            _ if self.cursor.ellipsis(at).is_some() => self.ellipsis(),
            _ => match Quote::opening(&self.cursor, at) {
                Some(quote) => self.text(quote),
                None => self.bare(),
            },
        }
    }

    /// A string that is a value, and the pieces that are added to it.
    pub(super) fn text(&mut self, quote: Quote) -> Next {
        let at = self.cursor.at;
        let role = self.role();
        let mut text = self.string(quote, role)?;
        while let Some(place) = self.piece() {
            self.fix(FixKind::Pieces, self.cursor.at)?;
            self.cursor.at = place;
            let quote = Quote::opening(&self.cursor, place).expect("a piece begins with a quote");
            text += &self.string(quote, role)?;
        }
        if self.stack.is_empty() && self.alone && self.cursor.byte(self.cursor.blank(self.cursor.at)) == Some(b':') {
            self.fix(FixKind::MissingOpen, at)?;
            let mut frame = Frame::object();
            if let Frame::Object { key, .. } = &mut frame {
                *key = Some(text);
            }
            self.stack.push(frame);
            return Ok(Expect::Colon);
        }
        self.put(text.into())
    }

    fn key(&mut self) -> Next {
        self.skip()?;
        let at = self.cursor.at;
        let Some(first) = self.cursor.peek() else { return self.cut() };
        let key = match first {
            b'}' | b']' | b')' => return self.closer(first),
            b',' => return self.commas(Expect::Key),
            b'{' if self.holds(Frame::is_array) => return self.close_missing(),
            _ if self.cursor.ellipsis(at).is_some() => return self.ellipsis(),
            _ => match Quote::opening(&self.cursor, at) {
                Some(quote) => self.string(quote, Role::Key)?,
                None => self.bare_key()?,
            },
        };
        self.comma = None;
        if self.cursor.blank(self.cursor.at) == self.cursor.text.len() {
            // What follows is not known: not even that this was a key.
            self.fix(FixKind::Truncated, at)?;
            self.cursor.at = self.cursor.text.len();
            return self.cut();
        }
        self.name(key);
        Ok(Expect::Colon)
    }

    /// Takes a key for the next value.
    pub(super) fn name(&mut self, name: String) {
        if let Some(Frame::Object { key, .. }) = self.stack.last_mut() {
            *key = Some(name);
        }
    }

    fn colon(&mut self) -> Next {
        self.skip()?;
        let at = self.cursor.at;
        if self.cursor.starts(at, "：") || self.cursor.starts(at, "=>") || self.cursor.starts(at, "=") || self.cursor.starts(at, ":=") {
            self.cursor.at += ["：", "=>", ":=", "="].iter().find(|sign| self.cursor.starts(at, sign)).map_or(0, |sign| sign.len());
            self.fix(FixKind::MissingColon, at)?;
            return Ok(Expect::Value);
        }
        match self.cursor.peek() {
            Some(b':') => self.cursor.at += 1,
            Some(b',' | b'}' | b']' | b')') => return Err(self.refuse(Reason::MissingKey)),
            Some(_) => self.fix(FixKind::MissingColon, at)?,
            None => {}
        }
        Ok(Expect::Value)
    }

    fn after(&mut self) -> Next {
        self.skip()?;
        let at = self.cursor.at;
        let Some(next) = self.cursor.peek() else { return self.cut() };
        let object = self.stack.last().is_some_and(Frame::is_object);
        let expect = if object { Expect::Key } else { Expect::Value };
        match next {
            b'}' | b']' | b')' => self.closer(next),
            _ if matches!(self.stack.last(), Some(Frame::Call { .. })) => Err(self.refuse(Reason::Call)),
            b',' => self.commas(expect),
            b':' if !object => self.key_in_array(),
            b';' => {
                self.cursor.at += 1;
                self.comma = Some(at);
                self.fix(FixKind::MissingComma, at)?;
                Ok(expect)
            }
            _ if self.cursor.ellipsis(at).is_some() => self.ellipsis(),
            b'{' if object && self.holds(Frame::is_array) => self.close_missing(),
            _ if object && !self.key_stands(at) => {
                let text = Quote::opening(&self.cursor, at).is_some();
                Err(self.refuse(if text { Reason::AmbiguousText } else { Reason::Unexpected }))
            }
            _ => {
                self.fix(FixKind::MissingComma, at)?;
                Ok(expect)
            }
        }
    }

    fn commas(&mut self, expect: Expect) -> Next {
        let at = self.cursor.at;
        // One that nothing stands before is one too many.
        let mut extra = self.comma.is_some() || self.stack.last().is_some_and(Frame::is_empty);
        self.comma = Some(at);
        if let Some(Frame::Array { comma, .. }) = self.stack.last_mut() {
            *comma = true;
        }
        self.cursor.at += 1;
        let mut next = self.cursor.blank(self.cursor.at);
        while self.cursor.byte(next) == Some(b',') {
            self.cursor.at = next + 1;
            next = self.cursor.blank(next + 1);
            extra = true;
        }
        if extra {
            self.fix(FixKind::ExtraComma, at)?;
        }
        Ok(expect)
    }

    fn ellipsis(&mut self) -> Next {
        let at = self.cursor.at;
        if !matches!(self.stack.last(), Some(Frame::Object { key: None, .. } | Frame::Array { .. })) {
            return Err(self.refuse(Reason::Placeholder));
        }
        self.fix(FixKind::Ellipsis, at)?;
        while let Some(length) = self.cursor.ellipsis(self.cursor.at) {
            self.cursor.at += length;
        }
        let parted = self.comma.take().is_some();
        let next = self.cursor.blank(self.cursor.at);
        if parted {
            return Ok(Expect::After);
        }
        if self.cursor.byte(next) == Some(b',') {
            self.cursor.at = next + 1;
        }
        Ok(if self.stack.last().is_some_and(Frame::is_object) { Expect::Key } else { Expect::Value })
    }

    pub(super) fn open(&mut self, frame: Frame, expect: Expect) -> Next {
        if self.stack.len() >= self.config.depth.min(MAX_DEPTH) {
            return Err(self.refuse(Reason::Depth));
        }
        self.comma = None;
        self.cursor.at += 1;
        self.stack.push(frame);
        Ok(expect)
    }

    /// Puts a value where it belongs.
    pub(super) fn put(&mut self, value: Value) -> Next {
        self.comma = None;
        let twice = match self.stack.last_mut() {
            None => {
                self.root = Some(value);
                return Ok(Expect::Done);
            }
            Some(Frame::Object { members, key }) => members.insert(key.take().expect("a value in an object has a key"), value).is_some(),
            Some(Frame::Array { items, .. }) => {
                items.push(value);
                false
            }
            Some(Frame::Call { value: argument, .. }) => argument.replace(value).is_some(),
        };
        if twice {
            self.fix(FixKind::DuplicateKey, self.cursor.at)?;
        }
        Ok(Expect::After)
    }

    /// Passes spaces and comments.
    pub(super) fn skip(&mut self) -> Result<(), Refusal> {
        let mut told = false;
        loop {
            let at = self.cursor.at;
            if let Some((length, standard)) = self.cursor.space(at) {
                if !standard && !told {
                    told = true;
                    self.fix(FixKind::Space, at)?;
                }
                self.cursor.at += length;
            } else if self.cursor.comment(at) {
                self.fix(FixKind::Comment, at)?;
                self.pass_comment();
            } else {
                return Ok(());
            }
        }
    }

    fn pass_comment(&mut self) {
        let block = self.cursor.byte(self.cursor.at + 1) == Some(b'*') && self.cursor.peek() == Some(b'/');
        self.cursor.at += if block { 2 } else { 1 };
        while let Some(byte) = self.cursor.peek() {
            if block && byte == b'*' && self.cursor.byte(self.cursor.at + 1) == Some(b'/') {
                self.cursor.at += 2;
                return;
            }
            if !block && byte == b'\n' {
                return;
            }
            self.cursor.at += 1;
        }
    }

    /// The comma before which nothing follows, if there was one.
    pub(super) fn trailing(&mut self) -> Result<(), Refusal> {
        match self.comma.take() {
            Some(at) => self.fix(FixKind::TrailingComma, at),
            None => Ok(()),
        }
    }

    pub(super) fn fix(&mut self, kind: FixKind, at: usize) -> Result<(), Refusal> {
        if self.fixes.len() >= self.config.fixes {
            return Err(Refusal { reason: Reason::Fixes, at });
        }
        self.fixes.push(Fix { kind, at });
        Ok(())
    }

    pub(super) fn refuse(&self, reason: Reason) -> Refusal {
        Refusal { reason, at: self.cursor.at }
    }
}
