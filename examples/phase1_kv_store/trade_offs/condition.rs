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
    PowerLoss,
    FastClock,
    ClockJump,
}

impl Condition {
    pub(crate) const ALL: [Self; 9] = [
        Self::Healthy,
        Self::LeaderCrash,
        Self::LeaderInMinority,
        Self::SlowFollower,
        Self::SlowLeaderDisk,
        Self::Wan,
        Self::PowerLoss,
        Self::FastClock,
        Self::ClockJump,
    ];

    /// What it is called where a cluster of this mode suffers it.
    pub(crate) fn name(self, mode: Mode) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::LeaderCrash => "leader dead",
            Self::LeaderInMinority => "leader cut off",
            Self::SlowFollower => "follower +20 ms",
            Self::SlowLeaderDisk => "leader's sync 50 ms",
            Self::Wan => "links +10 ms",
            Self::PowerLoss if mode.is_simulated() => "power lost",
            Self::PowerLoss => "all killed",
            Self::FastClock => "leader's clock 20 % fast",
            Self::ClockJump => "leader's clock +0.5 s, dead",
        }
    }

    /// Whether a cluster of this mode can be made to suffer it.
    pub(crate) fn is_possible(self, mode: Mode) -> bool {
        mode.is_simulated() || !matches!(self, Self::SlowLeaderDisk | Self::FastClock | Self::ClockJump)
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
            Self::PowerLoss => Fault::PowerLoss,
            Self::FastClock => Fault::Clock { node: leader, ahead: 0, percent: 120 },
            Self::ClockJump => Fault::Clock { node: leader, ahead: 500 * MILLI, percent: 100 },
        };
        deployment.inject(&fault)
    }

    /// What happens halfway.
    pub(crate) fn turn(self, deployment: &mut dyn Deployment, leader: usize) -> Result<()> {
        match self {
            Self::PowerLoss => (0..deployment.nodes()).try_for_each(|node| deployment.inject(&Fault::Start(node))),
            Self::ClockJump => deployment.inject(&Fault::Kill(leader)),
            _ => Ok(()),
        }
    }

    /// Lets it end.
    pub(crate) fn end(self, deployment: &mut dyn Deployment, leader: usize) -> Result<()> {
        match self {
            Self::Healthy | Self::PowerLoss => Ok(()),
            Self::LeaderCrash | Self::ClockJump => deployment.inject(&Fault::Start(leader)),
            Self::LeaderInMinority | Self::SlowFollower => deployment.inject(&Fault::Heal),
            Self::SlowLeaderDisk => deployment.inject(&Fault::SlowDisk { node: leader, sync: crate::simulation::SYNC }),
            Self::Wan => deployment.inject(&Fault::SlowLinks { by: 0 }),
            Self::FastClock => deployment.inject(&Fault::Clock { node: leader, ahead: 0, percent: 100 }),
        }
    }
}
