//! What must be so of all that clients saw.

use std::{collections::BTreeMap, fmt::Debug};

use jarre_kv_store::{
    Entry, Event, Revision,
    testing::linearizability::{Bank, ListAppend, Model, Operation, PerKey, Register, Set, Verdict, check},
};

use super::{
    bank::{ACCOUNTS, HELD},
    caller::{decode, encode},
    record::{End, Seen},
};

/// Steps that a search may take.
const BUDGET: u64 = 2_000_000;

/// Finds what is wrong; the number of histories whose search took too long.
pub(crate) fn check_all(seen: &mut Seen) -> u64 {
    let mut open = 0;
    let mut problems = Vec::new();
    let bank = Bank { accounts: vec![HELD; ACCOUNTS] };
    search("registers", &PerKey::new(Register), seen.registers.operations(), &mut problems, &mut open);
    search("lists", &PerKey::new(ListAppend), seen.lists.operations(), &mut problems, &mut open);
    search("sets", &PerKey::new(Set), seen.sets.operations(), &mut problems, &mut open);
    search("the bank", &bank, seen.bank.operations(), &mut problems, &mut open);
    check_holds(seen, &mut problems);
    check_puts(seen, &mut problems);
    check_journal(seen, &mut problems);
    seen.problems.extend(problems);
    open
}

fn search<M: Model>(name: &str, model: &M, history: &[Operation<M::Input, M::Output>], problems: &mut Vec<String>, open: &mut u64)
where
    M::State: Debug,
{
    match check(model, history, BUDGET) {
        Verdict::Ok => {}
        Verdict::Unknown => *open += 1,
        Verdict::Illegal(found) => {
            let window: Vec<_> = found.window.iter().map(|at| &history[*at]).collect();
            let culprit = &history[found.culprit];
            problems.push(format!("{name} are not linearizable: {culprit:?} from {:?}, beside {window:?}", found.state));
        }
    }
}

/// Of two who held the lock, the later got it only after the earlier's lease was over.
fn check_holds(seen: &Seen, problems: &mut Vec<String>) {
    for earlier in &seen.holds {
        let overlap = seen.holds.iter().find(|later| later.revision > earlier.revision && later.from < earlier.until);
        if let Some(later) = overlap {
            problems.push(format!(
                "{} held the lock from {} until {} at least, and {} from {}",
                earlier.value, earlier.from, earlier.until, later.value, later.from
            ));
        }
    }
}

/// What was acknowledged is in the history where that was said, what failed nowhere, and nothing twice.
fn check_puts(seen: &Seen, problems: &mut Vec<String>) {
    let mut found: BTreeMap<(&[u8], &[u8]), Vec<Revision>> = BTreeMap::new();
    for (revision, event) in seen.journal.iter().flat_map(|(revision, events)| events.iter().map(move |event| (revision, event))) {
        if let Event::Put { entry, .. } = event {
            found.entry((&entry.key, &entry.value)).or_default().push(*revision);
        }
    }
    let is_told = |revision: &Revision| *revision > seen.compacted || seen.journal.contains_key(revision);
    for put in &seen.puts {
        let value = encode(put.value);
        let at = found.get(&(&*put.key, &*value)).map_or(&[][..], Vec::as_slice);
        let what = || format!("{} of {}", put.value, put.key.escape_ascii());
        match put.end {
            End::Acknowledged(revision) if at != [revision] && is_told(&revision) => {
                problems.push(format!("{} was acknowledged at {revision}, and is at {at:?}", what()));
            }
            End::Unknown if at.len() > 1 => problems.push(format!("{} was put once, and is at {at:?}", what())),
            End::Failed if !at.is_empty() => problems.push(format!("{} failed for sure, and is at {at:?}", what())),
            _ => {}
        }
    }
}

/// Each event follows from those before it.
fn check_journal(seen: &Seen, problems: &mut Vec<String>) {
    let mut state: BTreeMap<&[u8], &Entry> = BTreeMap::new();
    let mut next = Revision(2);
    let (mut fence, mut gap) = (0, false);
    for (&revision, events) in &seen.journal {
        if revision != next && next > seen.compacted {
            problems.push(format!("the history goes from {next} to {revision}"));
        }
        gap |= revision != next;
        next = revision.next();
        for event in events {
            match event {
                Event::Put { entry, prev } => {
                    let before = state.insert(&entry.key, entry);
                    let version = before.map_or(1, |before| before.version + 1);
                    if !gap && (before != prev.as_ref() || entry.version != version || entry.mod_revision != revision) {
                        problems.push(format!("{entry:?} at {revision} does not follow {before:?}, told as {prev:?}"));
                    }
                    if entry.key == b"guarded" {
                        let token = decode(&entry.value)[0];
                        if token < fence {
                            problems.push(format!("who got the lock at {token} did something after {fence} did"));
                        }
                        fence = token;
                    }
                }
                Event::Delete { key, prev } => {
                    let before = state.remove(&**key);
                    if !gap && (before != prev.as_ref() || before.is_none()) {
                        problems.push(format!("the end of {} at {revision} does not follow {before:?}", key.escape_ascii()));
                    }
                }
                _ => {}
            }
        }
    }
}
