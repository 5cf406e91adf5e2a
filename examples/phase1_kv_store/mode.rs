//! The ways to replicate that the demonstrations compare.

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;

#[cfg(feature = "cluster")]
use crate::raft_members::{Home, RaftMembers};
use crate::{
    deployment::Deployment,
    simulation::Simulation,
    unsafe_replication::{AsyncTerm, Naive, Unsynced},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// UNSAFE: a primary with backups, no terms, last write wins; simulated.
    Naive,
    /// UNSAFE: a leader elected for a term, which acknowledges before it replicates; simulated.
    AsyncTerm,
    /// UNSAFE: a quorum that acknowledges what a majority has in memory, and syncs nothing; simulated.
    QuorumUnsynced,
    /// A quorum by Raft: real members in one process, in real time.
    #[cfg(feature = "cluster")]
    Raft,
    /// The same with a process for each member, which can be killed by signal 9 and paused.
    #[cfg(feature = "cluster")]
    RaftProcesses,
}

impl Mode {
    /// Those that are compared where none is named.
    pub(crate) const COMPARED: &[Self] = &[
        Self::Naive,
        Self::AsyncTerm,
        #[cfg(feature = "cluster")]
        Self::Raft,
    ];

    /// The same with one that differs from Raft only when the power fails.
    pub(crate) const TRADED: &[Self] = &[
        Self::Naive,
        Self::AsyncTerm,
        Self::QuorumUnsynced,
        #[cfg(feature = "cluster")]
        Self::Raft,
    ];

    /// The one to play with where none is named.
    #[cfg(feature = "cluster")]
    pub(crate) const PLAYED: Self = Self::RaftProcesses;
    #[cfg(not(feature = "cluster"))]
    pub(crate) const PLAYED: Self = Self::AsyncTerm;

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::AsyncTerm => "async-term",
            Self::QuorumUnsynced => "quorum-unsynced",
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
            Self::QuorumUnsynced => "UNSAFE: a quorum that syncs nothing; acknowledges what a majority has in memory",
            #[cfg(feature = "cluster")]
            Self::Raft => "a quorum by Raft; acknowledges what a majority has on disk",
            #[cfg(feature = "cluster")]
            Self::RaftProcesses => "a quorum by Raft, a process for each member; acknowledges what a majority has on disk",
        }
    }

    /// Whether its time is virtual.
    pub(crate) fn is_simulated(self) -> bool {
        matches!(self, Self::Naive | Self::AsyncTerm | Self::QuorumUnsynced)
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
            Self::QuorumUnsynced => Box::new(Simulation::new(Unsynced::cluster(nodes, seed), seed)),
            #[cfg(feature = "cluster")]
            Self::Raft => Box::new(RaftMembers::start(nodes, Home::Here)?),
            #[cfg(feature = "cluster")]
            Self::RaftProcesses => Box::new(RaftMembers::start(nodes, Home::Processes)?),
        })
    }
}
