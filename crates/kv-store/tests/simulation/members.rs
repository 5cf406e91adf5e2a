use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_kv_store::{
    Cluster, ClusterOptions, Error, Member,
    cluster::Disks,
    frame::Token,
    log::SimDisk,
    testing::{
        Disk, Kept,
        nemesis::Dice,
        simulation::{HostClock, Simulation, Wires},
    },
};

use crate::front::Front;

/// How often a term must be seen until it is sure to be on disk: twenty milliseconds each, and a sync takes up to 58.
const LOOKS: u64 = 4;

/// A member, its disks, and what was seen of it.
pub(crate) struct Node {
    pub(crate) log: SimDisk,
    pub(crate) state: Disk,
    slot: Arc<Mutex<Slot>>,
    rate: f64,
    /// How long its log's disk takes to sync.
    sync_takes: Duration,
    /// Its log's disk fails, or is about to: what it says of itself may be more than is on disk.
    pub(crate) log_fails: bool,
    /// It is out for good: its disks are damaged, or it lost them.
    pub(crate) is_out: bool,
    pub(crate) was_wiped: bool,
    /// The greatest term, and the last entry carried out, that were ever seen of it.
    term: u64,
    /// A later term, which its log's disk may not have yet, and how often it was seen in it.
    rising: (u64, u64),
    applied: Option<u64>,
    /// The last entry carried out in this life of its process.
    applied_now: Option<u64>,
    /// What it had carried out at the last look, and its digest.
    digest: Option<(u64, [u8; 32])>,
    /// Where the last file of its log ended a while ago.
    earlier: Option<(String, usize)>,
}

/// How a member's process is.
enum Slot {
    Down,
    Starting,
    Runs(Arc<Cluster>),
    Refused(Error),
}

/// All members, in their simulation.
pub(crate) struct Group {
    pub(crate) simulation: Simulation,
    pub(crate) front: Front,
    pub(crate) nodes: Vec<Node>,
    members: Vec<Member>,
    /// Digests by the last entry carried out.
    digests: BTreeMap<u64, [u8; 32]>,
    pub(crate) problems: Vec<String>,
    /// What happened, and when.
    pub(crate) story: Vec<String>,
}

impl Group {
    /// So many members on a simulation that has a host more, for clients.
    pub(crate) fn new(simulation: Simulation, count: usize, dice: &mut Dice) -> Self {
        let members = (0..count).map(|at| Member::new(at as u64 + 1, Wires::address(at))).collect();
        let nodes = (0..count).map(|_| Node::new(0.9 + 0.2 * dice.unit(), dice.below(3) * dice.below(30))).collect();
        Self { simulation, front: Front::of(count), nodes, members, digests: BTreeMap::new(), problems: Vec::new(), story: Vec::new() }
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
        let options = ClusterOptions::new(7, self.members[at].id, token, "")
            .founded_by(self.members.clone())
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
        self.front.close(at);
        let node = &mut self.nodes[at];
        let (log, state) = if power {
            let chance = dice.unit();
            (node.log.after_power_cut(|| dice.happens(chance)), node.state.after_power_loss(Kept::Some(dice.roll())))
        } else {
            (node.log.after_kill(), Disk::holding(node.state.image()))
        };
        (node.log, node.state, node.applied_now, node.log_fails, node.rising) = (log, state, None, false, (0, 0));
        let slot = std::mem::replace(&mut *node.slot.lock().unwrap(), Slot::Down);
        self.simulation.kill(at, !power);
        drop(slot);
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
        (node.log, node.state, node.is_out, node.was_wiped) = (SimDisk::new(), Disk::new(), true, true);
        (node.term, node.applied) = (0, None);
    }

    /// A running member.
    pub(crate) fn at(&self, at: usize) -> Option<Arc<Cluster>> {
        match &*self.nodes[at].slot.lock().unwrap() {
            Slot::Runs(cluster) => Some(Arc::clone(cluster)),
            _ => None,
        }
    }

    /// Members that belong to the cluster still.
    pub(crate) fn sound(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|at| !self.nodes[*at].is_out).collect()
    }

    /// Those that believe to lead.
    pub(crate) fn leaders(&self) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|at| self.at(*at).and_then(|cluster| self.simulation.on(*at, || cluster.leadership().2)).unwrap_or(false))
            .collect()
    }

    /// What a member's process refused to start with.
    pub(crate) fn refusal(&self, at: usize) -> Option<Error> {
        match &*self.nodes[at].slot.lock().unwrap() {
            Slot::Refused(error) => Some(error.clone()),
            _ => None,
        }
    }

    /// Holds members to what must be so at any time.
    pub(crate) fn look(&mut self, with_digests: bool) {
        for at in 0..self.nodes.len() {
            let Some(cluster) = self.at(at) else { continue };
            // Of a member that is down the end may be torn, and is cut off when it starts.
            if with_digests {
                self.nodes[at].earlier = self.nodes[at].end_of_log();
            }
            let again = self.nodes[at].digest.take();
            let seen = self
                .simulation
                .on(at, || (cluster.voted_in(), cluster.log_indices(), (with_digests || again.is_some()).then(|| cluster.verify())));
            drop(cluster);
            let Some((term, [last, applied, _], verified)) = seen else { continue };
            self.look_at(at, term, last, applied);
            match verified {
                Some(Ok(verified)) if last == applied => {
                    let found = applied.map(|applied| (applied, verified.digest));
                    // What it tells of itself may lag behind what it has done: two looks must agree.
                    if found == again
                        && let Some((applied, digest)) = found
                    {
                        self.compare(at, applied, digest);
                    } else if with_digests {
                        self.nodes[at].digest = found;
                    }
                }
                Some(Err(error)) if !matches!(error, Error::Closed | Error::Poisoned { .. }) => {
                    self.problems.push(format!("member {at} is damaged: {error}"));
                }
                _ => {}
            }
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

    fn look_at(&mut self, at: usize, term: u64, last: Option<u64>, applied: Option<u64>) {
        let now = self.simulation.now();
        let node = &mut self.nodes[at];
        if node.was_wiped {
            if last.is_some() {
                self.problems.push(format!("at {now} member {at}, which lost its folder, was given entries"));
                node.was_wiped = false;
            }
            return;
        }
        if node.log_fails {
            return;
        }
        if term > node.rising.0 {
            self.story.push(format!("{now}: {at} is in term {term}"));
        }
        // Nothing is known of it before it has read its log.
        if term > 0 && term < node.term {
            self.problems.push(format!("at {now} the term of member {at} went from {} back to {term}", node.term));
            node.term = term;
        }
        if let (Some(last), Some(applied)) = (last, node.applied)
            && last < applied
        {
            self.problems.push(format!("at {now} the log of member {at} ends at {last}, and {applied} was carried out"));
        }
        if applied < node.applied_now {
            self.problems.push(format!("at {now} member {at} went from {:?} back to {applied:?}", node.applied_now));
        }
        node.rising = if node.rising.0 == term { (term, node.rising.1 + 1) } else { (term, 0) };
        if node.rising.1 > LOOKS {
            node.term = node.term.max(term);
        }
        (node.applied_now, node.applied) = (applied, node.applied.max(applied));
    }

    pub(crate) fn compare(&mut self, at: usize, applied: u64, digest: [u8; 32]) {
        if *self.digests.entry(applied).or_insert(digest) != digest {
            self.problems.push(format!("member {at} has carried out entries up to {applied} and differs from another"));
        }
    }
}

impl Node {
    fn new(rate: f64, sync_millis: u64) -> Self {
        Self {
            log: SimDisk::new(),
            state: Disk::new(),
            slot: Arc::new(Mutex::new(Slot::Down)),
            rate,
            sync_takes: Duration::from_millis(sync_millis),
            log_fails: false,
            is_out: false,
            was_wiped: false,
            term: 0,
            rising: (0, 0),
            applied: None,
            applied_now: None,
            digest: None,
            earlier: None,
        }
    }

    /// The last file of its log, and where that ends.
    fn end_of_log(&self) -> Option<(String, usize)> {
        let (name, bytes) = self.log.files().into_iter().rfind(|(name, _)| name.rsplit('.').next() == Some("log"))?;
        let end = bytes.iter().rposition(|byte| *byte != 0)?;
        Some((name, end))
    }
}
