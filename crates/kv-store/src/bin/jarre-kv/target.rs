use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, Result};
use jarre_kv_store::{Embedded, Remote, RemoteOptions, Store};

use crate::{args::Cli, tls};

/// The store that the command is about.
pub fn store(cli: &Cli) -> Result<Arc<dyn Store>> {
    match &cli.file {
        Some(path) => Ok(Arc::new(Embedded::open(path)?)),
        None => Ok(Arc::new(remote(cli)?)),
    }
}

/// The servers that the command is about.
pub fn remote(cli: &Cli) -> Result<Remote> {
    let options = RemoteOptions::new(&cli.endpoints).with_timeout(cli.timeout);
    let options = match token(cli)? {
        Some(token) => options.with_token(token),
        None => options,
    };
    let options = match tls::caller(cli)? {
        Some(tls) => options.with_tls(tls),
        None => options,
    };
    Ok(Remote::new(options)?)
}

/// The token of a server.
pub fn token(cli: &Cli) -> Result<Option<String>> {
    match &cli.token_file {
        Some(path) => read(path).map(Some),
        None => Ok(cli.token.clone()),
    }
}

/// What a file holds, without the end of its line.
pub fn read(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}
