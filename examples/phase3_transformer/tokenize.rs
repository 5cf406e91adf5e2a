//! `tokenize`: how a text falls into tokens.

use anyhow::Result;
use serde::Serialize;

use crate::args::TokenizeArgs;
use crate::model::Opened;

#[derive(Serialize)]
struct Tokens {
    ids: Vec<u32>,
    tokens: Vec<String>,
}

pub(crate) fn run(args: &TokenizeArgs) -> Result<()> {
    let opened = Opened::open(&args.model)?;
    let tokenizer = opened.tokenizer()?;
    let ids = tokenizer.encode_plain(&args.text)?;
    let tokens: Vec<String> = ids.iter().map(|&id| tokenizer.token(id).unwrap_or_default()).collect();
    if args.json {
        println!("{}", serde_json::to_string(&Tokens { ids, tokens })?);
        return Ok(());
    }
    for (id, token) in ids.iter().zip(&tokens) {
        println!("{id:>7}  {token:?}");
    }
    Ok(())
}
