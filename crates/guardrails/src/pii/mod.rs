//! Personal data, found and replaced by pseudonyms that can be taken back.
//!
//! [`PiiGuard`] finds what has a form: addresses, numbers with check digits, what words announce. A [`Vault`] keeps what the pseudonyms of
//! one conversation stand for, and [`RestoreGuard`] puts it back into what a model answers.
//!
//! ```
//! use jarre_guardrails::{Context, Effect, Guard, Stage, pii::{PiiConfig, PiiGuard}};
//!
//! # fn main() -> jarre_guardrails::Result<()> {
//! let context = Context::new(Stage::Input);
//! let found = PiiGuard::new(PiiConfig::default())?.check("Write to ada@example.org, not to @ada.", &context)?;
//! assert_eq!(found.len(), 1);
//! assert_eq!(found[0].label, "email");
//! assert_eq!(found[0].effect, Effect::Replace("<EMAIL_1>".into()));
//! assert_eq!(context.vault.value("<EMAIL_1>").as_deref(), Some("ada@example.org"));
//! # Ok(())
//! # }
//! ```

pub mod checksum;
mod config;
mod context;
mod given_names;
mod guard;
mod kind;
mod kinds;
mod pseudonym;
mod restore;
mod vault;

pub use config::{Action, PiiConfig};
pub use guard::PiiGuard;
pub use kind::Kind;
pub(crate) use pseudonym::SECRET;
pub use restore::{RestoreConfig, RestoreGuard};
pub use vault::{Vault, VaultRecord};
