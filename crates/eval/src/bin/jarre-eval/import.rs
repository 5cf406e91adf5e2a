use std::{fs::File, io::BufReader};

use anyhow::{Context, Result};
use jarre_eval::track::{OnConflict, Tracker};
use serde_json::json;

use crate::args::{Cli, ImportArgs};

/// Reads runs of a bundle, or of a folder of `MLflow`.
pub fn run(cli: &Cli, tracker: &Tracker, args: &ImportArgs) -> Result<()> {
    let pairs: Vec<(String, String)> = if args.from.is_dir() {
        tracker.import_mlflow(&args.from)?.into_iter().map(|run| (run.mlflow_id, run.id.to_string())).collect()
    } else {
        let file = File::open(&args.from).with_context(|| format!("cannot read {}", args.from.display()))?;
        let conflict = if args.rename { OnConflict::Rename } else { OnConflict::Refuse };
        tracker.import_runs(BufReader::new(file), conflict)?.into_iter().map(|run| (run.from.to_string(), run.id.to_string())).collect()
    };
    for (from, id) in &pairs {
        if cli.json { println!("{}", json!({"from": from, "run": id})) } else { println!("{from} is {id}") }
    }
    Ok(())
}
