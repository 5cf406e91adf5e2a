use std::{io, os::fd::RawFd};

use super::{stage::Stage, sys};

/// What the processes of a start tell the caller, through a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// It is in a user namespace and waits to be told that it has a user there.
    Unshared,
    /// The first process of the tree, as the caller sees it.
    Init(libc::pid_t),
    /// The command ended with this wait status, its tree having used so many microseconds of processor.
    Ended(i32, u64),
    /// This did not work.
    Failed(Failure),
}

/// What did not work, and what the kernel said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) stage: Stage,
    pub(super) errno: i32,
}

/// Names the stage at which a call failed.
pub(super) trait At<T> {
    fn at(self, stage: Stage) -> Result<T, Failure>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, stage: Stage) -> Result<T, Failure> {
        self.map_err(|error| Failure { stage, errno: error.raw_os_error().unwrap_or(0) })
    }
}

/// Shorter than what a pipe writes at once, so that reports of several processes never mix.
const LENGTH: usize = 16;

impl Report {
    pub(super) fn send(self, pipe: RawFd) {
        let (kind, small, large): (u32, i32, u64) = match self {
            Self::Unshared => (0, 0, 0),
            Self::Init(pid) => (1, pid, 0),
            Self::Ended(status, cpu) => (2, status, cpu),
            Self::Failed(Failure { stage, errno }) => (3, errno, u64::from(stage as u32)),
        };
        let mut bytes = [0; LENGTH];
        let (head, tail) = bytes.split_at_mut(8);
        head.copy_from_slice(&(u64::from(kind) | u64::from(small as u32) << 32).to_le_bytes());
        tail.copy_from_slice(&large.to_le_bytes());
        // Where nobody reads, the caller is gone, and this process ends with it.
        let _ = sys::write_all(pipe, &bytes);
    }

    /// The next report; `None` where all who could send one are gone.
    pub(super) fn receive(pipe: RawFd) -> io::Result<Option<Self>> {
        let mut bytes = [0; LENGTH];
        if sys::read(pipe, &mut bytes)? != LENGTH {
            return Ok(None);
        }
        let head = u64::from_le_bytes(std::array::from_fn(|i| bytes[i]));
        let large = u64::from_le_bytes(std::array::from_fn(|i| bytes[i + 8]));
        let small = (head >> 32) as i32;
        Ok(match head as u32 {
            0 => Some(Self::Unshared),
            1 => Some(Self::Init(small)),
            2 => Some(Self::Ended(small, large)),
            _ => Stage::from_number(large as u32).map(|stage| Self::Failed(Failure { stage, errno: small })),
        })
    }
}
