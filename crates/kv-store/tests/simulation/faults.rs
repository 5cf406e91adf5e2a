use jarre_kv_store::{
    log::SimFault,
    testing::{
        Fault as DiskFault,
        nemesis::{Coverage, Dice, Fault, Grudge, Partition, Plan, Schedule, Shape},
    },
};

use crate::{
    members::Group,
    node::{Failing, Standing},
};

/// How far apart faults of processes and disks are on average, in milliseconds.
const INTERVAL: f64 = 2_500.0;

/// Lets things go wrong, as a seed says.
pub(crate) struct Nemesis {
    dice: Dice,
    network: Vec<(u64, Fault)>,
    next: u64,
    until: u64,
    /// When to look again for a partition that was not met yet.
    missing: u64,
    is_forced: bool,
    /// Members that are started again, and when.
    restarts: Vec<(u64, usize)>,
    /// Members that are ended, and when.
    ends: Vec<(u64, usize)>,
    pub(crate) coverage: Coverage,
    pub(crate) done: Done,
}

/// What went wrong, how often.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) partitions: u64,
    pub(crate) crashes: u64,
    pub(crate) pauses: u64,
    pub(crate) disk_faults: u64,
    pub(crate) flips: u64,
    pub(crate) wipes: u64,
}

impl Nemesis {
    /// Faults from `from` to `until`, in milliseconds.
    pub(crate) fn new(seed: u64, nodes: usize, from: u64, until: u64) -> Self {
        let plan = Plan::new(nodes, until - from).with_mean_interval(2_000);
        let network = Schedule::new(seed, &plan).faults.into_iter().map(|(at, fault)| (at + from, fault)).rev().collect();
        let mut dice = Dice::new(seed ^ 0x6e65_6d65_7369_7321);
        let next = from + dice.exponential(INTERVAL);
        Self {
            dice,
            network,
            next,
            until,
            missing: from + (until - from) / 2,
            is_forced: false,
            restarts: Vec::new(),
            ends: Vec::new(),
            coverage: Coverage::default(),
            done: Done::default(),
        }
    }

    /// Does what is due.
    pub(crate) fn step(&mut self, group: &mut Group) {
        let now = group.simulation.now();
        while self.network.last().is_some_and(|(at, _)| *at <= now) {
            let (_, fault) = self.network.pop().expect("it was just seen");
            self.change_network(fault, group);
        }
        if now >= self.missing && now < self.until {
            // A run that did not meet both kinds of partition has shown little.
            self.missing = now + 2_000;
            if !self.coverage.is_complete() && !group.leaders().is_empty() {
                self.is_forced = true;
                self.change_network(Fault::Partition(Partition::One), group);
            } else if self.coverage.is_complete() && std::mem::take(&mut self.is_forced) {
                self.change_network(Fault::Mend, group);
            }
        }
        if now >= self.next && now < self.until {
            self.next = now + 1 + self.dice.exponential(INTERVAL);
            self.hurt(group, now);
        }
        while let Some(at) = self.ends.iter().position(|(at, _)| *at <= now) {
            let (_, at) = self.ends.remove(at);
            let power = self.dice.happens(0.5);
            self.crash(group, at, power, now + 100);
        }
        while let Some(at) = self.restarts.iter().position(|(at, _)| *at <= now) {
            let (_, at) = self.restarts.remove(at);
            if !group.simulation.runs(at) && group.nodes[at].standing != Standing::Spare {
                group.start(at);
            }
        }
    }

    /// Mends all, starts all that are down, and ends.
    pub(crate) fn heal(&mut self, group: &mut Group) {
        group.simulation.wires().change(|network| {
            network.heal();
            network.shape = Shape { least_delay: 1, ..Shape::PERFECT };
        });
        self.restarts.clear();
        // A member whose disk failed has stopped, or will.
        for (_, at) in std::mem::take(&mut self.ends) {
            group.kill(at, false, &mut self.dice);
        }
        for at in group.sound() {
            if !group.simulation.runs(at) {
                group.start(at);
            }
        }
    }

    fn change_network(&mut self, fault: Fault, group: &mut Group) {
        let nodes = group.nodes.len();
        let leaders = group.leaders();
        group.tell(|| format!("{fault:?}, while {leaders:?} lead"));
        match fault {
            Fault::Partition(partition) => {
                let partition = self.wanted(partition, &leaders);
                // Clients are on the hosts of members.
                let grudge = partition.grudge(nodes, &leaders, &mut self.dice);
                for leader in &leaders {
                    self.note(&grudge, *leader, group);
                }
                self.done.partitions += 1;
                group.simulation.wires().change(|network| network.grudge = grudge);
            }
            Fault::Mend => group.simulation.wires().change(|network| network.grudge = Grudge::none(nodes)),
            Fault::Shape(shape) => {
                // As the schedule draws them nobody would lead for most of the time.
                let shape =
                    Shape { loss: shape.loss / 4.0, least_delay: shape.least_delay / 2, mean_delay: shape.mean_delay / 4.0, ..shape };
                group.simulation.wires().change(|network| network.shape = shape);
            }
            Fault::Clog { from, to, millis } => {
                let until = group.simulation.now() + millis;
                group.simulation.wires().change(|network| network.clog(from, to, until));
            }
            _ => {}
        }
    }

    /// Notes a partition as [`Coverage::note`] does, among those that vote now.
    fn note(&mut self, grudge: &Grudge, leader: usize, group: &Group) {
        let voters = group.status(leader).map_or_else(Vec::new, |status| status.voters);
        let seen = grudge.sees(leader).into_iter().filter(|at| voters.contains(&group.nodes[*at].id)).count();
        let is_majority = seen > voters.len() / 2;
        self.coverage.leader_in_minority |= !is_majority;
        self.coverage.leader_in_majority |= is_majority && seen < voters.len();
    }

    /// Of the two kinds of partition that a run must meet, the one that it has not met.
    fn wanted(&mut self, drawn: Partition, leaders: &[usize]) -> Partition {
        match (leaders, self.coverage) {
            ([_, ..], Coverage { leader_in_minority: false, .. }) => Partition::Leaders,
            ([_, ..], Coverage { leader_in_majority: false, .. }) => Partition::One,
            _ => drawn,
        }
    }

    fn hurt(&mut self, group: &mut Group, now: u64) {
        let mut sound = group.sound();
        let leaders: Vec<usize> = group.leaders().into_iter().filter(|at| sound.contains(at)).collect();
        self.dice.shuffle(&mut sound);
        let Some(&one) = leaders.first().filter(|_| self.dice.happens(0.5)).or(sound.first()) else { return };
        match self.dice.below(12) {
            0..5 => {
                let count = [1, 1, 1, (sound.len() - 1) / 2, sound.len() / 2 + 1, sound.len()][self.dice.below(6) as usize];
                let mut targets = vec![one];
                targets.extend(sound.into_iter().filter(|at| *at != one));
                targets.truncate(count.max(1));
                let power = self.dice.happens(0.7);
                let down = 100 + self.dice.exponential(1_500.0);
                for at in targets {
                    let restart = now + down + self.dice.below(500);
                    self.crash(group, at, power, restart);
                }
            }
            5..8 => {
                self.done.pauses += 1;
                let millis = 100 + self.dice.exponential(1_200.0).min(6_000);
                group.tell(|| format!("{one} stands still for {millis} ms"));
                group.simulation.pause(one, millis);
            }
            8..10 => self.fail_disk(group, one, now),
            10 => self.turn_bits(group, one, now),
            _ => self.wipe(group, one, now),
        }
    }

    fn crash(&mut self, group: &mut Group, at: usize, power: bool, restart: u64) {
        if group.simulation.runs(at) {
            self.done.crashes += 1;
            group.kill(at, power, &mut self.dice);
            self.restarts.push((restart, at));
        }
    }

    /// The log's or the state's disk fails soon; the process is ended a while later.
    fn fail_disk(&mut self, group: &mut Group, at: usize, now: u64) {
        if !group.simulation.runs(at) {
            return;
        }
        self.done.disk_faults += 1;
        let soon = self.dice.below(20);
        let kind = self.dice.below(4);
        let what = ["its log's disk fails", "its log's disk is full", "its state's disk fails", "its state's disk is full"];
        group.tell(|| format!("{at}: {} in {soon} writes", what[kind as usize]));
        let node = &mut group.nodes[at];
        node.failing = node.failing.max(Some(if kind < 2 { Failing::Log } else { Failing::State }));
        match kind {
            0 => node.log.fail_at(node.log.calls() + soon, SimFault::Eio),
            1 => node.log.fail_at(node.log.calls() + soon, SimFault::Enospc),
            2 => node.state.fault_at(soon, DiskFault::Fail),
            _ => node.state.fault_at(soon, DiskFault::Full),
        }
        // A process whose disk failed does nothing more, and is ended and started again.
        self.ends.push((now + 1_000 + self.dice.exponential(1_000.0), at));
    }

    fn turn_bits(&mut self, group: &mut Group, at: usize, now: u64) {
        if !may_be_lost(group, at) {
            return;
        }
        let restart = now + 100 + self.dice.exponential(500.0);
        self.crash(group, at, false, restart);
        if group.flip(at, &mut self.dice) {
            group.spare -= 1;
            self.done.flips += 1;
            group.nodes[at].was_turned = true;
        }
    }

    fn wipe(&mut self, group: &mut Group, at: usize, now: u64) {
        if !may_be_lost(group, at) {
            return;
        }
        group.spare -= 1;
        self.done.wipes += 1;
        let restart = now + 100 + self.dice.exponential(500.0);
        self.crash(group, at, true, restart);
        group.wipe(at);
    }
}

/// Whether a member is there, and the others can do without it for good.
fn may_be_lost(group: &Group, at: usize) -> bool {
    group.spare > 0 && group.nodes[at].standing == Standing::Member && group.simulation.runs(at)
}
