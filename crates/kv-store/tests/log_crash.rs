//! The Raft log under power cuts, kills, disk errors and flipped bits, held to a model.
#![cfg(all(feature = "cluster", feature = "testing"))]
#![expect(clippy::unwrap_used, reason = "tests")]

mod log_model;

use jarre_kv_store::log::{LogError, SimDisk, SimFault};
use log_model::{Model, Step, coin, open, run};
use proptest::prelude::*;

/// Several segments, entries of many sectors, entries replaced and purged, a purge beyond the end.
const SCRIPT: [Step; 27] = [
    Step::Vote,
    Step::Append(1, 40),
    Step::Append(4, 700),
    Step::Committed,
    Step::Append(3, 0),
    Step::Truncate(3),
    Step::Vote,
    Step::Append(2, 1300),
    Step::Append(1, 3000),
    Step::Purge(2),
    Step::Vote,
    Step::Append(5, 100),
    Step::Truncate(4),
    Step::Append(1, 6000),
    Step::Committed,
    Step::Purge(5),
    Step::Append(2, 500),
    Step::Purge(9),
    Step::Vote,
    Step::Append(3, 900),
    Step::Append(3, 900),
    Step::Purge(2),
    Step::Committed,
    Step::Append(3, 700),
    Step::Append(1, 50),
    Step::Vote,
    Step::Append(2, 90),
];

fn calls(script: &[Step]) -> u64 {
    let disk = SimDisk::new();
    run(&disk, script);
    disk.calls()
}

/// What is left after a power cut holds what was acknowledged, takes more, and still has that after another cut.
fn assert_recovers(cut: &SimDisk, outcomes: &[Model], why: &str) {
    let log = open(cut).unwrap_or_else(|error| panic!("{why}: {error}"));
    let found = Model::assert_among(outcomes, &log, why);
    drop(log);
    let nothing_more = cut.after_power_cut(|| false);
    let log = open(&nothing_more).unwrap_or_else(|error| panic!("{why}, again: {error}"));
    Model::assert_among(std::slice::from_ref(&found), &log, &format!("{why}, again"));
    let step = Step::Append(2, 300);
    found.step(step, &log).unwrap_or_else(|error| panic!("{why}, going on: {error}"));
    drop(log);
    let log = open(&nothing_more.after_power_cut(|| false)).unwrap();
    Model::assert_among(&[found.after(step)], &log, &format!("{why}, gone on"));
}

#[test]
fn a_power_cut_at_every_call_loses_nothing_acknowledged_whatever_sectors_reach_the_disk() {
    let mut cuts = 0;
    for call in 0..calls(&SCRIPT) {
        let disk = SimDisk::new();
        disk.fail_at(call, SimFault::Stop);
        let (_, outcomes) = run(&disk, &SCRIPT);
        let unsynced = disk.unsynced();
        for kept in 0..=unsynced {
            let mut nth = 0..;
            let first = disk.after_power_cut(|| nth.next().unwrap() < kept);
            assert_recovers(&first, &outcomes, &format!("cut at call {call}, the first {kept} of {unsynced} kept"));
            let mut nth = 0..;
            let last = disk.after_power_cut(|| nth.next().unwrap() >= kept);
            assert_recovers(&last, &outcomes, &format!("cut at call {call}, all but the first {kept} of {unsynced} kept"));
        }
        for seed in 0..16 {
            assert_recovers(&disk.after_power_cut(coin(seed)), &outcomes, &format!("cut at call {call}, seed {seed}"));
        }
        cuts += 2 * (unsynced + 1) + 16;
    }
    assert!(cuts > 2_000, "the script has few boundaries: {cuts}");
}

#[test]
fn a_power_cut_in_recovery_is_recovered_from() {
    for call in 0..calls(&SCRIPT) {
        let disk = SimDisk::new();
        disk.fail_at(call, SimFault::Stop);
        let (_, outcomes) = run(&disk, &SCRIPT);
        for seed in 0..4 {
            for second in 0..6 {
                let cut = disk.after_power_cut(coin(seed));
                cut.fail_at(second, SimFault::Stop);
                drop(open(&cut));
                assert_recovers(&cut.after_power_cut(coin(seed + 7)), &outcomes, &format!("call {call}, seed {seed}, then call {second}"));
            }
        }
    }
}

#[test]
fn pieces_of_a_torn_batch_never_follow_what_is_written_over_its_beginning() {
    let script = [Step::Append(1, 10), Step::Append(3, 600)];
    let disk = SimDisk::new();
    disk.fail_at(calls(&script) - 1, SimFault::Stop);
    let (_, outcomes) = run(&disk, &script);
    for kept in 0..1_u32 << disk.unsynced() {
        let mut nth = 0..;
        let cut = disk.after_power_cut(|| kept >> nth.next().unwrap() & 1 == 1);
        let log = open(&cut).unwrap();
        let found = Model::assert_among(&outcomes, &log, &format!("kept {kept:b}"));
        // The very bytes that were lost, but alone: the entries that came after it may still lie behind.
        found.step(Step::Append(1, 600), &log).unwrap();
        drop(log);
        let log = open(&cut.after_power_cut(|| false)).unwrap();
        Model::assert_among(&[found.after(Step::Append(1, 600))], &log, &format!("kept {kept:b}, gone on"));
    }
}

#[test]
fn a_record_of_an_earlier_batch_does_not_follow_a_later_one() {
    let written = |script: &[Step]| {
        let disk = SimDisk::new();
        let (model, _) = run(&disk, script);
        let (name, bytes) = disk.files().pop_first().unwrap();
        let end = bytes.iter().rposition(|&byte| byte != 0).unwrap() + 1;
        (model, name, bytes, end)
    };
    let (_, _, together, _) = written(&[Step::Append(1, 10), Step::Append(3, 600)]);
    let (apart, name, mut bytes, end) = written(&[Step::Append(1, 10), Step::Append(1, 600), Step::Append(1, 600)]);
    bytes[end..].copy_from_slice(&together[end..]);
    let log = open(&SimDisk::with_files([(name, bytes)])).unwrap();
    Model::assert_among(&[apart], &log, "the third entry of the other log lies where a fourth record would");
}

#[test]
fn a_failed_write_or_sync_poisons_and_what_recovery_shows_then_is_durable() {
    for fault in [SimFault::Eio, SimFault::Enospc] {
        for call in 1..calls(&SCRIPT) {
            let disk = SimDisk::new();
            disk.fail_at(call, fault);
            let log = open(&disk).unwrap();
            let (mut model, mut steps) = (Model::default(), SCRIPT.into_iter());
            let failed = steps.find(|&step| {
                let is_done = model.step(step, &log).is_ok();
                if is_done {
                    model = model.after(step);
                }
                !is_done
            });
            let failed = failed.expect("each call belongs to a step");
            let calls = disk.calls();
            for step in SCRIPT {
                assert!(matches!(model.step(step, &log), Err(LogError::Poisoned { .. })), "{fault:?} at call {call}, then {step:?}");
            }
            assert!(matches!(log.read(0..1, 1), Err(LogError::Poisoned { .. })));
            assert!(matches!(log.state(), Err(LogError::Poisoned { .. })));
            assert_eq!(disk.calls(), calls, "a poisoned log leaves the disk alone");
            drop(log);
            // The next process sees pages that the failed sync left in memory, marked clean. Once shown, they must stay.
            assert_recovers(&disk.after_kill(), &model.outcomes(failed), &format!("{fault:?} at call {call}"));
        }
    }
}

#[test]
fn a_flip_of_any_bit_is_refused_or_in_the_last_batch_or_where_nothing_is_written() {
    let (head, last) = (&SCRIPT[..SCRIPT.len() - 1], SCRIPT[SCRIPT.len() - 1]);
    let disk = SimDisk::new();
    let (whole, _) = run(&disk, &SCRIPT);
    let (before, _) = run(&SimDisk::new(), head);
    let mut refused = 0;
    for (name, bytes) in disk.files() {
        for bit in 0..bytes.len() * 8 {
            let copy = SimDisk::with_files(disk.files());
            copy.flip(&name, bit);
            match open(&copy) {
                Ok(log) => {
                    Model::assert_among(&[before.outcomes(last), vec![whole.clone()]].concat(), &log, &format!("{name} bit {bit}"));
                }
                Err(LogError::Corrupt { file, .. }) => {
                    assert_eq!(file, name, "bit {bit}");
                    refused += 1;
                }
                Err(other) => panic!("{name} bit {bit}: {other}"),
            }
        }
    }
    assert!(refused > 10_000, "few flips were refused: {refused}");
}

#[test]
fn a_lost_sector_or_segment_before_the_last_batch_is_refused() {
    let script: Vec<Step> = [Step::Append(1, 900); 12].into();
    let disk = SimDisk::new();
    run(&disk, &script);
    let files = disk.files();
    assert!(files.len() >= 3);
    for name in files.keys() {
        let mut less = files.clone();
        less.remove(name);
        let is_last = files.keys().last() == Some(name);
        assert_eq!(open(&SimDisk::with_files(less)).is_err(), !is_last, "without {name}; a last segment that never was cannot be missed");
    }
    for (name, bytes) in files.iter().take(files.len() - 1) {
        let used = bytes.iter().rposition(|&byte| byte != 0).unwrap();
        for sector in 0..=used / 512 {
            let mut holed = files.clone();
            let hole = holed.get_mut(name).unwrap().iter_mut().skip(sector * 512).take(512);
            hole.for_each(|byte| *byte = 0);
            let outcome = open(&SimDisk::with_files(holed));
            assert!(matches!(outcome, Err(LogError::Corrupt { .. })), "{name} without sector {sector}: {outcome:?}");
        }
    }
}

#[test]
fn a_file_cut_short_at_any_byte_is_refused() {
    let disk = SimDisk::new();
    run(&disk, &SCRIPT);
    let files = disk.files();
    for (name, bytes) in &files {
        for len in 0..bytes.len() {
            let mut cut = files.clone();
            cut.insert(name.clone(), bytes[..len].to_vec());
            let outcome = open(&SimDisk::with_files(cut));
            assert!(matches!(&outcome, Err(LogError::Corrupt { file, .. }) if file == name), "{name} cut at {len}: {outcome:?}");
        }
    }
}

#[test]
fn another_nodes_log_is_refused() {
    let disk = SimDisk::new();
    run(&disk, &SCRIPT);
    let other = jarre_kv_store::log::LogConfig::new(1, 3);
    let outcome = jarre_kv_store::log::RaftLog::open_inline(std::sync::Arc::new(disk), other);
    assert!(matches!(outcome, Err(LogError::Foreign { cluster: 1, node: 2, .. })));
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1..6_u64, 0..2000_usize).prop_map(|(count, size)| Step::Append(count, size)),
        1 => Just(Step::Vote),
        1 => Just(Step::Committed),
        1 => (0..6_u64).prop_map(Step::Truncate),
        1 => (0..8_u64).prop_map(Step::Purge),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_work_survives_random_cuts(script in steps(), at in any::<prop::sample::Index>(), seed in any::<u64>()) {
        let disk = SimDisk::new();
        disk.fail_at(at.index(calls(&script) as usize + 1) as u64, SimFault::Stop);
        let (_, outcomes) = run(&disk, &script);
        for seed in [seed, !seed, seed.rotate_left(32)] {
            assert_recovers(&disk.after_power_cut(coin(seed)), &outcomes, "random cut");
        }
    }

    #[test]
    fn random_work_survives_a_killed_process_and_a_failed_disk(script in steps(), at in any::<prop::sample::Index>()) {
        let disk = SimDisk::new();
        disk.fail_at(at.index(calls(&script) as usize + 1) as u64, SimFault::Eio);
        let (_, outcomes) = run(&disk, &script);
        assert_recovers(&disk.after_kill(), &outcomes, "kill");
    }
}
