//! Who changes the members while all goes on.

use std::{collections::VecDeque, ops::RangeInclusive, sync::Arc, time::Duration};

use jarre_core::BoxFuture;
use jarre_kv_store::{
    Cluster, Error, Member, Members, Result, Store,
    testing::{nemesis::Dice, simulation::Wires},
};
use tokio::sync::oneshot;

use crate::{histories::caller::encode, node::Standing, world::World};

/// How far apart changes are on average, in milliseconds.
const INTERVAL: f64 = 2_000.0;
/// How long an answer is waited for.
const LIMIT: Duration = Duration::from_secs(7);

/// Adds members, lets them vote, removes them, and replaces those that are lost, one after another: what is not known to be done is tried
/// again until it is.
pub(crate) struct Operator {
    dice: Dice,
    /// How many members are to belong to the cluster.
    sizes: RangeInclusive<usize>,
    next: u64,
    until: u64,
    goals: VecDeque<Goal>,
    asked: Option<oneshot::Receiver<Result<bool>>>,
    /// When those that were removed are stopped.
    stops: Vec<(u64, usize)>,
    /// Why the last try did not succeed.
    refused: Option<Error>,
    pub(crate) changes: Changes,
}

/// What changed, how often.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) tries: u64,
    pub(crate) added: u64,
    pub(crate) removed: u64,
    pub(crate) replaced: u64,
    pub(crate) handed_over: u64,
}

/// What is to be done, or to become so, at a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// A member starts there under a new name, with empty disks.
    Raised(usize),
    Follows(usize),
    Votes(usize),
    /// It does not belong to the cluster.
    Gone(usize),
    /// Whoever was lost was replaced.
    Replaced,
    HandedOver,
}

impl Operator {
    /// Changes from `from` to `until`, in milliseconds.
    pub(crate) fn new(seed: u64, sizes: RangeInclusive<usize>, from: u64, until: u64) -> Self {
        let mut dice = Dice::new(seed);
        let next = from + dice.exponential(INTERVAL);
        let (goals, stops) = (VecDeque::new(), Vec::new());
        Self { dice, sizes, next, until, goals, asked: None, stops, refused: None, changes: Changes::default() }
    }

    /// How many members may be lost at a time.
    pub(crate) fn may_lose(&self) -> usize {
        (self.sizes.start() - 1) / 2
    }

    /// Does what is due.
    pub(crate) fn step(&mut self, world: &mut World) {
        let now = world.now();
        while let Some(at) = self.stops.iter().position(|(at, _)| *at <= now) {
            let (_, at) = self.stops.remove(at);
            world.group.retire(at);
        }
        if let Some(asked) = &mut self.asked {
            match asked.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => return,
                Err(oneshot::error::TryRecvError::Closed) => {}
                Ok(result) => self.hear(result, world),
            }
            self.asked = None;
        }
        if now < self.next {
            return;
        }
        match self.goals.front() {
            Some(goal) => self.pursue(*goal, world),
            None => self.plan(world),
        }
    }

    /// Ends what was begun, and replaces whoever was lost, until a time of the simulation.
    pub(crate) fn finish(&mut self, world: &mut World, latest: u64) {
        self.until = world.now();
        while !self.is_done(world) {
            if world.now() >= latest {
                let how = format!(
                    "members cannot be changed though all is well: {:?}, {:?}; {}",
                    self.goals,
                    self.refused,
                    world.group.describe()
                );
                return world.group.problems.push(how);
            }
            world.step();
            self.step(world);
        }
    }

    fn is_done(&self, world: &World) -> bool {
        self.goals.is_empty()
            && self.asked.is_none()
            && self.stops.is_empty()
            && world.group.those(|standing| standing == Standing::Lost).is_empty()
    }

    /// What to do next.
    fn plan(&mut self, world: &mut World) {
        self.next = world.now() + 1 + self.dice.exponential(INTERVAL);
        let goals = match self.one_of(&world.group.those(|standing| standing == Standing::Lost)) {
            Some(lost) => self.replace(lost, world),
            None if world.now() < self.until => self.change(world),
            None => Vec::new(),
        };
        self.goals.extend(goals);
    }

    /// Lets another member take the place of one that is lost, elsewhere before that goes or on its host after.
    fn replace(&mut self, old: usize, world: &World) -> Vec<Goal> {
        let spare = self.one_of(&world.group.those(|standing| standing == Standing::Spare)).filter(|_| self.dice.happens(0.5));
        match spare {
            Some(new) => self.add(new).into_iter().chain([Goal::Gone(old), Goal::Replaced]).collect(),
            None => [Goal::Gone(old)].into_iter().chain(self.add(old)).chain([Goal::Replaced]).collect(),
        }
    }

    fn add(&mut self, at: usize) -> Vec<Goal> {
        let follows = Some(Goal::Follows(at)).filter(|_| self.dice.happens(0.5));
        [Goal::Raised(at)].into_iter().chain(follows).chain([Goal::Votes(at)]).collect()
    }

    /// Some change that is not needed.
    fn change(&mut self, world: &mut World) -> Vec<Goal> {
        let members = world.group.sound();
        let one = if self.dice.happens(0.4) { self.one_of(&leaders(world)) } else { None };
        let Some(one) = one.or_else(|| self.one_of(&members)) else { return Vec::new() };
        let spare = self.one_of(&world.group.those(|standing| standing == Standing::Spare));
        match (self.dice.below(4), spare) {
            (0, _) => vec![Goal::HandedOver],
            (1 | 2, Some(spare)) if members.len() < *self.sizes.end() => self.add(spare),
            (1 | 2, _) if members.len() > *self.sizes.start() => vec![Goal::Gone(one)],
            (_, Some(spare)) => self.add(spare).into_iter().chain([Goal::Gone(one)]).collect(),
            // While there is one less, none may be lost for good.
            _ if world.group.spare > 0 => {
                world.group.spare -= 1;
                [Goal::Gone(one)].into_iter().chain(self.add(one)).chain([Goal::Replaced]).collect()
            }
            _ => vec![Goal::HandedOver],
        }
    }

    fn one_of(&mut self, of: &[usize]) -> Option<usize> {
        of.get(self.dice.below(of.len() as u64) as usize).copied()
    }

    fn pursue(&mut self, goal: Goal, world: &mut World) {
        match goal {
            Goal::Raised(at) => {
                world.group.raise(at);
                self.stops.retain(|(_, stopped)| *stopped != at);
                self.reached(world);
            }
            Goal::Replaced => {
                world.group.spare += 1;
                self.changes.replaced += 1;
                self.reached(world);
            }
            Goal::Follows(at) | Goal::Votes(at) | Goal::Gone(at) => {
                let member = Member::new(world.group.nodes[at].id, Wires::address(at));
                let asked = self.somebody(world);
                self.ask(world, asked, move |cluster| Box::pin(approach(cluster, goal, member)));
            }
            Goal::HandedOver => {
                let leader = self.one_of(&leaders(world));
                self.ask(world, leader, |cluster| Box::pin(async move { cluster.step_down().await.map(|()| true) }));
            }
        }
    }

    /// A member that runs, the leader as often as not.
    fn somebody(&mut self, world: &World) -> Option<usize> {
        let leader = if self.dice.happens(0.5) { self.one_of(&leaders(world)) } else { None };
        let running: Vec<usize> = world.group.sound().into_iter().filter(|at| world.group.at(*at).is_some()).collect();
        leader.or_else(|| self.one_of(&running))
    }

    fn ask(
        &mut self,
        world: &World,
        at: Option<usize>,
        call: impl FnOnce(Arc<Cluster>) -> BoxFuture<'static, Result<bool>> + Send + 'static,
    ) {
        if let Some(at) = at {
            self.changes.tries += 1;
            self.asked = Some(world.ask(at, LIMIT, call));
        } else {
            self.next = world.now() + 100;
        }
    }

    fn hear(&mut self, result: Result<bool>, world: &mut World) {
        let is_hand_over = self.goals.front() == Some(&Goal::HandedOver);
        match result {
            Ok(true) => self.reached(world),
            Err(_) if is_hand_over => drop(self.goals.pop_front()),
            Ok(false) => {}
            Err(error) => {
                self.refused = Some(error);
                self.next = world.now() + 100 + self.dice.below(900);
            }
        }
    }

    /// The first goal is reached.
    fn reached(&mut self, world: &mut World) {
        let Some(goal) = self.goals.pop_front() else { return };
        world.group.tell(|| format!("{goal:?}"));
        match goal {
            Goal::Votes(at) => {
                self.changes.added += 1;
                let standing = &mut world.group.nodes[at].standing;
                *standing = if *standing == Standing::Coming { Standing::Member } else { *standing };
            }
            Goal::Gone(at) => {
                self.changes.removed += 1;
                world.group.dismiss(at);
                self.stops.push((world.now() + self.dice.exponential(1_000.0), at));
            }
            Goal::HandedOver => self.changes.handed_over += 1,
            Goal::Raised(_) | Goal::Follows(_) | Goal::Replaced => {}
        }
    }
}

/// Those who belong to the cluster and believe to lead it.
fn leaders(world: &World) -> Vec<usize> {
    let members = world.group.sound();
    world.group.leaders().into_iter().filter(|at| members.contains(at)).collect()
}

/// Comes nearer to a goal; whether it was reached already. What is seen both before and after something was agreed on is agreed on too.
async fn approach(cluster: Arc<Cluster>, goal: Goal, member: Member) -> Result<bool> {
    let before = cluster.members().await?;
    cluster.put(b"alive", &encode(0)).await?;
    cluster.get(b"alive").await?;
    let after = cluster.members().await?;
    let known = after.iter().find(|known| known.id == member.id);
    match (goal, known) {
        (Goal::Gone(_), None) | (Goal::Follows(_), Some(_)) => return Ok(before == after),
        (Goal::Votes(_), Some(known)) if known.voter => return Ok(before == after),
        (Goal::Gone(_), Some(_)) => cluster.remove(member.id).await?,
        (Goal::Votes(_), Some(_)) => cluster.promote(member.id).await?,
        (Goal::Votes(_), None) => cluster.add(member).await?,
        _ => cluster.add(member.learner()).await?,
    }
    Ok(false)
}
