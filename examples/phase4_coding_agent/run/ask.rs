use std::io::{BufRead, IsTerminal, Write};

use jarre_agent::{ApprovalRequest, ApprovalSource, Decision, Reply, Result};
use jarre_core::BoxFuture;

use super::Approve;

/// Asks the person at the terminal; where there is none the run pauses.
pub(super) struct Ask {
    pub(super) approve: Approve,
}

impl ApprovalSource for Ask {
    fn ask<'a>(&'a self, request: &'a ApprovalRequest) -> BoxFuture<'a, Result<Reply>> {
        let decided = |decision, by: &str| Reply::Decided { decision, by: by.to_owned() };
        let reply = match self.approve {
            Approve::Auto => decided(Decision::Approved, "--approve auto"),
            Approve::Deny => decided(Decision::Denied { reason: "the caller denies what is asked for".into() }, "--approve deny"),
            Approve::Ask if !std::io::stdin().is_terminal() => Reply::Pause,
            Approve::Ask => at_the_terminal(request).map_or(Reply::Pause, |decision| decided(decision, "terminal")),
        };
        Box::pin(async move { Ok(reply) })
    }
}

/// What the person says; nothing where the input ends or is empty, which decides nothing.
fn at_the_terminal(request: &ApprovalRequest) -> Option<Decision> {
    eprintln!("\n{} {}\n({})", request.call.name, request.call.arguments.escape_debug(), request.why);
    eprint!("yes, no, or nothing to decide later: ");
    std::io::stderr().flush().ok()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).ok()?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Some(Decision::Approved),
        "n" | "no" => Some(Decision::Denied { reason: "a person said no".into() }),
        _ => None,
    }
}
