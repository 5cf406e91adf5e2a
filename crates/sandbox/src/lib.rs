#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod cancel;
mod command;
mod config;
mod error;
mod execution;
mod limits;
mod protection;
mod sandbox;
mod work_dir;

// The one place that decides where there is a sandbox.
#[cfg_attr(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")), path = "linux/mod.rs")]
#[cfg_attr(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))), path = "unsupported.rs")]
mod machine;

pub use cancel::Cancel;
pub use command::Command;
pub use config::SandboxConfig;
pub use error::{Error, Result};
pub use execution::{Captured, Execution, Exit, LimitHit};
pub use limits::Limits;
pub use protection::{Layer, Missing, Protection, Requirements};
pub use sandbox::Sandbox;
pub use work_dir::{Changes, WorkDir};
