#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod body;
mod chat;
mod config;
mod embed;
mod endpoint;
mod failure;
mod key;
mod retry;
mod stream;
mod wait;

pub use chat::OpenAiChat;
pub use config::{Dialect, EndpointConfig, Timeouts};
pub use embed::OpenAiEmbedder;
pub use endpoint::Endpoint;
pub use key::ApiKey;
pub use retry::RetryPolicy;
