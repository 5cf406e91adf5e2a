//! `chat`: a conversation in a terminal, or turn by turn from standard input.

mod answer;
mod interrupt;
mod line;
#[cfg(feature = "server")]
mod remote;
mod session;

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;
use jarre_core::{ChatModel, Sampling, SystemClock};
use jarre_serving::ChatEngine;
use jarre_transformer::chat_template::ChatTemplate;

use self::answer::Runtime;
use self::interrupt::Interrupt;
use self::session::{Manner, Session};
use crate::args::ModelArgs;
use crate::model;

#[derive(Args)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Chats with a server of `OpenAI`'s API in place of a model in this process: `http://127.0.0.1:8000/v1` (needs the feature `server`).
    #[arg(long, conflicts_with_all = ["model", "quant", "chat_template"])]
    url: Option<String>,
    /// What the server calls the model.
    #[arg(long, default_value = "jarre-tiny", requires = "url")]
    name: String,
    /// What the server knows you by; taken from the environment so that it stands in no list of processes.
    #[arg(long, env = "JARRE_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// A Jinja file that says how conversations are written, for models that bring none: `examples/phase11_serving/plain.jinja` will do for a
    /// trial.
    #[arg(long)]
    chat_template: Option<PathBuf>,
    /// What the model is told before the conversation.
    #[arg(long)]
    system: Option<String>,
    /// Tokens of an answer at most; as many as fit where it is not given.
    #[arg(long)]
    max_tokens: Option<u32>,
    /// 0: always the likeliest token; higher: more surprising ones. The model's own where it is not given.
    #[arg(long)]
    temperature: Option<f32>,
    /// Draws from the likeliest tokens that have this share together.
    #[arg(long)]
    top_p: Option<f32>,
    /// Where the random numbers start: the same answers every time.
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(args: &ChatArgs) -> Result<()> {
    let (model, runtime) = open(args)?;
    let interactive = stdin().is_terminal();
    let interrupt = Interrupt::default();
    if interactive {
        interrupt.install()?;
        eprintln!(
            "{}: /reset begins anew, /system TEXT sets the instructions, /quit or Ctrl-D ends, Ctrl-C stops an answer",
            model.info().name
        );
    }
    let mut sampling = Sampling::default();
    (sampling.temperature, sampling.top_p) = (args.temperature, args.top_p);
    (sampling.seed, sampling.max_tokens) = (args.seed, args.max_tokens);
    let manner = Manner { interactive, speed: stderr().is_terminal() };
    let session = Session::new(model.as_ref(), runtime, sampling, args.system.clone(), &interrupt, manner);
    session.run(stdin().lock(), &mut stdout().lock())
}

fn open(args: &ChatArgs) -> Result<(Box<dyn ChatModel>, Runtime)> {
    match &args.url {
        None => Ok((Box::new(engine(args)?), Runtime::Here)),
        #[cfg(feature = "server")]
        Some(url) => remote::open(url, &args.name, args.api_key.as_deref()),
        #[cfg(not(feature = "server"))]
        Some(_) => bail!("this build speaks no HTTP: run it with --features phase11_serving/server, or leave --url out"),
    }
}

/// A model in this process.
fn engine(args: &ChatArgs) -> Result<ChatEngine> {
    let mut opened = model::open(&args.model)?;
    if let Some(path) = &args.chat_template {
        let source = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        opened = opened.with_template(ChatTemplate::new(&source, [])?);
    } else if opened.template().is_none() {
        bail!(
            "{} brings no chat template: it continues texts, and nobody taught it to chat; say with --chat-template FILE how conversations are \
             written (examples/phase11_serving/plain.jinja for a trial)",
            opened.name()
        );
    }
    Ok(ChatEngine::start(opened, &model::options(&args.model)?, Arc::new(SystemClock::new()))?)
}
