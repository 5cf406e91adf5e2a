use std::{
    io::{self, PipeReader, PipeWriter},
    os::fd::{AsFd, AsRawFd},
};

use super::{capture::Capture, sys};
use crate::Captured;

/// One output of a command.
#[derive(Debug)]
pub(super) struct Output {
    pipe: Option<PipeReader>,
    capture: Capture,
}

impl Output {
    pub(super) fn new(pipe: PipeReader, room: usize) -> io::Result<Self> {
        sys::set_nonblocking(pipe.as_fd())?;
        Ok(Self { pipe: Some(pipe), capture: Capture::new(room) })
    }

    /// What to wait on; nothing once it has ended.
    pub(super) fn wanted(&self) -> libc::pollfd {
        wanted(self.pipe.as_ref().map(AsRawFd::as_raw_fd), libc::POLLIN)
    }

    /// Takes some of what is there; whether there was any.
    pub(super) fn take(&mut self) -> bool {
        let Some(pipe) = &self.pipe else { return false };
        let mut buffer = [0; 16 << 10];
        match sys::read(pipe.as_raw_fd(), &mut buffer) {
            Ok(0) => self.pipe = None,
            Ok(count) => {
                self.capture.push(&buffer[..count]);
                return true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.pipe = None,
        }
        false
    }

    pub(super) fn finish(mut self) -> Captured {
        while self.take() {}
        self.capture.finish()
    }
}

/// What a command reads.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pipe: Option<PipeWriter>,
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(pipe: PipeWriter, text: &'a [u8]) -> io::Result<Self> {
        sys::set_nonblocking(pipe.as_fd())?;
        Ok(Self { pipe: (!text.is_empty()).then_some(pipe), rest: text })
    }

    /// What to wait on; nothing once all is written.
    pub(super) fn wanted(&self) -> libc::pollfd {
        wanted(self.pipe.as_ref().map(AsRawFd::as_raw_fd), libc::POLLOUT)
    }

    /// Gives some of what is left; at the end, or where nobody reads, the pipe is closed.
    pub(super) fn give(&mut self) {
        use std::io::Write;
        let Some(pipe) = &mut self.pipe else { return };
        match pipe.write(self.rest) {
            Ok(count) => self.rest = self.rest.get(count..).unwrap_or_default(),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => self.rest = &[],
        }
        if self.rest.is_empty() {
            self.pipe = None;
        }
    }
}

/// An entry for `poll`, which passes over numbers below zero.
pub(super) fn wanted(fd: Option<i32>, events: i16) -> libc::pollfd {
    libc::pollfd { fd: fd.unwrap_or(-1), events, revents: 0 }
}
