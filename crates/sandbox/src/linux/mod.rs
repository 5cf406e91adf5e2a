//! The machine where it is Linux: how a command is started, held and ended there.

mod capture;
mod cgroup;
mod child;
mod disk;
mod files;
mod host;
mod landlock;
mod launch;
mod mounts;
mod plan;
mod prepared;
mod probe;
mod report;
mod rlimits;
mod seccomp;
mod stage;
mod streams;
mod supervise;
mod sys;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

pub(crate) use files::{give, is_executable, is_private, keep_mode, keep_owner, make_file, make_link, make_private, set_mode};
pub(crate) use host::Machine;
pub(crate) use walk::{open, walk};
