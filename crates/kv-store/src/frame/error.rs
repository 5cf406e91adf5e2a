use std::{io, sync::Arc, time::Duration};

/// A result of sending, receiving, or shaking hands.
pub type Result<T, E = FrameError> = std::result::Result<T, E>;

/// What went wrong between two nodes.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The peer closed the connection between two frames.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer closed the connection within a frame.
    #[error("the peer closed the connection within a frame, after {got} of {needed} bytes")]
    Truncated {
        /// Bytes that came.
        got: usize,
        /// Bytes that the part of the frame has.
        needed: usize,
    },
    /// What came is no frame.
    #[error("the peer does not speak this protocol: a frame begins with 6a 4b, not {0:02x} {1:02x}")]
    NotAFrame(u8, u8),
    /// A frame of a version that is not understood.
    #[error("a frame of version {theirs} came, and version {ours} is spoken here")]
    Version {
        /// What came.
        theirs: u8,
        /// What is understood.
        ours: u8,
    },
    /// A payload over the limit.
    #[error("a payload of {len} bytes is over the limit of {max}")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        max: u32,
    },
    /// Bytes changed on the way.
    #[error("the checksum of the {part} does not hold")]
    Checksum {
        /// `header` or `payload`.
        part: &'static str,
    },
    /// The deadline passed.
    #[error("{action} took longer than {limit:?}")]
    TimedOut {
        /// What was tried.
        action: &'static str,
        /// How long it might have taken.
        limit: Duration,
    },
    /// An earlier call failed, and where the stream stands is unknown.
    #[error("an earlier call on this connection failed; open another one")]
    Broken,
    /// A frame that does not belong here in the handshake.
    #[error("the handshake broke off: {problem}")]
    Handshake {
        /// What was wrong with it.
        problem: &'static str,
    },
    /// The peer belongs to another cluster.
    #[error("the peer belongs to cluster {theirs}, not to {ours}")]
    WrongCluster {
        /// Which one it says.
        theirs: u64,
        /// This side's.
        ours: u64,
    },
    /// Another node answered than the one that was called.
    #[error("node {found} answered where node {expected} should be")]
    WrongNode {
        /// Who was called.
        expected: u64,
        /// Who answered.
        found: u64,
    },
    /// The peer does not know the token.
    #[error("node {node} could not show that it knows the cluster's token")]
    BadProof {
        /// Who it says it is.
        node: u64,
    },
    /// The peer refused the handshake.
    #[error("the peer refused: {0}")]
    Refused(Refusal),
    /// A token that is too easily guessed.
    #[error("a token of {len} bytes is too short; take 16 random bytes at least, better 32")]
    ShortToken {
        /// Its length in bytes.
        len: usize,
    },
    /// A kind that belongs to the handshake.
    #[error("frames of kind {kind} belong to the handshake; take one from 16 on")]
    ReservedKind {
        /// Which one.
        kind: u8,
    },
    /// The system failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: Arc<io::Error>,
    },
}

/// Why a peer refused a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No version that both speak.
    #[error("it speaks none of the versions offered")]
    Version,
    /// Another cluster.
    #[error("it belongs to another cluster")]
    Cluster,
    /// The token does not match.
    #[error("the proof of the token does not hold")]
    Proof,
    /// A reason that this version has no name for.
    #[error("for reason {0}")]
    Other(u8),
}

impl FrameError {
    pub(super) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source: Arc::new(source) }
    }
}
