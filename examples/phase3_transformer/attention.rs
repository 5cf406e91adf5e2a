//! `attention`: a page that shows what every head attends to.

use anyhow::{Context, Result, ensure};
use jarre_report::{Cell, Column, HeatMap, NumberFormat, Page, Section, Table, TokenHeatmaps};
use jarre_transformer::Sequences;
use serde::Serialize;

use crate::args::AttentionArgs;
use crate::heads::HeadScores;
use crate::model::Opened;

/// Tokens of a prompt that a page still shows well.
const MOST_TOKENS: usize = 512;

/// Length of the random text that is read twice to find induction.
const PERIOD: usize = 24;

#[derive(Serialize)]
struct Head {
    layer: usize,
    #[serde(rename = "head")]
    index: usize,
    #[serde(flatten)]
    scores: HeadScores,
}

pub(crate) fn run(args: &AttentionArgs) -> Result<()> {
    let opened = Opened::open(&args.model)?;
    let tokenizer = opened.tokenizer()?;
    let ids = opened.prompt(&args.prompt)?;
    ensure!((2..=MOST_TOKENS).contains(&ids.len()), "the prompt has {} tokens; it has to have 2 to {MOST_TOKENS}", ids.len());
    let max = opened.model.config().max_positions;
    ensure!(ids.len() <= max, "the prompt has {} tokens, more than the {max} that the model reads", ids.len());
    let layers = weights(&opened, &ids)?;
    let heads = scores(&opened, &layers, ids.len())?;
    let tokens: Vec<String> = ids.iter().map(|&id| shown(&opened, id)).collect::<Result<_>>()?;
    let page = page(args, tokenizer.vocab_size(), &tokens, &layers, &heads)?;
    std::fs::write(&args.out, page.to_html()).with_context(|| format!("cannot write {}", args.out.display()))?;
    if args.json {
        println!("{}", serde_json::to_string(&heads)?);
    } else {
        println!("{}", args.out.display());
    }
    Ok(())
}

/// `[layer][head]`, each `[seq, seq]` row by row.
fn weights(opened: &Opened, ids: &[u32]) -> Result<Vec<Vec<Vec<f32>>>> {
    let states = opened.model.decoder().forward_states(&Sequences::right_padded(&[ids], 0));
    let layer = |layer: jarre_transformer::Tensor<4>| {
        let values = layer.into_data().try_into_vec::<f32>().map_err(|error| anyhow::anyhow!("the device failed: {error:?}"))?;
        Ok(values.chunks_exact(ids.len() * ids.len()).map(<[f32]>::to_vec).collect())
    };
    states.attention.into_iter().map(layer).collect()
}

fn scores(opened: &Opened, layers: &[Vec<Vec<f32>>], seq: usize) -> Result<Vec<Head>> {
    let config = opened.model.config();
    let period = PERIOD.min(config.max_positions / 2);
    let repeated = weights(opened, &repeated_tokens(config.vocab_size, period))?;
    let mut all = Vec::new();
    for (layer, (own, twice)) in layers.iter().zip(&repeated).enumerate() {
        for (index, (own, twice)) in own.iter().zip(twice).enumerate() {
            let scores = HeadScores { induction: HeadScores::induction(twice, period), ..HeadScores::of(own, seq) };
            all.push(Head { layer, index, scores });
        }
    }
    Ok(all)
}

/// Tokens in an order that no text has, twice.
fn repeated_tokens(vocab_size: usize, period: usize) -> Vec<u32> {
    let once: Vec<u32> = (0..period).map(|i| ((i * 7919 + 104_729) % vocab_size) as u32).collect();
    [once.clone(), once].concat()
}

/// The text of one token, or its name where it has none.
fn shown(opened: &Opened, id: u32) -> Result<String> {
    let tokenizer = opened.tokenizer()?;
    let text = tokenizer.decode(&[id])?;
    Ok(if text.is_empty() { tokenizer.token(id).unwrap_or_else(|| format!("[{id}]")) } else { text })
}

fn page(args: &AttentionArgs, vocab_size: usize, tokens: &[String], layers: &[Vec<Vec<f32>>], heads: &[Head]) -> Result<Page> {
    let figure = |of: fn(&HeadScores) -> f64| heads.iter().map(move |head| of(&head.scores)).collect::<Vec<f64>>();
    let heatmaps = TokenHeatmaps::new(tokens.iter().cloned(), layers.iter().map(|heads| heads.iter()))?
        .figure("entropy (1 = even)", figure(|scores| scores.entropy))?
        .figure("mean distance, tokens", figure(|scores| scores.distance))?
        .figure("previous token", figure(|scores| scores.previous))?
        .figure("first token (sink)", figure(|scores| scores.sink))?
        .figure("induction", figure(|scores| scores.induction))?;
    let rows = |of: fn(&HeadScores) -> f64| {
        let all = figure(of);
        let per_layer = layers.first().map_or(1, Vec::len).max(1);
        all.chunks(per_layer).map(<[f64]>::to_vec).collect::<Vec<_>>()
    };
    let map = |title: &str, of: fn(&HeadScores) -> f64| HeatMap::new(title, rows(of)).x_label("head").y_label("layer").print_values();
    let section = Section::new("Scores")
        .text("Means over the tokens of the prompt. Induction is taken on random tokens that are read twice: the weight of what followed the token the first time.")
        .chart(&map("Previous token", |scores| scores.previous))
        .chart(&map("Induction", |scores| scores.induction))
        .chart(&map("First token (sink)", |scores| scores.sink))
        .table(&table(heads)?);
    Ok(Page::new("What the heads attend to")
        .lead(format!("{} tokens through {} layers of {} heads", tokens.len(), layers.len(), layers.first().map_or(0, Vec::len)))
        .section(Section::new("Heads").token_heatmaps(&heatmaps))
        .section(section)
        .provenance([
            ("model", args.model.name()),
            ("vocabulary", vocab_size.to_string()),
            ("command", format!("phase3_transformer attention --prompt {:?}", args.prompt)),
        ]))
}

fn table(heads: &[Head]) -> Result<Table> {
    let number = |name: &str| Column::new(name).format(NumberFormat::Fixed(3));
    let names = ["entropy", "distance", "previous", "sink", "induction"];
    let columns = [Column::new("layer"), Column::new("head")].into_iter().chain(names.map(number));
    let mut table = Table::new(columns);
    for Head { layer, index, scores } in heads {
        let values = [scores.entropy, scores.distance, scores.previous, scores.sink, scores.induction].map(Cell::from);
        table.row([Cell::from(*layer as u64), Cell::from(*index as u64)].into_iter().chain(values))?;
    }
    Ok(table)
}
