//! Rings of threads.

use std::{net::SocketAddr, thread, time::Duration};

use jarre_transformer::{
    Result,
    collective::{Communicator, Rendezvous, RingConfig},
};

/// Longer than any test takes: where it is the timeout that ends a test, something is wrong.
pub(crate) const LONG: Duration = Duration::from_mins(5);

pub(crate) fn anywhere() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Does `work` on every worker of a ring, each in a thread of its own; the results by rank.
pub(crate) fn on_all<T: Send>(world: usize, work: impl Fn(&mut Communicator) -> T + Sync) -> Vec<T> {
    on_all_with(world, |config| config, work)
}

/// With configurations that `adapt` has changed.
pub(crate) fn on_all_with<T: Send>(
    world: usize,
    adapt: impl Fn(RingConfig) -> RingConfig + Sync,
    work: impl Fn(&mut Communicator) -> T + Sync,
) -> Vec<T> {
    let config = |rank, address| adapt(RingConfig::new(rank, world, address).with_timeout(LONG));
    let rendezvous = Rendezvous::bind(&config(0, anywhere())).unwrap();
    let address = rendezvous.address();
    thread::scope(|scope| {
        let (work, config) = (&work, &config);
        let first = scope.spawn(move || work(&mut rendezvous.connect().unwrap()));
        let other = |rank| scope.spawn(move || work(&mut Communicator::connect(&config(rank, address)).unwrap()));
        let others: Vec<_> = (1..world).map(other).collect();
        std::iter::once(first).chain(others).map(|worker| worker.join().unwrap()).collect()
    })
}

/// What went wrong on each worker.
pub(crate) fn errors<T>(results: Vec<Result<T>>) -> Vec<String> {
    results.into_iter().map(|result| result.map(|_| ()).unwrap_err().to_string()).collect()
}

/// Values that look random and follow from the rank; all sums of them are rounded.
pub(crate) fn values(rank: usize, len: usize) -> Vec<f32> {
    let mut state = rank as u64 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    };
    (0..len).map(|_| next() * 10_f32.powi((next() * 12.0) as i32)).collect()
}

pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
