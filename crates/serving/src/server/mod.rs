//! An HTTP server with OpenAI's API over an engine.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use jarre_core::SystemClock;
//! use jarre_serving::server::{Server, ServerConfig};
//! use jarre_serving::{Model, ServeOptions};
//! use jarre_transformer::Device;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::open("examples/assets/jarre-tiny", &Device::default())?;
//! let server = Server::start(model, &ServeOptions::default(), Arc::new(SystemClock::new()), ServerConfig::default())?;
//! let listener = server.bind().await?;
//! server.serve(listener, std::future::pending()).await?;
//! # Ok(())
//! # }
//! # let _ = run();
//! ```

mod adapters;
mod answers;
mod app;
mod auth;
mod body;
mod chat;
mod completions;
mod config;
mod connections;
mod embeddings;
mod failure;
mod head;
mod keys;
mod lingering;
mod logprobs;
mod metrics;
mod models;
mod openapi;
mod probes;
mod router;
mod run;
mod sampling;
mod score;
mod sse;
mod structured;
mod tokenize;
mod trace;
mod vocabulary;

pub use config::ServerConfig;
pub use keys::ApiKeys;
pub use metrics::Metrics;
pub use run::{ServeError, Server};
