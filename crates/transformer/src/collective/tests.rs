//! Workers that die or misbehave in the middle of things, played through the parts that no user has.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    Call, Communicator, FrameHeader, Operation, Rendezvous, RingConfig,
    handshake::{Key, Message},
};
use crate::Result;

/// How long the tests wait where nothing but the timeout can end a wait; long enough for a machine that is busy with other things.
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_mins(2);

fn anywhere() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Rank 0 of `world`, at work in another thread.
fn host(world: usize, timeout: Duration) -> (SocketAddr, JoinHandle<Result<Communicator>>) {
    let rendezvous = Rendezvous::bind(&RingConfig::new(0, world, anywhere()).with_timeout(timeout)).unwrap();
    (rendezvous.address(), thread::spawn(move || rendezvous.connect()))
}

fn join(rank: usize, world: usize, address: SocketAddr) -> JoinHandle<Result<Communicator>> {
    let config = RingConfig::new(rank, world, address).with_timeout(SHORT);
    thread::spawn(move || Communicator::connect(&config))
}

fn reason(worker: JoinHandle<Result<Communicator>>) -> String {
    worker.join().unwrap().unwrap_err().to_string()
}

/// Says to rank 0 that `rank` is there, and waits for the roster.
fn pretend_to_join(rank: usize, world: usize, at: SocketAddr, waiting: SocketAddr) -> (TcpStream, Vec<SocketAddr>) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(&Message::Join { rank, world, address: waiting }.seal(&Key::of(b""))).unwrap();
    let mut prefix = [0; 12];
    stream.read_exact(&mut prefix).unwrap();
    let mut rest = vec![0; u32::from_le_bytes(*prefix.last_chunk().unwrap()) as usize + 32];
    stream.read_exact(&mut rest).unwrap();
    let text = String::from_utf8(rest[..rest.len() - 32].to_vec()).unwrap();
    let roster = text.lines().map(|line| line.parse().unwrap()).collect();
    (stream, roster)
}

/// Rank 1 of two, with its bare connections: what it sends to rank 0, and what comes from there. It has closed the ring.
fn pretend_to_be_rank_1(address: SocketAddr) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(anywhere()).unwrap();
    let (_, roster) = pretend_to_join(1, 2, address, listener.local_addr().unwrap());
    let mut right = TcpStream::connect(roster[0]).unwrap();
    let neighbour = Message::Neighbour { rank: 1, digest: super::handshake::digest(&roster) };
    right.write_all(&neighbour.seal(&Key::of(b""))).unwrap();
    let (mut left, _) = listener.accept().unwrap();
    let mut greeting = vec![0; neighbour.seal(&Key::of(b"")).len() + FrameHeader::LEN];
    left.read_exact(&mut greeting).unwrap();
    right.write_all(&frame(Operation::Barrier, 0, 0, &[])).unwrap();
    (left, right)
}

fn frame(operation: Operation, sequence: u64, count: u64, payload: &[u8]) -> Vec<u8> {
    let call = Call { operation, root: 0, sequence, count };
    [&FrameHeader { call, payload_len: payload.len() as u32 }.to_bytes(), payload].concat()
}

#[test]
fn a_worker_that_dies_before_or_in_the_midst_of_its_first_word_is_missed() {
    let hosts = [0, 3, 11, 12, 30].map(|said| {
        let (address, host) = host(2, SHORT);
        let word = Message::Join { rank: 1, world: 2, address }.seal(&Key::of(b""));
        TcpStream::connect(address).unwrap().write_all(&word[..said]).unwrap();
        host
    });
    for reason in hosts.map(reason) {
        assert!(reason.contains("worker 0 cannot go on: rank 1 did not join") && reason.contains("closed the connection"), "{reason}");
    }
}

#[test]
fn a_worker_that_dies_after_it_has_joined_stops_all_others() {
    let (address, host) = host(4, SHORT);
    let others = [join(1, 4, address), join(3, 4, address)];
    let gone = TcpListener::bind(anywhere()).unwrap().local_addr().unwrap();
    drop(pretend_to_join(2, 4, address, gone));
    // The left neighbour names it; who notices later may see a neighbour leave that was left itself.
    let [first, third] = others.map(reason);
    assert!(first.contains("rank 2") && first.contains("left before the ring was closed"), "{first}");
    assert!(third.contains("rank 2") || third.contains("rank 0"), "{third}");
    let host = reason(host);
    assert!(host.contains("rank 1") || host.contains("rank 3"), "{host}");
}

#[test]
fn rank_0_dying_while_the_others_wait_is_noticed_at_once() {
    let listener = TcpListener::bind(anywhere()).unwrap();
    let address = listener.local_addr().unwrap();
    let config = RingConfig::new(1, 3, address).with_timeout(LONG);
    let worker = thread::spawn(move || Communicator::connect(&config));
    drop(listener.accept().unwrap());
    let reason = reason(worker);
    assert!(reason.contains("was not let in by rank 0"), "{reason}");
}

#[test]
fn other_versions_of_the_protocol_are_refused_on_both_sides() {
    let (address, host) = host(2, SHORT);
    let mut word = Message::Join { rank: 1, world: 2, address }.seal(&Key::of(b""));
    word[4] = 2;
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(&word).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("version 2 of the protocol where this worker speaks version 1"));
    assert!(reason(host).contains("version 2"));

    let listener = TcpListener::bind(anywhere()).unwrap();
    let worker = join(1, 2, listener.local_addr().unwrap());
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(&word).unwrap();
    let reason = reason(worker);
    assert!(reason.contains("version 2"), "{reason}");
}

#[test]
fn something_else_at_the_rendezvous_is_not_taken_for_rank_0() {
    let listener = TcpListener::bind(anywhere()).unwrap();
    for (answer, complaint) in
        [(&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "speaks another protocol"), (b"JRHS\x01\0\x02\0\xff\xff\xff\xff", "too long")]
    {
        let worker = join(1, 2, listener.local_addr().unwrap());
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(answer).unwrap();
        let reason = reason(worker);
        assert!(reason.contains(complaint), "{reason}");
    }
}

#[test]
fn a_worker_of_an_earlier_ring_is_not_taken_for_the_neighbour() {
    let (address, host) = host(2, LONG);
    let listener = TcpListener::bind(anywhere()).unwrap();
    let (_, roster) = pretend_to_join(1, 2, address, listener.local_addr().unwrap());
    let mut stale = TcpStream::connect(roster[0]).unwrap();
    stale.write_all(&Message::Neighbour { rank: 1, digest: super::handshake::digest(&[]) }.seal(&Key::of(b""))).unwrap();
    let mut answer = Vec::new();
    stale.read_to_end(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("not rank 1 of this ring"));
    let mut right = TcpStream::connect(roster[0]).unwrap();
    let neighbour = Message::Neighbour { rank: 1, digest: super::handshake::digest(&roster) };
    right.write_all(&[neighbour.seal(&Key::of(b"")), frame(Operation::Barrier, 0, 0, &[])].concat()).unwrap();
    host.join().unwrap().unwrap();
}

#[test]
fn a_worker_that_dies_in_the_middle_of_a_frame_leaves_an_error_and_no_values() {
    let whole = frame(Operation::AllReduceSum, 1, 4, &[0; 16]);
    for sent in 0..whole.len() {
        let (address, host) = host(2, LONG);
        let (left, mut right) = pretend_to_be_rank_1(address);
        let mut communicator = host.join().unwrap().unwrap();
        right.write_all(&whole[..sent]).unwrap();
        drop((left, right));
        let mut values = [1.0; 4];
        let error = communicator.all_reduce_sum(&mut values).unwrap_err().to_string();
        assert!(error.contains("rank 1"), "after {sent} bytes: {error}");
        assert!(values.iter().all(|value| value.to_bits() == 1.0_f32.to_bits()));
    }
}

#[test]
fn unsound_frames_are_refused_by_what_is_wrong_with_them() {
    let damaged = |at: usize| {
        let mut bytes = frame(Operation::AllReduceSum, 1, 4, &[0; 16]);
        bytes[at] ^= 1;
        bytes
    };
    let cases = [
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n".to_vec(), "does not start as a frame"),
        (damaged(24), "checksum"),
        (frame(Operation::AllReduceSum, 1, 4, &[0; 20]), "sent 20 bytes where 16 were expected"),
        (frame(Operation::AllReduceSum, 1, 4, &[0; 15]), "sent 15 bytes where 16 were expected"),
        (frame(Operation::AllReduceSum, 2, 4, &[0; 16]), "all_reduce_sum of 4 values (call 2) where all_reduce_sum of 4 values (call 1)"),
        (frame(Operation::GiveUp, 0, 0, b"out of \xff memory"), "out of \u{fffd} memory"),
    ];
    for (bytes, complaint) in cases {
        let (address, host) = host(2, LONG);
        let (_left, mut right) = pretend_to_be_rank_1(address);
        let mut communicator = host.join().unwrap().unwrap();
        right.write_all(&bytes).unwrap();
        let error = communicator.all_reduce_sum(&mut [1.0; 4]).unwrap_err().to_string();
        assert!(error.contains(complaint), "{error}");
    }
}

#[test]
fn a_neighbour_that_never_reads_is_noticed_and_does_not_hold_up_the_drop() {
    let (address, host) = host(2, SHORT);
    let (_left, mut right) = pretend_to_be_rank_1(address);
    let mut communicator = host.join().unwrap().unwrap();
    let values = vec![0.0; 40_000_000];
    right.write_all(&frame(Operation::AllGather, 1, 0, &[])).unwrap();
    let error = communicator.all_gather(&values).unwrap_err().to_string();
    assert!(error.contains("rank 1 took nothing for 1s"), "{error}");
}

#[test]
fn a_right_neighbour_that_is_lost_is_noticed_while_the_left_one_is_silent() {
    let (address, host) = host(2, LONG);
    let (left, _right) = pretend_to_be_rank_1(address);
    let mut communicator = host.join().unwrap().unwrap();
    drop(left);
    // Two frames, and then a receipt that never comes.
    let error = communicator.broadcast(&mut vec![1.0; 2 * super::ring::PART], 0).unwrap_err().to_string();
    assert!(error.contains("the connection to rank 1 is lost"), "{error}");
}

#[test]
fn a_block_of_impossible_length_is_not_allocated() {
    let (address, host) = host(2, LONG);
    let (_left, mut right) = pretend_to_be_rank_1(address);
    let mut communicator = host.join().unwrap().unwrap();
    right.write_all(&frame(Operation::AllGather, 1, u64::MAX, &[0; 16])).unwrap();
    let error = communicator.all_gather(&[1.0]).unwrap_err().to_string();
    assert!(error.contains("sent 16 bytes where 262144 were expected"), "{error}");
}
