use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result};
use jarre_core::SystemClock;
use jarre_kv_store::{Embedded, Limits, Memory};
use serde_json::json;

use crate::{
    args::{Cli, SnapshotArgs},
    show, target,
};

pub async fn run(cli: &Cli, args: &SnapshotArgs) -> Result<bool> {
    match args {
        SnapshotArgs::Save { path } => save(cli, path).await?,
        SnapshotArgs::Restore { path } => {
            let to = cli.file.as_ref().context("name the file to make by --file")?;
            let from = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
            Embedded::restore(to, from)?;
        }
    }
    Ok(true)
}

/// Beside its place first, so that one that broke off never stands where a whole one should.
async fn save(cli: &Cli, path: &Path) -> Result<()> {
    let beside = path.with_extension("part");
    let file = File::create(&beside).with_context(|| format!("cannot write {}", beside.display()))?;
    let synced = file.try_clone()?;
    let saved = target::store(cli)?.snapshot(Box::new(file)).await;
    let info = saved.inspect_err(|_| drop(fs::remove_file(&beside)))?;
    synced.sync_all()?;
    fs::rename(&beside, path)?;
    print(cli, info.revision.0, info.rows, &info.digest)
}

pub fn verify(cli: &Cli, path: &Path) -> Result<bool> {
    let mut start = [0; 8];
    let is_snapshot = path.is_file() && File::open(path)?.read_exact(&mut start).is_ok() && start == *b"jarre-kv";
    let verified = if is_snapshot {
        Memory::restore(File::open(path)?, Arc::new(SystemClock::new()), Limits::default())?.verify()?
    } else {
        let file = if path.is_dir() { path.join("state.kv") } else { path.to_owned() };
        if !file.is_file() {
            anyhow::bail!("there is no file at {}", file.display());
        }
        Embedded::check(file)?
    };
    print(cli, verified.revision.0, verified.rows, &verified.digest)?;
    Ok(true)
}

fn print(cli: &Cli, revision: u64, rows: u64, digest: &[u8]) -> Result<()> {
    let digest = blake3::Hash::from_slice(digest)?.to_hex();
    let said = json!({ "revision": revision, "rows": rows, "digest": digest.as_str() });
    Ok(show::say(cli.json, &said, format_args!("revision {revision}, {rows} rows, digest {digest}"))?)
}
