use anyhow::Result;
use jarre_kv_store::{Error, LeaseId, Refusal, Store};
use serde_json::json;

use crate::{
    args::{Cli, LeaseArgs},
    show, target,
};

pub async fn run(cli: &Cli, args: &LeaseArgs) -> Result<bool> {
    let store = target::store(cli)?;
    let done = match args {
        LeaseArgs::Grant { ttl } => {
            let id = store.lease_grant(*ttl).await?;
            show::say(cli.json, &json!({ "lease": id.to_string() }), format_args!("{id}"))?;
            Ok(())
        }
        LeaseArgs::KeepAlive { id, once } => keep_alive(cli, &*store, LeaseId(*id), *once).await,
        LeaseArgs::Revoke { id } => store.lease_revoke(LeaseId(*id)).await.map_err(Into::into),
        LeaseArgs::Show { id } => print(cli, &*store, LeaseId(*id)).await,
    };
    match done {
        Err(error) if matches!(error.downcast_ref(), Some(Error::Refused(Refusal::NoLease { .. }))) => {
            eprintln!("{error}");
            Ok(false)
        }
        done => done.map(|()| true),
    }
}

/// Three times in its life, so that one that is lost does no harm.
async fn keep_alive(cli: &Cli, store: &dyn Store, id: LeaseId, once: bool) -> Result<()> {
    loop {
        let ttl = store.lease_keep_alive(id).await?;
        show::say(cli.json, &json!({ "lease": id.to_string(), "ttl_ms": ttl.as_millis() }), format_args!("{id} lasts {ttl:?}"))?;
        if once {
            return Ok(());
        }
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            () = tokio::time::sleep(ttl / 3) => {}
        }
    }
}

async fn print(cli: &Cli, store: &dyn Store, id: LeaseId) -> Result<()> {
    let lease = store.lease(id).await?;
    if cli.json {
        let keys: Vec<_> = lease.keys.iter().map(|key| serde_json::Map::from_iter([show::bytes("key", key)])).collect();
        let (ttl, remaining) = (lease.ttl.as_millis(), lease.remaining.as_millis());
        show::line(&json!({ "lease": id.to_string(), "ttl_ms": ttl, "remaining_ms": remaining, "keys": keys }))?;
        return Ok(());
    }
    println!("{id} lasts {:?}, of which {:?} are left", lease.ttl, lease.remaining);
    for key in &lease.keys {
        show::raw(key)?;
    }
    Ok(())
}
