//! What should not stand in a text: links that carry data away, programs and commands, another language, too much of it.
//!
//! | guard | finds | reads on |
//! | --- | --- | --- |
//! | [`LinkGuard`] | images, links and tags that lead to hosts that are not trusted, or carry data | 4 KiB |
//! | [`CodeGuard`] | programs, by fences and by how their lines look | a few lines |
//! | [`CommandGuard`] | SQL, shell commands, scripts and templates that act where they are run | 1 KiB |
//! | `LanguageGuard` (feature `language`) | other languages than those allowed | a window |
//! | [`LimitGuard`] | too much text, repetition and nesting | nothing |
//! | [`TokenGuard`] | too many tokens, of a text and of a conversation | 4 KiB |

mod code;
mod command;
#[cfg(feature = "language")]
mod language;
mod limits;
mod links;
mod tokens;

pub use code::{CodeConfig, CodeGuard};
pub use command::{Command, CommandConfig, CommandGuard};
#[cfg(feature = "language")]
pub use language::{LanguageConfig, LanguageGuard};
pub use limits::{LimitConfig, LimitGuard};
pub use links::{LinkAction, LinkConfig, LinkGuard};
pub use tokens::{Budget, TokenConfig, TokenGuard};
