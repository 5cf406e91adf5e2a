#![allow(clippy::unnecessary_cast, reason = "numbers of resources are `i32` with musl")]

use super::{
    report::{At, Failure},
    stage::Stage,
    sys,
};
use crate::Limits;

/// Largest stack of a thread that starts a program.
const STACK: u64 = 64 << 20;

/// The limit on core dumps, as a number of all C libraries.
pub(super) const CORE: u32 = libc::RLIMIT_CORE as u32;

/// Limits on each process, in the order in which they are set.
#[derive(Debug)]
pub(super) struct Rlimits(Vec<(u32, u64, u64)>);

impl Rlimits {
    /// What of `limits` the kernel holds each process to.
    ///
    /// The number of processes counts within the user namespace (Linux 5.14), so that it holds the tree and is the tree's alone. One more is
    /// for the first process, which is not the command's, and another where a cgroup counts, which then is first to refuse and tells. Data may be
    /// twice the tree's memory: the tree's limit is what ends a program that takes too much, and what is reported; this one refuses what could never
    /// fit.
    pub(super) fn new(limits: &Limits, cgroups: bool) -> Self {
        let seconds = limits.cpu.as_secs().saturating_add(u64::from(limits.cpu.subsec_nanos() > 0)).max(1);
        let both = |resource, value| (resource, value, value);
        Self(vec![
            (libc::RLIMIT_CPU as u32, seconds, seconds.saturating_add(1)),
            both(libc::RLIMIT_DATA as u32, limits.memory.saturating_mul(2)),
            (libc::RLIMIT_STACK as u32, STACK / 8, STACK),
            both(libc::RLIMIT_NPROC as u32, limits.processes.saturating_add(1 + u64::from(cgroups))),
            both(libc::RLIMIT_FSIZE as u32, limits.file_size),
            both(libc::RLIMIT_NOFILE as u32, limits.open_files),
            both(libc::RLIMIT_MEMLOCK as u32, 64 << 10),
            both(libc::RLIMIT_MSGQUEUE as u32, 64 << 10),
            // With 0 the kernel still starts what `core_pattern` names and pipes the memory to it; with 1 it does neither (core(5)).
            both(CORE, 1),
            both(libc::RLIMIT_NICE as u32, 0),
            both(libc::RLIMIT_RTPRIO as u32, 0),
        ])
    }

    /// Sets them. One that is higher than what the caller itself may have stays at the caller's.
    pub(super) fn enforce(&self) -> Result<(), Failure> {
        for (resource, soft, hard) in &self.0 {
            let (_, most) = sys::limit(*resource).at(Stage::Rlimits)?;
            sys::set_limit(*resource, (*soft).min(most), (*hard).min(most)).at(Stage::Rlimits)?;
        }
        Ok(())
    }

    /// Lets a user namespace have as many processes as this process may; the kernel notes it when the namespace is made.
    pub(super) fn widen_processes() -> Result<(), Failure> {
        let (_, most) = sys::limit(libc::RLIMIT_NPROC as u32).at(Stage::Rlimits)?;
        sys::set_limit(libc::RLIMIT_NPROC as u32, most, most).at(Stage::Rlimits)
    }
}
