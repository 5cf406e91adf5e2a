//! The machine where there is no sandbox: it refuses, with the reason.

use std::{
    fs::{File, Metadata},
    io,
    path::Path,
};

use crate::{Cancel, Command, Error, Execution, Layer, Limits, Missing, Protection, Result, SandboxConfig};

/// Never made.
#[derive(Debug)]
pub(crate) enum Machine {}

impl Machine {
    pub(crate) fn probe(_: &SandboxConfig) -> Result<(Self, Protection)> {
        let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
        let reason = format!("it stands on Linux's namespaces, on x86-64 or ARM64, and this is {system} on {processor}");
        Err(Error::Missing(Missing { layer: Layer::UserNamespace, reason }))
    }

    pub(crate) fn run(&self, _: &Command, _: &Limits, _: &Cancel, _: &Protection) -> Result<Execution> {
        match *self {}
    }

    pub(crate) fn owner(&self) -> Option<u32> {
        match *self {}
    }
}

fn unsupported<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn walk(_: &Path, _: u64, _: &mut dyn FnMut(&Path, &Metadata)) -> io::Result<()> {
    unsupported()
}

pub(crate) fn open(_: &Path, _: &Path) -> io::Result<File> {
    unsupported()
}

pub(crate) fn make_private(_: &Path) -> io::Result<()> {
    unsupported()
}

pub(crate) fn make_link(_: &Path, _: &Path) -> io::Result<()> {
    unsupported()
}

pub(crate) fn give(_: &Path, _: u32) -> io::Result<()> {
    unsupported()
}

pub(crate) fn set_mode(_: &Path, _: bool) -> io::Result<()> {
    unsupported()
}

pub(crate) fn make_file(_: &Path) -> io::Result<File> {
    unsupported()
}

pub(crate) fn keep_mode(_: &Path, _: &Metadata, _: bool) -> io::Result<()> {
    unsupported()
}

pub(crate) fn keep_owner(_: &Path, _: &Metadata) -> io::Result<()> {
    unsupported()
}

pub(crate) fn is_executable(_: &Metadata) -> bool {
    false
}

pub(crate) fn is_private(_: &Metadata) -> bool {
    false
}
