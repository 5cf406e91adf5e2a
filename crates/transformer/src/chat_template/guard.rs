//! Rewriting a template so that what it builds stays in bounds.
//!
//! The engine counts the steps of a template, yet some single steps have no bound: writing or comparing lists that hold themselves, or
//! that were doubled often, or that a factor repeats; and it follows long chains of operators by recursion. Templates come with
//! downloaded models, so all of that can be asked for. Therefore every value that a template can keep passes a filter of
//! [`settle`](super::settle) first, which makes it flat and finite:
//!
//! ```text
//! {% set x = [a, b] %}        {% set x = (([a, b]|_settle))|_settle %}
//! {% set ns.x = y %}          {% set ns.x = (y)|_field %}
//! {{ f(a + b, key=c) }}       {{ f((a + b)|_settle, key=(c)|_settle) }}
//! {{ a * b }}                 {{ a|_scalar * b|_scalar }}
//! {% for x in y %}            {% for x in (y)|_items %}
//! ```
//!
//! [`Walk`] finds the places.
//!
//! Tags that the engine does not know are put into its words: `{% generation %}`, which marks what the assistant said, is a scope of its own
//! to Jinja and becomes `{% with %}`. Lines stay where they are, so that errors name them.

use std::borrow::Cow;

use super::scan::{Tag, Unreadable, next_tag, outermost};
use super::walk::Walk;
use crate::error::{Error, Result};

pub(super) const SETTLE: &str = "_settle";
pub(super) const FIELD: &str = "_field";
pub(super) const SCALAR: &str = "_scalar";
pub(super) const ITEMS: &str = "_items";

/// Bytes of a template. This bound and the next are several times what seventy published models need; the engine reads, compiles and runs by
/// recursion, so that they have to fit a stack of 2 MiB without optimisation.
const MAX_SOURCE: usize = 1 << 17;
/// Tokens of a tag.
const MAX_TOKENS: usize = 400;
/// Blocks in blocks.
const MAX_BLOCKS: usize = 40;
/// `{% elif %}` in a template.
const MAX_BRANCHES: usize = 150;

/// `source` as it is given to the engine.
pub(super) fn guard(source: &str) -> Result<String> {
    if source.len() > MAX_SOURCE {
        return Err(Error::Template { reason: format!("it has {} bytes; at most {MAX_SOURCE} are read", source.len()) });
    }
    let source = &*unify_newlines(source);
    let fail = |unreadable: Unreadable| refusal(source, unreadable.offset, unreadable.what);
    let mut guarded = String::with_capacity(source.len() * 2);
    let (mut at, mut size) = (0, Size::default());
    while let Some(tag) = next_tag(source, at).map_err(fail)? {
        guarded.push_str(&source[at..tag.span.start]);
        at = tag.span.end;
        size.grow(&tag).map_err(|what| refusal(source, tag.span.start, what))?;
        push_guarded(&mut guarded, source, &tag);
    }
    guarded.push_str(&source[at..]);
    Ok(guarded)
}

/// What of a template the engine follows by recursion.
#[derive(Default)]
struct Size {
    blocks: usize,
    branches: usize,
}

impl Size {
    fn grow(&mut self, tag: &Tag<'_>) -> Result<(), &'static str> {
        match tag.tokens.first().map_or("", |head| head.text) {
            _ if !tag.block => {}
            "elif" => self.branches += 1,
            "if" | "for" | "with" | "macro" | "call" | "filter" | "autoescape" | "generation" => self.blocks += 1,
            "set" if outermost(&tag.tokens, 0..tag.tokens.len()).all(|at| tag.tokens[at].text != "=") => self.blocks += 1,
            head if head.starts_with("end") => self.blocks = self.blocks.saturating_sub(1),
            _ => {}
        }
        match () {
            () if tag.tokens.len() > MAX_TOKENS => Err("the tag is too long"),
            () if self.blocks > MAX_BLOCKS => Err("blocks are nested too deeply"),
            () if self.branches > MAX_BRANCHES => Err("there are too many `elif`"),
            () => Ok(()),
        }
    }
}

fn refusal(source: &str, offset: usize, what: &str) -> Error {
    let line = source[..offset].bytes().filter(|byte| *byte == b'\n').count() + 1;
    Error::Template { reason: format!("syntax error: {what} (line {line})") }
}

/// Jinja reads every kind of line end as `\n`.
fn unify_newlines(source: &str) -> Cow<'_, str> {
    if source.contains('\r') { source.replace("\r\n", "\n").replace('\r', "\n").into() } else { source.into() }
}

fn push_guarded(guarded: &mut String, source: &str, tag: &Tag<'_>) {
    let edits = Walk::edits(&tag.tokens, tag.block);
    let mut at = tag.span.start;
    for (span, text) in edits {
        guarded.push_str(&source[at..span.start]);
        guarded.push_str(&text);
        at = span.end;
    }
    guarded.push_str(&source[at..tag.span.end]);
}
