use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use jarre_kv_store::{
    Cluster, ClusterOptions, Embedded, Error, Members, Store,
    cluster::TlsTransport,
    frame::Token,
    http::{Server, ServerConfig},
};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    args::{Cli, ServeArgs},
    show, target,
    tls::Shown,
};

/// How often to look whether the store still works.
const LOOK: Duration = Duration::from_millis(500);

pub async fn run(cli: &Cli, args: &ServeArgs) -> Result<()> {
    // What cannot be served is found before anything is opened.
    let listener = TcpListener::bind(&args.listen).await.with_context(|| format!("cannot listen at {}", args.listen))?;
    let shown = Shown::new(args)?;
    let mut config = ServerConfig::default();
    (config.token, config.tls) = (target::token(cli)?, shown.clients.clone());
    let serving = async {
        match args.node {
            Some(node) => member(cli, args, node, listener, config, shown.members.clone()).await,
            None => file(cli, listener, config).await,
        }
    };
    tokio::select! {
        outcome = serving => outcome,
        never = shown.keep_up(args) => match never {},
    }
}

async fn file(cli: &Cli, listener: TcpListener, config: ServerConfig) -> Result<()> {
    let path = cli.file.as_ref().context("name the file to serve by --file, or a member by --node and --folder")?;
    let store = Arc::new(Embedded::open(path)?);
    let counted = Arc::clone(&store);
    let is_secure = config.tls.is_some();
    let server = Server::new(Arc::clone(&store) as _, config).with_metrics(move || counted.metrics());
    say(cli, &listener, is_secure, None)?;
    serve(server, listener, store, async {}).await
}

async fn member(
    cli: &Cli,
    args: &ServeArgs,
    id: u64,
    listener: TcpListener,
    config: ServerConfig,
    tls: Option<TlsTransport>,
) -> Result<()> {
    let folder = args.folder.as_ref().context("name the member's folder by --folder")?;
    let token = args.cluster_token_file.as_ref().context("name the file with the cluster's token by --cluster-token-file")?;
    let token = Token::new(target::read(token)?.as_bytes())?;
    if !args.founders.is_empty() && !args.founders.iter().any(|founder| founder.id == id) {
        bail!("member {id} is not among the founders; one that is added later is started without any");
    }
    let options = ClusterOptions::new(args.cluster, id, token, folder)
        .with_listen(&args.peer)
        .founded_by(args.founders.iter().cloned())
        .with_times(args.heartbeat, args.election)
        .with_request_timeout(cli.timeout);
    let options = match tls {
        Some(tls) => options.with_transport(Arc::new(tls)),
        None => options,
    };
    let (is_secure, is_plain) = (config.tls.is_some(), args.peer_cert_file.is_none());
    let member = Arc::new(Cluster::start(options).await?);
    if is_plain && !member.peer_address().parse::<SocketAddr>().is_ok_and(|at| at.ip().is_loopback()) {
        tracing::warn!("what members say to each other can be listened to: give them certificates by --peer-cert-file");
    }
    let counted = Arc::clone(&member);
    let server = Server::new(Arc::clone(&member) as _, config)
        .with_members(Arc::clone(&member) as _, args.cluster, id)
        .with_raft(Arc::clone(&member) as _)
        .with_metrics(move || counted.metrics());
    say(cli, &listener, is_secure, Some(&member))?;
    let outcome = serve(server, listener, Arc::clone(&member) as _, async {
        // Where nobody takes over the others elect one by themselves.
        let _ = tokio::time::timeout(args.election * 4, member.step_down()).await;
    })
    .await;
    member.shutdown().await;
    outcome
}

/// Serves until the process is asked to end, and has done what is to be done before, or the store has stopped.
async fn serve(server: Server, listener: TcpListener, store: Arc<dyn Store>, before: impl Future<Output = ()>) -> Result<()> {
    let mut failure = None;
    let stop = async {
        tokio::select! {
            () = interrupted() => {
                tracing::info!("ending");
                before.await;
            }
            error = stopped(&*store) => failure = Some(error),
        }
    };
    server.serve(listener, stop).await?;
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// Where it listens, once it does, so that those who started it may go on.
fn say(cli: &Cli, listener: &TcpListener, is_secure: bool, member: Option<&Cluster>) -> Result<()> {
    let url = format!("{}://{}", if is_secure { "https" } else { "http" }, listener.local_addr()?);
    let said = json!({ "listening": url, "member": member.map(Cluster::id), "peer": member.map(Cluster::peer_address) });
    Ok(show::say(cli.json, &said, format_args!("listening at {url}"))?)
}

/// Why the store has stopped; nothing can be done with it any more but to open it again.
async fn stopped(store: &dyn Store) -> Error {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Err(error @ (Error::Poisoned { .. } | Error::Corrupt { .. } | Error::Closed)) = store.status().await {
            return error;
        }
    }
}

async fn interrupted() {
    let terminated: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(terminated());
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
