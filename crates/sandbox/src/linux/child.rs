//! What happens between the caller's `clone` and the command's `execve`, in three processes:
//!
//! 1. *outer* enters the cgroups, arranges the folders where it is root, gives root up, and makes the namespaces;
//! 2. *init* is the first process of the PID namespace: it arranges the folders where outer could not, starts the command, and reaps. When it
//!    ends, the kernel ends all that is left in the namespace. It is a child of the caller, and dies with it;
//! 3. *command* takes the limits and filters on itself, and becomes the program.
//!
//! They are copies of a process that may have had other threads, so that nothing here allocates, locks or panics.
#![expect(unsafe_code, reason = "processes are cloned")]

use std::os::fd::{AsRawFd, RawFd};

use super::{
    mounts::Mounts,
    prepared::Prepared,
    report::{At, Failure, Report},
    rlimits::Rlimits,
    stage::Stage,
    sys,
};

const REPORT: RawFd = 3;
const GO: RawFd = 4;
const FIRST_CGROUP: RawFd = 5;
/// Above all of these.
const ASIDE: RawFd = 32;

/// Makes the first process; gives its id.
pub(super) fn start(prepared: &Prepared) -> std::io::Result<libc::pid_t> {
    // Until it has let go of the caller's handlers, none may run in it.
    let mask = sys::block_signals(u64::MAX);
    // SAFETY: `outer` calls nothing but what is async-signal-safe, and ends in `exit`.
    let made = unsafe { sys::clone(0) };
    if let Ok(0) = made {
        outer(prepared);
    }
    sys::block_signals(mask);
    made
}

fn outer(prepared: &Prepared) -> ! {
    sys::reset_signals();
    match isolate(prepared) {
        Ok(0) => init(prepared),
        Ok(pid) => Report::Init(pid).send(REPORT),
        Err(failure) => Report::Failed(failure).send(REPORT),
    }
    sys::exit(0)
}

/// Does what outer does; gives 0 in init.
fn isolate(prepared: &Prepared) -> Result<libc::pid_t, Failure> {
    take_files(prepared).at(Stage::Files)?;
    die_with_the_caller()?;
    let plan = &prepared.plan;
    for at in 0..prepared.cgroups.len() {
        sys::write_all(FIRST_CGROUP + at as RawFd, b"0").at(Stage::Cgroup)?;
    }
    sys::close_from(FIRST_CGROUP, false).at(Stage::Files)?;
    if plan.root_arranges() {
        sys::unshare(libc::CLONE_NEWNS).at(Stage::HostMounts)?;
        arrange(prepared, Stage::HostMounts)?;
    }
    if let (Some(user), true) = (plan.gives_way, plan.unprivileged) {
        Rlimits::widen_processes()?;
        sys::become_user(user).at(Stage::User)?;
        die_with_the_caller()?;
    }
    if plan.user {
        sys::unshare(libc::CLONE_NEWUSER).at(Stage::UserNamespace)?;
        Report::Unshared.send(REPORT);
        wait_for_the_caller();
    }
    let namespaces = [
        (plan.mounts, libc::CLONE_NEWNS, Stage::MountNamespace),
        (plan.network, libc::CLONE_NEWNET, Stage::NetworkNamespace),
        (plan.ipc, libc::CLONE_NEWIPC | libc::CLONE_NEWUTS, Stage::IpcNamespace),
    ];
    for (wanted, flag, stage) in namespaces {
        if wanted {
            sys::unshare(flag).at(stage)?;
        }
    }
    let flags = libc::CLONE_PARENT | if plan.pids { libc::CLONE_NEWPID } else { 0 };
    // SAFETY: init calls nothing but what is async-signal-safe, and ends in `exit`.
    unsafe { sys::clone(flags) }.at(if plan.pids { Stage::PidNamespace } else { Stage::Fork })
}

/// Keeps the files that are needed, under numbers that are known, and closes all others: of the caller's, and of commands that it starts at
/// the same time.
fn take_files(prepared: &Prepared) -> std::io::Result<()> {
    let files = &prepared.files;
    let five = [files.stdin, files.stdout, files.stderr, files.report, files.go];
    let mut aside = [0; 5];
    for (to, fd) in aside.iter_mut().zip(five) {
        *to = sys::copy_above(fd, ASIDE)?;
    }
    let mut cgroups = [0; 4];
    for (to, fd) in cgroups.iter_mut().zip(&prepared.cgroups) {
        *to = sys::copy_above(fd.as_raw_fd(), ASIDE)?;
    }
    for (to, fd) in (0..).zip(aside) {
        sys::copy_onto(fd, to)?;
    }
    let mut next = FIRST_CGROUP;
    for fd in cgroups.into_iter().take(prepared.cgroups.len()) {
        sys::copy_onto(fd, next)?;
        next += 1;
    }
    sys::close_from(next, false)
}

fn die_with_the_caller() -> Result<(), Failure> {
    sys::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong).at(Stage::Fork)
}

/// Goes on when the caller says so, and ends where it is gone.
fn wait_for_the_caller() {
    let mut byte = [0];
    if !matches!(sys::read(GO, &mut byte), Ok(1)) {
        sys::exit(1);
    }
}

fn arrange(prepared: &Prepared, stage: Stage) -> Result<(), Failure> {
    prepared.mounts.as_ref().map_or(Ok(()), |mounts| mounts.arrange(stage))
}

fn init(prepared: &Prepared) -> ! {
    match become_init(prepared) {
        Ok(command) => reap(command, prepared.plan.pids),
        Err(failure) => Report::Failed(failure).send(REPORT),
    }
    sys::exit(1)
}

/// Does what init does before it reaps; gives the command's id.
fn become_init(prepared: &Prepared) -> Result<libc::pid_t, Failure> {
    let plan = &prepared.plan;
    die_with_the_caller()?;
    // Its memory is a copy of the caller's: nobody inside may look at it.
    sys::prctl(libc::PR_SET_DUMPABLE, 0).at(Stage::Fork)?;
    wait_for_the_caller();
    sys::new_session().at(Stage::Fork)?;
    if plan.ipc {
        sys::set_host_name(b"sandbox").at(Stage::IpcNamespace)?;
    }
    if !plan.pids {
        sys::prctl(libc::PR_SET_CHILD_SUBREAPER, 1).at(Stage::Fork)?;
    }
    if plan.mounts {
        if !plan.root_arranges() {
            arrange(prepared, Stage::Folders)?;
        }
        Mounts::enter(plan.pids)?;
    }
    // SAFETY: the command calls nothing but what is async-signal-safe, and ends in `exit` or `execve`.
    match unsafe { sys::clone(0) }.at(Stage::Fork)? {
        0 => {
            if let Err(failure) = become_command(prepared) {
                Report::Failed(failure).send(REPORT);
            }
            sys::exit(127)
        }
        command => {
            // The pipes are the command's; held here as well they would never end.
            for (fd, flags) in [(0, libc::O_RDONLY), (1, libc::O_WRONLY), (2, libc::O_WRONLY)] {
                if let Ok(null) = sys::open(c"/dev/null", flags) {
                    sys::copy_onto(null.as_raw_fd(), fd).at(Stage::Files)?;
                }
            }
            sys::drop_capabilities().at(Stage::Capabilities)?;
            Ok(command)
        }
    }
}

/// Waits for all that end, until the command does. In its own PID namespace what is left then ends with this process; else it stays above what is
/// left, so that the caller finds that.
fn reap(command: libc::pid_t, own_pids: bool) {
    while let Ok((pid, status)) = sys::wait(-1) {
        if pid == command {
            Report::Ended(status, sys::children_cpu()).send(REPORT);
            if own_pids {
                sys::exit(0);
            }
        }
    }
}

/// Takes everything on itself and becomes the program; comes back for a rehearsal, or where something failed.
fn become_command(prepared: &Prepared) -> Result<(), Failure> {
    let plan = &prepared.plan;
    sys::new_session().at(Stage::Fork)?;
    sys::close_from(REPORT, true).at(Stage::Files)?;
    sys::change_dir(&prepared.dir).at(Stage::Dir)?;
    if let Some(limits) = &prepared.rlimits {
        limits.enforce()?;
    }
    sys::prctl(libc::PR_SET_NO_NEW_PRIVS, 1).at(Stage::NoNewPrivileges)?;
    if let Some(rules) = &prepared.landlock {
        rules.enforce()?;
    }
    if plan.user || plan.unprivileged {
        drop_privileges(plan.user)?;
    }
    if let Some(filter) = &prepared.filter {
        sys::seccomp(&filter.program).at(Stage::Seccomp)?;
    }
    if prepared.programs.is_empty() {
        return Ok(());
    }
    Err(execute(prepared))
}

/// Leaves no capability, and no way to one.
fn drop_privileges(own_namespace: bool) -> Result<(), Failure> {
    sys::clear_ambient().at(Stage::Capabilities)?;
    if own_namespace {
        // Beyond the last capability that the kernel knows, it says so.
        for capability in 0..64 {
            if sys::prctl(libc::PR_CAPBSET_DROP, capability).is_err() {
                break;
            }
        }
        // SECBIT_NOROOT, SECBIT_NO_SETUID_FIXUP and SECBIT_NO_CAP_AMBIENT_RAISE, each locked.
        sys::prctl(libc::PR_SET_SECUREBITS, 0b1100_1111).at(Stage::Capabilities)?;
    }
    sys::drop_capabilities().at(Stage::Capabilities)
}

fn execute(prepared: &Prepared) -> Failure {
    let mut worst = libc::ENOENT;
    for program in &prepared.programs {
        // SAFETY: `Strings` holds strings that end in a zero, and ends in a null pointer.
        let error = unsafe { sys::execve(program, prepared.arguments.as_ptr(), prepared.environment.as_ptr()) };
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) | None => {}
            Some(errno) => worst = errno,
        }
    }
    Failure { stage: Stage::Program, errno: worst }
}
