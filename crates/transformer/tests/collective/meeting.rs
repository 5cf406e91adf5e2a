//! Who may join, and what is said to those who may not.

use std::{
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use jarre_transformer::{
    Result,
    collective::{Communicator, Rendezvous, RingConfig},
};

use crate::fixture::{LONG, anywhere, errors};

/// How long the tests wait where nothing but the timeout can end a wait.
const SHORT: Duration = Duration::from_secs(1);

fn short(rank: usize, world: usize, address: SocketAddr) -> RingConfig {
    RingConfig::new(rank, world, address).with_timeout(SHORT)
}

/// Rank 0 of `world` meets the others of `configs`, which are given its address; all results, rank 0's first.
fn meet<const N: usize>(world: usize, configs: [impl FnOnce(SocketAddr) -> RingConfig + Send; N]) -> Vec<Result<Communicator>> {
    let rendezvous = Rendezvous::bind(&short(0, world, anywhere())).unwrap();
    let address = rendezvous.address();
    thread::scope(|scope| {
        let first = scope.spawn(|| rendezvous.connect());
        let others = configs.map(|config| scope.spawn(move || Communicator::connect(&config(address))));
        std::iter::once(first).chain(others).map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
fn workers_may_come_before_rank_0() {
    let address = TcpListener::bind(anywhere()).unwrap().local_addr().unwrap();
    let early = RingConfig::new(1, 2, address).with_timeout(LONG);
    let early = thread::spawn(move || Communicator::connect(&early).unwrap().all_gather(&[1.0]).unwrap());
    thread::sleep(Duration::from_millis(100));
    let late = Communicator::connect(&RingConfig::new(0, 2, address).with_timeout(LONG)).unwrap().all_gather(&[0.0]).unwrap();
    assert_eq!((late, early.join().unwrap()), (vec![0.0, 1.0], vec![0.0, 1.0]));
}

#[test]
fn another_token_is_refused_on_both_sides() {
    let errors = errors(meet(2, [|address| short(1, 2, address).with_token("guessed")]));
    assert!(errors[0].starts_with("worker 0 cannot go on: rank 1 did not join: nobody came within 1s"), "{}", errors[0]);
    assert!(errors[0].contains("its token is another one"), "{}", errors[0]);
    assert!(errors[1].starts_with("worker 1 cannot go on: it was not let in by rank 0"), "{}", errors[1]);
    assert!(errors[1].contains("its token is another one"), "{}", errors[1]);
}

#[test]
fn who_has_another_token_does_not_keep_the_others_from_meeting() {
    let config = |rank, address| RingConfig::new(rank, 2, address).with_timeout(LONG).with_token("right");
    let rendezvous = Rendezvous::bind(&config(0, anywhere())).unwrap();
    let address = rendezvous.address();
    let host = thread::spawn(move || rendezvous.connect());
    for _ in 0..3 {
        Communicator::connect(&config(1, address).with_token("wrong")).unwrap_err();
    }
    let right = thread::spawn(move || Communicator::connect(&config(1, address)));
    assert_eq!((host.join().unwrap().unwrap().rank(), right.join().unwrap().unwrap().rank()), (0, 1));
}

#[test]
fn two_workers_of_one_rank_are_told_so() {
    let config = |address| RingConfig::new(1, 3, address).with_timeout(LONG);
    for error in errors(meet(3, [config, config])) {
        assert!(error.contains("two workers were started as rank 1"), "{error}");
    }
}

#[test]
fn worlds_of_different_sizes_are_told_so() {
    for error in errors(meet(2, [|address| RingConfig::new(1, 3, address).with_timeout(LONG)])) {
        assert!(error.contains("rank 1 was started for 3 workers, rank 0 for 2"), "{error}");
    }
}

#[test]
fn an_absent_worker_is_named_to_those_who_came() {
    let errors = errors(meet(4, [|address| RingConfig::new(2, 4, address).with_timeout(LONG)]));
    assert!(errors[0].contains("rank 1, 3 did not join: nobody came within 1s"), "{}", errors[0]);
    assert!(errors[1].contains("rank 1, 3 did not join"), "{}", errors[1]);
}

#[test]
fn an_absent_rank_0_is_named() {
    let address = TcpListener::bind(anywhere()).unwrap().local_addr().unwrap();
    let error = Communicator::connect(&short(1, 2, address)).unwrap_err().to_string();
    assert!(error.contains(&format!("rank 0 could not be reached at {address} within 1s")), "{error}");
}

#[test]
fn a_second_rank_0_is_told_that_the_address_is_taken() {
    let first = Rendezvous::bind(&short(0, 2, anywhere())).unwrap();
    let error = Communicator::connect(&short(0, 2, first.address())).unwrap_err().to_string();
    assert!(error.contains(&format!("cannot listen at {}", first.address())), "{error}");
}

#[test]
fn garbage_and_silence_at_the_rendezvous_do_not_keep_the_ring_from_closing() {
    let rendezvous = Rendezvous::bind(&RingConfig::new(0, 3, anywhere()).with_timeout(LONG)).unwrap();
    let address = rendezvous.address();
    // More than are heard at once, and nearly all say too little to be sent away.
    let strangers: Vec<TcpStream> = (0..110_u8).filter_map(|kind| bother(address, if kind < 100 { kind % 2 } else { kind % 5 })).collect();
    let host = thread::spawn(move || rendezvous.connect()?.all_gather(&[0.0]));
    let others: Vec<_> = (1..3)
        .map(|rank| {
            let config = RingConfig::new(rank, 3, address).with_timeout(LONG);
            thread::spawn(move || Communicator::connect(&config)?.all_gather(&[rank as f32]))
        })
        .collect();
    let more: Vec<TcpStream> = (0..50_u8).filter_map(|kind| bother(address, kind % 5)).collect();
    for worker in std::iter::once(host).chain(others) {
        assert_eq!(worker.join().unwrap().unwrap(), [0.0, 1.0, 2.0]);
    }
    drop((strangers, more));
}

/// Connects, says something that is no greeting or nothing at all, and stays; `None` when nobody listens any more.
fn bother(address: SocketAddr, kind: u8) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).ok()?;
    let said: &[u8] = match kind {
        0 => b"",
        1 => b"JRHS",
        2 => b"GET / HTTP/1.1\r\n\r\n",
        3 => b"JRHS\x01\0\x01\0\0\0\0\0this is not sealed with the token..",
        _ => &[0xff; 5000],
    };
    // It may have been sent away already.
    stream.write_all(said).ok();
    Some(stream)
}

#[test]
fn impossible_configurations_are_refused_without_waiting() {
    let cases = [
        (RingConfig::new(0, 0, anywhere()), "a world of 0 workers"),
        (RingConfig::new(0, 257, anywhere()), "a world of 257 workers"),
        (RingConfig::new(2, 2, anywhere()), "the last rank is 1"),
        (RingConfig::new(0, 2, "0.0.0.0:0".parse().unwrap()), "0.0.0.0:0 is not a loopback address"),
        (RingConfig::new(1, 2, "192.0.2.1:9".parse().unwrap()), "192.0.2.1:9 is not a loopback address"),
    ];
    for (config, complaint) in cases {
        let error = Communicator::connect(&config.with_timeout(LONG)).unwrap_err().to_string();
        assert!(error.contains(complaint), "{error}");
    }
    assert!(Rendezvous::bind(&RingConfig::new(1, 2, anywhere())).unwrap_err().to_string().contains("only rank 0 listens"));
}

#[test]
fn with_leave_a_ring_can_be_reached_at_every_address_of_the_host() {
    let config = |rank, address| RingConfig::new(rank, 2, address).with_timeout(LONG).with_remote_allowed();
    let rendezvous = Rendezvous::bind(&config(0, "0.0.0.0:0".parse().unwrap())).unwrap();
    let address = SocketAddr::new([127, 0, 0, 1].into(), rendezvous.address().port());
    let other = thread::spawn(move || Communicator::connect(&config(1, address))?.all_gather(&[1.0]));
    assert_eq!(rendezvous.connect().unwrap().all_gather(&[0.0]).unwrap(), [0.0, 1.0]);
    assert_eq!(other.join().unwrap().unwrap(), [0.0, 1.0]);
}

#[test]
fn the_token_is_not_shown() {
    let shown = format!("{:?}", RingConfig::new(0, 1, anywhere()).with_token("swordfish"));
    assert!(shown.contains("rank: 0") && !shown.contains("swordfish"), "{shown}");
}
