//! Three processes whose links are cut by the system, which are killed and paused, and clients beside each of them, whose history is held to
//! what it must be.

use std::{thread, time::Duration};

use jarre_kv_store::{KeyRange, RangeRequest, Result, Revision, Store, WatchRequest};
use tokio::time::timeout;

use crate::{
    clients::Clients,
    histories::{bank::opening, checks::check_all, record::Record},
    members::Members,
    network::Network,
    process::{SOON, soon},
};

/// For how long each fault lasts, and how long all is well between two.
const LASTS: Duration = Duration::from_millis(1_500);
const BETWEEN: Duration = Duration::from_millis(700);

/// What happens to the three, of which one leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The leader reaches nobody.
    LeaderAlone,
    /// A follower reaches nobody.
    FollowerAlone,
    /// Nobody reaches anybody.
    AllAlone,
    /// The others hear the leader, which hears nobody.
    LeaderDeaf,
    /// The leader hears the others, which do not hear it.
    LeaderMute,
    /// The leader and a follower do not reach each other; the third reaches both.
    Bridge,
    LeaderKilled,
    AllKilled,
    LeaderPaused,
    /// One that is alone is killed, and comes back while it still is.
    KilledAlone,
}

const FAULTS: [Fault; 10] = [
    Fault::LeaderAlone,
    Fault::LeaderKilled,
    Fault::FollowerAlone,
    Fault::LeaderDeaf,
    Fault::LeaderPaused,
    Fault::AllAlone,
    Fault::LeaderMute,
    Fault::KilledAlone,
    Fault::Bridge,
    Fault::AllKilled,
];

impl Fault {
    /// Whether others must elect another leader while it lasts.
    fn deposes(self) -> bool {
        use Fault::{KilledAlone, LeaderAlone, LeaderDeaf, LeaderKilled, LeaderMute, LeaderPaused};
        matches!(self, LeaderAlone | LeaderDeaf | LeaderMute | LeaderKilled | LeaderPaused | KilledAlone)
    }

    /// Lets it begin, in as far as links can be cut.
    fn begin(self, members: &mut Members, leader: usize) {
        let others = [(leader + 1) % 3, (leader + 2) % 3];
        self.cut(members.network(), leader, others);
        match self {
            Self::LeaderKilled | Self::KilledAlone => members.kill(leader),
            Self::AllKilled => (0..3).for_each(|at| members.kill(at)),
            Self::LeaderPaused => members.signal(leader, "-STOP"),
            _ => {}
        }
    }

    fn cut(self, network: Option<&Network>, leader: usize, others: [usize; 2]) {
        let Some(network) = network else { return };
        match self {
            Self::LeaderAlone | Self::KilledAlone => network.unplug(leader),
            Self::FollowerAlone => network.unplug(others[0]),
            Self::AllAlone => (0..3).for_each(|at| network.unplug(at)),
            Self::LeaderDeaf => others.into_iter().for_each(|other| network.silence(other, leader)),
            Self::LeaderMute => others.into_iter().for_each(|other| network.silence(leader, other)),
            Self::Bridge => [(leader, others[0]), (others[0], leader)].into_iter().for_each(|(from, to)| network.silence(from, to)),
            Self::LeaderKilled | Self::AllKilled | Self::LeaderPaused => {}
        }
    }

    /// Whether it needs links that can be cut.
    fn is_cut(self) -> bool {
        !matches!(self, Self::LeaderKilled | Self::AllKilled | Self::LeaderPaused)
    }

    /// Lets it end.
    fn end(self, members: &mut Members, leader: usize) {
        match self {
            Self::LeaderKilled => members.start(leader),
            Self::KilledAlone => {
                members.start(leader);
                thread::sleep(BETWEEN);
            }
            Self::AllKilled => (0..3).for_each(|at| members.start(at)),
            Self::LeaderPaused => members.signal(leader, "-CONT"),
            _ => {}
        }
        members.network().into_iter().for_each(Network::mend);
    }
}

/// Nothing that one copy of the data could not have answered, nothing acknowledged that is not there, nothing twice.
#[test]
fn processes_keep_what_they_promise_when_links_are_cut() {
    let mut members = Members::started_on(Network::where_permitted(3));
    members.leader();
    open_accounts(&members);
    let record = Record::default();
    let clients = Clients::started(&members, &record);
    let is_cut = members.network().is_some();
    for fault in FAULTS.into_iter().filter(|fault| is_cut || !fault.is_cut()) {
        thread::sleep(BETWEEN);
        suffer(fault, &mut members);
    }
    clients.end();
    tell_all(&members, &record);
    let mut seen = record.lock();
    let open = check_all(&mut seen);
    assert!(seen.problems.is_empty(), "{:#?}", seen.problems);
    assert_eq!(open, 0, "histories that could not be searched through");
    let counts = seen.counts;
    println!("{counts:?}");
    assert!(counts.acknowledged > 100 && counts.reads > 100 && counts.unknown > 0, "too little to say anything: {counts:?}");
    drop(seen);
    members.digests();
}

fn suffer(fault: Fault, members: &mut Members) {
    let leader = members.leader();
    fault.begin(members, leader);
    if fault.deposes() {
        members.leader_of(&[(leader + 1) % 3, (leader + 2) % 3], |at| at != leader);
    }
    thread::sleep(LASTS);
    fault.end(members, leader);
    for at in 0..3 {
        soon(&format!("member {at} does not serve after {fault:?}"), || is_serving(members, at));
    }
}

/// Whether a put and a read are carried out at a member.
fn is_serving(members: &Members, at: usize) -> bool {
    let served = members.ask(at, async |remote| {
        remote.put(b"alive", b"").await?;
        remote.get(b"alive").await
    });
    served.is_ok()
}

fn open_accounts(members: &Members) {
    soon("accounts cannot be opened", || members.ask(0, async |remote| remote.txn(opening()).await).is_ok());
}

/// Writes down the whole history, as a watch tells it.
fn tell_all(members: &Members, record: &Record) {
    let told: Result<_> = members.ask(0, async |remote| {
        let end = remote.range(RangeRequest::new(KeyRange::key("alive"))).await?.revision;
        let mut watch = remote.watch(WatchRequest::new(KeyRange::all()).from(Revision(2)).with_prev()).await?;
        let mut batches = Vec::new();
        while batches.last().is_none_or(|last: &jarre_kv_store::WatchBatch| last.revision < end) {
            batches.push(timeout(SOON, watch.next()).await.expect("the history goes on").expect("it does not end")?);
        }
        Ok(batches)
    });
    record.lock().follow(Revision(2), told.expect("all is well"));
}
