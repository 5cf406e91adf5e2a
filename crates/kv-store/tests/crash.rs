//! The power goes at every write and every sync of a script, and what was not synced is lost, kept or torn: what was acknowledged is there,
//! what was not is there whole or not at all, and the store goes on.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use jarre_core::testing::ManualClock;
use jarre_kv_store::{
    Embedded, EmbeddedOptions, Error, KeyRange, LeaseId, Limits, Memory, Op, Result, Revision, SessionId, SessionTag, Store, Txn,
    testing::{Disk, Fault, Kept},
};

/// What a script does, one after another.
#[derive(Clone, Debug)]
enum Step {
    Put(&'static str, usize),
    Txn(Vec<Op>),
    Delete(KeyRange),
    Grant,
    Leased(&'static str),
    Revoke,
    Compact(u64),
    Session(u64),
}

fn script() -> Vec<Step> {
    let mut steps = vec![Step::Put("a", 1), Step::Put("b", 200), Step::Grant, Step::Leased("c"), Step::Leased("d"), Step::Put("a", 3000)];
    steps.push(Step::Txn((0..20).map(|number| Op::put(format!("many/{number}"), vec![b'x'; 400])).collect()));
    steps.extend([Step::Session(1), Step::Session(2), Step::Put("large", 70_000), Step::Delete(KeyRange::prefix("many/1"))]);
    steps.extend([
        Step::Put("b", 5),
        Step::Revoke,
        Step::Compact(6),
        Step::Put("large", 100_000),
        Step::Session(3),
        Step::Delete(KeyRange::key("a")),
    ]);
    steps.extend([Step::Compact(12), Step::Put("end", 1)]);
    steps
}

fn options() -> EmbeddedOptions {
    EmbeddedOptions::new().with_clock(Arc::new(ManualClock::new()))
}

async fn carry_out(store: &dyn Store, step: &Step) -> Result<()> {
    // The first lease and the first session get the first two numbers.
    let (lease, session) = (LeaseId(2), SessionId(1));
    let txn = |op| store.txn(Txn::new().then(op));
    match step {
        Step::Put(key, length) => store.put(key.as_bytes(), &vec![b'v'; *length]).await.map(drop),
        Step::Txn(ops) => store.txn(ops.iter().cloned().fold(Txn::new(), Txn::then)).await.map(drop),
        Step::Delete(range) => store.delete_range(range.clone()).await.map(drop),
        Step::Grant => store.lease_grant(std::time::Duration::from_mins(1)).await.map(|id| assert_eq!(id, lease)),
        Step::Leased(key) => txn(Op::put_with_lease(*key, "leased", lease)).await.map(drop),
        Step::Revoke => store.lease_revoke(lease).await,
        Step::Compact(revision) => store.compact(Revision(*revision)).await,
        Step::Session(sequence) => {
            let mut request = Txn::new().then(Op::put("by session", sequence.to_string()).with_prev());
            request.session = Some(SessionTag { id: session, sequence: *sequence });
            store.txn(request).await.map(drop)
        }
    }
}

/// The digests of a store in memory after no step, the first, the second, and so on; the session is opened before.
fn expected() -> Vec<[u8; 32]> {
    let store = Memory::with(Arc::new(ManualClock::new()), Limits::default());
    pollster::block_on(async {
        let mut digests = vec![store.verify().unwrap().digest];
        store.open_session().await.unwrap();
        digests.push(store.verify().unwrap().digest);
        for step in script() {
            carry_out(&store, &step).await.unwrap();
            digests.push(store.verify().unwrap().digest);
        }
        digests
    })
}

/// The disk of a new store.
fn fresh() -> Disk {
    let disk = Disk::new();
    drop(Embedded::open_on(disk.clone(), &options()).unwrap());
    Disk::holding(disk.image())
}

/// Runs the script on `disk` until something fails, and says how many steps were acknowledged, the opening of the session among them.
fn run(disk: &Disk) -> (usize, Option<Error>) {
    let store = match Embedded::open_on(disk.clone(), &options()) {
        Ok(store) => store,
        Err(error) => return (0, Some(error)),
    };
    pollster::block_on(async {
        if let Err(error) = store.open_session().await {
            return (0, Some(error));
        }
        for (done, step) in script().iter().enumerate() {
            if let Err(error) = carry_out(&store, step).await {
                assert!(matches!(store.status().await, Err(Error::Poisoned { .. })), "after {error} the store stops");
                return (done + 1, Some(error));
            }
        }
        (script().len() + 1, None)
    })
}

/// Opens what is left, twice, and holds it to the model; then the rest of the script is carried out.
fn recover(disk: &Disk, acknowledged: usize, expected: &[[u8; 32]], what: &str) {
    let store = Embedded::open_on(disk.clone(), &options().verified()).unwrap_or_else(|error| panic!("{what}: {error}"));
    let digest = store.verify().unwrap_or_else(|error| panic!("{what}: {error}")).digest;
    let reached = expected[acknowledged..].iter().take(2).position(|one| *one == digest);
    let reached =
        acknowledged + reached.unwrap_or_else(|| panic!("{what}: {acknowledged} steps were acknowledged, and they are not there"));
    drop(store);
    let again = Disk::holding(disk.image());
    let store = Embedded::open_on(again.clone(), &options().verified()).unwrap_or_else(|error| panic!("{what}, the second time: {error}"));
    assert_eq!(store.verify().unwrap().digest, digest, "{what}: opening it changed it");
    pollster::block_on(async {
        if reached == 0 {
            store.open_session().await.unwrap();
        }
        for step in &script()[reached.saturating_sub(1)..] {
            carry_out(&store, step).await.unwrap_or_else(|error| panic!("{what}, going on: {error}"));
        }
    });
    assert_eq!(store.verify().unwrap().digest, expected[expected.len() - 1], "{what}: it does not end where it should");
}

#[test]
fn the_power_goes_at_every_operation() {
    let expected = expected();
    let whole = fresh();
    assert_eq!(run(&whole).0, script().len() + 1);
    let operations = whole.operations();
    assert!(operations > 150, "only {operations} writes and syncs");
    for operation in 0..operations {
        let disk = fresh();
        disk.fault_at(operation, Fault::Stop);
        let (acknowledged, _) = run(&disk);
        let torn = (0..disk.last_sectors()).map(Kept::Torn);
        let some = (0..4).map(|seed| Kept::Some(operation * 4 + seed));
        for kept in [Kept::Nothing, Kept::Everything].into_iter().chain(torn).chain(some) {
            recover(&disk.after_power_loss(kept), acknowledged, &expected, &format!("power lost at operation {operation}, {kept:?}"));
        }
    }
}

#[test]
fn every_operation_fails_once_or_for_want_of_space() {
    let expected = expected();
    let operations = {
        let disk = fresh();
        run(&disk);
        disk.operations()
    };
    for fault in [Fault::Fail, Fault::Full] {
        for operation in 0..operations {
            let disk = fresh();
            disk.fault_at(operation, fault);
            let (acknowledged, error) = run(&disk);
            if let Some(error) = error {
                assert!(matches!(error, Error::Io { .. } | Error::Unknown { .. }), "operation {operation}: {error}");
            }
            for kept in [Kept::Nothing, Kept::Everything, Kept::Some(operation)] {
                recover(&disk.after_power_loss(kept), acknowledged, &expected, &format!("{fault:?} at operation {operation}, {kept:?}"));
            }
        }
    }
}
