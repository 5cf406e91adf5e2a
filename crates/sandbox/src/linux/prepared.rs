use std::{
    ffi::{CString, OsString, c_char},
    os::{
        fd::{OwnedFd, RawFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    ptr,
};

use super::{
    landlock::Rules,
    mounts::{Mounts, WORK, string},
    plan::Plan,
    rlimits::Rlimits,
    seccomp::Filter,
};
use crate::{Command, Limits, Result};

/// All that the processes of a start need, made before the first of them: they neither allocate nor look anything up.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) plan: Plan,
    pub(super) mounts: Option<Mounts>,
    pub(super) landlock: Option<Rules>,
    pub(super) filter: Option<Filter>,
    pub(super) rlimits: Option<Rlimits>,
    /// Files of cgroups that a process enters by writing 0.
    pub(super) cgroups: Vec<OwnedFd>,
    /// Where the command starts, as it is called in the sandbox.
    pub(super) dir: CString,
    /// Places where the program may be, in the order in which they are tried; none for a rehearsal, which ends before it.
    pub(super) programs: Vec<CString>,
    pub(super) arguments: Strings,
    pub(super) environment: Strings,
    pub(super) files: Files,
}

/// Files that the command's side of a start holds.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) stdin: RawFd,
    pub(super) stdout: RawFd,
    pub(super) stderr: RawFd,
    /// Where reports are written.
    pub(super) report: RawFd,
    /// Where a byte says that the first process may go on, and the end that the caller is gone.
    pub(super) go: RawFd,
}

/// Strings as `execve` takes them.
#[derive(Debug)]
pub(super) struct Strings {
    /// Addresses in `_owned`, and a null pointer.
    pointers: Vec<*const c_char>,
    _owned: Vec<CString>,
}

impl Strings {
    pub(super) fn new<S: AsRef<std::ffi::OsStr>>(strings: impl IntoIterator<Item = S>) -> Result<Self> {
        let owned = strings.into_iter().map(|text| string(&text)).collect::<Result<Vec<_>>>()?;
        let pointers = owned.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        Ok(Self { pointers, _owned: owned })
    }

    pub(super) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// What is the same for all commands of a sandbox.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) visible: super::mounts::Visible,
    pub(super) path: Vec<PathBuf>,
}

impl Prepared {
    /// What `command` needs; without one, a rehearsal in `dir`.
    pub(super) fn new(plan: Plan, fixed: &Fixed, limits: &Limits, dir: &Path, command: Option<&Command>, files: Files) -> Result<Self> {
        let inside = if plan.mounts { Path::new(WORK) } else { dir };
        let (programs, arguments, environment) = match command {
            Some(command) => (
                places(command, &fixed.path)?,
                Strings::new([&command.program].into_iter().chain(&command.args))?,
                environment(command, &fixed.path, if plan.mounts { Path::new("/tmp") } else { dir })?,
            ),
            None => (Vec::new(), Strings::new::<&str>([])?, Strings::new::<&str>([])?),
        };
        let landlock = match plan.landlock {
            Some(abi) if plan.mounts => Some(Rules::in_own_root(abi, &fixed.visible)?),
            Some(abi) => Some(Rules::in_shared_root(abi, &fixed.visible, dir)?),
            None => None,
        };
        Ok(Self {
            mounts: if plan.mounts { Some(Mounts::new(&fixed.visible, dir, limits.disk.min(limits.memory / 2))?) } else { None },
            landlock,
            filter: plan.seccomp.then(|| Filter::new(!plan.cgroups)),
            rlimits: plan.rlimits.then(|| Rlimits::new(limits, plan.cgroups)),
            cgroups: Vec::new(),
            dir: string(inside)?,
            programs,
            arguments,
            environment,
            files,
            plan,
        })
    }
}

/// Where a program may be: a name is looked up in `path`, as a shell does.
fn places(command: &Command, path: &[PathBuf]) -> Result<Vec<CString>> {
    if command.program.as_bytes().contains(&b'/') {
        return Ok(vec![string(&command.program)?]);
    }
    path.iter().map(|folder| string(&folder.join(&command.program))).collect()
}

fn environment(command: &Command, path: &[PathBuf], home: &Path) -> Result<Strings> {
    let mut all = command.env.clone();
    let path: OsString = path.iter().map(|folder| folder.as_os_str()).collect::<Vec<_>>().join(":".as_ref());
    let ours = [("PATH", path), ("HOME", home.into()), ("TMPDIR", home.into()), ("LANG", "C.UTF-8".into())];
    for (key, value) in ours {
        all.entry(key.into()).or_insert(value);
    }
    Strings::new(all.into_iter().map(|(mut key, value)| {
        key.push("=");
        key.push(value);
        key
    }))
}
