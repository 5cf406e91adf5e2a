use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use jarre_kv_store::Member;

/// A key-value store with transactions, revisions, leases and watches: in one file, or on several machines that agree by Raft.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub struct Cli {
    /// Servers to speak to, separated by commas.
    #[arg(long, global = true, env = "JARRE_KV_ENDPOINTS", default_value = "http://127.0.0.1:2379", value_delimiter = ',')]
    pub endpoints: Vec<String>,
    /// A store's file to work on in place of servers; it must not be in use.
    #[arg(long, global = true)]
    pub file: Option<PathBuf>,
    /// The token that servers ask for. Better in a file than here, where others of the machine can see it.
    #[arg(long, global = true, env = "JARRE_KV_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// A file with the token.
    #[arg(long, global = true, conflicts_with = "token")]
    pub token_file: Option<PathBuf>,
    /// The authorities whose certificates `https://` servers show, in PEM.
    #[arg(long, global = true, env = "JARRE_KV_CACERT")]
    pub cacert: Option<PathBuf>,
    /// The certificate that is shown to them where they ask for one, in PEM.
    #[arg(long, global = true, requires = "key_path", requires = "cacert")]
    pub cert: Option<PathBuf>,
    /// Its key.
    #[arg(long = "key", id = "key_path", global = true, requires = "cert")]
    pub key: Option<PathBuf>,
    /// How long a request may take, with all its tries: `500ms`, `5s`, `1m`.
    #[arg(long, global = true, default_value = "5s", value_parser = duration)]
    pub timeout: Duration,
    /// Prints JSON, a line for each thing.
    #[arg(long, global = true)]
    pub json: bool,
    /// What is told on standard error: error, warn, info, debug or trace.
    #[arg(long, global = true, default_value = "warn")]
    pub log: tracing::Level,
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  jarre-kv serve --file records.kv                 one file, served at 127.0.0.1:2379
  jarre-kv put color blue && jarre-kv get color
  jarre-kv scan users/ --keys-only                 every key that begins so
  jarre-kv watch users/ --prefix                   changes as they are made
  jarre-kv lease grant 30s                         keys put with it go when it is over
  jarre-kv --file records.kv verify records.kv     without a server

  A cluster of three on one machine, each in a terminal of its own (and so for members 2 and 3):
  jarre-kv serve --node 1 --folder one --listen 127.0.0.1:2379 --peer 127.0.0.1:2380 --cluster-token-file secret \\
    --founders 1=127.0.0.1:2380@http://127.0.0.1:2379,2=127.0.0.1:2480@http://127.0.0.1:2479,3=127.0.0.1:2580@http://127.0.0.1:2579

  Over TLS, with certificates for clients and for members:
  jarre-kv serve ... --cert-file server.pem --key-file server-key.pem --trusted-ca-file ca.pem \\
    --peer-cert-file member.pem --peer-key-file member-key.pem --peer-trusted-ca-file members-ca.pem
  jarre-kv --endpoints https://db.example:2379 --cacert ca.pem --cert me.pem --key me-key.pem status

Exit codes: 0 done; 1 failed, nothing was done; 2 the command is wrong; 3 not found, or the conditions did not hold; 4 nobody knows
whether it was done.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves a store until it is interrupted.
    Serve(Box<ServeArgs>),
    /// Prints what a key holds.
    Get(GetArgs),
    /// Writes a value.
    Put(PutArgs),
    /// Deletes a key, or all that begin with it.
    Del(DelArgs),
    /// Prints the keys that begin with a prefix, or all, page by page.
    Scan(ScanArgs),
    /// Prints changes as they are made, until it is interrupted.
    Watch(WatchArgs),
    /// Carries out a transaction: conditions, and what is done where they hold or do not.
    Txn(TxnArgs),
    /// Leases, whose keys go when they are over.
    #[command(subcommand)]
    Lease(LeaseArgs),
    /// Gives up the history up to a revision.
    Compact { revision: u64 },
    /// Who belongs to a cluster.
    #[command(subcommand)]
    Member(MemberArgs),
    /// Copies of a whole store.
    #[command(subcommand)]
    Snapshot(SnapshotArgs),
    /// Holds a store's file, a member's folder, or a snapshot to its checksums, and prints its digest, which is that of any other with the same content.
    Verify { path: PathBuf },
    /// How the store is.
    Status,
    /// Measures how many requests a second it answers, and how long each takes.
    Bench(BenchArgs),
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to serve HTTP. Beyond the loopback interface it asks for a token.
    #[arg(long, default_value = "127.0.0.1:2379")]
    pub listen: String,
    /// Serves a member of a cluster, of this number; without it a store in the file that `--file` names.
    #[arg(long, requires = "folder")]
    pub node: Option<u64>,
    /// Where the member keeps what it must not lose.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// The number of the cluster.
    #[arg(long, default_value_t = 1)]
    pub cluster: u64,
    /// Where the member listens for other members.
    #[arg(long, default_value = "127.0.0.1:2380")]
    pub peer: String,
    /// A file with what all members of the cluster know and nobody else: 32 random bytes, say.
    #[arg(long)]
    pub cluster_token_file: Option<PathBuf>,
    /// The members that found the cluster: `1=host:port@http://host:port,2=..`, with the address for members and that for clients.
    #[arg(long, value_parser = member, value_delimiter = ',')]
    pub founders: Vec<Member>,
    /// Serves over TLS, and shows this certificate, in PEM. Renewed files are read again.
    #[arg(long, requires = "key_file")]
    pub cert_file: Option<PathBuf>,
    /// Its key.
    #[arg(long, requires = "cert_file")]
    pub key_file: Option<PathBuf>,
    /// Serves those alone who show certificates of these authorities.
    #[arg(long, requires = "cert_file")]
    pub trusted_ca_file: Option<PathBuf>,
    /// Speaks TLS to other members, who show certificates of these authorities.
    #[arg(long, requires = "peer_cert_file")]
    pub peer_trusted_ca_file: Option<PathBuf>,
    /// The certificate that this member shows to the others, both where it calls them and where it is called.
    #[arg(long, requires = "peer_key_file", requires = "peer_trusted_ca_file")]
    pub peer_cert_file: Option<PathBuf>,
    /// Its key.
    #[arg(long, requires = "peer_cert_file")]
    pub peer_key_file: Option<PathBuf>,
    /// How often a leader is heard.
    #[arg(long, default_value = "100ms", value_parser = duration)]
    pub heartbeat: Duration,
    /// How long followers wait, at least, before one of them stands for election.
    #[arg(long, default_value = "500ms", value_parser = duration)]
    pub election: Duration,
}

#[derive(Debug, Args)]
pub struct GetArgs {
    pub key: String,
    /// As it was at this revision.
    #[arg(long)]
    pub revision: Option<u64>,
    /// It may be that old: a member answers by itself.
    #[arg(long, value_parser = duration)]
    pub max_age: Option<Duration>,
    /// Prints everything that is known of it.
    #[arg(long)]
    pub history: bool,
}

#[derive(Debug, Args)]
pub struct PutArgs {
    pub key: String,
    /// The value; standard input where it is left out.
    pub value: Option<String>,
    /// The lease that the key ends with.
    #[arg(long, value_parser = lease)]
    pub lease: Option<u64>,
}

#[derive(Debug, Args)]
pub struct DelArgs {
    pub key: String,
    /// All keys that begin with it.
    #[arg(long)]
    pub prefix: bool,
}

#[derive(Debug, Args)]
pub struct ScanArgs {
    #[arg(default_value = "")]
    pub prefix: String,
    /// At most so many.
    #[arg(long)]
    pub limit: Option<usize>,
    /// From the last key to the first.
    #[arg(long)]
    pub reverse: bool,
    #[arg(long)]
    pub keys_only: bool,
    /// As it was at this revision.
    #[arg(long)]
    pub revision: Option<u64>,
}

#[derive(Debug, Args)]
pub struct WatchArgs {
    pub key: String,
    /// All keys that begin with it.
    #[arg(long)]
    pub prefix: bool,
    /// From the changes of this revision on.
    #[arg(long)]
    pub from: Option<u64>,
    /// With what keys held before.
    #[arg(long)]
    pub prev: bool,
}

/// Reads three parts from standard input, or from a file, with an empty line after each: conditions, what is done where all hold, and
/// what where one does not. Words may be quoted as in a shell.
///
///   value("color") = "blue"        value, version, create, mod or lease; = != < >
///
///   put color green
///   del shade
///
///   get color
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct TxnArgs {
    pub path: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum LeaseArgs {
    /// Grants one, and prints its name.
    Grant {
        /// How long it lasts: `30s`.
        #[arg(value_parser = duration)]
        ttl: Duration,
    },
    /// Keeps one alive until it is interrupted.
    KeepAlive {
        #[arg(value_parser = lease)]
        id: u64,
        /// Once, and no more.
        #[arg(long)]
        once: bool,
    },
    /// Ends one now, with its keys.
    Revoke {
        #[arg(value_parser = lease)]
        id: u64,
    },
    /// Prints what is left of one, and its keys.
    Show {
        #[arg(value_parser = lease)]
        id: u64,
    },
}

#[derive(Debug, Subcommand)]
pub enum MemberArgs {
    List,
    /// Adds one, which runs already with an empty folder: `4=host:port@http://host:port`.
    Add {
        #[arg(value_parser = member)]
        member: Member,
        /// It follows and does not vote.
        #[arg(long)]
        learner: bool,
    },
    /// Lets a learner vote.
    Promote {
        id: u64,
    },
    Remove {
        id: u64,
    },
    /// Lets another member lead, where the one that is asked does.
    StepDown,
}

#[derive(Debug, Subcommand)]
pub enum SnapshotArgs {
    /// Writes a copy of the store to a file.
    Save { path: PathBuf },
    /// Makes the file that `--file` names from a copy. There must be none.
    Restore { path: PathBuf },
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// How many clients ask at a time, each waiting for its answer; several numbers are measured one after another.
    #[arg(long, default_value = "1,64,256", value_delimiter = ',')]
    pub clients: Vec<usize>,
    /// Bytes of a value.
    #[arg(long, default_value_t = 256)]
    pub size: usize,
    /// How many of a hundred requests are linearizable reads.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub reads: u8,
    /// Keys that are written.
    #[arg(long, default_value_t = 10_000)]
    pub keys: u64,
    /// How long each is measured.
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub duration: Duration,
}

fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| "write a number and a unit: 500ms, 5s, 1m, 1h".to_owned())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        _ => Err("write a unit: ms, s, m or h".to_owned()),
    }
}

fn member(text: &str) -> Result<Member, String> {
    let (id, address) = text.split_once('=').ok_or("write id=host:port, or id=host:port@http://host:port")?;
    let id = id.parse().map_err(|_| format!("`{id}` is no number of a member"))?;
    match address.split_once('@') {
        Some((peer, client)) => Ok(Member::new(id, peer).with_client(client)),
        None => Ok(Member::new(id, address)),
    }
}

fn lease(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text, 16).map_err(|_| "a lease is named by a hexadecimal number".to_owned())
}
