//! Keys, tokens and passwords.
//!
//! ```
//! use jarre_guardrails::{Context, Guard, secrets::{SecretsConfig, SecretsGuard}};
//!
//! # fn main() -> jarre_guardrails::Result<()> {
//! let guard = SecretsGuard::new(SecretsConfig::default())?;
//! let text = ["db_password = 'tR4", "uzz!9kQ'\npassword = 'changeme'"].join("-");
//! let found = guard.check(&text, &Context::default())?;
//! assert_eq!(found.len(), 1);
//! assert_eq!((found[0].label.as_ref(), found[0].span.clone()), ("password", 15..26));
//! # Ok(())
//! # }
//! ```

mod assignment;
mod checksum;
mod config;
mod entropy;
mod guard;
mod jwt;
mod keys;
mod pem;
mod placeholder;
pub(crate) mod url;

pub use checksum::crc32_base62;
pub use config::SecretsConfig;
pub use entropy::shannon;
pub use guard::SecretsGuard;
