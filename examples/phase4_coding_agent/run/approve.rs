//! `approve`: what waits for a person, and the answer, from another process than the run's.

use std::io::Write;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use jarre_agent::{ApprovalToken, Decision, log::Approvals};

use crate::store::StoreArgs;

#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The run.
    pub(crate) run: String,
    /// Which call: its token, or the start of it that no other has.
    #[arg(requires = "answer")]
    pub(crate) token: Option<String>,
    /// Whether it may be made.
    #[arg(value_enum)]
    pub(crate) answer: Option<Answer>,
    /// The arguments in the place of the model's, as JSON, where the answer is `edit`.
    #[arg(long, value_name = "JSON", required_if_eq("answer", "edit"))]
    pub(crate) arguments: Option<String>,
    /// Why not, for the model to read.
    #[arg(long, default_value = "a person said no")]
    pub(crate) reason: String,
    /// Who answers, for the log.
    #[arg(long, default_value = "command line")]
    pub(crate) by: String,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    Yes,
    No,
    Edit,
}

/// Whether it was answered; without a token, whether nothing waits.
pub(crate) fn approve(args: &ApproveArgs) -> Result<bool> {
    let approvals = Approvals::new(args.store.kept()?);
    let pending = pollster::block_on(approvals.pending(&args.run))?;
    let mut out = std::io::stdout().lock();
    let (Some(token), Some(answer)) = (&args.token, args.answer) else {
        for waiting in &pending {
            let request = &waiting.request;
            let arguments = request.call.arguments.escape_debug();
            writeln!(out, "{}  {} {arguments}\n  {}", request.token.as_str(), request.call.name, request.why)?;
        }
        writeln!(out, "{} waiting", pending.len())?;
        return Ok(pending.is_empty());
    };
    let fits: Vec<&ApprovalToken> =
        pending.iter().map(|waiting| &waiting.request.token).filter(|known| known.as_str().starts_with(token.as_str())).collect();
    let [known] = fits.as_slice() else { bail!("{} calls of the run wait under a token that begins with {token}", fits.len()) };
    let decision = match (answer, &args.arguments) {
        (Answer::Yes, _) => Decision::Approved,
        (Answer::No, _) => Decision::Denied { reason: args.reason.clone() },
        (Answer::Edit, Some(arguments)) => Decision::Edited { arguments: arguments.clone() },
        (Answer::Edit, None) => bail!("the arguments are missing: --arguments JSON"),
    };
    pollster::block_on(approvals.answer(&args.run, known, decision, &args.by))?;
    writeln!(out, "answered; `run --resume {}` goes on", args.run)?;
    Ok(true)
}
