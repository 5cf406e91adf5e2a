//! A document that is read, shown and checked while it is being written.

mod claims;
mod draft;
mod syntax;

use std::{fmt, sync::Arc};

use serde_json::Value;

use self::{
    claims::Claims,
    draft::Draft,
    syntax::{Fault, Sink, Syntax},
};
use super::{Extent, Violation, graph::Graph, graph::Kind, violation::at_root};

/// Reads one JSON document in pieces: gives the value so far, and stops at the first byte after which nothing can make the text valid.
///
/// The check is cautious. It knows `type`, `enum`, `const`, the bounds of numbers, strings, arrays and objects, `properties`, `required`,
/// `additionalProperties`, `prefixItems`, `items`, `allOf`, `$ref`, and `anyOf` and `oneOf` as sets of which something has to be left. It
/// takes no notice of the rest (`pattern`, `not`, `if`, `unevaluated...`, dynamic references). So a document that [`Schema`](super::Schema)
/// allows is never stopped, however it is cut, and one that is not stopped still has to be [validated](super::Schema::validate).
///
/// Time is linear in the text: what is kept for a value is bounded, and where a schema would need more, less is checked.
///
/// ```
/// use jarre_guardrails::schema::{Schema, SchemaConfig};
/// use serde_json::json;
///
/// let schema = json!({"type": "object", "properties": {"mood": {"enum": ["calm", "cross"]}}, "additionalProperties": false});
/// let schema = Schema::compile(&schema, &SchemaConfig::default())?;
/// let mut reading = schema.incremental();
/// reading.push(r#"{"mood": "ca"#).unwrap();
/// assert_eq!(reading.value(), Some(&json!({"mood": "ca"})));
///
/// let stopped = reading.push("t").unwrap_err(); // no mood begins with "cat"
/// assert_eq!((stopped.at, stopped.violation.path.as_str()), (12, "/mood"));
/// # Ok::<(), jarre_guardrails::Error>(())
/// ```
pub struct Incremental {
    syntax: Syntax,
    reader: Reader,
    stopped: Option<Stopped>,
}

/// Where a reading stopped, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The byte, counted from the start of the text; the length of the text where it ended too early.
    pub at: usize,
    /// What it breaks. The schema's own account of it, with every violation, can only be had of a whole document.
    pub violation: Violation,
}

impl Incremental {
    pub(super) fn new(graph: Arc<Graph>, extent: Extent) -> Self {
        Self { syntax: Syntax::new(extent), reader: Reader { claims: Claims::new(graph), draft: Draft::default() }, stopped: None }
    }

    /// Reads what follows.
    ///
    /// # Errors
    /// Where the text cannot become a document that the schema allows. It stays so: further pieces are not read.
    pub fn push(&mut self, text: &str) -> Result<(), Stopped> {
        if self.stopped.is_none() {
            self.stopped = self.syntax.push(text, &mut self.reader).err().map(|(at, fault)| self.stop(at, fault));
        }
        self.stopped.clone().map_or(Ok(()), Err)
    }

    /// The value so far: open strings, arrays and objects end where the text does, and a number, `true`, `false` or `null` that may not be
    /// all there is left out. `None` before anything is there.
    pub fn value(&self) -> Option<&Value> {
        self.reader.draft.value()
    }

    /// Whether the document is complete; only white space can follow then. A number that is the whole document is complete at
    /// [`finish`](Self::finish).
    pub fn is_complete(&self) -> bool {
        self.syntax.is_complete()
    }

    /// Ends the text: the value, which still has to be [validated](super::Schema::validate).
    ///
    /// # Errors
    /// Where the reading was stopped, or the text ends before the document does.
    pub fn finish(mut self) -> Result<Value, Stopped> {
        if let Some(stopped) = self.stopped {
            return Err(stopped);
        }
        if let Err((at, fault)) = self.syntax.finish(&mut self.reader) {
            return Err(self.stop(at, fault));
        }
        // A document that is complete has a value.
        Ok(self.reader.draft.into_value().unwrap_or_default())
    }

    fn stop(&self, at: usize, fault: Fault) -> Stopped {
        let violation = match fault {
            Fault::Schema => self.reader.claims.violation(&self.reader.draft.pointer()),
            Fault::Limit(excess) => at_root("limit", format!("the text has more than {} {}", excess.limit, excess.what)),
            Fault::Syntax(expected) => at_root("json", format!("the text is not JSON at byte {at}: {expected}")),
        };
        Stopped { at, violation }
    }
}

impl fmt::Debug for Incremental {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Incremental").field("value", &self.value()).field("stopped", &self.stopped).finish_non_exhaustive()
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (seen at byte {})", self.violation, self.at)
    }
}

/// What the syntax tells is both shown and checked.
struct Reader {
    claims: Claims,
    draft: Draft,
}

impl Sink for Reader {
    fn begin(&mut self, kind: Kind) -> bool {
        self.draft.begin(kind);
        self.claims.begin(kind)
    }

    fn text(&mut self, run: &str) -> Result<(), usize> {
        self.draft.text(run);
        self.claims.text(run)
    }

    fn end_text(&mut self) -> bool {
        self.draft.end();
        self.claims.end_text()
    }

    fn begin_key(&mut self) -> bool {
        self.claims.begin_key()
    }

    fn key(&mut self, run: &str) -> Result<(), usize> {
        self.claims.key(run)
    }

    fn end_key(&mut self, key: &str) -> Result<(), Fault> {
        if !self.draft.key(key) {
            return Err(Fault::Syntax("a key that the object has not had"));
        }
        if self.claims.end_key(key) { Ok(()) } else { Err(Fault::Schema) }
    }

    fn number(&mut self, number: serde_json::Number) -> bool {
        let fits = self.claims.number(&number);
        if fits {
            self.draft.scalar(Value::Number(number));
        }
        fits
    }

    fn literal(&mut self, value: Value) -> bool {
        self.draft.scalar(value);
        self.claims.literal()
    }

    fn close(&mut self) -> bool {
        let fits = self.claims.close(self.draft.container());
        if fits {
            self.draft.end();
        }
        fits
    }
}
