use anyhow::Result;
use jarre_kv_store::testing::nemesis::Grudge;
use serde::Serialize;

use crate::{
    deployment::{Deployment, Fault, MILLI},
    mode::Mode,
};

/// What is wrong with a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condition {
    Healthy,
    LeaderCrash,
    LeaderInMinority,
    SlowFollower,
    SlowLeaderDisk,
    Wan,
}

impl Condition {
    pub(crate) const ALL: [Self; 6] =
        [Self::Healthy, Self::LeaderCrash, Self::LeaderInMinority, Self::SlowFollower, Self::SlowLeaderDisk, Self::Wan];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::LeaderCrash => "leader dead",
            Self::LeaderInMinority => "leader cut off",
            Self::SlowFollower => "follower +20 ms",
            Self::SlowLeaderDisk => "leader's sync 50 ms",
            Self::Wan => "links +10 ms",
        }
    }

    /// Whether a cluster of this mode can be made to suffer it.
    pub(crate) fn is_possible(self, mode: Mode) -> bool {
        mode.is_simulated() || self != Self::SlowLeaderDisk
    }

    /// Lets it begin.
    pub(crate) fn begin(self, deployment: &mut dyn Deployment, leader: usize) -> Result<()> {
        let nodes = deployment.nodes();
        let fault = match self {
            Self::Healthy => return Ok(()),
            Self::LeaderCrash => Fault::Kill(leader),
            Self::LeaderInMinority => {
                let others: Vec<usize> = (0..nodes).filter(|&node| node != leader).collect();
                Fault::Cut(Grudge::between(nodes, &[&[leader], &others]))
            }
            Self::SlowFollower => Fault::SlowNode { node: (leader + 1) % nodes, by: 20 * MILLI },
            Self::SlowLeaderDisk => Fault::SlowDisk { node: leader, sync: 50 * MILLI },
            Self::Wan => Fault::SlowLinks { by: 10 * MILLI },
        };
        deployment.inject(&fault)
    }

    /// Lets it end.
    pub(crate) fn end(self, deployment: &mut dyn Deployment, leader: usize) -> Result<()> {
        match self {
            Self::Healthy => Ok(()),
            Self::LeaderCrash => deployment.inject(&Fault::Start(leader)),
            Self::LeaderInMinority | Self::SlowFollower => deployment.inject(&Fault::Heal),
            Self::SlowLeaderDisk => deployment.inject(&Fault::SlowDisk { node: leader, sync: crate::simulation::SYNC }),
            Self::Wan => deployment.inject(&Fault::SlowLinks { by: 0 }),
        }
    }
}
