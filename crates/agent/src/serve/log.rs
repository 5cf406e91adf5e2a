use jarre_core::{BoxFuture, BoxStream};

use super::{RunList, RunSummary, Runs};
use crate::log::{self, Approvals, EventLog, RunState};
use crate::view::words;
use crate::{ApprovalToken, Decision, Error, Record, Result};

impl Runs for EventLog {
    fn list<'a>(&'a self, after: Option<&'a str>, limit: usize) -> BoxFuture<'a, Result<RunList>> {
        Box::pin(async move {
            let page = self.newest(after, limit).await?;
            Ok(RunList { runs: page.runs.iter().map(RunSummary::from).collect(), more: page.next.is_some() })
        })
    }

    fn records<'a>(&'a self, run: &'a str, from: u64) -> BoxFuture<'a, Result<Vec<Record>>> {
        Box::pin(async move {
            match self.read(run, from).await {
                // A name that no run can have is that of no run.
                Err(Error::NoRun { .. } | Error::Invalid(_)) => Ok(Vec::new()),
                read => read,
            }
        })
    }

    fn follow<'a>(&'a self, run: &'a str, from: u64) -> BoxFuture<'a, Result<BoxStream<'static, Result<Record>>>> {
        let following: BoxStream<'static, _> = Box::pin(EventLog::follow(self, run, from));
        Box::pin(async move { Ok(following) })
    }

    fn answer<'a>(&'a self, run: &'a str, token: &'a ApprovalToken, decision: Decision, by: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match Approvals::new(self.clone()).answer(run, token, decision, by).await {
                Err(error @ (Error::Approval { .. } | Error::NoRun { .. })) => Err(Error::Invalid(error.to_string())),
                answered => answered.map(drop),
            }
        })
    }
}

impl From<&log::RunSummary> for RunSummary {
    fn from(kept: &log::RunSummary) -> Self {
        let (state, look) = match &kept.state {
            RunState::Running => ("running", "busy"),
            RunState::NeedsApproval { .. } => ("needs approval", "wait"),
            RunState::Ended(outcome) => words::ended(outcome),
        };
        Self {
            run: kept.run.clone(),
            task: kept.task.clone(),
            state: state.to_owned(),
            look,
            steps: kept.model_calls,
            tokens: kept.usage.total_tokens(),
            cost: kept.cost,
            started: kept.started,
            updated: kept.updated,
        }
    }
}
