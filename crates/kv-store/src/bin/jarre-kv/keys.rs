use std::{
    io::{self, Read},
    time::Duration,
};

use anyhow::Result;
use jarre_kv_store::{KeyRange, LeaseId, Op, RangeRequest, ReadLevel, Revision, Txn};
use serde_json::json;

use crate::{
    args::{Cli, DelArgs, GetArgs, PutArgs, ScanArgs},
    show, target,
};

pub async fn get(cli: &Cli, args: &GetArgs) -> Result<bool> {
    let mut request = RangeRequest::new(KeyRange::key(args.key.as_bytes()));
    request.revision = args.revision.map(Revision);
    if let Some(max_age) = args.max_age {
        let max_age = if max_age.is_zero() { Duration::from_millis(1) } else { max_age };
        request.level = ReadLevel::Stale { max_age };
    }
    let page = target::store(cli)?.range(request).await?;
    let Some(entry) = page.entries.first() else { return Ok(false) };
    if cli.json {
        show::line(&show::entry(entry))?;
    } else {
        show::raw(&entry.value)?;
        if args.history {
            println!("created at {}, put {} times, last at {}", entry.create_revision, entry.version, entry.mod_revision);
        }
    }
    Ok(true)
}

pub async fn put(cli: &Cli, args: &PutArgs) -> Result<bool> {
    let mut value = Vec::new();
    match &args.value {
        Some(text) => value.extend(text.as_bytes()),
        None => drop(io::stdin().read_to_end(&mut value)?),
    }
    let op = match args.lease {
        Some(lease) => Op::put_with_lease(args.key.as_bytes(), value, LeaseId(lease)),
        None => Op::put(args.key.as_bytes(), value),
    };
    let outcome = target::store(cli)?.txn(Txn::new().then(op)).await?;
    show::say(cli.json, &json!({ "revision": outcome.revision }), format_args!("OK"))?;
    Ok(true)
}

pub async fn del(cli: &Cli, args: &DelArgs) -> Result<bool> {
    let deleted = target::store(cli)?.delete_range(range(&args.key, args.prefix)).await?;
    show::say(cli.json, &json!({ "deleted": deleted }), format_args!("{deleted}"))?;
    Ok(deleted > 0)
}

pub async fn scan(cli: &Cli, args: &ScanArgs) -> Result<bool> {
    let store = target::store(cli)?;
    let mut request = RangeRequest::new(range(&args.prefix, true));
    (request.reverse, request.keys_only, request.revision) = (args.reverse, args.keys_only, args.revision.map(Revision));
    let (mut left, mut found) = (args.limit.unwrap_or(usize::MAX), false);
    let mut next = Some(request);
    while let Some(request) = next.filter(|_| left > 0) {
        let page = store.range(request).await?;
        for entry in page.entries.iter().take(left) {
            if cli.json {
                show::line(&show::entry(entry))?;
            } else {
                show::raw(&entry.key)?;
                if !args.keys_only {
                    show::raw(&entry.value)?;
                }
            }
        }
        found |= !page.entries.is_empty();
        left = left.saturating_sub(page.entries.len());
        next = page.next;
    }
    Ok(found)
}

pub async fn compact(cli: &Cli, revision: u64) -> Result<bool> {
    target::store(cli)?.compact(Revision(revision)).await?;
    Ok(true)
}

/// The key, or all that begin with it.
pub fn range(key: &str, prefix: bool) -> KeyRange {
    if prefix { KeyRange::prefix(key.as_bytes()) } else { KeyRange::key(key.as_bytes()) }
}
