use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Made, and not started yet.
    Queued,
    /// Started, and its process has been heard of.
    Running,
    /// Started, and its process has not been heard of for longer than it promised: it is dead, or stands still. It can be started again.
    Interrupted,
    /// Ended as it should.
    Done,
    /// Ended by an error.
    Failed,
    /// Ended because somebody asked for it.
    Cancelled,
}

impl RunStatus {
    /// The status as it is written in filters and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let all = [Self::Queued, Self::Running, Self::Interrupted, Self::Done, Self::Failed, Self::Cancelled];
        let found = all.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| Error::Refused(format!("`{text}` is no status of a run")))
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
