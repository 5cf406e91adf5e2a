use std::{collections::VecDeque, fmt, sync::Arc};

use jarre_core::{BoxFuture, Error as CoreError, ErrorKind, Permission, Result as CoreResult, Tool, ToolContext, ToolOutput, ToolSpec};
use jarre_kv_store::{Error as StoreError, Namespace, Store};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How many idempotency keys of changes are kept.
const KEYS: usize = 64;

/// How often a change is tried again that another got in the way of.
const TRIES: usize = 8;

/// Notes of one session, as a tool: the model reads them, writes them anew or adds to them. They outlive the process, and the compaction of the
/// conversation.
///
/// A change with the key of one of the last 64 is not made again. It is of the class `Write`, so rules ask for it unless one allows `scratchpad`.
///
/// ```
/// use std::sync::Arc;
///
/// use jarre_agent::memory::Scratchpad;
/// use jarre_core::{Tool, ToolContext};
/// use jarre_kv_store::Memory;
/// use serde_json::json;
///
/// # pollster::block_on(async {
/// let notes = Scratchpad::new(Arc::new(Memory::new()), "run-7", 4096);
/// notes.call(json!({"action": "append", "text": "tests are in tests/"}), &ToolContext::new("call-1")).await?;
/// assert_eq!(notes.call(json!({"action": "read"}), &ToolContext::new("call-2")).await?.text, "tests are in tests/\n");
/// # Ok::<(), jarre_core::Error>(()) }).unwrap();
/// ```
pub struct Scratchpad {
    notes: Namespace<String, Notes, Arc<dyn Store>>,
    session: String,
    most: usize,
    spec: ToolSpec,
}

#[derive(Default, Serialize, Deserialize)]
struct Notes {
    text: String,
    /// The idempotency keys of the last changes.
    keys: VecDeque<String>,
}

#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
enum Arguments {
    Read {},
    Write { text: String },
    Append { text: String },
}

impl Scratchpad {
    /// The notes of `session` in `store`, `most` bytes of them, 256 KiB at most.
    ///
    /// # Panics
    /// Never: the namespace's name is sound.
    pub fn new(store: Arc<dyn Store>, session: impl Into<String>, most: usize) -> Self {
        let notes = Namespace::new(store, "agent_scratchpad").expect("the name has no slash");
        let most = most.min(256 << 10);
        let description = format!(
            "Your notes, which stay when older steps are left out of the conversation: `read` them, `write` them anew, or `append` a line. They \
             hold {most} bytes."
        );
        let schema = json!({
            "type": "object",
            "properties": {
                "action": {"type": "string", "enum": ["read", "write", "append"]},
                "text": {"type": "string", "description": "what to write or append"}
            },
            "required": ["action"],
            "additionalProperties": false
        });
        Self { notes, session: session.into(), most, spec: ToolSpec::new("scratchpad", description, schema, Permission::Write) }
    }

    /// The notes.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn text(&self) -> crate::Result<String> {
        Ok(self.notes.get(&self.session).await?.map(|record| record.value.text).unwrap_or_default())
    }

    async fn act(&self, arguments: Value, key: &str) -> CoreResult<ToolOutput> {
        let arguments: Arguments = serde_json::from_value(arguments)
            .map_err(|error| CoreError::new(ErrorKind::InvalidRequest, format!("the arguments do not fit the schema: {error}")))?;
        for _ in 0..TRIES {
            match self.try_to(&arguments, key).await {
                Err(StoreError::Conflict { .. }) => {}
                done => return done.map_err(|error| CoreError::new(ErrorKind::Unavailable, error.to_string()).with_source(error)),
            }
        }
        Err(CoreError::new(ErrorKind::Unavailable, "the notes are being changed all the time, try again"))
    }

    async fn try_to(&self, arguments: &Arguments, key: &str) -> Result<ToolOutput, StoreError> {
        let record = self.notes.get(&self.session).await?;
        let revision = record.as_ref().map(|record| record.revision);
        let mut notes = record.map(|record| record.value).unwrap_or_default();
        let text = match arguments {
            Arguments::Read {} => {
                return Ok(unchanged(ToolOutput::new(if notes.text.is_empty() { "(no notes yet)" } else { &notes.text })));
            }
            _ if notes.keys.iter().any(|done| done == key) => return Ok(kept()),
            Arguments::Write { text } => text.clone(),
            Arguments::Append { text } => format!("{}{text}\n", notes.text),
        };
        if text.len() > self.most {
            let message = format!("not kept: the notes would have {} bytes, and hold {}. Write them anew, shorter.", text.len(), self.most);
            return Ok(unchanged(ToolOutput::error(message)));
        }
        notes.text = text;
        notes.keys.push_back(key.to_owned());
        if notes.keys.len() > KEYS {
            notes.keys.pop_front();
        }
        self.notes.compare_and_swap(&self.session, revision, &notes).await?;
        Ok(kept())
    }
}

impl Tool for Scratchpad {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(&'a self, arguments: Value, context: &'a ToolContext) -> BoxFuture<'a, CoreResult<ToolOutput>> {
        Box::pin(self.act(arguments, &context.idempotency_key))
    }
}

impl fmt::Debug for Scratchpad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratchpad").field("session", &self.session).field("most", &self.most).finish_non_exhaustive()
    }
}

/// The answer to a change: the same for a call that is repeated, whatever came between.
fn kept() -> ToolOutput {
    unchanged(ToolOutput::new("kept"))
}

/// Says that what is tested did not change.
fn unchanged(output: ToolOutput) -> ToolOutput {
    output.with_data(json!({"changed": false}))
}
