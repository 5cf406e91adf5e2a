use std::collections::BTreeMap;

use jarre_core::{BoxFuture, Timestamp};
use serde_json::{Map, Value};

use super::{EventLog, RunState};
use crate::{ApprovalRequest, ApprovalSource, ApprovalToken, Decision, Error, Event, Record, Reply, Result};

/// How often an answer is tried again because the run's log went on meanwhile.
const TRIES: usize = 16;

/// What runs ask of people, and their answers. Everything is in the logs, so that whoever has the store can list and answer, hours later and from
/// another process.
///
/// ```
/// use std::sync::Arc;
///
/// use jarre_agent::{ApprovalRequest, ApprovalToken, Decision, Event, log::{Approvals, EventLog}};
/// use jarre_core::{SystemClock, ToolCall};
/// use jarre_kv_store::Memory;
///
/// # pollster::block_on(async {
/// let log = EventLog::new(Arc::new(Memory::new()), Arc::new(SystemClock::new()));
/// let call = ToolCall::new("call-1", "file_write", r#"{"path": "a.txt"}"#);
/// let token = ApprovalToken::of("run-1", 0, &call);
/// let request = ApprovalRequest { call, why: "writing is asked for".into(), token: token.clone() };
/// log.create("run-1").await?.append(Event::ApprovalAsked { requests: vec![request] }).await?;
///
/// let approvals = Approvals::new(log);
/// assert_eq!(approvals.pending("run-1").await?[0].request.call.name, "file_write");
/// approvals.answer("run-1", &token, Decision::Approved, "maria").await?;
/// assert!(approvals.answer("run-1", &token, Decision::Approved, "maria").await.is_err(), "it was answered");
/// # Ok::<(), jarre_agent::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Approvals {
    log: EventLog,
}

/// A call that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingApproval {
    /// The run that asks.
    pub run: String,
    /// What it asks.
    pub request: ApprovalRequest,
    /// When.
    pub asked: Timestamp,
    /// The number of the record that asks.
    pub record: u64,
}

impl Approvals {
    /// Those of the runs in `log`.
    pub const fn new(log: EventLog) -> Self {
        Self { log }
    }

    /// Whom the driver of a run asks that waits for an answer given here, by another thread or another process.
    pub fn waiting(&self, run: &str) -> WaitForApproval {
        WaitForApproval { log: self.log.clone(), run: run.to_owned() }
    }

    /// What a run waits for, in the order in which it asked.
    ///
    /// # Errors
    /// [`Error::NoRun`] where there is no such run, [`Error::Log`] where its log is damaged.
    pub async fn pending(&self, run: &str) -> Result<Vec<PendingApproval>> {
        let records = self.log.read(run, 0).await?;
        Ok(Asked::of(run, &records).pending)
    }

    /// What all runs wait for, run after run.
    ///
    /// # Errors
    /// As [`pending`](Self::pending).
    pub async fn pending_of_all(&self) -> Result<Vec<PendingApproval>> {
        let (mut pending, mut after) = (Vec::new(), None);
        loop {
            let page = self.log.runs(after.as_deref(), 1000).await?;
            for summary in page.runs.iter().filter(|summary| matches!(summary.state, RunState::NeedsApproval { .. })) {
                pending.extend(self.pending(&summary.run).await?);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(pending),
            }
        }
    }

    /// Answers what a run asked, once, and writes into its log who did. Whoever drives the run takes it from there.
    ///
    /// Edited arguments are held to the tool's schema by the run.
    ///
    /// # Errors
    /// [`Error::Approval`] where the token is not pending in this run or not that of the call, [`Error::Invalid`] where `by` names nobody or edited
    /// arguments are no JSON object, [`Error::Fenced`] where the log goes on faster than one can answer; otherwise as [`pending`](Self::pending).
    pub async fn answer(&self, run: &str, token: &ApprovalToken, decision: Decision, by: &str) -> Result<Record> {
        check(&decision, by)?;
        let answered = Event::ApprovalAnswered { token: token.clone(), decision, by: by.to_owned() };
        let mut tries = 0;
        loop {
            let (writer, records) = self.log.open(run).await?;
            Asked::of(run, &records).allows(run, token, records.len() as u64)?;
            tries += 1;
            match writer.append_once(answered.clone()).await {
                Err(Error::Fenced { .. }) if tries < TRIES => {}
                done => return done,
            }
        }
    }
}

/// Lets a driver wait until someone answers in the log of its run.
#[derive(Clone, Debug)]
pub struct WaitForApproval {
    log: EventLog,
    run: String,
}

impl ApprovalSource for WaitForApproval {
    fn ask<'a>(&'a self, request: &'a ApprovalRequest) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(async move {
            let mut follow = self.log.follow(&self.run, 0);
            while let Some(record) = follow.next().await {
                match record?.event {
                    Event::ApprovalAnswered { token, decision, by } if token == request.token => {
                        return Ok(Reply::Decided { decision, by });
                    }
                    _ => {}
                }
            }
            Ok(Reply::Pause)
        })
    }
}

fn check(decision: &Decision, by: &str) -> Result<()> {
    if by.trim().is_empty() || by.len() > 256 || by.chars().any(char::is_control) {
        return Err(Error::Invalid("an approval says who gave it: name them in 1 to 256 bytes without control characters".into()));
    }
    match decision {
        Decision::Edited { arguments } => serde_json::from_str::<Map<String, Value>>(arguments)
            .map(drop)
            .map_err(|error| Error::Invalid(format!("edited arguments are a JSON object, and these are none: {error}"))),
        Decision::Approved | Decision::Denied { .. } => Ok(()),
    }
}

/// What a run asked for, and what became of it.
#[derive(Debug, Default)]
struct Asked {
    pending: Vec<PendingApproval>,
    /// Who answered.
    answered: BTreeMap<ApprovalToken, String>,
    over: bool,
}

impl Asked {
    fn of(run: &str, records: &[Record]) -> Self {
        let mut asked = Self::default();
        for record in records {
            asked.apply(run, record);
        }
        asked
    }

    fn apply(&mut self, run: &str, record: &Record) {
        match &record.event {
            Event::ApprovalAsked { requests } => self.pending.extend(requests.iter().map(|request| PendingApproval {
                run: run.to_owned(),
                request: request.clone(),
                asked: record.at,
                record: record.seq,
            })),
            Event::ApprovalAnswered { token, by, .. } => {
                self.pending.retain(|pending| pending.request.token != *token);
                self.answered.insert(token.clone(), by.clone());
            }
            Event::Cancelled { .. } | Event::Finished { .. } => {
                self.pending.clear();
                self.over = true;
            }
            _ => {}
        }
    }

    /// Whether `token` may be answered. That it is the hash of the call is tried with every number that the run can have given it.
    fn allows(&self, run: &str, token: &ApprovalToken, records: u64) -> Result<()> {
        let refused = |reason: String| Err(Error::Approval { run: run.to_owned(), token: token.as_str().to_owned(), reason });
        if let Some(by) = self.answered.get(token) {
            return refused(format!("{by} answered it already"));
        }
        let Some(pending) = self.pending.iter().find(|pending| pending.request.token == *token) else {
            return refused(if self.over {
                "the run is over".into()
            } else {
                "the run does not ask for it, look at what is pending".into()
            });
        };
        let most = records + self.pending.len() as u64 + self.answered.len() as u64;
        if (0..=most).any(|index| ApprovalToken::of(run, index, &pending.request.call) == *token) {
            return Ok(());
        }
        refused("the call is not the one that the token was made for".into())
    }
}
