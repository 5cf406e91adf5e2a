use std::time::Duration;

use jarre_core::Timestamp;
use rusqlite::Connection;

use super::{
    RunId, RunStatus, Tracker,
    fault::{Step, refused},
    run,
};
use crate::Result;

/// That a process carries a run out: given when it starts the run, and good until the run ends or another starts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLease {
    /// The run.
    pub run: RunId,
    /// Which start of the run this is, from 1: a process that comes back after another took its run over is told by it.
    pub attempt: u32,
}

impl Tracker {
    /// Starts a run, or starts one again that was interrupted, failed or cancelled. For `ttl` it is taken to run, and as long again at each
    /// [`renew_run`](Self::renew_run).
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) where it is done, or another process carries it out;
    /// [`Error::NotFound`](crate::Error::NotFound).
    pub fn start_run(&self, id: &RunId, ttl: Duration) -> Result<RunLease> {
        let now = self.now();
        self.write(|writing| {
            let found = run::find(writing, id, now)?;
            match found.status {
                RunStatus::Done => return Err(refused(format!("run {id} is done; make another run"))),
                RunStatus::Running => return Err(refused(format!("run {id} is carried out by another process; cancel it, or wait"))),
                RunStatus::Queued | RunStatus::Interrupted | RunStatus::Failed | RunStatus::Cancelled => {}
            }
            let sql =
                "UPDATE run SET status = 'running', failure = NULL, started = ?2, ended = NULL, attempt = attempt + 1, lease_until = ?3
                       WHERE id = ?1 RETURNING attempt";
            let until = now.saturating_add(ttl).unix_micros();
            let attempt = writing.query_row(sql, (id.as_str(), now.unix_micros(), until), |row| row.get(0))?;
            Ok(RunLease { run: id.clone(), attempt })
        })
    }

    /// Says that the process that carries a run out is there still, and will be for `ttl`.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) where the run was cancelled, or another process has started it since: carry on with
    /// neither.
    pub fn renew_run(&self, lease: &RunLease, ttl: Duration) -> Result<()> {
        let now = self.now();
        self.write(|writing| {
            holds(writing, lease, now)?;
            let until = now.saturating_add(ttl).unix_micros();
            writing.execute("UPDATE run SET lease_until = ?2 WHERE id = ?1", (lease.run.as_str(), until))?;
            Ok(())
        })
    }

    /// Ends a run as [`Done`](RunStatus::Done), [`Failed`](RunStatus::Failed) or [`Cancelled`](RunStatus::Cancelled).
    ///
    /// # Errors
    /// As [`renew_run`](Self::renew_run), and [`Error::Refused`](crate::Error::Refused) for another status.
    pub fn finish_run(&self, lease: &RunLease, status: RunStatus) -> Result<()> {
        self.end(lease, status, None)
    }

    /// Ends a run as failed, and says why.
    ///
    /// # Errors
    /// As [`renew_run`](Self::renew_run).
    pub fn fail_run(&self, lease: &RunLease, why: &str) -> Result<()> {
        self.end(lease, RunStatus::Failed, Some(why))
    }

    /// Asks for the end of a run that another process may carry out: that process is told so when it renews its lease.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) where it has ended already; [`Error::NotFound`](crate::Error::NotFound).
    pub fn cancel_run(&self, id: &RunId) -> Result<()> {
        let now = self.now();
        self.write(|writing| {
            let status = run::find(writing, id, now)?.status;
            if matches!(status, RunStatus::Done | RunStatus::Failed | RunStatus::Cancelled) {
                return Err(refused(format!("run {id} has ended: it is {status}")));
            }
            set_ended(writing, id, RunStatus::Cancelled, None, now)
        })
    }

    fn end(&self, lease: &RunLease, status: RunStatus, why: Option<&str>) -> Result<()> {
        let now = self.now();
        self.write(|writing| {
            if !matches!(status, RunStatus::Done | RunStatus::Failed | RunStatus::Cancelled) {
                return Err(refused(format!("a run does not end as {status}; say done, failed or cancelled")));
            }
            holds(writing, lease, now)?;
            set_ended(writing, &lease.run, status, why, now)
        })
    }
}

fn set_ended(writing: &Connection, id: &RunId, status: RunStatus, why: Option<&str>, now: Timestamp) -> Step<()> {
    let sql = "UPDATE run SET status = ?2, failure = ?3, ended = ?4, lease_until = NULL WHERE id = ?1";
    writing.execute(sql, (id.as_str(), status.as_str(), why, now.unix_micros()))?;
    Ok(())
}

/// Whether the run is carried out under this lease still. One that has run out is good as long as nobody has taken the run over.
fn holds(connection: &Connection, lease: &RunLease, now: Timestamp) -> Step<()> {
    let found = run::find(connection, &lease.run, now)?;
    let running = matches!(found.status, RunStatus::Running | RunStatus::Interrupted);
    if running && found.attempt == lease.attempt {
        return Ok(());
    }
    Err(refused(if running {
        format!("run {} was started again by another process; leave it to that", found.id)
    } else {
        format!("run {} has ended: it is {}", found.id, found.status)
    }))
}
