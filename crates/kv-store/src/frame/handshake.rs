use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    FrameError, FrameReader, FrameWriter, Refusal, Result, Token,
    hello::{self, ANSWER, HELLO, Hello, LEN, PROVEN, WELCOME, expect, frame, refusal},
    token::PROOF,
};

const CALLER: &str = "jarre-kv caller";
const ANSWERER: &str = "jarre-kv answerer";

/// Who this side is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its cluster.
    pub cluster: u64,
    /// Its node.
    pub node: u64,
    /// The cluster's token.
    pub token: Token,
}

/// Who the other side is. It has shown that it knows the token; that it is this node and no other one of the cluster is its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Its node.
    pub node: u64,
}

/// Shakes hands as the side that opened the connection, to node `expected`. `nonce` must be random, another one for each call; each of the
/// steps must be over within `limit`.
///
/// # Errors
/// [`FrameError::WrongCluster`], [`FrameError::WrongNode`], [`FrameError::BadProof`], [`FrameError::Refused`], [`FrameError::Handshake`], or what went
/// wrong with a frame.
pub async fn connect<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    reader: &mut FrameReader<R>,
    writer: &mut FrameWriter<W>,
    identity: &Identity,
    expected: u64,
    nonce: [u8; 32],
    limit: Duration,
) -> Result<Peer> {
    let ours = Hello::new(identity.cluster, identity.node, nonce).encode();
    writer.send_any(&frame(HELLO, ours.to_vec()), limit).await?;
    let answer = expect::<{ LEN + PROOF }>(&reader.receive_any(limit).await?, ANSWER)?;
    let (theirs, proof) = hello::split_answer(&answer);
    let Hello { cluster, node, .. } = Hello::decode(theirs);
    if !identity.token.is_proof(proof, ANSWERER, [&ours, theirs]) {
        return Err(FrameError::BadProof { node });
    }
    if cluster != identity.cluster {
        return Err(FrameError::WrongCluster { theirs: cluster, ours: identity.cluster });
    }
    if node != expected {
        return Err(FrameError::WrongNode { expected, found: node });
    }
    let proof = identity.token.prove(CALLER, [&ours, theirs]);
    writer.send_any(&frame(PROVEN, proof.to_vec()), limit).await?;
    expect::<0>(&reader.receive_any(limit).await?, WELCOME)?;
    Ok(Peer { node })
}

/// Shakes hands as the side that was called. `nonce` must be random, another one for each call; each of the steps must be over within
/// `limit`. The peer is told why it is refused.
///
/// # Errors
/// [`FrameError::WrongCluster`], [`FrameError::BadProof`], [`FrameError::Handshake`], or what went wrong with a frame.
pub async fn accept<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    reader: &mut FrameReader<R>,
    writer: &mut FrameWriter<W>,
    identity: &Identity,
    nonce: [u8; 32],
    limit: Duration,
) -> Result<Peer> {
    let theirs = expect::<LEN>(&reader.receive_any(limit).await?, HELLO)?;
    let Hello { cluster, node, .. } = Hello::decode(&theirs);
    let hello = Hello::new(identity.cluster, identity.node, nonce);
    if !hello.shares_version(&Hello::decode(&theirs)) {
        refuse(writer, Refusal::Version, limit).await;
        return Err(FrameError::Handshake { problem: "no version is spoken by both" });
    }
    if cluster != identity.cluster {
        refuse(writer, Refusal::Cluster, limit).await;
        return Err(FrameError::WrongCluster { theirs: cluster, ours: identity.cluster });
    }
    let ours = hello.encode();
    let proof = identity.token.prove(ANSWERER, [&theirs, &ours]);
    writer.send_any(&frame(ANSWER, [ours.as_slice(), &proof].concat()), limit).await?;
    let proof = expect::<PROOF>(&reader.receive_any(limit).await?, PROVEN)?;
    if !identity.token.is_proof(&proof, CALLER, [&theirs, &ours]) {
        refuse(writer, Refusal::Proof, limit).await;
        return Err(FrameError::BadProof { node });
    }
    writer.send_any(&frame(WELCOME, Vec::new()), limit).await?;
    Ok(Peer { node })
}

/// Tells the peer why, if it still listens; what went wrong is said on this side in any case.
async fn refuse<W: AsyncWrite + Unpin>(writer: &mut FrameWriter<W>, reason: Refusal, limit: Duration) {
    drop(writer.send_any(&refusal(reason), limit).await);
}
