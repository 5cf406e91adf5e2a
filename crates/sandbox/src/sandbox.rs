use std::sync::Arc;

use crate::{Cancel, Command, Execution, Limits, Protection, Result, SandboxConfig, machine::Machine};

/// Runs commands that nobody trusts.
///
/// Clones share what was found out about the machine. Many threads can run commands at the same time.
#[derive(Clone, Debug)]
pub struct Sandbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: SandboxConfig,
    machine: Machine,
    protection: Protection,
}

impl Sandbox {
    /// Finds out what this machine can do, by doing all of it once in a process of its own.
    ///
    /// # Errors
    /// [`Error::Missing`](crate::Error::Missing) where a layer that is required is not to be had, which is always so but on Linux;
    /// [`Error::Invalid`](crate::Error::Invalid) where something that is to be readable is not there or is too much.
    pub fn new(config: SandboxConfig) -> Result<Self> {
        let (machine, protection) = Machine::probe(&config)?;
        Ok(Self(Arc::new(Inner { config, machine, protection })))
    }

    /// What stands around every command.
    pub fn protection(&self) -> &Protection {
        &self.0.protection
    }

    /// What it was made with.
    pub fn config(&self) -> &SandboxConfig {
        &self.0.config
    }

    /// Runs a command to its end, with the limits of the configuration. Blocks.
    ///
    /// # Errors
    /// See [`run_with`](Self::run_with).
    pub fn run(&self, command: &Command, cancel: &Cancel) -> Result<Execution> {
        self.run_with(command, &self.0.config.limits, cancel)
    }

    /// Runs a command to its end, with these limits. Blocks; a set `cancel` ends it early.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where the program or the folder cannot be used; [`Error::System`](crate::Error::System) where the
    /// system refuses what it gave before. That the command failed, or met a limit, is no error.
    pub fn run_with(&self, command: &Command, limits: &Limits, cancel: &Cancel) -> Result<Execution> {
        self.0.machine.run(command, limits, cancel, &self.0.protection)
    }

    /// The user that owns what commands write, where it is not the caller.
    pub(crate) fn owner(&self) -> Option<u32> {
        self.0.machine.owner()
    }
}
