//! Addresses that members of a cluster are told before they listen.

use std::{
    net::TcpListener,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Ports below those that systems give to whoever asks for any: 32768 and up on Linux, 49152 and up by RFC 6335.
const PORTS: std::ops::Range<u32> = 12_000..32_000;

/// A loopback address at which nobody listens, given once in this process.
///
/// A port that the system chose would be free again at once: a test beside this one that listens anywhere, or connects to anybody, could have it
/// before the member does.
pub(crate) fn free_address() -> String {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Processes beside this one begin elsewhere.
    let first = process::id().wrapping_mul(97);
    let next = || PORTS.start + first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
    let mut addresses = std::iter::repeat_with(|| format!("127.0.0.1:{}", next())).take(PORTS.len());
    addresses.find(|address| TcpListener::bind(address).is_ok()).expect("a free port")
}
