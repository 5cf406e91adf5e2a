//! System calls, each as a function that keeps its arguments whole. None allocates, locks or panics, because most are called between `clone`
//! and `execve`, where only what is async-signal-safe may run. Where libc's wrapper does more than the call (`setresuid` tells all threads,
//! `fork` runs handlers), the call is made bare.
#![expect(unsafe_code, reason = "system calls take pointers and numbers that the kernel believes")]

use std::{
    ffi::{CStr, c_char, c_int, c_long, c_ulong},
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr,
};

/// What the kernel's headers call `struct landlock_ruleset_attr`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LandlockRuleset {
    pub(super) files: u64,
    pub(super) network: u64,
    pub(super) scoped: u64,
}

/// What the kernel's headers call `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct LandlockPath {
    access: u64,
    parent: i32,
}

/// What the kernel's headers call `struct mount_attr`.
#[repr(C)]
#[derive(Default)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns: u64,
}

fn done(result: c_long) -> io::Result<c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn pointer(text: Option<&CStr>) -> *const c_char {
    text.map_or(ptr::null(), CStr::as_ptr)
}

/// `clone` without shared memory. Gives 0 in the child.
///
/// # Safety
/// The child may call nothing but what is async-signal-safe, and has to end in [`exit`] or [`execve`].
pub(super) unsafe fn clone(flags: c_int) -> io::Result<libc::pid_t> {
    let flags = flags as c_ulong | libc::SIGCHLD as c_ulong;
    // SAFETY: no stack and no addresses are given, so that it behaves as `fork` does; what the child does is the caller's promise.
    done(unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) }).map(|pid| pid as libc::pid_t)
}

pub(super) fn unshare(flags: c_int) -> io::Result<()> {
    // SAFETY: takes a number; what is unshared here shares no memory with another thread.
    done(c_long::from(unsafe { libc::unshare(flags) })).map(drop)
}

pub(super) fn prctl(option: c_int, argument: c_ulong) -> io::Result<()> {
    let zero: c_ulong = 0;
    // SAFETY: the options used here (`PR_SET_PDEATHSIG`, `PR_SET_DUMPABLE`, ...) take numbers alone.
    done(c_long::from(unsafe { libc::prctl(option, argument, zero, zero, zero) })).map(drop)
}

/// Clears the ambient capabilities.
pub(super) fn clear_ambient() -> io::Result<()> {
    let (clear, zero): (c_ulong, c_ulong) = (libc::PR_CAP_AMBIENT_CLEAR_ALL as c_ulong, 0);
    // SAFETY: takes numbers alone.
    done(c_long::from(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, clear, zero, zero, zero) })).map(drop)
}

/// Takes `id` for user and group, and leaves all groups.
pub(super) fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: an empty list, so that the pointer is not read.
    done(unsafe { libc::syscall(libc::SYS_setgroups, 0, ptr::null::<libc::gid_t>()) })?;
    // SAFETY: takes numbers alone.
    done(unsafe { libc::syscall(libc::SYS_setresgid, id, id, id) })?;
    // SAFETY: takes numbers alone.
    done(unsafe { libc::syscall(libc::SYS_setresuid, id, id, id) }).map(drop)
}

/// Gives up all capabilities.
pub(super) fn drop_capabilities() -> io::Result<()> {
    // Version 3 of the interface: the calling process, two sets of 32 bits.
    let header: [u32; 2] = [0x2008_0522, 0];
    let none = [0_u32; 6];
    // SAFETY: header and sets are as long as version 3 says.
    done(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) }).map(drop)
}

pub(super) fn mount(from: Option<&CStr>, to: &CStr, kind: Option<&CStr>, flags: c_ulong, options: Option<&CStr>) -> io::Result<()> {
    // SAFETY: each pointer is null or a string that ends in a zero and outlives the call.
    done(c_long::from(unsafe { libc::mount(pointer(from), to.as_ptr(), pointer(kind), flags, pointer(options).cast()) })).map(drop)
}

/// Adds attributes to a mount and all that are below it.
pub(super) fn add_mount_attributes(path: &CStr, set: u64) -> io::Result<()> {
    let attributes = MountAttr { set, ..MountAttr::default() };
    // SAFETY: the string ends in a zero, the struct is as long as is said.
    done(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<MountAttr>(),
        )
    })
    .map(drop)
}

pub(super) fn pivot_root(new: &CStr, old: &CStr) -> io::Result<()> {
    // SAFETY: both strings end in a zero.
    done(unsafe { libc::syscall(libc::SYS_pivot_root, new.as_ptr(), old.as_ptr()) }).map(drop)
}

pub(super) fn detach(path: &CStr) -> io::Result<()> {
    // SAFETY: the string ends in a zero.
    done(c_long::from(unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) })).map(drop)
}

pub(super) fn change_dir(path: &CStr) -> io::Result<()> {
    // SAFETY: the string ends in a zero.
    done(c_long::from(unsafe { libc::chdir(path.as_ptr()) })).map(drop)
}

/// Makes a folder; one that is there will do.
pub(super) fn make_dir(path: &CStr) -> io::Result<()> {
    // SAFETY: the string ends in a zero.
    match done(c_long::from(unsafe { libc::mkdir(path.as_ptr(), 0o755) })) {
        Err(error) if error.raw_os_error() != Some(libc::EEXIST) => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn make_link(target: &CStr, path: &CStr) -> io::Result<()> {
    // SAFETY: both strings end in a zero.
    done(c_long::from(unsafe { libc::symlink(target.as_ptr(), path.as_ptr()) })).map(drop)
}

pub(super) fn open(path: &CStr, flags: c_int) -> io::Result<OwnedFd> {
    let mode: libc::mode_t = 0o644;
    // SAFETY: the string ends in a zero; the mode is read where a file is made.
    let fd = done(c_long::from(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, mode) }))?;
    // SAFETY: the kernel has just given it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

pub(super) fn write_all(fd: RawFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // SAFETY: pointer and length are of one slice.
        match done(unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) } as c_long) {
            Ok(written) => bytes = bytes.get(written as usize..).unwrap_or_default(),
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads once; 0 at the end.
pub(super) fn read(fd: RawFd, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        // SAFETY: pointer and length are of one slice.
        match done(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) } as c_long) {
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
            result => return result.map(|count| count as usize),
        }
    }
}

/// Marks all open files from `first` on to be closed at `execve`, or closes them at once.
pub(super) fn close_from(first: RawFd, at_exec: bool) -> io::Result<()> {
    let flags = if at_exec { c_ulong::from(libc::CLOSE_RANGE_CLOEXEC) } else { 0 };
    // SAFETY: takes numbers alone; the callers own all the files of their process.
    done(unsafe { libc::syscall(libc::SYS_close_range, first as c_ulong, c_ulong::from(u32::MAX), flags) }).map(drop)
}

/// A copy of `fd` with a number of at least `from`.
pub(super) fn copy_above(fd: RawFd, from: RawFd) -> io::Result<RawFd> {
    // SAFETY: takes numbers alone.
    done(c_long::from(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, from) })).map(|fd| fd as RawFd)
}

/// Makes `to` a copy of `fd` that outlives `execve`.
pub(super) fn copy_onto(fd: RawFd, to: RawFd) -> io::Result<()> {
    // SAFETY: takes numbers alone; the callers own all the files of their process.
    done(c_long::from(unsafe { libc::dup2(fd, to) })).map(drop)
}

/// Waits for a child, or with `-1` for any; gives it and its status.
pub(super) fn wait(pid: libc::pid_t) -> io::Result<(libc::pid_t, c_int)> {
    let mut status = 0;
    loop {
        // SAFETY: the status is written to a place that is ours.
        match done(c_long::from(unsafe { libc::waitpid(pid, &raw mut status, 0) })) {
            Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
            result => return result.map(|pid| (pid as libc::pid_t, status)),
        }
    }
}

/// Processor time in microseconds of this process's children that were waited for.
pub(super) fn children_cpu() -> u64 {
    // SAFETY: a struct of numbers, for which zeros are valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the struct is ours.
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    let micros = |time: libc::timeval| (time.tv_sec as u64).wrapping_mul(1_000_000).wrapping_add(time.tv_usec as u64);
    micros(usage.ru_utime).wrapping_add(micros(usage.ru_stime))
}

pub(super) fn kill(pid: libc::pid_t) {
    // SAFETY: takes numbers alone.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

pub(super) fn pidfd(pid: libc::pid_t) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers alone.
    let fd = done(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel has just given it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Waits until one of `files` is ready for its events, or `millis` are over; gives what each is ready for.
pub(super) fn poll(files: &mut [libc::pollfd], millis: c_int) -> io::Result<()> {
    // SAFETY: pointer and length are of one slice.
    match done(c_long::from(unsafe { libc::poll(files.as_mut_ptr(), files.len() as libc::nfds_t, millis) })) {
        Err(error) if error.raw_os_error() != Some(libc::EINTR) => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes numbers alone.
    done(c_long::from(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) })).map(drop)
}

/// Sets the soft and the hard limit of a resource.
pub(super) fn set_limit(resource: u32, soft: u64, hard: u64) -> io::Result<()> {
    let limit = libc::rlimit64 { rlim_cur: soft, rlim_max: hard };
    // SAFETY: the struct is ours.
    done(unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, &raw const limit, ptr::null_mut::<libc::rlimit64>()) }).map(drop)
}

/// The soft and the hard limit of a resource.
pub(super) fn limit(resource: u32) -> io::Result<(u64, u64)> {
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct is ours.
    done(unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, ptr::null::<libc::rlimit64>(), &raw mut limit) })?;
    Ok((limit.rlim_cur, limit.rlim_max))
}

pub(super) fn set_host_name(name: &[u8]) -> io::Result<()> {
    // SAFETY: pointer and length are of one slice.
    done(c_long::from(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) })).map(drop)
}

/// Begins a session without a terminal.
pub(super) fn new_session() -> io::Result<()> {
    // SAFETY: takes nothing.
    done(c_long::from(unsafe { libc::setsid() })).map(drop)
}

/// Sets which signals are blocked, one bit for each; gives which were.
pub(super) fn block_signals(mask: u64) -> u64 {
    let mut before = 0_u64;
    // SAFETY: the kernel reads and writes the 8 bytes that are said.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, &raw mut before, 8) };
    before
}

/// Takes back what the caller's process did about signals, and its mask of files' modes.
pub(super) fn reset_signals() {
    // What the kernel's headers call `struct sigaction`: `SIG_DFL`, no flags, nothing to return through, an empty mask.
    let default = [0_u64; 4];
    for signal in 1..65 {
        // Bare, because the C library takes a lock for some, which another thread may have held when this process was made.
        // SAFETY: the struct is as long as the kernel's; `SIG_DFL` is valid for every signal, and for those that cannot be set nothing happens.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), ptr::null_mut::<u64>(), 8) };
    }
    block_signals(0);
    // SAFETY: takes a number.
    unsafe { libc::umask(0o022) };
}

/// Which version of Landlock the kernel has; an error where it has none.
pub(super) fn landlock_abi() -> io::Result<u32> {
    // SAFETY: asked for the version (flag 1) it reads no pointer.
    done(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<u8>(), 0, 1) }).map(|abi| abi as u32)
}

pub(super) fn landlock_ruleset(ruleset: &LandlockRuleset, size: usize) -> io::Result<OwnedFd> {
    let size = size.min(size_of::<LandlockRuleset>());
    // SAFETY: the struct is at least as long as is said.
    let fd = done(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::from_ref(ruleset), size, 0) })?;
    // SAFETY: the kernel has just given it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

pub(super) fn landlock_allow(ruleset: BorrowedFd<'_>, path: BorrowedFd<'_>, access: u64) -> io::Result<()> {
    let rule = LandlockPath { access, parent: path.as_raw_fd() };
    // SAFETY: rule type 1 takes this struct.
    done(unsafe { libc::syscall(libc::SYS_landlock_add_rule, ruleset.as_raw_fd(), 1, &raw const rule, 0) }).map(drop)
}

pub(super) fn landlock_restrict(ruleset: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes numbers alone.
    done(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) }).map(drop)
}

/// Puts a filter of system calls in force, for this process and all that it starts.
pub(super) fn seccomp(program: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    // SAFETY: pointer and length are of one slice, which the kernel reads and checks.
    done(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) }).map(drop)
}

/// Opens `path` beneath `folder`, through no symbolic link and no other mount.
pub(super) fn open_beneath(folder: BorrowedFd<'_>, path: &CStr, flags: c_int) -> io::Result<OwnedFd> {
    // `struct open_how`: flags, mode, and RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH.
    let how = [(flags | libc::O_CLOEXEC) as u64, 0, 0x01 | 0x02 | 0x04 | 0x08];
    // SAFETY: the string ends in a zero, the struct is as long as is said.
    let fd = done(unsafe { libc::syscall(libc::SYS_openat2, folder.as_raw_fd(), path.as_ptr(), how.as_ptr(), size_of_val(&how)) })?;
    // SAFETY: the kernel has just given it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Becomes another program; comes back where that failed.
///
/// # Safety
/// `argv` and `envp` are lists of pointers to strings that end in a zero; each list ends in a null pointer.
pub(super) unsafe fn execve(program: &CStr, argv: *const *const c_char, envp: *const *const c_char) -> io::Error {
    // SAFETY: the caller's promise.
    unsafe { libc::execve(program.as_ptr(), argv, envp) };
    io::Error::last_os_error()
}

/// Ends this process at once.
pub(super) fn exit(code: c_int) -> ! {
    // SAFETY: takes a number.
    unsafe { libc::_exit(code) }
}

/// The user that this process acts as.
pub(super) fn user() -> u32 {
    // SAFETY: takes nothing.
    unsafe { libc::geteuid() }
}

/// The group that this process acts as.
pub(super) fn group() -> u32 {
    // SAFETY: takes nothing.
    unsafe { libc::getegid() }
}
