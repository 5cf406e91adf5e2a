//! Frames and handshakes: whatever bytes come, sealed or not, they end in frames that were sent, a handshake that was proven, or an error.
#![no_main]

use std::{sync::LazyLock, time::Duration};

use arbitrary::Arbitrary;
use jarre_kv_store::frame::{FIRST_KIND, Frame, FrameError, FrameReader, FrameWriter, Identity, Token, accept, connect};
use libfuzzer_sys::fuzz_target;
use tokio::{io::sink, runtime};

const LIMIT: Duration = Duration::from_secs(30);
const MAX: u32 = 512;

#[derive(Arbitrary, Debug)]
enum Piece {
    Raw(Vec<u8>),
    Sealed { kind: u8, id: u64, payload: Vec<u8> },
}

static RUNTIME: LazyLock<runtime::Runtime> =
    LazyLock::new(|| runtime::Builder::new_current_thread().enable_time().build().expect("a runtime needs a timer and nothing else"));

fuzz_target!(init: LazyLock::force(&RUNTIME), |pieces: Vec<Piece>| {
    let bytes = pieces.iter().map(Piece::encode).collect::<Vec<_>>().concat();
    RUNTIME.block_on(async {
        frames(&pieces, &bytes).await;
        handshakes(&bytes).await;
    });
});

async fn frames(pieces: &[Piece], bytes: &[u8]) {
    let mut reader = FrameReader::new(bytes, MAX);
    for piece in pieces {
        let received = reader.receive(LIMIT).await;
        match piece {
            Piece::Sealed { kind, id, payload } if *kind >= FIRST_KIND && payload.len() <= MAX as usize => {
                assert_eq!(received.expect("a sound frame is received"), Frame { kind: *kind, id: *id, payload: payload.clone() });
            }
            // From here on the stream may stand anywhere.
            Piece::Sealed { .. } => {
                received.expect_err("the frame is over the limit, or the handshake's");
                assert!(matches!(reader.receive(LIMIT).await, Err(FrameError::Broken)));
                return;
            }
            Piece::Raw(_) => return,
        }
    }
    assert!(matches!(reader.receive(LIMIT).await, Err(FrameError::Closed)));
}

/// Without the token nobody gets through, on either side.
async fn handshakes(bytes: &[u8]) {
    let token = Token::new(b"known to none of the inputs, so it seems").expect("it is long enough");
    let identity = Identity { cluster: 0, node: 0, token };
    let (mut reader, mut writer) = (FrameReader::new(bytes, MAX), FrameWriter::new(sink(), MAX));
    accept(&mut reader, &mut writer, &identity, [1; 32], LIMIT).await.expect_err("the token is not known");
    let (mut reader, mut writer) = (FrameReader::new(bytes, MAX), FrameWriter::new(sink(), MAX));
    connect(&mut reader, &mut writer, &identity, 0, [1; 32], LIMIT).await.expect_err("the token is not known");
}

impl Piece {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Raw(bytes) => bytes.clone(),
            Self::Sealed { kind, id, payload } => {
                let mut bytes = [b"jK\x01".as_slice(), &[*kind], &(payload.len() as u32).to_le_bytes(), &id.to_le_bytes()].concat();
                bytes.extend(crc32c::crc32c(payload).to_le_bytes());
                bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
                [bytes, payload.clone()].concat()
            }
        }
    }
}
