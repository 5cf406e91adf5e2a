//! What comes about too seldom to wait for a seed that meets it, step by step.

use std::{sync::Arc, time::Duration};

use jarre_core::BoxFuture;
use jarre_kv_store::{
    Cluster, Compare, Error, LeaseId, Member, Members, Op, RaftStatus, Result as Answer, Store, Txn,
    testing::{
        nemesis::{Dice, Grudge},
        simulation::Wires,
    },
};
use tokio::time::timeout;

use crate::{
    clients::{SLACK, SLOWEST},
    histories::caller::encode,
    members::Group,
    world::World,
};

/// How long somebody waits for an answer.
const LIMIT: Duration = Duration::from_secs(3);
/// How long what must come about may take, in milliseconds.
const PATIENCE: u64 = 20_000;
/// Within how many milliseconds followers who hear nobody elect another by far.
const CALM: u64 = 5_000;
/// Puts after which the log that a member lacks is given up: a snapshot is made after a hundred entries.
const MANY: u64 = 250;
/// Puts that need more than the places that a proposer has.
const FEW: u64 = 10;
const MEMBERS: usize = 3;

/// What happens, and what must come of it.
type Script = fn(&mut World) -> Result<(), String>;

/// A script with its name, and what goes wrong in it with a seed.
#[cfg(feature = "mutants")]
type Named = (&'static str, fn(u64) -> Vec<String>);

/// All of them.
#[cfg(feature = "mutants")]
pub(crate) const ALL: [Named; 5] = [
    ("a leader that comes back", |seed| play(seed, an_old_leader_leads_again)),
    ("a lease that outlives its leader", |seed| play(seed, a_lease_outlives_its_leader)),
    ("a hand-over that nobody waits for", |seed| play(seed, a_hand_over_is_given_up)),
    ("a change whose leader ends", |seed| play(seed, a_leader_ends_amid_a_change)),
    ("a leader that is removed", |seed| play(seed, a_leader_is_removed)),
];

/// What goes wrong in a script, whose members' clocks, disks and elections are those of a seed.
fn play(seed: u64, script: Script) -> Vec<String> {
    let mut world = World::new(MEMBERS, 1, &mut Dice::new(seed));
    let ended = script(&mut world);
    ended.err().into_iter().chain(world.group.problems).collect()
}

/// A leader is cut off with two proposals under way, whose outcome comes to it in a snapshot. It must propose again when it leads again.
fn an_old_leader_leads_again(world: &mut World) -> Result<(), String> {
    let old = leader_but(world, None)?;
    world.answer(put(world, old)).map_err(|error| format!("a leader does not serve: {error}"))?;
    let end = log_end(&world.group, old);
    isolate(&world.group, old);
    let first = put(world, old);
    world.pass(20);
    let second = put(world, old);
    if !world.until(PATIENCE, |group| log_end(group, old) == end.map(|end| end + 2)) {
        return Err("two proposals are not under way".to_owned());
    }
    let new = leader_but(world, Some(old))?;
    write(world, new, MANY)?;
    let behind = log_end(&world.group, old);
    wait_for(world, "the log that the old leader lacks is not given up", |group| log_start(group, new) > behind)?;
    for proposal in [first, second] {
        let outcome = world.answer(proposal);
        if !matches!(outcome, Err(Error::Unknown { .. })) {
            return Err(format!("without a quorum a put ended in {outcome:?}"));
        }
    }
    mend(&world.group);
    wait_for(world, "the old leader gets no snapshot", |group| log_start(group, old) > behind)?;
    lead_again(world, old, new)?;
    write(world, old, FEW)
}

/// Lets `old` lead in place of `new`.
fn lead_again(world: &mut World, old: usize, new: usize) -> Result<(), String> {
    // Of two followers the one that is further takes over.
    isolate(&world.group, (0..MEMBERS).find(|at| ![old, new].contains(at)).expect("there are three"));
    write(world, new, FEW)?;
    let handed_over = world.ask(new, LIMIT, |cluster| Box::pin(async move { cluster.step_down().await }));
    wait_for(world, "the old leader does not lead again", |group| group.leaders() == [old])?;
    mend(&world.group);
    world.answer(handed_over).map_err(|error| format!("a leader that stepped down says {error}"))
}

/// A leader is cut off for longer than an election and a lease take, while the lease's holder keeps it alive there. Once another has got
/// what the lease guards, the first must not believe that it still does.
fn a_lease_outlives_its_leader(world: &mut World) -> Result<(), String> {
    let ttl = Duration::from_secs(2);
    let lasts = (ttl.as_millis() as f64 * SLOWEST) as u64 - SLACK;
    let old = leader_but(world, None)?;
    let mut until = world.now() + lasts;
    let granted = world.ask(old, LIMIT, move |cluster| Box::pin(async move { cluster.lease_grant(ttl).await }));
    let lease = world.answer(granted).map_err(|error| format!("no lease is granted: {error}"))?;
    if !take_lock(world, old, Some(lease)) {
        return Err("a lock that is free is not given".to_owned());
    }
    isolate(&world.group, old);
    let new = leader_but(world, Some(old))?;
    let latest = world.now() + PATIENCE;
    while world.now() < latest {
        let sent = world.now();
        let kept = world.ask(old, LIMIT, move |cluster| Box::pin(async move { cluster.lease_keep_alive(lease).await }));
        if world.answer(kept).is_ok() {
            until = sent + lasts;
        }
        if take_lock(world, new, None) {
            let now = world.now();
            let held = format!("another got the lock at {now}, and its first holder was told that it has it until {until} at least");
            return if now < until { Err(held) } else { Ok(()) };
        }
        world.pass(200);
    }
    Err("a lock is not given though its holder's lease is over".to_owned())
}

/// A leader is to hand over, and whoever asked for that goes away at once. When it leads again it must be heard.
fn a_hand_over_is_given_up(world: &mut World) -> Result<(), String> {
    let old = leader_but(world, None)?;
    let given_up = world.ask(old, LIMIT, |cluster| {
        Box::pin(async move { timeout(Duration::from_millis(20), cluster.step_down()).await.unwrap_or(Err(Error::NoQuorum)) })
    });
    let _ = world.answer(given_up);
    world.pass(CALM);
    let new = leader_but(world, None)?;
    if new != old {
        lead_again(world, old, new)?;
    }
    write(world, old, FEW)?;
    let term = |group: &Group| group.status(old).map(|status| (status.term, status.is_leader));
    let before = term(&world.group);
    world.pass(CALM);
    let after = term(&world.group);
    if before == after { Ok(()) } else { Err(format!("while all is well the leader went from {before:?} to {after:?}")) }
}

/// A leader ends when others have the first step of a change of members, and it has not taken the second. Another must take it.
fn a_leader_ends_amid_a_change(world: &mut World) -> Result<(), String> {
    let old = leader_but(world, None)?;
    let new = MEMBERS;
    world.group.raise(new);
    let member = Member::new(world.group.nodes[new].id, Wires::address(new));
    let id = member.id;
    world
        .eventually(old, PATIENCE, LIMIT, |cluster| Box::pin(async move { cluster.add(member.learner()).await }))
        .ok_or("no member is added")?;
    drop(world.ask(old, LIMIT, move |cluster| Box::pin(async move { cluster.promote(id).await })));
    let changes = |group: &Group, at| group.status(at).is_some_and(|status| status.is_changing);
    let followers = move || (0..MEMBERS).filter(move |at| *at != old);
    wait_for(world, "no follower has the first step", |group| followers().any(|at| changes(group, at)))?;
    world.group.kill(old, false, &mut Dice::new(0));
    leader_but(world, Some(old))?;
    world.group.start(old);
    let is_done = |status: RaftStatus| !status.is_changing && status.voters.contains(&id);
    wait_for(world, "nobody takes the second step", |group| (0..=MEMBERS).all(|at| group.status(at).is_some_and(is_done)))
}

/// A leader is to be removed. Another must lead before that one does not vote any more.
fn a_leader_is_removed(world: &mut World) -> Result<(), String> {
    let old = leader_but(world, None)?;
    write(world, old, FEW)?;
    let id = world.group.nodes[old].id;
    drop(world.ask(old, LIMIT, move |cluster| Box::pin(async move { cluster.remove(id).await })));
    let has_gone = move |status: &RaftStatus| !status.voters.contains(&id);
    let leads_on = move |group: &Group| group.status(old).is_some_and(|status| status.is_leader && has_gone(&status));
    let is_done = move |status: RaftStatus| !status.is_changing && has_gone(&status);
    let is_removed = move |group: &Group| group.leaders().into_iter().any(|at| at != old && group.status(at).is_some_and(is_done));
    wait_for(world, "a leader is not removed", |group| leads_on(group) || is_removed(group))?;
    if leads_on(&world.group) { Err("a leader leads on that does not vote".to_owned()) } else { Ok(()) }
}

/// Whether somebody gets the lock.
fn take_lock(world: &mut World, at: usize, lease: Option<LeaseId>) -> bool {
    let put = lease.map_or_else(|| Op::put("lock", "2"), |lease| Op::put_with_lease("lock", "1", lease));
    let txn = Txn::new().when(Compare::missing("lock")).then(put);
    let taken = world.ask(at, LIMIT, move |cluster| Box::pin(async move { cluster.txn(txn).await }));
    world.answer(taken).is_ok_and(|outcome| outcome.succeeded)
}

/// Waits until a member leads that is not `but`.
fn leader_but(world: &mut World, but: Option<usize>) -> Result<usize, String> {
    let leader = |group: &Group| group.leaders().into_iter().find(|at| Some(*at) != but);
    wait_for(world, "nobody leads", |group| leader(group).is_some())?;
    Ok(leader(&world.group).expect("it was just seen"))
}

fn wait_for(world: &mut World, or: &str, is_so: impl Fn(&Group) -> bool) -> Result<(), String> {
    if world.until(PATIENCE, is_so) { Ok(()) } else { Err(format!("{or}: {}", world.group.describe())) }
}

fn put(world: &World, at: usize) -> tokio::sync::oneshot::Receiver<Answer<()>> {
    let call = |cluster: Arc<Cluster>| -> BoxFuture<'static, Answer<()>> {
        Box::pin(async move { cluster.put(b"key", &encode(7)).await.map(drop) })
    };
    world.ask(at, LIMIT, call)
}

fn write(world: &mut World, at: usize, count: u64) -> Result<(), String> {
    for number in 0..count {
        world.answer(put(world, at)).map_err(|error| format!("put {number} at a leader ended in {error}"))?;
    }
    Ok(())
}

/// Cuts a member off from all others.
fn isolate(group: &Group, alone: usize) {
    let hosts = group.nodes.len();
    let rest: Vec<usize> = (0..hosts).filter(|at| *at != alone).collect();
    group.simulation.wires().change(|network| network.grudge = Grudge::between(hosts, &[&[alone], &rest]));
}

fn mend(group: &Group) {
    group.simulation.wires().change(|network| network.grudge = Grudge::none(group.nodes.len()));
}

/// The last entry of a member's log.
fn log_end(group: &Group, at: usize) -> Option<u64> {
    log(group, at)[0]
}

/// The last entry that a member has given up.
fn log_start(group: &Group, at: usize) -> Option<u64> {
    log(group, at)[2]
}

fn log(group: &Group, at: usize) -> [Option<u64>; 3] {
    group.at(at).map_or([None; 3], |cluster| cluster.log_indices())
}

/// A script ends well whatever clocks, disks and elections are like.
fn holds(script: Script) {
    for seed in 0..5 {
        assert_eq!(play(seed, script), Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn a_leader_that_comes_back_proposes_again() {
    holds(an_old_leader_leads_again);
}

#[test]
fn a_lease_is_not_kept_alive_without_a_quorum() {
    holds(a_lease_outlives_its_leader);
}

#[test]
fn a_change_whose_leader_ends_is_finished() {
    holds(a_leader_ends_amid_a_change);
}

#[test]
fn a_leader_that_is_removed_hands_over_first() {
    holds(a_leader_is_removed);
}

#[test]
fn a_leader_that_gave_a_hand_over_up_is_heard() {
    holds(a_hand_over_is_given_up);
}
