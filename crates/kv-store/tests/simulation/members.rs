use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jarre_kv_store::{
    Cluster, ClusterOptions, Error, Member, RaftMember, RaftStatus,
    cluster::Disks,
    frame::Token,
    log::SimDisk,
    testing::{
        Disk, Kept,
        nemesis::Dice,
        simulation::{HostClock, Simulation, Wires},
    },
};

use crate::{
    front::Front,
    node::{Node, Slot, Standing},
};

/// All members, in their simulation.
pub(crate) struct Group {
    pub(crate) simulation: Simulation,
    pub(crate) front: Front,
    pub(crate) nodes: Vec<Node>,
    founders: Vec<Member>,
    /// The last name that was given.
    last_id: u64,
    /// How many members may still be lost for good.
    pub(crate) spare: usize,
    /// Digests by the last entry carried out.
    pub(crate) digests: BTreeMap<u64, [u8; 32]>,
    pub(crate) problems: Vec<String>,
    /// Members that did not start for good reason.
    pub(crate) refused: u64,
    /// What happened, and when.
    pub(crate) story: Vec<String>,
}

impl Group {
    /// So many members that found a cluster, and hosts for more, on a simulation that has one more, for clients.
    pub(crate) fn new(simulation: Simulation, founders: usize, spare_hosts: usize, dice: &mut Dice) -> Self {
        let hosts = founders + spare_hosts;
        let node = |at| Node::new(at as u64 + 1, 0.9 + 0.2 * dice.unit(), Duration::from_millis(dice.below(3) * dice.below(30)));
        let mut nodes: Vec<_> = (0..hosts).map(node).collect();
        nodes[..founders].iter_mut().for_each(|founder| founder.standing = Standing::Member);
        Self {
            simulation,
            front: Front::of(hosts),
            nodes,
            founders: (0..founders).map(|at| Member::new(at as u64 + 1, Wires::address(at))).collect(),
            last_id: hosts as u64,
            spare: (founders - 1) / 2,
            digests: BTreeMap::new(),
            problems: Vec::new(),
            refused: 0,
            story: Vec::new(),
        }
    }

    /// Writes down what happens.
    pub(crate) fn tell(&mut self, what: impl FnOnce() -> String) {
        let now = self.simulation.now();
        self.story.push(format!("{now}: {}", what()));
    }

    pub(crate) fn start(&mut self, at: usize) {
        self.tell(|| format!("{at} starts"));
        let node = &mut self.nodes[at];
        let slot = Arc::clone(&node.slot);
        *slot.lock().unwrap() = Slot::Starting;
        let disks = Disks { log: Arc::new(node.log.clone()), state: node.state.clone(), sync_takes: node.sync_takes };
        let token = Token::new(b"a token of these simulations alone").unwrap();
        let founds = self.founders.iter().any(|founder| founder.id == node.id);
        let options = ClusterOptions::new(7, node.id, token, "")
            .founded_by(if founds { self.founders.clone() } else { Vec::new() })
            .with_listen(Wires::address(at))
            .with_transport(self.simulation.wires().transport(at))
            .with_clock(Arc::new(HostClock::new()))
            .with_times(Duration::from_millis(150), Duration::from_millis(600))
            .with_request_timeout(Duration::from_secs(2))
            .with_snapshot_every(100, 1 << 30)
            .on_disks(disks);
        let mut jobs = self.front.open(at);
        let rate = node.rate;
        self.simulation.start(at, rate, async move {
            match Cluster::start(options).await {
                Ok(cluster) => {
                    let cluster = Arc::new(cluster);
                    *slot.lock().unwrap() = Slot::Runs(Arc::clone(&cluster));
                    while let Some(job) = jobs.recv().await {
                        job(Arc::clone(&cluster));
                    }
                }
                Err(error) => *slot.lock().unwrap() = Slot::Refused(error),
            }
        });
    }

    /// Ends a member's process; where the power goes with it, what was not synced is lost in part.
    pub(crate) fn kill(&mut self, at: usize, power: bool, dice: &mut Dice) {
        if !self.simulation.runs(at) {
            return;
        }
        self.tell(|| format!("{at} ends{}", if power { ", and its power goes" } else { "" }));
        // What it carried out last counts too.
        if let Some(cluster) = self.at(at)
            && let Some((term, [last, applied, _])) = self.simulation.on(at, || (cluster.voted_in(), cluster.log_indices()))
        {
            self.look_at(at, term, last, applied);
        }
        let node = &mut self.nodes[at];
        let (log, state) = if power {
            let chance = dice.unit();
            (node.log.after_power_cut(|| dice.happens(chance)), node.state.after_power_loss(Kept::Some(dice.roll())))
        } else {
            (node.log.after_kill(), Disk::holding(node.state.image()))
        };
        (node.log, node.state, node.applied_now, node.rising) = (log, state, None, (0, 0));
        node.failing = None;
        self.end(at, !power);
    }

    /// Takes a process away.
    fn end(&mut self, at: usize, system_stays: bool) {
        self.front.close(at);
        let slot = std::mem::replace(&mut *self.nodes[at].slot.lock().unwrap(), Slot::Down);
        self.simulation.kill(at, system_stays);
        drop(slot);
    }

    /// Lets somebody whom nobody knows start on a host, with empty disks.
    pub(crate) fn raise(&mut self, at: usize) {
        self.end(at, true);
        self.last_id += 1;
        self.nodes[at].renew(self.last_id);
        self.start(at);
    }

    /// A member was removed; its process does not know.
    pub(crate) fn dismiss(&mut self, at: usize) {
        let in_term = self.sound().into_iter().filter_map(|at| self.status(at)).map(|status| status.term).max().unwrap_or(0);
        self.nodes[at].standing = Standing::Removed { in_term };
    }

    /// A member that was removed ends.
    pub(crate) fn retire(&mut self, at: usize) {
        if matches!(self.nodes[at].standing, Standing::Removed { .. }) {
            self.end(at, true);
            self.nodes[at].standing = Standing::Spare;
        }
    }

    /// Turns a bit of what a member that is down wrote to its log, in front of the last batch, where damage can be told from a torn write.
    /// Whether there was any.
    pub(crate) fn flip(&mut self, at: usize, dice: &mut Dice) -> bool {
        let node = &self.nodes[at];
        let Some((name, end)) = node.end_of_log() else { return false };
        match &node.earlier {
            Some((earlier, before)) if *earlier == name && *before < end => {
                let bit = dice.below(*before as u64 * 8) as usize;
                node.log.flip(&name, bit);
                self.tell(|| format!("bit {bit} of {name} of {at} turns"));
                true
            }
            _ => false,
        }
    }

    /// The folder of a member that is down is lost.
    pub(crate) fn wipe(&mut self, at: usize) {
        self.tell(|| format!("{at} loses its folder"));
        let node = &mut self.nodes[at];
        (node.log, node.state, node.standing, node.was_wiped) = (SimDisk::new(), Disk::new(), Standing::Lost, true);
        (node.term, node.applied) = (0, None);
    }

    /// A running member.
    pub(crate) fn at(&self, at: usize) -> Option<Arc<Cluster>> {
        match &*self.nodes[at].slot.lock().unwrap() {
            Slot::Runs(cluster) => Some(Arc::clone(cluster)),
            _ => None,
        }
    }

    /// Members that belong to the cluster still, or are about to.
    pub(crate) fn sound(&self) -> Vec<usize> {
        self.those(Standing::is_sound)
    }

    /// Hosts of members that stand so.
    pub(crate) fn those(&self, stand: impl Fn(Standing) -> bool) -> Vec<usize> {
        (0..self.nodes.len()).filter(|at| stand(self.nodes[*at].standing)).collect()
    }

    /// What a member knows of itself.
    pub(crate) fn status(&self, at: usize) -> Option<RaftStatus> {
        let cluster = self.at(at)?;
        self.simulation.on(at, || cluster.raft_status())
    }

    /// Those that believe to lead.
    pub(crate) fn leaders(&self) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|at| self.at(*at).and_then(|cluster| self.simulation.on(*at, || cluster.leadership().2)).unwrap_or(false))
            .collect()
    }

    /// Members that do not start are lost, which those alone may be whose disks are damaged. One whose disk fails while it starts does what one does
    /// whose disk fails later: nothing more, until it is ended and started again.
    pub(crate) fn see_refusals(&mut self) {
        for at in 0..self.nodes.len() {
            let counts = self.nodes[at].standing.is_sound() && self.nodes[at].failing.is_none();
            let Some(error) = self.refusal(at).filter(|_| counts) else { continue };
            self.nodes[at].standing = Standing::Lost;
            if self.nodes[at].was_turned {
                self.refused += 1;
            } else {
                self.problems.push(format!("member {at} does not start: {error}"));
            }
        }
    }

    /// What a member's process refused to start with.
    fn refusal(&self, at: usize) -> Option<Error> {
        match &*self.nodes[at].slot.lock().unwrap() {
            Slot::Refused(error) => Some(error.clone()),
            _ => None,
        }
    }

    /// How every member is.
    pub(crate) fn describe(&self) -> String {
        let of = |at| {
            let cluster = self.at(at)?;
            self.simulation.on(at, || format!("{:?} {:?} {:?}", cluster.leadership(), cluster.log_indices(), cluster.verify().err()))
        };
        (0..self.nodes.len()).map(|at| format!("{at}: {}", of(at).unwrap_or_default())).collect::<Vec<_>>().join("; ")
    }
}
