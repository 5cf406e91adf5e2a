use anyhow::Result;
use jarre_kv_store::{Event, Revision, WatchRequest};
use serde_json::json;

use crate::{
    args::{Cli, WatchArgs},
    keys, show, target,
};

pub async fn run(cli: &Cli, args: &WatchArgs) -> Result<bool> {
    let store = target::store(cli)?;
    let mut request = WatchRequest::new(keys::range(&args.key, args.prefix));
    (request.from, request.prev) = (args.from.map(Revision), args.prev);
    let mut watch = store.watch(request).await?;
    loop {
        let batch = tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(true),
            batch = watch.next() => batch,
        };
        let Some(batch) = batch else { return Ok(true) };
        let batch = batch?;
        for event in &batch.events {
            print(cli, batch.revision, event)?;
        }
    }
}

fn print(cli: &Cli, revision: Revision, event: &Event) -> Result<()> {
    let (kind, key, value, prev) = match event {
        Event::Put { entry, prev } => ("PUT", &entry.key, Some(&entry.value), prev),
        Event::Delete { key, prev } => ("DELETE", key, None, prev),
        _ => return Ok(()),
    };
    if cli.json {
        let mut object = json!({ "revision": revision, "type": kind });
        let value = value.map(|value| show::bytes("value", value));
        for (name, value) in [show::bytes("key", key)].into_iter().chain(value) {
            object[name] = value;
        }
        if let Some(prev) = prev {
            object["prev"] = show::entry(prev);
        }
        return Ok(show::line(&object)?);
    }
    println!("{kind}");
    show::raw(key)?;
    if let Some(value) = value {
        show::raw(value)?;
    }
    Ok(())
}
