use std::{
    fs::File,
    io::{self, Read},
};

use anyhow::{Context, Result, bail};
use jarre_kv_store::{Compare, KeyRange, LeaseId, Op, OpResult, Operator, Revision, Target, Txn};
use serde_json::json;

use crate::{
    args::{Cli, TxnArgs},
    show, target,
};

pub async fn run(cli: &Cli, args: &TxnArgs) -> Result<bool> {
    let mut text = String::new();
    match &args.path {
        Some(path) => drop(
            File::open(path)
                .and_then(|mut file| file.read_to_string(&mut text))
                .with_context(|| format!("cannot read {}", path.display()))?,
        ),
        None => drop(io::stdin().read_to_string(&mut text)?),
    }
    let outcome = target::store(cli)?.txn(parse(&text)?).await?;
    if cli.json {
        let results: Vec<_> = outcome.results.iter().map(result).collect();
        show::line(&json!({ "succeeded": outcome.succeeded, "revision": outcome.revision, "results": results }))?;
        return Ok(outcome.succeeded);
    }
    println!("{}", if outcome.succeeded { "SUCCESS" } else { "FAILURE" });
    for result in &outcome.results {
        match result {
            OpResult::Get(page) => {
                for entry in &page.entries {
                    show::raw(&entry.key)?;
                    show::raw(&entry.value)?;
                }
            }
            OpResult::Delete { deleted, .. } => println!("{deleted}"),
            _ => println!("OK"),
        }
    }
    Ok(outcome.succeeded)
}

fn result(result: &OpResult) -> serde_json::Value {
    match result {
        OpResult::Get(page) => json!({ "entries": page.entries.iter().map(show::entry).collect::<Vec<_>>() }),
        OpResult::Delete { deleted, .. } => json!({ "deleted": deleted }),
        _ => json!({}),
    }
}

/// Three parts, with an empty line after each.
fn parse(text: &str) -> Result<Txn> {
    let mut txn = Txn::new();
    let mut part = 0;
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() {
            part += 1;
            continue;
        }
        let read = match part {
            0 => compare(line).map(|compare| txn.compares.push(compare)),
            1 => op(line).map(|op| txn.then.push(op)),
            2 => op(line).map(|op| txn.otherwise.push(op)),
            _ => bail!("line {}: there is nothing after the third part", number + 1),
        };
        read.with_context(|| format!("line {}: `{line}`", number + 1))?;
    }
    Ok(txn)
}

/// `value("key") = "value"`
fn compare(line: &str) -> Result<Compare> {
    let (property, rest) = line.split_once('(').context("a condition is like value(\"key\") = \"value\"")?;
    let (key, rest) = rest.split_once(')').context("there is no `)`")?;
    let rest = rest.trim();
    let (operator, value) = [("!=", Operator::NotEqual), ("=", Operator::Equal), ("<", Operator::Less), (">", Operator::Greater)]
        .into_iter()
        .find_map(|(sign, operator)| Some((operator, rest.strip_prefix(sign)?)))
        .context("compare by =, !=, < or >")?;
    let (key, value) = (one(key)?, one(value)?);
    let number = || value.parse::<u64>().with_context(|| format!("`{value}` is no number"));
    let target = match property.trim() {
        "value" | "val" => Target::Value(value.into_bytes()),
        "version" | "ver" => Target::Version(number()?),
        "create" | "c" => Target::Created(Revision(number()?)),
        "mod" | "m" => Target::Modified(Revision(number()?)),
        "lease" => Target::Lease(u64::from_str_radix(&value, 16).ok().filter(|lease| *lease > 0).map(LeaseId)),
        other => bail!("`{other}` is none of value, version, create, mod and lease"),
    };
    Ok(Compare::new(key, operator, target))
}

/// `put key value`, `get key [end]`, or `del key [end]`
fn op(line: &str) -> Result<Op> {
    let words = words(line)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Ok(match words[..] {
        ["put", key, value] => Op::put(key, value),
        ["get", key] => Op::get(key),
        ["get", key, end] => Op::get_range(KeyRange::new(key, end)),
        ["del", key] => Op::delete(key),
        ["del", key, end] => Op::delete_range(KeyRange::new(key, end)),
        _ => bail!("write put KEY VALUE, get KEY [END], or del KEY [END]"),
    })
}

fn one(text: &str) -> Result<String> {
    match <[String; 1]>::try_from(words(text)?) {
        Ok([word]) => Ok(word),
        Err(words) => bail!("one word was to be there, not {}", words.len()),
    }
}

/// Words, which may be in single or double quotes; `\` keeps the sign after it, outside of single quotes.
fn words(text: &str) -> Result<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match (sign, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().push(signs.next().context("nothing follows the last `\\`")?),
            (sign, Some(open)) if sign == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(sign);
                word.get_or_insert_default();
            }
            (sign, None) if sign.is_whitespace() => words.extend(word.take()),
            (sign, _) => word.get_or_insert_default().push(sign),
        }
    }
    if quote.is_some() {
        bail!("a quote is not closed");
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_are_read() {
        let txn = parse("value(\"a b\") = \"1\"\nmod(k) > 0\n\nput k 'two words'\ndel x\n\nget k l\n").unwrap();
        assert_eq!(txn.compares, [Compare::value("a b", "1"), Compare::new("k", Operator::Greater, Target::Modified(Revision(0)))]);
        assert_eq!(txn.then, [Op::put("k", "two words"), Op::delete("x")]);
        assert_eq!(txn.otherwise, [Op::get_range(KeyRange::new("k", "l"))]);
    }

    #[test]
    fn words_may_be_quoted() {
        assert_eq!(words(r#"a "b c" 'd"e' f\ g "" h"i"j"#).unwrap(), ["a", "b c", "d\"e", "f g", "", "hij"]);
        for text in ["\"a", "'a", "a\\"] {
            assert!(words(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line) in [("nothing", 1), ("\nput k", 2), ("size(k) = 1", 1), ("mod(k) = x", 1), ("\n\n\nget k", 4)] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(&format!("line {line}")), "{error}");
        }
    }
}
