//! Runs again from their logs: once more as they were, to see that they come to the same, or from some point on in another way.

mod branch;
mod recorded;
mod tape;

use std::sync::Arc;

pub use branch::branch;
use recorded::{RecordedApprovals, RecordedLessons};
pub use recorded::{RecordedClock, RecordedModel, RecordedTool};
pub use tape::Tape;

use crate::{Cancel, Driver, Error, Event, Record, Result, Run, Toolbox};

/// How a run went the second time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Replayed {
    /// It wrote the same records, byte for byte.
    Same {
        /// How many.
        records: u64,
    },
    /// It wrote something else.
    Diverged(Box<Divergence>),
}

/// The first record that a replay wrote in another way.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Divergence {
    /// Its number.
    pub at: u64,
    /// The record of the log; `None` where the log says no more, though its run ended there.
    pub expected: Option<Record>,
    /// What the replay came to; `None` where it wrote nothing any more.
    pub got: Option<Event>,
}

/// Drives a run once more, with the model's answers, the tools' outputs, the approvals, the recollections and the times of its log, and compares
/// what it writes with the log, byte for byte. Nothing is called, and nothing outside is read or changed.
///
/// What the log has from outside is taken as it is; the rest - what the model was asked (by its hash), which calls were made with which arguments
/// and keys, what people were asked, how the run ended - has to follow from it. A log that breaks off is followed as far as it goes. Whether its
/// records were changed is not looked at: whoever has them from a file holds its lines to each other first ([`Chain`](crate::log::Chain)).
///
/// # Errors
/// [`Error::Invalid`] where the log does not begin with [`Event::Started`], [`Error::Log`] where a record cannot follow on those before it.
///
/// ```
/// use std::sync::Arc;
///
/// use jarre_agent::{Driver, Settings, Task, Toolbox, log::EventLog, replay::{Replayed, replay}};
/// use jarre_core::{ChatResponse, FinishReason, Message, SystemClock, ToolCall, testing::ScriptedModel};
/// use jarre_kv_store::Memory;
///
/// # pollster::block_on(async {
/// let finish = Message::assistant("").with_part(ToolCall::new("1", "finish", r#"{"answer": "four"}"#));
/// let model = ScriptedModel::new().with_text("say it").with_response(ChatResponse::new(finish, FinishReason::ToolCalls));
/// let clock = Arc::new(SystemClock::new());
/// let log = EventLog::new(Arc::new(Memory::new()), clock.clone());
/// let writer = log.create("sum").await?;
/// Driver::new(Arc::new(model), Toolbox::new(), clock).start(&writer, "sum", Task::default(), Settings::default()).await?;
///
/// let records = log.read("sum", 0).await?;
/// assert_eq!(replay(&records).await?, Replayed::Same { records: records.len() as u64 });
/// # Ok::<(), jarre_agent::Error>(()) }).unwrap();
/// ```
pub async fn replay(records: &[Record]) -> Result<Replayed> {
    let Some(Event::Started { run, tools, model, .. }) = records.first().map(|record| &record.event) else {
        return Err(Error::Invalid("a run is replayed from the record that it began with, and this is another".into()));
    };
    let cancel = Cancel::new();
    let tape = Arc::new(Tape::new(records.to_vec(), cancel.clone()));
    let tools = tools.iter().fold(Toolbox::new(), |tools, spec| tools.with(RecordedTool::new(spec.clone(), tape.clone())));
    let names: Vec<String> = tools.specs().into_iter().map(|spec| spec.name).collect();
    let driver = Driver::new(Arc::new(RecordedModel::new(model.clone(), tape.clone())), tools, Arc::new(RecordedClock::new(tape.clone())))
        .with_approvals(RecordedApprovals(tape.clone()))
        .with_lessons(RecordedLessons(tape.clone()))
        .with_cancel(cancel)
        // What became of a call in doubt is in the log, so its tool is asked.
        .with_kept_keys(names);
    let mut again = Run::new(run.clone());
    again.apply(&records[0])?;
    match driver.resume(&*tape, again).await {
        Ok(_) => Ok(tape.outcome()),
        Err(_) if tape.is_over() => Ok(tape.outcome()),
        Err(error) => Err(error),
    }
}
