//! What the handshake's frames carry.

use super::{Frame, FrameError, Refusal, Result, codec::VERSION, token::PROOF};

pub(super) const HELLO: u8 = 1;
pub(super) const ANSWER: u8 = 2;
pub(super) const PROVEN: u8 = 3;
pub(super) const WELCOME: u8 = 4;
const REFUSED: u8 = 5;

/// The length of a nonce in bytes.
const NONCE: usize = 32;
/// The length of a hello in bytes.
pub(super) const LEN: usize = 2 + 8 + 8 + NONCE;

/// What each side says of itself: the versions that it speaks, its cluster, its node, a number used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    /// The oldest and the newest version of the conversation, which has versions of its own beside the frames'.
    pub versions: [u8; 2],
    pub cluster: u64,
    pub node: u64,
    pub nonce: [u8; NONCE],
}

impl Hello {
    pub(super) fn new(cluster: u64, node: u64, nonce: [u8; NONCE]) -> Self {
        Self { versions: [VERSION, VERSION], cluster, node, nonce }
    }

    pub(super) fn encode(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..2].copy_from_slice(&self.versions);
        bytes[2..10].copy_from_slice(&self.cluster.to_le_bytes());
        bytes[10..18].copy_from_slice(&self.node.to_le_bytes());
        bytes[18..].copy_from_slice(&self.nonce);
        bytes
    }

    pub(super) fn decode(bytes: &[u8; LEN]) -> Self {
        let double = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("a double word has eight bytes"));
        let nonce = bytes[18..].try_into().expect("the rest is the nonce");
        Self { versions: [bytes[0], bytes[1]], cluster: double(2), node: double(10), nonce }
    }

    pub(super) fn shares_version(&self, other: &Self) -> bool {
        self.versions[0] <= other.versions[1] && other.versions[0] <= self.versions[1]
    }
}

/// A frame of the handshake.
pub(super) fn frame(kind: u8, payload: Vec<u8>) -> Frame {
    Frame { kind, id: 0, payload }
}

/// A frame that says why the handshake is refused.
pub(super) fn refusal(reason: Refusal) -> Frame {
    let code = match reason {
        Refusal::Version => 1,
        Refusal::Cluster => 2,
        Refusal::Proof => 3,
        Refusal::Other(code) => code,
    };
    frame(REFUSED, vec![code])
}

/// The payload of a frame that must be of `kind` and have `N` bytes.
///
/// # Errors
/// [`FrameError::Refused`] where it says that, else [`FrameError::Handshake`].
pub(super) fn expect<const N: usize>(frame: &Frame, kind: u8) -> Result<[u8; N]> {
    if frame.kind == REFUSED && kind != HELLO {
        return Err(FrameError::Refused(match frame.payload.first() {
            Some(1) => Refusal::Version,
            Some(2) => Refusal::Cluster,
            Some(3) => Refusal::Proof,
            code => Refusal::Other(code.copied().unwrap_or(0)),
        }));
    }
    if frame.kind != kind {
        return Err(FrameError::Handshake { problem: "a frame of another kind came" });
    }
    frame.payload.as_slice().try_into().map_err(|_| FrameError::Handshake { problem: "a frame of another length came" })
}

/// An answer's two parts.
pub(super) fn split_answer(bytes: &[u8; LEN + PROOF]) -> (&[u8; LEN], &[u8]) {
    bytes.split_first_chunk().expect("an answer begins with a hello")
}
