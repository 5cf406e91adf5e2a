//! What the operations give, compared with what one worker alone would compute.

use std::time::Duration;

use jarre_core::testing::ManualClock;
use jarre_transformer::collective::{CollectiveStats, Communicator, FrameHeader, Rendezvous, RingConfig};
use proptest::{prelude::*, sample::Index};

use crate::fixture::{anywhere, bits, on_all, values};

const WORLDS: [usize; 5] = [1, 2, 3, 4, 7];
/// Nothing, less than a worker each, uneven, several frames, and more than socket buffers hold.
const LENGTHS: [usize; 8] = [0, 1, 3, 10, 65_536, 131_073, 500_009, 3_000_000];

/// The sums in the order that the contract states.
fn sums(inputs: &[Vec<f32>]) -> Vec<f32> {
    let (world, len) = (inputs.len(), inputs[0].len());
    let lens = (0..world).map(|rank| len / world + usize::from(rank < len % world));
    let first: Vec<usize> = lens.enumerate().flat_map(|(rank, len)| std::iter::repeat_n(rank, len)).collect();
    let sum = |(at, first): (usize, usize)| (first + 1..first + world).fold(inputs[first][at], |sum, rank| sum + inputs[rank % world][at]);
    first.into_iter().enumerate().map(sum).collect()
}

fn inputs(world: usize, len: usize) -> Vec<Vec<f32>> {
    (0..world).map(|rank| values(rank, len)).collect()
}

#[test]
fn sums_are_those_of_the_stated_order_bit_by_bit_on_every_worker() {
    for world in WORLDS {
        let results = on_all(world, |communicator| {
            let sum = |len| {
                let mut values = values(communicator.rank(), len);
                communicator.all_reduce_sum(&mut values).unwrap();
                values
            };
            LENGTHS.map(sum)
        });
        for (at, len) in LENGTHS.into_iter().enumerate() {
            let expected = bits(&sums(&inputs(world, len)));
            assert!(results.iter().all(|result| bits(&result[at]) == expected), "{len} values in a world of {world}");
        }
    }
}

#[test]
fn means_are_sums_divided_by_the_number_of_workers() {
    for world in WORLDS {
        let results = on_all(world, |communicator| {
            let mut values = values(communicator.rank(), 1000);
            communicator.all_reduce_mean(&mut values).unwrap();
            values
        });
        let expected: Vec<f32> = sums(&inputs(world, 1000)).iter().map(|sum| sum / world as f32).collect();
        assert!(results.iter().all(|result| bits(result) == bits(&expected)), "a world of {world}");
    }
}

#[test]
fn gathering_keeps_the_order_of_ranks_and_uneven_lengths() {
    for world in WORLDS {
        for lens in [[0; 7], [5; 7], [0, 1, 65_536, 2, 0, 65_537, 300_000], [1_000_000, 0, 0, 3, 70_000, 0, 0]] {
            let blocks: Vec<Vec<f32>> = (0..world).map(|rank| values(rank, lens[rank])).collect();
            let results = on_all(world, |communicator| {
                let mine = &blocks[communicator.rank()];
                (communicator.all_gather_parts(mine).unwrap(), communicator.all_gather(mine).unwrap())
            });
            assert!(results.iter().all(|(parts, whole)| *parts == blocks && *whole == blocks.concat()), "{lens:?} in a world of {world}");
        }
    }
}

#[test]
fn every_rank_can_broadcast() {
    for world in WORLDS {
        for len in [0, 1, 65_536, 200_001] {
            let results = on_all(world, |communicator| {
                let from = |root| {
                    let mut values = values(communicator.rank(), len);
                    communicator.broadcast(&mut values, root).unwrap();
                    values
                };
                (0..world).map(from).collect::<Vec<_>>()
            });
            assert!(results.iter().all(|result| *result == inputs(world, len)), "{len} values in a world of {world}");
        }
    }
}

#[test]
fn nobody_leaves_a_barrier_before_all_have_come() {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    for world in WORLDS {
        let come = AtomicUsize::new(0);
        on_all(world, |communicator| {
            for round in 1..=50 {
                if communicator.rank() == round % world {
                    std::thread::sleep(Duration::from_millis(1));
                }
                come.fetch_add(1, SeqCst);
                communicator.barrier().unwrap();
                assert!(come.load(SeqCst) >= round * world);
                communicator.barrier().unwrap();
            }
        });
    }
}

#[test]
fn infinities_and_nan_reach_every_worker_with_the_same_bits() {
    let [one, other] = [0x7fc0_0001, 0x7fc0_0002].map(f32::from_bits);
    let inputs = [[f32::NAN, f32::INFINITY, f32::MAX, -0.0, 1e-45, one], [1.0, f32::NEG_INFINITY, f32::MAX, -0.0, 1e-45, other]];
    let results = on_all(2, |communicator| {
        let mut values = inputs[communicator.rank()];
        communicator.all_reduce_sum(&mut values).unwrap();
        values
    });
    assert_eq!(bits(&results[0]), bits(&results[1]));
    let [nan, difference, overflow, zero, tiny, both] = results[0];
    assert!(nan.is_nan() && both.is_nan() && difference.is_nan() && overflow.is_infinite());
    assert_eq!(bits(&[zero, tiny]), bits(&[-0.0, 3e-45]));
}

#[test]
fn an_all_reduce_sends_no_more_than_it_must() {
    const LEN: usize = 120_000;
    for world in [2, 3, 4] {
        let stats = on_all(world, |communicator| {
            assert_eq!(communicator.stats(), CollectiveStats::default());
            communicator.all_reduce_sum(&mut vec![1.0; LEN]).unwrap();
            communicator.stats()
        });
        let least = 2 * (world - 1) * LEN / world * size_of::<f32>();
        let headers = 2 * (world - 1) * FrameHeader::LEN;
        for stats in stats {
            assert_eq!((stats.operations, stats.bytes_sent), (1, (least + headers) as u64));
            assert_eq!(stats.bytes_received, stats.bytes_sent);
        }
    }
}

#[test]
fn waiting_is_counted_by_the_clock_that_was_given() {
    let rendezvous = Rendezvous::bind(&RingConfig::new(0, 2, anywhere()).with_clock(ManualClock::new())).unwrap();
    let config = RingConfig::new(1, 2, rendezvous.address());
    let other = std::thread::spawn(move || {
        let mut communicator = Communicator::connect(&config).unwrap();
        std::thread::sleep(Duration::from_millis(5));
        communicator.barrier().unwrap();
        communicator.stats()
    });
    let mut communicator = rendezvous.connect().unwrap();
    communicator.barrier().unwrap();
    assert_eq!(communicator.stats().waited, Duration::ZERO, "the clock stood still");
    assert!(other.join().unwrap().waited > Duration::ZERO);
}

#[test]
fn a_worker_alone_needs_no_socket() {
    // Port 1 of an address that no interface has to have.
    let mut alone = Communicator::connect(&RingConfig::new(0, 1, "127.99.99.99:1".parse().unwrap())).unwrap();
    let mut values = [1.0, 2.0];
    alone.all_reduce_sum(&mut values).unwrap();
    alone.all_reduce_mean(&mut values).unwrap();
    alone.broadcast(&mut values, 0).unwrap();
    alone.barrier().unwrap();
    assert_eq!((alone.all_gather(&values).unwrap(), values), (vec![1.0, 2.0], [1.0, 2.0]));
    assert_eq!((alone.stats().operations, alone.stats().bytes_sent), (5, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_sequence_of_operations_agrees_with_the_naive_one(
        world in 1..6_usize,
        calls in proptest::collection::vec((0..4_u8, 0..70_000_usize, any::<Index>()), 1..8),
    ) {
        let results = on_all(world, |communicator| {
            let play = |(operation, len, root): &(u8, usize, Index)| {
                let mut values = values(communicator.rank(), *len);
                match operation {
                    0 => communicator.all_reduce_sum(&mut values).unwrap(),
                    1 => communicator.broadcast(&mut values, root.index(world)).unwrap(),
                    2 => values = communicator.all_gather(&values[..len / (communicator.rank() + 1)]).unwrap(),
                    _ => communicator.barrier().unwrap(),
                }
                values
            };
            calls.iter().map(play).collect::<Vec<_>>()
        });
        for (rank, result) in results.iter().enumerate() {
            for ((operation, len, root), got) in calls.iter().zip(result) {
                let inputs = inputs(world, *len);
                let expected = match operation {
                    0 => sums(&inputs),
                    1 => inputs[root.index(world)].clone(),
                    2 => inputs.iter().enumerate().flat_map(|(rank, values)| &values[..len / (rank + 1)]).copied().collect(),
                    _ => inputs[rank].clone(),
                };
                prop_assert_eq!(bits(got), bits(&expected));
            }
        }
    }
}
