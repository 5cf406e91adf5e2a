use std::{ffi::CString, os::fd::AsFd, path::Path};

use super::{
    mounts::{Visible, WORK, string},
    report::{At, Failure},
    stage::Stage,
    sys,
};
use crate::Result;

const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_BLOCK: u64 = 1 << 11;

/// The rights on files that each version of Landlock knows: 13, then `REFER` (2), `TRUNCATE` (3) and `IOCTL_DEV` (5).
const fn known(abi: u32) -> u64 {
    match abi {
        ..=1 => (1 << 13) - 1,
        2 => (1 << 14) - 1,
        3 | 4 => (1 << 15) - 1,
        _ => (1 << 16) - 1,
    }
}

/// Rules on files for one command, ready to be put in force without another allocation. Version 4 also takes TCP away, version 6 signals and
/// abstract sockets to the outside. See the kernel's `Documentation/userspace-api/landlock.rst`.
#[derive(Debug)]
pub(super) struct Rules {
    ruleset: sys::LandlockRuleset,
    size: usize,
    paths: Vec<(CString, u64)>,
}

impl Rules {
    /// Rules for a root of its own, with the folder at [`WORK`].
    pub(super) fn in_own_root(abi: u32, visible: &Visible) -> Result<Self> {
        let mut rules = Self::reading(abi, visible)?;
        rules.allow("/", READ_DIR)?;
        rules.allow("/etc", READ_FILE | READ_DIR)?;
        rules.allow("/proc", READ_FILE | READ_DIR)?;
        rules.allow("/dev", READ_DIR)?;
        rules.writing(abi, Path::new(WORK))?;
        rules.writing(abi, Path::new("/tmp"))?;
        Ok(rules)
    }

    /// Rules for the machine's own root, where there is no mount namespace.
    pub(super) fn in_shared_root(abi: u32, visible: &Visible, dir: &Path) -> Result<Self> {
        let mut rules = Self::reading(abi, visible)?;
        rules.writing(abi, dir)?;
        Ok(rules)
    }

    fn reading(abi: u32, visible: &Visible) -> Result<Self> {
        let ruleset =
            sys::LandlockRuleset { files: known(abi), network: if abi >= 4 { 0b11 } else { 0 }, scoped: if abi >= 6 { 0b11 } else { 0 } };
        let size = match abi {
            ..=3 => 8,
            4 | 5 => 16,
            _ => 24,
        };
        let mut rules = Self { ruleset, size, paths: Vec::new() };
        for (path, is_dir) in &visible.shown {
            rules.allow(path, EXECUTE | READ_FILE | if *is_dir { READ_DIR } else { 0 })?;
        }
        for device in ["/dev/null", "/dev/full"] {
            rules.allow(device, READ_FILE | WRITE_FILE)?;
        }
        // Whoever may write to `/dev/zero` may map it as shared memory, which only a cgroup counts.
        for device in ["/dev/zero", "/dev/random", "/dev/urandom"] {
            rules.allow(device, READ_FILE)?;
        }
        Ok(rules)
    }

    fn writing(&mut self, abi: u32, path: &Path) -> Result<()> {
        self.allow(path, known(abi) & !(MAKE_CHAR | MAKE_BLOCK))
    }

    fn allow(&mut self, path: impl AsRef<Path>, access: u64) -> Result<()> {
        self.paths.push((string(path.as_ref())?, access));
        Ok(())
    }

    /// Puts the rules in force for this process and all that it starts.
    pub(super) fn enforce(&self) -> Result<(), Failure> {
        let ruleset = sys::landlock_ruleset(&self.ruleset, self.size).at(Stage::Landlock)?;
        for (path, access) in &self.paths {
            let file = sys::open(path, libc::O_PATH).at(Stage::Landlock)?;
            sys::landlock_allow(ruleset.as_fd(), file.as_fd(), *access).at(Stage::Landlock)?;
        }
        sys::landlock_restrict(ruleset.as_fd()).at(Stage::Landlock)
    }
}
