use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{FrameError, Result};

const SHORTEST: usize = 16;

/// The length of a proof in bytes.
pub(super) const PROOF: usize = 32;

/// What all nodes of a cluster know and nobody else. It is never sent, and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Box<[u8]>);

impl Token {
    /// Takes the bytes, which should be random, the same on all nodes.
    ///
    /// # Errors
    /// [`FrameError::ShortToken`] under 16 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        if bytes.len() < SHORTEST {
            return Err(FrameError::ShortToken { len: bytes.len() });
        }
        Ok(Self(bytes.into()))
    }

    /// HMAC-SHA256 (RFC 2104) over the label and the parts, none of which can be read as another's beginning.
    pub(super) fn prove(&self, label: &str, parts: [&[u8]; 2]) -> [u8; PROOF] {
        self.mac(label, parts).finalize().into_bytes().into()
    }

    /// Compares in constant time.
    pub(super) fn is_proof(&self, proof: &[u8], label: &str, parts: [&[u8]; 2]) -> bool {
        self.mac(label, parts).verify_slice(proof).is_ok()
    }

    fn mac(&self, label: &str, parts: [&[u8]; 2]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of HMAC may have any length");
        for part in [label.as_bytes()].into_iter().chain(parts) {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
