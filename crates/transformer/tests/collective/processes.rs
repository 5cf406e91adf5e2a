//! Workers that are processes, and are killed.

use std::{
    env,
    io::Read,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use jarre_transformer::{
    Error,
    collective::{Communicator, Rendezvous, RingConfig},
};

use crate::fixture::anywhere;

const PART: &str = "JARRE_TEST_RING_PART";
const WORLD: usize = 3;
const LEN: usize = 400_000;

/// Starts this binary as worker `rank`, which plays [`work`] and waits for others so many seconds.
fn start(rank: usize, address: SocketAddr, timeout: u64) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["processes::work_until_something_fails", "--exact", "--ignored", "--nocapture"]);
    command
        .env(PART, format!("{rank} {timeout} {address}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The configuration of this part; `None` where someone runs the ignored tests by hand.
#[expect(clippy::disallowed_methods, reason = "how the parent process tells a part its rank")]
fn part() -> Option<RingConfig> {
    let part = env::var(PART).ok()?;
    let fields: Vec<&str> = part.split(' ').collect();
    Some(config(fields[0].parse().unwrap(), fields[2].parse().unwrap(), fields[1].parse().unwrap()))
}

fn config(rank: usize, address: SocketAddr, timeout: u64) -> RingConfig {
    RingConfig::new(rank, WORLD, address).with_timeout(Duration::from_secs(timeout)).with_token("of this test")
}

/// Sums over and over; every sum that is given has to be right. Ends with the error.
fn work(mut communicator: Communicator, mut after_round: impl FnMut(usize)) -> Error {
    let rank = communicator.rank();
    for round in 0.. {
        let mut values: Vec<f32> = (0..LEN).map(|at| (at % 1000 + rank * 1000 + round % 100) as f32).collect();
        if let Err(error) = communicator.all_reduce_sum(&mut values) {
            return error;
        }
        let is_right = |(at, sum): (usize, &f32)| *sum as usize == (at % 1000 + round % 100) * WORLD + 3000;
        assert!(values.iter().enumerate().all(is_right), "round {round}");
        after_round(round);
    }
    unreachable!("the rounds have no end")
}

#[test]
#[ignore = "a part of another test"]
fn work_until_something_fails() {
    let Some(config) = part() else { return };
    let error = Communicator::connect(&config).map_or_else(|error| error, |communicator| work(communicator, |_| ()));
    println!("{error}");
}

fn last_words(mut child: Child) -> String {
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    said
}

#[test]
fn a_worker_killed_at_work_is_named_by_both_others() {
    for victim in [1, 2] {
        let rendezvous = Rendezvous::bind(&config(0, anywhere(), 60)).unwrap();
        let mut children: Vec<Child> = (1..WORLD).map(|rank| start(rank, rendezvous.address(), 60)).collect();
        let mut killed = children.remove(victim - 1);
        let error = work(rendezvous.connect().unwrap(), |round| {
            if round == 5 {
                killed.kill().unwrap();
            }
        });
        killed.wait().unwrap();
        let other = last_words(children.remove(0));
        for said in [error.to_string(), other] {
            assert!(said.contains("cannot go on") && said.contains(&format!("rank {victim}")), "{said}");
            assert!(!said.contains("silent"), "a closed connection is noticed, not waited for: {said}");
        }
    }
}

#[test]
fn a_worker_killed_at_any_instant_leaves_errors_and_no_wrong_sums() {
    for kill in 0..12_u64 {
        let rendezvous = Rendezvous::bind(&config(0, anywhere(), 3)).unwrap();
        let survivor = start(1, rendezvous.address(), 3);
        let mut victim = start(2, rendezvous.address(), 3);
        let host = thread::spawn(move || match rendezvous.connect() {
            Ok(communicator) => work(communicator, |_| ()),
            Err(error) => error,
        });
        thread::sleep(Duration::from_millis(kill * kill));
        victim.kill().unwrap();
        victim.wait().unwrap();
        let error = host.join().unwrap();
        assert!(matches!(error, Error::Collective { rank: 0, .. }), "{error}");
        let said = last_words(survivor);
        assert!(said.contains("worker 1 cannot go on"), "{said}");
    }
}
