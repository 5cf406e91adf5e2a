//! Serves a model folder: `cargo run -p jarre-serving --features server --example serve -- examples/assets/jarre-tiny 8000`.
#![expect(clippy::print_stdout, reason = "a program tells where it listens")]

use std::error::Error;
use std::sync::Arc;

use jarre_core::SystemClock;
use jarre_serving::server::{Server, ServerConfig};
use jarre_serving::{Model, ServeOptions};
use jarre_transformer::chat_template::ChatTemplate;
use jarre_transformer::{Device, SentenceEncoder};
use tokio::sync::Notify;

/// How conversations are written for models that have no way of their own.
const PLAIN: &str = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("give the folder of a model, a port, and the folder of an encoder for embeddings")?;
    let port = args.next().map_or(Ok(8000), |port| port.parse())?;
    let mut model = Model::open(folder, &Device::default())?;
    if model.template().is_none() {
        model = model.with_template(ChatTemplate::new(PLAIN, [])?);
    }
    let config = ServerConfig::default().with_address(([127, 0, 0, 1], port).into());
    let mut server = Server::start(model, &ServeOptions::default(), Arc::new(SystemClock::new()), config)?;
    if let Some(encoder) = args.next() {
        server = server.with_sentence_encoder(SentenceEncoder::from_folder(encoder, &Device::default())?);
    }
    let listener = server.bind().await?;
    println!("listening on {}", listener.local_addr()?);
    let asked = Arc::new(Notify::new());
    let heard = Arc::clone(&asked);
    ctrlc::set_handler(move || heard.notify_one())?;
    server.serve(listener, async move { asked.notified().await }).await?;
    Ok(())
}
