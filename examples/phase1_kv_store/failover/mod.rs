//! `demo failover`: the leader dies again and again, while clients write.

mod drill;
mod report;

use anyhow::{Context, Result};

use report::Report;

use crate::{args::FailoverArgs, mode::Mode};

pub(crate) fn run(args: &FailoverArgs) -> Result<()> {
    let report = |mode: Mode| {
        eprintln!("{}: {} kills", mode.name(), args.kills);
        let drill = drill::drill(mode.deploy(usize::from(args.nodes), args.seed)?, args.kills, args.seed)?;
        anyhow::Ok(Report::new(mode, args, drill))
    };
    let reports = args.mode.iter().copied().map(report).collect::<Result<Vec<_>>>()?;
    if let Some(path) = &args.html {
        std::fs::write(path, report::page(&reports)?.to_html()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string(&reports)?);
        return Ok(());
    }
    print!("{}", report::words(&reports)?);
    Ok(())
}

#[cfg(test)]
mod tests;
