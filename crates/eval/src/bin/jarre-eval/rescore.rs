use anyhow::Result;
use jarre_eval::{
    experiment::{Experiment, rescore},
    track::Tracker,
};
use serde_json::json;

use crate::{
    args::{Cli, RescoreArgs},
    locate,
};

pub fn run(cli: &Cli, tracker: &Tracker, args: &RescoreArgs) -> Result<()> {
    let run = locate::run(tracker, &args.run)?;
    let scoring = Experiment::load(&args.experiment)?.scoring();
    let rescored = rescore(tracker, &run.id, &scoring, &args.reason)?;
    if cli.json {
        println!("{}", json!({"run": run.id.as_str(), "answers": rescored, "metrics": crate::show::means(tracker, &run.id)?}));
    } else {
        println!("scored {rescored} answers of {} anew", run.id);
        crate::show::figures(tracker, &run)?;
    }
    Ok(())
}
