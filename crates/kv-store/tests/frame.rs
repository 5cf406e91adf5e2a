//! Frames and handshakes with peers that are sound, slow, garbled, hostile, or gone.
#![cfg(feature = "cluster")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{future::Future, time::Duration};

use jarre_kv_store::frame::{
    FIRST_KIND, Frame, FrameError, FrameReader, FrameWriter, Identity, Peer, Refusal, Result, Token, accept, connect,
};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};

const LIMIT: Duration = Duration::from_secs(2);
const MAX: u32 = 1 << 16;

type Pair = (FrameReader<ReadHalf<DuplexStream>>, FrameWriter<WriteHalf<DuplexStream>>);

fn framed(stream: DuplexStream) -> Pair {
    let (reader, writer) = split(stream);
    (FrameReader::new(reader, MAX), FrameWriter::new(writer, MAX))
}

fn frame(payload: &[u8]) -> Frame {
    Frame { kind: FIRST_KIND, id: 7, payload: payload.to_vec() }
}

/// The bytes of a frame on the wire.
async fn wire(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    FrameWriter::new(&mut bytes, u32::MAX).send(frame, LIMIT).await.unwrap();
    bytes
}

async fn received(bytes: &[u8]) -> Result<Frame> {
    FrameReader::new(bytes, MAX).receive(LIMIT).await
}

/// Runs to its end on a clock that jumps whenever nothing else is to do.
fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(work)
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_says_whether_it_ended_within_a_frame() {
    let bytes = wire(&frame(b"payload")).await;
    for end in 0..bytes.len() {
        let outcome = received(&bytes[..end]).await;
        match end {
            0 => assert!(matches!(outcome, Err(FrameError::Closed))),
            1..24 => assert!(matches!(outcome, Err(FrameError::Truncated { got, needed: 24 }) if got == end), "{end}: {outcome:?}"),
            _ => assert!(matches!(outcome, Err(FrameError::Truncated { got, needed: 7 }) if got == end - 24), "{end}: {outcome:?}"),
        }
    }
    assert_eq!(received(&bytes).await.unwrap(), frame(b"payload"));
}

#[tokio::test(start_paused = true)]
async fn a_flip_of_any_bit_is_seen_and_said() {
    let bytes = wire(&frame(b"payload")).await;
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let outcome = received(&flipped).await;
        let is_seen = match bit / 8 {
            0..2 => matches!(outcome, Err(FrameError::NotAFrame(..))),
            2..24 => matches!(outcome, Err(FrameError::Checksum { part: "header" })),
            _ => matches!(outcome, Err(FrameError::Checksum { part: "payload" })),
        };
        assert!(is_seen, "bit {bit}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_version_and_a_huge_length_are_refused_before_the_payload_is_awaited() {
    let mut bytes = wire(&frame(b"")).await;
    bytes[2] = 9;
    let crc = crc32c::crc32c(&bytes[..20]).to_le_bytes();
    bytes[20..24].copy_from_slice(&crc);
    assert!(matches!(received(&bytes).await, Err(FrameError::Version { theirs: 9, ours: 1 })));

    let huge = wire(&frame(&vec![0; MAX as usize + 1])).await;
    let (near, far) = duplex(64);
    let (mut reader, _writer) = framed(near);
    let (_far_reader, mut far_writer) = split(far);
    far_writer.write_all(&huge[..24]).await.unwrap();
    let started = tokio::time::Instant::now();
    assert!(matches!(reader.receive(LIMIT).await, Err(FrameError::TooLarge { max: MAX, .. })));
    assert_eq!(started.elapsed(), Duration::ZERO, "it did not wait for what it refuses");

    let (mut reader, mut writer) = framed(duplex(64).0);
    assert!(matches!(writer.send(&frame(&vec![0; MAX as usize + 1]), LIMIT).await, Err(FrameError::TooLarge { .. })));
    assert!(matches!(writer.send(&Frame { kind: 3, ..frame(b"") }, LIMIT).await, Err(FrameError::ReservedKind { kind: 3 })));
    assert!(matches!(reader.receive(LIMIT).await, Err(FrameError::Closed)), "the other end is gone");
    assert!(matches!(reader.receive(LIMIT).await, Err(FrameError::Broken)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_peer_meets_the_deadline_and_the_connection_is_not_used_again() {
    let bytes = wire(&frame(b"payload")).await;
    let (near, far) = duplex(1024);
    let (mut reader, mut writer) = framed(near);
    let (far_reader, mut far_writer) = split(far);
    // A byte each half second: always alive, never done.
    let drip = tokio::spawn(async move {
        for byte in bytes {
            tokio::time::sleep(Duration::from_millis(500)).await;
            if far_writer.write_all(&[byte]).await.is_err() {
                break;
            }
        }
        far_reader
    });
    let started = tokio::time::Instant::now();
    assert!(matches!(reader.receive(LIMIT).await, Err(FrameError::TimedOut { limit: LIMIT, .. })));
    assert_eq!(started.elapsed(), LIMIT);
    assert!(matches!(reader.receive(LIMIT).await, Err(FrameError::Broken)));
    // Nobody reads on the other side, and what lies between holds 1024 bytes.
    assert!(matches!(writer.send(&frame(&[0; 4000]), LIMIT).await, Err(FrameError::TimedOut { .. })));
    assert!(matches!(writer.send(&frame(b""), LIMIT).await, Err(FrameError::Broken)));
    drip.abort();
}

#[tokio::test(start_paused = true)]
async fn a_receive_that_was_dropped_half_way_breaks_the_connection() {
    let bytes = wire(&frame(b"payload")).await;
    let (near, far) = duplex(1024);
    let (mut reader, _writer) = framed(near);
    let (_far_reader, mut far_writer) = split(far);
    far_writer.write_all(&bytes[..10]).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(1), reader.receive(LIMIT)).await.is_err());
    far_writer.write_all(&bytes[10..]).await.unwrap();
    assert!(matches!(reader.receive(LIMIT).await, Err(FrameError::Broken)), "ten bytes of the frame are lost");
}

fn identity(cluster: u64, node: u64, token: &[u8]) -> Identity {
    Identity { cluster, node, token: Token::new(token).unwrap() }
}

const TOKEN: &[u8] = b"a token that both of them know..";

async fn shake(caller: Identity, expected: u64, answerer: Identity) -> (Result<Peer>, Result<Peer>) {
    let (near, far) = duplex(4096);
    let call = async {
        let (mut reader, mut writer) = framed(near);
        connect(&mut reader, &mut writer, &caller, expected, [1; 32], LIMIT).await
    };
    let answer = async {
        let (mut reader, mut writer) = framed(far);
        accept(&mut reader, &mut writer, &answerer, [2; 32], LIMIT).await
    };
    tokio::join!(call, answer)
}

#[tokio::test(start_paused = true)]
async fn a_handshake_tells_each_side_what_is_wrong() {
    let (caller, answerer) = shake(identity(1, 10, TOKEN), 20, identity(1, 20, TOKEN)).await;
    assert_eq!((caller.unwrap().node, answerer.unwrap().node), (20, 10));

    let (caller, answerer) = shake(identity(1, 10, TOKEN), 20, identity(2, 20, TOKEN)).await;
    assert!(matches!(caller, Err(FrameError::Refused(Refusal::Cluster))), "{caller:?}");
    assert!(matches!(answerer, Err(FrameError::WrongCluster { theirs: 1, ours: 2 })), "{answerer:?}");

    let (caller, answerer) = shake(identity(1, 10, TOKEN), 20, identity(1, 20, b"another token than the caller's")).await;
    assert!(matches!(caller, Err(FrameError::BadProof { node: 20 })), "{caller:?}");
    assert!(matches!(answerer, Err(FrameError::Closed)), "{answerer:?}");

    let (caller, _) = shake(identity(1, 10, TOKEN), 20, identity(1, 21, TOKEN)).await;
    assert!(matches!(caller, Err(FrameError::WrongNode { expected: 20, found: 21 })), "{caller:?}");
    assert!(matches!(Token::new(b"short"), Err(FrameError::ShortToken { len: 5 })));
    assert!(!format!("{:?}", identity(1, 10, TOKEN)).contains("know"));
}

/// What a caller sends, seen by one who listens: the frames' bytes.
async fn overheard() -> (Vec<u8>, Vec<u8>) {
    let (near, far) = duplex(4096);
    let (listener_near, listener_far) = (duplex(4096), duplex(4096));
    let ((near_in, near_out), (far_in, far_out)) = (split(listener_near.1), split(listener_far.1));
    drop((near, far));
    let record = |mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>| async move {
        let (mut seen, mut buffer) = (Vec::new(), [0; 256]);
        loop {
            let count = from.read(&mut buffer).await.unwrap();
            if count == 0 || to.write_all(&buffer[..count]).await.is_err() {
                return seen;
            }
            seen.extend_from_slice(&buffer[..count]);
        }
    };
    let call = async {
        let (mut reader, mut writer) = framed(listener_near.0);
        connect(&mut reader, &mut writer, &identity(1, 10, TOKEN), 20, [1; 32], LIMIT).await.unwrap();
    };
    let answer = async {
        let (mut reader, mut writer) = framed(listener_far.0);
        accept(&mut reader, &mut writer, &identity(1, 20, TOKEN), [2; 32], LIMIT).await.unwrap();
    };
    let (caller, answerer, (), ()) = tokio::join!(record(near_in, far_out), record(far_in, near_out), call, answer);
    (caller, answerer)
}

#[tokio::test(start_paused = true)]
async fn the_token_is_not_sent_and_what_was_overheard_opens_nothing() {
    let (caller, answerer) = overheard().await;
    for sent in [&caller, &answerer] {
        assert!(!sent.windows(8).any(|part| TOKEN.windows(8).any(|secret| part == secret)));
    }
    // The same frames again: the answerer's nonce is another one now, and the old proof says nothing about it.
    let (near, far) = duplex(4096);
    let (mut near_reader, mut near_writer) = split(near);
    near_writer.write_all(&caller).await.unwrap();
    let (mut reader, mut writer) = framed(far);
    let replayed = accept(&mut reader, &mut writer, &identity(1, 20, TOKEN), [3; 32], LIMIT).await;
    assert!(matches!(replayed, Err(FrameError::BadProof { node: 10 })), "{replayed:?}");
    drop((reader, writer));
    let mut told = Vec::new();
    near_reader.read_to_end(&mut told).await.unwrap();
    assert_eq!(told.last(), Some(&3), "the refusal names the proof");
    // The answerer's own proof sent back to it is under another label.
    let (near, far) = duplex(4096);
    let mirrored = [&caller[..74], &proof_frame(&answerer)].concat();
    let (_reader, mut near_writer) = split(near);
    near_writer.write_all(&mirrored).await.unwrap();
    let (mut reader, mut writer) = framed(far);
    let reflected = accept(&mut reader, &mut writer, &identity(1, 20, TOKEN), [2; 32], LIMIT).await;
    assert!(matches!(reflected, Err(FrameError::BadProof { node: 10 })), "{reflected:?}");
}

/// A caller's proof frame that holds the proof of the answerer's first frame.
fn proof_frame(answerer: &[u8]) -> Vec<u8> {
    let proof = &answerer[24 + 50..24 + 82];
    let mut bytes = [b"jK\x01\x03".as_slice(), &32_u32.to_le_bytes(), &[0; 8], &crc32c::crc32c(proof).to_le_bytes()].concat();
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes.extend_from_slice(proof);
    bytes
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_or_something_else_does_not_hold_a_handshake_up() {
    let (near, _far) = duplex(4096);
    let (mut reader, mut writer) = framed(near);
    let silent = accept(&mut reader, &mut writer, &identity(1, 20, TOKEN), [2; 32], LIMIT).await;
    assert!(matches!(silent, Err(FrameError::TimedOut { .. })));

    let outcome = received(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!(outcome.unwrap_err().to_string(), "the peer does not speak this protocol: a frame begins with 6a 4b, not 47 45");

    let (near, far) = duplex(4096);
    let (mut reader, mut writer) = framed(near);
    framed(far).1.send(&frame(b"no hello"), LIMIT).await.unwrap();
    let rude = accept(&mut reader, &mut writer, &identity(1, 20, TOKEN), [2; 32], LIMIT).await;
    assert!(matches!(rude, Err(FrameError::Handshake { .. })), "{rude:?}");
}

proptest! {
    #[test]
    fn frames_arrive_as_they_were_sent_in_whatever_pieces(
        payloads in prop::collection::vec((FIRST_KIND..=u8::MAX, any::<u64>(), prop::collection::vec(any::<u8>(), 0..3000)), 0..8),
        pipe in 1..200_usize,
    ) {
        let frames: Vec<Frame> = payloads.into_iter().map(|(kind, id, payload)| Frame { kind, id, payload }).collect();
        let arrived = run(async {
            let (near, far) = duplex(pipe);
            let send = async {
                let (_reader, mut writer) = framed(near);
                for frame in &frames {
                    writer.send(frame, LIMIT).await.unwrap();
                }
            };
            let receive = async {
                let (mut reader, _writer) = framed(far);
                let mut arrived = Vec::new();
                loop {
                    match reader.receive(LIMIT).await {
                        Ok(frame) => arrived.push(frame),
                        Err(FrameError::Closed) => return arrived,
                        Err(error) => panic!("{error}"),
                    }
                }
            };
            tokio::join!(send, receive).1
        });
        prop_assert_eq!(arrived, frames);
    }

    #[test]
    fn whatever_comes_is_a_frame_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(frame) = run(received(&bytes)) {
            prop_assert_eq!(&run(wire(&frame))[..], &bytes[..24 + frame.payload.len()]);
        }
        run(async {
            let (near, far) = duplex(4096);
            let (reader, mut near_writer) = split(near);
            near_writer.write_all(&bytes).await.unwrap();
            drop((reader, near_writer));
            let (mut reader, mut writer) = framed(far);
            assert!(accept(&mut reader, &mut writer, &identity(1, 20, TOKEN), [2; 32], LIMIT).await.is_err());
        });
    }
}
