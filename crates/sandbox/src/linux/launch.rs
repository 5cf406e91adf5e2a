use std::{
    fs::{self, File},
    io::{self, PipeReader, PipeWriter, Write, pipe},
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
};

use super::{
    cgroup::Group,
    child,
    plan::Plan,
    prepared::{Files, Fixed, Prepared},
    report::{Failure, Report},
    stage::Stage,
    sys, tree,
};
use crate::{Command, Error, Limits, Result};

/// A command that was started.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) plan: Plan,
    /// The first process of its tree.
    pub(super) init: libc::pid_t,
    /// Readable when that has ended.
    pub(super) ended: OwnedFd,
    pub(super) report: PipeReader,
    /// Its end tells the first process that the caller is gone.
    _go: PipeWriter,
    /// Whether the first process was waited for.
    over: bool,
    pub(super) group: Option<Group>,
}

/// The caller's ends of a command's streams.
#[derive(Debug)]
pub(super) struct Pipes {
    pub(super) stdin: PipeWriter,
    pub(super) stdout: PipeReader,
    pub(super) stderr: PipeReader,
}

impl Running {
    /// Ends the whole tree.
    pub(super) fn end(&self) {
        if !self.over {
            if !self.plan.pids {
                tree::kill_below(self.init);
            }
            sys::kill(self.init);
        }
    }

    /// Waits until the whole tree is gone; gives the status of the first process.
    pub(super) fn wait(&mut self) -> i32 {
        self.over = true;
        // It can be waited for, unless the caller's program waits for children that it does not know: then it is gone as well.
        sys::wait(self.init).map_or(libc::SIGKILL, |(_, status)| status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            self.end();
            self.wait();
        }
    }
}

/// Why a command was not started.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A step failed in one of its processes.
    Failed(Failure),
    /// Something failed before.
    Other(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl Refusal {
    /// The step at `stage` failed so in the caller's process.
    fn here(stage: Stage) -> impl Fn(io::Error) -> Self {
        move |error| Self::Failed(Failure { stage, errno: error.raw_os_error().unwrap_or(0) })
    }
}

pub(super) fn system(doing: &'static str) -> impl Fn(io::Error) -> Error {
    move |source| Error::System { doing, source }
}

/// Starts `command` in `dir`; without a command, a rehearsal of all that comes before a program.
pub(super) fn launch(
    plan: Plan,
    fixed: &Fixed,
    limits: &Limits,
    dir: &Path,
    command: Option<&Command>,
    group: Option<Group>,
) -> Result<(Running, Pipes), Refusal> {
    let open = || pipe().map_err(system("open a pipe"));
    let (stdin_there, stdin) = open()?;
    let (stdout, stdout_there) = open()?;
    let (stderr, stderr_there) = open()?;
    let (report, report_there) = open()?;
    let (go_there, mut go) = open()?;
    let files = Files {
        stdin: stdin_there.as_raw_fd(),
        stdout: stdout_there.as_raw_fd(),
        stderr: stderr_there.as_raw_fd(),
        report: report_there.as_raw_fd(),
        go: go_there.as_raw_fd(),
    };
    let mut prepared = Prepared::new(plan, fixed, limits, dir, command, files)?;
    if let Some(group) = &group {
        prepared.cgroups = group.doors().map_err(Refusal::here(Stage::Cgroup))?;
    }
    let outer = child::start(&prepared).map_err(Refusal::here(Stage::Fork))?;
    drop((stdin_there, stdout_there, stderr_there, report_there, go_there));
    let init = meet(outer, plan, &report, &mut go);
    // Whatever became of it, it ends now.
    let _ = sys::wait(outer);
    let init = init?;
    let ended = sys::pidfd(init).map_err(|error| {
        sys::kill(init);
        let _ = sys::wait(init);
        system("watch the command")(error)
    })?;
    // Where it is gone already, its report says why.
    let _ = go.write_all(b"g");
    Ok((Running { plan, init, ended, report, _go: go, over: false, group }, Pipes { stdin, stdout, stderr }))
}

/// Hears what outer has to say, until init is there.
fn meet(outer: libc::pid_t, plan: Plan, report: &PipeReader, go: &mut PipeWriter) -> Result<libc::pid_t, Refusal> {
    loop {
        match Report::receive(report.as_raw_fd()).map_err(system("hear from the command"))? {
            Some(Report::Unshared) => {
                if let Err(error) = map_user(outer, plan) {
                    sys::kill(outer);
                    return Err(Refusal::here(Stage::UserNamespace)(error));
                }
                let _ = go.write_all(b"g");
            }
            Some(Report::Init(pid)) => return Ok(pid),
            Some(Report::Failed(failure)) => return Err(Refusal::Failed(failure)),
            Some(Report::Ended(..)) | None => {
                let source = io::Error::from(io::ErrorKind::BrokenPipe);
                return Err(system("start: a process ended too early")(source).into());
            }
        }
    }
}

/// Gives the user that it acts as outside the number 1000 inside.
fn map_user(pid: libc::pid_t, plan: Plan) -> io::Result<()> {
    let way = if plan.unprivileged { plan.gives_way } else { None };
    let (user, group) = way.map_or_else(|| (sys::user(), sys::group()), |id| (id, id));
    fs::write(format!("/proc/{pid}/setgroups"), "deny")?;
    write_once(&format!("/proc/{pid}/gid_map"), &format!("1000 {group} 1"))?;
    write_once(&format!("/proc/{pid}/uid_map"), &format!("1000 {user} 1"))
}

/// Such a file takes one write.
fn write_once(path: &str, text: &str) -> io::Result<()> {
    File::options().write(true).open(path)?.write_all(text.as_bytes())
}
