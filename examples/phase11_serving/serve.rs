//! `serve`: the API of `OpenAI` over HTTP.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use jarre_core::SystemClock;
use jarre_serving::server::{Server, ServerConfig};
use jarre_serving::{Engine, LoraAdapter, Model};
use jarre_transformer::chat_template::ChatTemplate;
use jarre_transformer::{CrossEncoder, Device, SentenceEncoder};
use tokio::sync::Notify;

use crate::args::ServeArgs;
use crate::model;
use crate::tensor_parallel::workers::{self, Workers};

/// How conversations are written for models that bring no way of their own.
const PLAIN: &str = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";

pub(crate) fn run(args: &ServeArgs) -> Result<()> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    crate::arenas::limit();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(args))
}

async fn serve(args: &ServeArgs) -> Result<()> {
    let mut opened = model::open(&args.model)?;
    let name = opened.name().to_owned();
    if let Some(path) = &args.chat_template {
        let source = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        opened = opened.with_template(ChatTemplate::new(&source, [])?);
    } else if opened.template().is_none() {
        eprintln!("{name} brings no chat template: conversations are written plainly; name one with --chat-template");
        opened = opened.with_template(ChatTemplate::new(PLAIN, [])?);
    }
    if let Some(format) = args.tool_call_parser {
        opened = opened.with_tool_format(format);
    }
    let adapters = args.lora_modules.iter().map(|(name, folder)| LoraAdapter::from_folder(name, &opened, folder));
    let adapters = adapters.collect::<Result<Vec<_>, _>>()?;
    let mut config = ServerConfig::default()
        .with_address(args.address)
        .with_api_keys(args.api_key.iter().cloned())
        .with_drain_timeout(Duration::from_secs(args.shutdown_timeout));
    config.lora_dir.clone_from(&args.lora_dir);
    config.max_connections = args.max_connections;
    config.max_loras = config.max_loras.max(adapters.len());
    let (mut server, _workers) = start(args, opened, config)?;
    for adapter in adapters {
        server = server.with_adapter(adapter)?;
    }
    let server = with_encoders(server, args)?;
    let listener = server.bind().await?;
    println!("{name} on http://{}/v1", listener.local_addr()?);
    let asked = Arc::new(Notify::new());
    let heard = Arc::clone(&asked);
    ctrlc::set_handler(move || heard.notify_one()).context("cannot watch for Ctrl-C")?;
    if std::io::stderr().is_terminal() {
        watch(server.engine().clone());
    }
    server.serve(listener, async move { asked.notified().await }).await?;
    Ok(())
}

/// A server over this process, or over several.
fn start(args: &ServeArgs, model: Model, config: ServerConfig) -> Result<(Server, Option<Workers>)> {
    let (mut options, clock, world) = (model::options(&args.model)?, Arc::new(SystemClock::new()), args.tensor_parallel_size.get());
    options.grammar_timeout = Duration::from_millis(args.grammar_timeout_ms);
    if world == 1 {
        return Ok((Server::start(model, &options, clock, config)?, None));
    }
    let (communicator, workers) = workers::start(world, &args.model)?;
    let core = model.tensor_parallel_engine(&options, communicator)?;
    Ok((Server::start_with(core, model, options.kv_type, clock, config)?, Some(workers)))
}

fn with_encoders(mut server: Server, args: &ServeArgs) -> Result<Server> {
    let device = Device::default();
    if let Some(path) = &args.embedding_model {
        let encoder = SentenceEncoder::from_named_folder(&model::locate(path)?, &model::name_of(path), &device);
        server = server.with_sentence_encoder(encoder.with_context(|| format!("cannot embed with {}", path.display()))?);
    }
    if let Some(path) = &args.scoring_model {
        let encoder = CrossEncoder::from_named_folder(&model::locate(path)?, &model::name_of(path), &device);
        server = server.with_cross_encoder(encoder.with_context(|| format!("cannot score with {}", path.display()))?);
    }
    Ok(server)
}

/// A line that tells how the engine stands, once a second while it works.
fn watch(engine: Engine) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let stats = engine.stats();
            let line = format!("{} running, {} waiting, {:.1} % of the cache held", stats.running, stats.waiting, 100.0 * stats.kv_usage);
            if write!(std::io::stderr(), "\r\x1b[K{line}").is_err() {
                return;
            }
        }
    });
}
