//! `serve`: a proxy with OpenAI's API before any server that has it, with guards between.

mod app;
mod args;
mod auth;
mod body;
mod chat;
mod check;
mod config;
mod connections;
mod events;
mod failure;
mod gate;
mod heavy;
mod held;
mod ids;
mod keys;
mod ledger;
mod log;
mod metrics;
mod moderations;
mod probes;
mod run;
pub(crate) mod start;
mod upstream;
mod verdict;
mod wire;

pub(crate) use app::{App, app};
pub(crate) use args::ServeArgs;
pub(crate) use config::ProxyConfig;
pub(crate) use keys::Keys;
pub(crate) use log::DecisionLog;
pub(crate) use moderations::Moderator;
pub(crate) use run::run;
pub(crate) use start::serve;
pub(crate) use upstream::Upstream;
