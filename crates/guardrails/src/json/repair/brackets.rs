//! Closing brackets: the right ones, and those that are missing, too many or of the wrong kind.

use serde_json::Value;

use super::{
    closing::Role,
    frame::Frame,
    reader::{Expect, Next, Reader},
};
use crate::json::{FixKind, Reason, Refusal};

impl Reader<'_> {
    pub(super) fn in_array(&self) -> bool {
        self.stack.last().is_some_and(Frame::is_array)
    }

    /// Whether a bracket is open around the innermost one.
    pub(super) fn holds(&self, kind: impl Fn(&Frame) -> bool) -> bool {
        self.outer(kind).is_some()
    }

    /// The place on the stack of the innermost such bracket around the innermost one. Nearly always it is the next.
    fn outer(&self, kind: impl Fn(&Frame) -> bool) -> Option<usize> {
        let around = self.stack.len().checked_sub(1)?;
        self.stack[..around].iter().rposition(kind)
    }

    /// What a string at the cursor would be.
    pub(super) fn role(&self) -> Role {
        match self.stack.last() {
            None => Role::Root,
            Some(Frame::Object { .. }) => Role::Member,
            Some(_) => Role::Element,
        }
    }

    /// A closing bracket at the cursor.
    pub(super) fn closer(&mut self, bracket: u8) -> Next {
        let at = self.cursor.at;
        let frame = self.stack.last().expect("brackets are closed only where one is open");
        if frame.closer() != bracket {
            return self.other_closer(bracket);
        }
        self.trailing()?;
        self.cursor.at += 1;
        if bracket == b'}' && self.stack.len() == 1 && self.named_follows(at + 1) {
            // The document goes on: this one was too early.
            self.fix(FixKind::ExtraClose, at)?;
            return Ok(Expect::After);
        }
        self.close()
    }

    /// A closing bracket that does not close the innermost one.
    fn other_closer(&mut self, bracket: u8) -> Next {
        let at = self.cursor.at;
        let wanted = match bracket {
            b'}' => self.outer(Frame::is_object),
            b']' => self.outer(|frame| frame.closer() == b']'),
            _ => self.outer(|frame| frame.closer() == b')'),
        };
        if matches!(self.stack.last(), Some(Frame::Call { .. })) {
            return Err(self.refuse(Reason::Call));
        }
        let named = self.named_follows(at + 1);
        let goes_on = wanted.is_some_and(|place| named && !(place > 0 && self.stack[place - 1].is_object()));
        match wanted {
            // What it would close cannot be over.
            Some(_) if goes_on && self.in_array() => self.wrong_close(),
            Some(_) if goes_on => self.extra_close(),
            Some(_) => self.close_missing(),
            None if self.stack.len() == 1 && named => self.extra_close(),
            None if self.in_array() && self.cursor.byte(self.cursor.blank(at + 1)) == Some(b',') => self.extra_close(),
            None if self.closer_at(at + 1) => self.extra_close(),
            None => self.wrong_close(),
        }
    }

    fn closer_at(&self, at: usize) -> bool {
        let inner = self.stack.last().map(Frame::closer);
        inner.is_some() && self.cursor.byte(self.cursor.blank(at)) == inner
    }

    fn wrong_close(&mut self) -> Next {
        self.trailing()?;
        self.fix(FixKind::WrongClose, self.cursor.at)?;
        self.cursor.at += 1;
        self.close()
    }

    fn extra_close(&mut self) -> Next {
        self.trailing()?;
        self.fix(FixKind::ExtraClose, self.cursor.at)?;
        self.cursor.at += 1;
        Ok(Expect::After)
    }

    /// Closes the innermost bracket, whose closing bracket is not there.
    pub(super) fn close_missing(&mut self) -> Next {
        self.trailing()?;
        self.fix(FixKind::MissingClose, self.cursor.at)?;
        self.close()
    }

    fn close(&mut self) -> Next {
        match self.stack.pop().and_then(Frame::value) {
            Some(value) => self.put(value),
            None => Err(self.refuse(Reason::Call)),
        }
    }

    /// A colon in an array: its last string was a key of the object around it.
    pub(super) fn key_in_array(&mut self) -> Next {
        let around = self.stack.len().checked_sub(2).and_then(|place| self.stack.get(place)).is_some_and(Frame::is_object);
        match self.stack.last_mut() {
            Some(Frame::Array { items, .. }) if around && items.last().is_some_and(Value::is_string) => {
                let Some(Value::String(key)) = items.pop() else { unreachable!("the last item is a string") };
                self.close_missing()?;
                self.name(key);
                Ok(Expect::Colon)
            }
            _ => Err(self.refuse(Reason::Unexpected)),
        }
    }

    /// Ends the document where the text ends.
    pub(super) fn cut(&mut self) -> Next {
        let at = self.cursor.at;
        if self.stack.is_empty() {
            return Err(self.refuse(Reason::Empty));
        }
        self.trailing()?;
        self.fix(FixKind::MissingClose, at)?;
        let mut next = Expect::After;
        while let Some(mut frame) = self.stack.pop() {
            if let Frame::Object { key, .. } = &mut frame
                && key.take().is_some()
            {
                self.fix(FixKind::Truncated, at)?;
            }
            next = match frame.value() {
                Some(value) => self.put(value)?,
                None => return Err(self.refuse(Reason::Call)),
            };
        }
        Ok(next)
    }

    /// Passes closing brackets, commas and semicolons after the document.
    pub(super) fn closers(&mut self) -> Result<(), Refusal> {
        let mut told = false;
        loop {
            self.skip()?;
            match self.cursor.peek() {
                Some(b'}' | b']' | b')') if !told => {
                    told = true;
                    self.fix(FixKind::ExtraClose, self.cursor.at)?;
                }
                Some(b'}' | b']' | b')') => {}
                Some(b',') => self.fix(FixKind::TrailingComma, self.cursor.at)?,
                Some(b';') => self.fix(FixKind::ExtraComma, self.cursor.at)?,
                _ => return Ok(()),
            }
            self.cursor.at += 1;
        }
    }
}
