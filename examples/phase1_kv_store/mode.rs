//! The ways to replicate that the demonstrations compare.

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;

#[cfg(feature = "cluster")]
use crate::raft_members::{Home, RaftMembers};
use crate::{
    deployment::Deployment,
    simulation::Simulation,
    unsafe_replication::{AsyncTerm, Naive},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    Naive,
    AsyncTerm,
    #[cfg(feature = "cluster")]
    Raft,
    #[cfg(feature = "cluster")]
    RaftProcesses,
}

/// Which of them to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    /// UNSAFE: a primary with backups, no terms, last write wins; simulated.
    Naive,
    /// UNSAFE: a leader elected for a term, which acknowledges before it replicates; simulated.
    AsyncTerm,
    /// A quorum by Raft: real members in one process, in real time.
    #[cfg(feature = "cluster")]
    Raft,
    /// The same with a process for each member, which can be killed by signal 9 and paused.
    #[cfg(feature = "cluster")]
    RaftProcesses,
    /// All that this build has.
    All,
}

impl Choice {
    pub(crate) fn modes(self) -> Vec<Mode> {
        match self {
            Self::Naive => vec![Mode::Naive],
            Self::AsyncTerm => vec![Mode::AsyncTerm],
            #[cfg(feature = "cluster")]
            Self::Raft => vec![Mode::Raft],
            #[cfg(feature = "cluster")]
            Self::RaftProcesses => vec![Mode::RaftProcesses],
            Self::All => Mode::ALL.to_vec(),
        }
    }
}

impl Mode {
    const ALL: &[Self] = &[
        Self::Naive,
        Self::AsyncTerm,
        #[cfg(feature = "cluster")]
        Self::Raft,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::AsyncTerm => "async-term",
            #[cfg(feature = "cluster")]
            Self::Raft => "raft",
            #[cfg(feature = "cluster")]
            Self::RaftProcesses => "raft-processes",
        }
    }

    /// In words.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Naive => "UNSAFE: a primary with backups; acknowledges alone, fails over by silence, no terms, last write wins",
            Self::AsyncTerm => "UNSAFE: one leader a term by majority vote; acknowledges before it replicates",
            #[cfg(feature = "cluster")]
            Self::Raft => "a quorum by Raft; acknowledges what a majority has on disk",
            #[cfg(feature = "cluster")]
            Self::RaftProcesses => "a quorum by Raft, a process for each member; acknowledges what a majority has on disk",
        }
    }

    /// Whether its time is virtual.
    pub(crate) fn is_simulated(self) -> bool {
        matches!(self, Self::Naive | Self::AsyncTerm)
    }

    /// By what its times are taken.
    pub(crate) fn clock(self) -> &'static str {
        if self.is_simulated() { "simulated" } else { "real" }
    }

    /// A cluster of so many nodes that has just started.
    ///
    /// # Errors
    /// Where a real one cannot start.
    #[cfg_attr(not(feature = "cluster"), expect(clippy::unnecessary_wraps, reason = "a real cluster can fail to start"))]
    pub(crate) fn deploy(self, nodes: usize, seed: u64) -> Result<Box<dyn Deployment>> {
        Ok(match self {
            Self::Naive => Box::new(Simulation::new(Naive::cluster(nodes), seed)),
            Self::AsyncTerm => Box::new(Simulation::new(AsyncTerm::cluster(nodes, seed), seed)),
            #[cfg(feature = "cluster")]
            Self::Raft => Box::new(RaftMembers::start(nodes, Home::Here)?),
            #[cfg(feature = "cluster")]
            Self::RaftProcesses => Box::new(RaftMembers::start(nodes, Home::Processes)?),
        })
    }
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Single {
    /// UNSAFE: a primary with backups, no terms, last write wins; simulated.
    Naive,
    /// UNSAFE: a leader elected for a term, which acknowledges before it replicates; simulated.
    AsyncTerm,
    /// A quorum by Raft: real members in one process, in real time.
    #[cfg(feature = "cluster")]
    Raft,
    /// The same with a process for each member, which can be killed by signal 9 and paused.
    #[cfg(feature = "cluster")]
    RaftProcesses,
}

impl Single {
    #[cfg(feature = "cluster")]
    pub(crate) const DEFAULT: Self = Self::RaftProcesses;
    #[cfg(not(feature = "cluster"))]
    pub(crate) const DEFAULT: Self = Self::AsyncTerm;

    pub(crate) fn mode(self) -> Mode {
        match self {
            Self::Naive => Mode::Naive,
            Self::AsyncTerm => Mode::AsyncTerm,
            #[cfg(feature = "cluster")]
            Self::Raft => Mode::Raft,
            #[cfg(feature = "cluster")]
            Self::RaftProcesses => Mode::RaftProcesses,
        }
    }
}
