use std::collections::BTreeMap;

use jarre_core::Timestamp;

use crate::{
    Action, ApprovalToken, Error, Event, Record, Result, Run,
    log::{EventLog, LogWriter},
    request_digest,
};

/// Begins the run `name` as the run `run` began: with its first `until` records, then with `edit` where there is one, in the place of what was
/// record `until`. The driver goes on from there ([`Driver::resume`](crate::Driver::resume)); the first run stays as it is.
///
/// Idempotency keys, approvals' tokens and requests' hashes are those of the new run, so that it can be replayed itself. Its times are moved so that
/// the last one is now: the budget of time goes on from there. What tools did to the world before is not undone.
///
/// # Errors
/// [`Error::Invalid`] where nothing is left of the run, [`Error::RunExists`] where there is a run `name`, [`Error::Log`] where `edit` cannot follow,
/// or the log is damaged.
///
/// ```
/// use std::sync::Arc;
///
/// use jarre_agent::{Event, Settings, Task, log::EventLog, replay::branch};
/// use jarre_core::{ModelInfo, SystemClock};
/// use jarre_kv_store::Memory;
///
/// # pollster::block_on(async {
/// let log = EventLog::new(Arc::new(Memory::new()), Arc::new(SystemClock::new()));
/// let model = ModelInfo::new("jarre", "scripted");
/// let started =
///     Event::Started { run: "first".into(), task: Task::default(), settings: Settings::default(), tools: Vec::new(), model };
/// log.create("first").await?.append(started).await?;
/// let (_, run) = branch(&log, "first", 1, Some(Event::Cancelled { reason: "what if?".into() }), "second").await?;
/// assert_eq!((run.name(), run.seq()), ("second", 2));
/// # Ok::<(), jarre_agent::Error>(()) }).unwrap();
/// ```
pub async fn branch(log: &EventLog, run: &str, until: u64, edit: Option<Event>, name: &str) -> Result<(LogWriter, Run)> {
    let records = log.read(run, 0).await?;
    let kept = records.len().min(usize::try_from(until).unwrap_or(usize::MAX));
    let Some(last) = records[..kept].last() else {
        return Err(Error::Invalid(format!("nothing of the run `{run}` is left before record {until}: keep the first record at least")));
    };
    let now = log.clock().timestamp();
    let moved = |at: Timestamp| now.saturating_sub(last.at.since(at));
    // Everything is tried before anything is written.
    let mut branch = Branch { run: Run::new(name), keys: BTreeMap::new(), tokens: BTreeMap::new() };
    let mut events = Vec::new();
    for record in &records[..kept] {
        events.push((branch.take(record.event.clone(), moved(record.at))?, moved(record.at)));
    }
    if let Some(edit) = edit {
        events.push((branch.take(edit, now)?, now));
    }
    let writer = log.create(name).await?;
    for (event, at) in events {
        writer.append_at(event, at).await?;
    }
    Ok((writer, branch.run))
}

/// The new run as far as it goes, and what of the first run is called otherwise in it.
struct Branch {
    run: Run,
    keys: BTreeMap<String, String>,
    tokens: BTreeMap<ApprovalToken, ApprovalToken>,
}

impl Branch {
    /// Takes an event of the first run, and returns it as it is in the new one.
    fn take(&mut self, event: Event, at: Timestamp) -> Result<Event> {
        let event = self.renamed(event);
        let record = Record { schema: crate::SCHEMA, seq: self.run.seq(), at, previous: String::new(), event };
        self.run.apply(&record)?;
        Ok(record.event)
    }

    fn renamed(&mut self, event: Event) -> Event {
        match (event, self.run.next()) {
            (Event::Started { task, settings, tools, model, .. }, _) => {
                Event::Started { run: self.run.name().to_owned(), task, settings, tools, model }
            }
            (Event::ModelCalled { call, purpose, .. }, Action::CallModel { request, .. }) => {
                Event::ModelCalled { call, purpose, digest: request_digest(&request) }
            }
            (Event::ApprovalAsked { requests }, Action::AskHuman(ours)) => {
                self.tokens.extend(requests.into_iter().zip(&ours).map(|(theirs, ours)| (theirs.token, ours.token.clone())));
                Event::ApprovalAsked { requests: ours }
            }
            (Event::ApprovalAnswered { token, decision, by }, _) => {
                Event::ApprovalAnswered { token: self.tokens.get(&token).cloned().unwrap_or(token), decision, by }
            }
            (Event::ToolStarted { call, key }, Action::CallTools(calls)) => {
                let ours = calls.into_iter().next().map_or_else(|| key.clone(), |call| call.key);
                self.keys.insert(key, ours.clone());
                Event::ToolStarted { call, key: ours }
            }
            (Event::ToolFinished { key, output, took }, _) => {
                Event::ToolFinished { key: self.keys.get(&key).cloned().unwrap_or(key), output, took }
            }
            (event, _) => event,
        }
    }
}
