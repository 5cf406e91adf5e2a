//! Frames between nodes: length-prefixed, versioned, checksummed, over any pair of byte streams, after a handshake in which both sides show
//! that they know the cluster's token without sending it.
//!
//! A frame is a header of 24 bytes and a payload, all numbers little-endian:
//!
//! ```text
//!  0 magic "jK", 2 version u8, 3 kind u8, 4 payload length u32, 8 id u64, 16 payload crc32c u32, 20 crc32c of the 20 bytes before
//! ```
//!
//! The header has a checksum of its own, so a garbled length is refused before anything is read by it; a length over the limit is refused
//! before anything is reserved for it, and room for a payload grows with what arrives. Every call has a deadline, for a partition can
//! swallow an answer while the connection stays open. After a failed call the stream may stand within a frame: the side that failed is
//! [`Broken`](FrameError::Broken) from then on, and the connection should be dropped.
//!
//! **Handshake.** The caller says hello (versions, cluster, node, nonce); the answerer says the same and proves with HMAC-SHA256, keyed by the
//! token, over both hellos that it knows the token; the caller proves the same under another label; the answerer welcomes it. A refusal
//! says why. The proof is as strong as the token against someone who listens: take 32 random bytes. It does not protect what follows from
//! someone who can change bytes on the way; TLS below it does
//! (`cluster::TlsTransport`, feature `tls`).
//!
//! ```
//! use std::time::Duration;
//! use jarre_kv_store::frame::{Frame, FrameReader, FrameWriter, Identity, Token, accept, connect};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let (near, far) = tokio::io::duplex(1024);
//! let identity = |node| Identity { cluster: 7, node, token: Token::new(b"thirty-two bytes, random in life").unwrap() };
//! let second = Duration::from_secs(1);
//!
//! let server = async {
//!     let (reader, writer) = tokio::io::split(far);
//!     let (mut reader, mut writer) = (FrameReader::new(reader, 1 << 20), FrameWriter::new(writer, 1 << 20));
//!     let peer = accept(&mut reader, &mut writer, &identity(2), [2; 32], second).await?;
//!     let request = reader.receive(second).await?;
//!     writer.send(&Frame { payload: format!("hello, {}", peer.node).into_bytes(), ..request }, second).await
//! };
//! let client = async {
//!     let (reader, writer) = tokio::io::split(near);
//!     let (mut reader, mut writer) = (FrameReader::new(reader, 1 << 20), FrameWriter::new(writer, 1 << 20));
//!     connect(&mut reader, &mut writer, &identity(1), 2, [1; 32], second).await?;
//!     writer.send(&Frame { kind: 40, id: 1, payload: b"who am I?".to_vec() }, second).await?;
//!     reader.receive(second).await
//! };
//! let (served, answer) = tokio::join!(server, client);
//! served?;
//! assert_eq!(answer?.payload, b"hello, 1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod codec;
mod error;
mod handshake;
mod hello;
mod stream;
mod token;

pub use codec::{FIRST_KIND, Frame, VERSION};
pub use error::{FrameError, Refusal, Result};
pub use handshake::{Identity, Peer, accept, connect};
pub use stream::{FrameReader, FrameWriter};
pub use token::Token;
