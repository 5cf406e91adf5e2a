use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How the proxy listens, where it asks, and what it takes.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The server to stand before, as `http://127.0.0.1:8000/v1`: one that speaks OpenAI's API.
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: String,
    /// The environment variable that holds the upstream's key.
    #[arg(long, value_name = "NAME")]
    pub(crate) upstream_key_env: Option<String>,
    /// Which parameters the upstream knows.
    #[arg(long, value_enum, default_value_t = DialectName::Extended)]
    pub(crate) upstream_dialect: DialectName,
    /// Has a name stand for a model of the upstream's; may be given several times.
    #[arg(long = "model-alias", value_name = "NAME=MODEL", value_parser = alias)]
    pub(crate) model_aliases: Vec<(String, String)>,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8087", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// The environment variable that holds the keys of clients, separated by commas or white space.
    #[arg(long, value_name = "NAME")]
    pub(crate) api_key_env: Option<String>,
    /// Lets other machines ask without a key.
    #[arg(long)]
    pub(crate) allow_open_access: bool,
    /// The policies: a TOML file; the built-in one where it is not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Which of the file's policies holds.
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub(crate) policy_name: String,
    /// What a client whose input is blocked gets.
    #[arg(long, value_enum, default_value_t = BlockedInput::Error)]
    pub(crate) blocked_input: BlockedInput,
    /// Puts the values of pseudonyms back in the text of answers, and not in the arguments of calls.
    #[arg(long)]
    pub(crate) restore_pseudonyms: bool,
    /// Puts them back in the arguments of calls to this tool as well; may be given several times.
    #[arg(long, value_name = "TOOL", requires = "restore_pseudonyms")]
    pub(crate) restore_in_calls: Vec<String>,
    /// Bytes of a request at most.
    #[arg(long, default_value_t = 2 << 20, value_name = "BYTES")]
    pub(crate) max_body_bytes: usize,
    /// Requests that are answered at a time; further ones are told to come again.
    #[arg(long, default_value_t = 512, value_name = "COUNT")]
    pub(crate) max_in_flight: usize,
    /// Seconds that an answer may take.
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    pub(crate) request_timeout: u64,
    /// Seconds that open requests may take to end once the proxy is asked to stop.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub(crate) drain_timeout: u64,
    /// Writes every decision here, one JSON object a line, without any text.
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) log_decisions: Option<PathBuf>,
}

/// A choice of [`jarre_providers::Dialect`].
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DialectName {
    /// `OpenAI`'s alone.
    Openai,
    /// vLLM's as well, and `max_tokens` for the token limit: what most servers understand.
    Extended,
}

/// What a client whose input is blocked gets.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum BlockedInput {
    /// The status 400 with the code `content_filter`.
    Error,
    /// An answer that says so, with the finish reason `content_filter`.
    Completion,
}

fn alias(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, model)) if !name.is_empty() && !model.is_empty() => Ok((name.to_owned(), model.to_owned())),
        _ => Err("write it as NAME=MODEL".into()),
    }
}
