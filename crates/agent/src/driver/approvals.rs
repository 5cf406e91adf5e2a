use jarre_core::BoxFuture;

use crate::{ApprovalRequest, Decision, Result};

/// Whom a run asks whether a call may be made.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be asked for approvals",
    note = "use `jarre_agent::PauseForApproval` or `jarre_agent::DenyAll`"
)]
pub trait ApprovalSource: Send + Sync {
    /// Asks about one call.
    ///
    /// # Errors
    /// Where nobody could be asked. The run then stays where it is.
    fn ask<'a>(&'a self, request: &'a ApprovalRequest) -> BoxFuture<'a, Result<Reply>>;
}

/// What an [`ApprovalSource`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is decided.
    Decided {
        /// What.
        decision: Decision,
        /// By whom.
        by: String,
    },
    /// It will be decided later, perhaps through another process: the driver returns, and the run goes on from its log once it is.
    Pause,
}

/// Pauses the run whenever a person has to be asked: the answer is appended to the log by whoever gives it.
#[derive(Clone, Copy, Debug, Default)]
pub struct PauseForApproval;

impl ApprovalSource for PauseForApproval {
    fn ask<'a>(&'a self, _: &'a ApprovalRequest) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(async { Ok(Reply::Pause) })
    }
}

/// Denies everything that would have to be asked for, where there is nobody to ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct DenyAll;

impl ApprovalSource for DenyAll {
    fn ask<'a>(&'a self, _: &'a ApprovalRequest) -> BoxFuture<'a, Result<Reply>> {
        let decision = Decision::Denied { reason: "there is nobody to ask".to_owned() };
        Box::pin(async { Ok(Reply::Decided { decision, by: "nobody".to_owned() }) })
    }
}
