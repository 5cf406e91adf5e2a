//! Workers that call different things, leave, or are too slow.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use jarre_core::{ErrorKind, testing::ManualClock};
use jarre_transformer::collective::{Communicator, Rendezvous, RingConfig};

use crate::fixture::{LONG, anywhere, errors, on_all, on_all_with};

#[test]
fn different_operations_are_named_on_every_worker() {
    let results = on_all(2, |communicator| match communicator.rank() {
        0 => communicator.all_reduce_sum(&mut [1.0; 10]),
        _ => communicator.broadcast(&mut [1.0; 12], 1),
    });
    assert_eq!(
        errors(results),
        [
            "worker 0 cannot go on: rank 1 called broadcast of 12 values from rank 1 where all_reduce_sum of 10 values was expected",
            "worker 1 cannot go on: rank 0 called all_reduce_sum of 10 values where broadcast of 12 values from rank 1 was expected",
        ]
    );
}

#[test]
fn different_lengths_roots_and_counts_are_errors_on_every_worker() {
    type Work = fn(&mut Communicator, bool) -> jarre_transformer::Result<()>;
    let cases: [(Work, &str); 6] = [
        (|worker, odd| worker.all_reduce_sum(&mut vec![0.0; if odd { 5 } else { 4 }]), "all_reduce_sum of 5 values"),
        (|worker, odd| worker.all_reduce_mean(&mut vec![0.0; if odd { 0 } else { 900_000 }]), "all_reduce_mean of 0 values"),
        (|worker, odd| worker.broadcast(&mut vec![0.0; if odd { 7 } else { 8 }], 0), "broadcast of 7 values"),
        (|worker, odd| worker.broadcast(&mut [0.0; 4], usize::from(odd)), "broadcast of 4 values from rank 1"),
        (|worker, odd| if odd { worker.barrier() } else { worker.all_gather(&[]).map(drop) }, "barrier"),
        (|worker, odd| if odd { worker.all_reduce_mean(&mut []) } else { worker.all_reduce_sum(&mut []) }, "all_reduce_mean of 0 values"),
    ];
    for (work, named) in cases {
        for world in [2, 3, 4] {
            let errors = errors(on_all(world, |communicator| work(communicator, communicator.rank() == 1 % world)));
            assert!(errors.iter().any(|error| error.contains(named)), "{errors:?}");
        }
    }
}

#[test]
fn a_worker_that_leaves_early_stops_the_others_with_its_name() {
    for world in [2, 3, 5] {
        let results = on_all(world, |communicator| {
            communicator.all_reduce_sum(&mut [1.0; 100])?;
            if communicator.rank() == 1 {
                return Ok(());
            }
            communicator.all_reduce_sum(&mut vec![1.0; 700_000])
        });
        for (rank, result) in results.into_iter().enumerate().filter(|(rank, _)| *rank != 1) {
            let error = result.unwrap_err().to_string();
            assert!(error.contains("rank 1"), "worker {rank} of {world}: {error}");
        }
    }
}

#[test]
fn a_worker_that_panics_stops_the_others() {
    let rendezvous = Rendezvous::bind(&RingConfig::new(0, 2, anywhere()).with_timeout(LONG)).unwrap();
    let config = RingConfig::new(1, 2, rendezvous.address()).with_timeout(LONG);
    let other = thread::spawn(move || {
        let _communicator = Communicator::connect(&config).unwrap();
        panic!("a part of a test");
    });
    let error = rendezvous.connect().unwrap().all_reduce_sum(&mut vec![1.0; 900_000]).unwrap_err().to_string();
    assert!(error.contains("rank 1"), "{error}");
    assert!(other.join().is_err());
}

#[test]
fn a_worker_that_is_too_slow_is_given_up_by_all() {
    let clock = Arc::new(ManualClock::new());
    let given_up = AtomicUsize::new(0);
    let results = on_all_with(
        3,
        |config| config.with_clock(Arc::clone(&clock)),
        |communicator| {
            // The slow one lets the time of the others pass until both have lost patience, and comes then.
            while communicator.rank() == 2 && given_up.load(SeqCst) < 2 {
                clock.advance(LONG / 8);
                thread::sleep(Duration::from_millis(1));
            }
            let result = communicator.all_reduce_sum(&mut [1.0; 10]);
            given_up.fetch_add(1, SeqCst);
            result
        },
    );
    let errors = errors(results);
    assert!(errors.iter().any(|error| error.contains("was silent for 300s")), "{errors:?}");
    assert!(errors.iter().all(|error| error.contains("rank ")), "{errors:?}");
}

#[test]
fn after_an_error_a_communicator_says_that_it_is_broken_and_why() {
    let results = on_all(2, |communicator| {
        if communicator.rank() == 0 {
            communicator.barrier().unwrap_err();
        } else {
            communicator.all_gather(&[]).unwrap_err();
        }
        let operations = communicator.stats().operations;
        let errors = [
            communicator.barrier().unwrap_err(),
            communicator.all_reduce_sum(&mut [1.0]).unwrap_err(),
            communicator.all_gather(&[1.0]).unwrap_err(),
            communicator.broadcast(&mut [1.0], 0).unwrap_err(),
        ];
        assert_eq!(communicator.stats().operations, operations);
        errors
    });
    for error in results.into_iter().flatten() {
        let text = error.to_string();
        assert!(text.contains("an earlier call has failed (rank ") && text.contains("connect again"), "{text}");
        assert_eq!(jarre_core::Error::from(error).kind(), ErrorKind::Unavailable);
    }
}

#[test]
fn a_root_that_is_not_there_is_refused_and_nothing_is_broken() {
    let results = on_all(3, |communicator| {
        let error = communicator.broadcast(&mut [1.0], 3).unwrap_err().to_string();
        assert!(error.contains("there is no rank 3"), "{error}");
        communicator.all_gather(&[communicator.rank() as f32]).unwrap()
    });
    assert!(results.iter().all(|gathered| gathered == &[0.0, 1.0, 2.0]));
}
