#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod action;
mod approval;
mod codec;
mod driver;
mod error;
mod event;
pub mod log;
pub mod memory;
mod outcome;
mod permission;
mod reflection;
pub mod replay;
mod run;
#[cfg(feature = "server")]
pub mod serve;
mod settings;
mod test_report;
mod toolbox;
pub mod tools;
pub mod trace;
pub mod view;
mod workspace;

pub use action::{Action, PendingCall};
pub use approval::{ApprovalRequest, ApprovalToken, Decision};
pub use driver::{
    ApprovalSource, Cancel, DenyAll, Driven, Driver, Journal, Lessons, MemoryJournal, NoLessons, Observer, PauseForApproval, Reply,
    ThreadTimer, Timer,
};
pub use error::{Error, Result};
pub use event::{Event, Purpose, Record, SCHEMA, request_digest};
pub use outcome::{Budget, Outcome, Phase};
pub use permission::{Rule, RuleSet, Verdict};
pub use reflection::Reflection;
pub use run::{CallState, Run, Step, StepCall};
pub use settings::{CodecKind, Limits, Settings, Task};
pub use test_report::{TestFailure, TestReport};
pub use toolbox::Toolbox;
pub use workspace::{Change, Workspace};
