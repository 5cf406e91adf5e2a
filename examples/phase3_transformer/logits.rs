//! `logits`: raw scores for checks against other implementations.

use anyhow::{Result, ensure};
use jarre_transformer::{Positions, Sequences};
use serde::Serialize;

use crate::args::LogitsArgs;
use crate::model::Opened;

#[derive(Serialize)]
struct Logits {
    /// `[positions][vocab]`.
    logits: Vec<Vec<f32>>,
}

pub(crate) fn run(args: &LogitsArgs) -> Result<()> {
    let opened = Opened::open(&args.model)?;
    let config = opened.model.config();
    ensure!(!args.ids.is_empty(), "--ids needs at least one id, for example --ids 1,2,3");
    for id in &args.ids {
        ensure!((*id as usize) < config.vocab_size, "id {id} is beyond the vocabulary of {}", config.vocab_size);
    }
    let table = matches!(config.positions, Positions::Learned);
    ensure!(
        !table || args.ids.len() <= config.max_positions,
        "{} ids are more than the model's {} positions",
        args.ids.len(),
        config.max_positions
    );
    let values = opened.model.decoder().forward(&Sequences::right_padded(&[&args.ids], 0)).into_data().try_into_vec::<f32>();
    let values = values.map_err(|error| anyhow::anyhow!("the device failed: {error:?}"))?;
    let logits: Vec<Vec<f32>> = values.chunks_exact(config.vocab_size).map(<[f32]>::to_vec).collect();
    if args.json {
        println!("{}", serde_json::to_string(&Logits { logits })?);
        return Ok(());
    }
    for (position, row) in logits.iter().enumerate() {
        let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(id, _)| id);
        println!("position {position}: likeliest next token {best} with logit {:.4}", row[best]);
    }
    Ok(())
}
