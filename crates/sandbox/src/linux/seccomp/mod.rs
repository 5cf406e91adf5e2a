//! The filter of system calls: a list of what is allowed, and checks of arguments where a call is allowed in part.
//!
//! What is on no list is answered with `EPERM`; numbers newer than the list with `ENOSYS`, so that a C library falls back to an older call;
//! calls of another architecture (32-bit x86, x32) end the process.

mod calls;

use libc::sock_filter;

use super::rlimits::CORE;
use calls::{ALLOWED, ALLOWED_HERE, NEWEST, UNSEEN_MEMORY, WITH_MODE};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const GREATER: u16 = 0x25;
const AT_LEAST: u16 = 0x35;
const ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

const ALLOW: u32 = 0x7FFF_0000;
const KILL: u32 = 0x8000_0000;
const fn refuse(errno: i32) -> u32 {
    0x0005_0000 | errno as u32
}

/// Bits of `clone` that make namespaces: time, mount, cgroup, UTS, IPC, user, PID, network.
const NAMESPACES: u32 = 0x7E02_0080;

/// Requests of `ioctl` that put text into a terminal or take it over: `TIOCSTI`, `TIOCLINUX`, `TIOCCONS`, `TIOCSETD`.
const TERMINAL: [u32; 4] = [0x5412, 0x541C, 0x541D, 0x5423];

/// A filter in the kernel's form (classic BPF over `struct seccomp_data`).
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) program: Vec<sock_filter>,
    /// How many calls are allowed, in whole or in part.
    pub(super) calls: usize,
}

impl Filter {
    /// The filter; with `watched`, memory that only a cgroup would see cannot be had: `memfd_create`, System V shared memory, pages given to a
    /// pipe, and shared memory without a file, which stays when nobody has it mapped any more.
    pub(super) fn new(watched: bool) -> Self {
        let mut allowed: Vec<u32> = ALLOWED.iter().chain(ALLOWED_HERE).map(|call| *call as u32).collect();
        if !watched {
            allowed.extend(UNSEEN_MEMORY.iter().map(|call| *call as u32));
        }
        allowed.sort_unstable();
        allowed.dedup();
        let parts = in_part(watched);
        let mut program = preamble();
        for (call, body) in &parts {
            program.push(step(EQUAL, *call, 0, body.len() as u8));
            program.extend_from_slice(body);
        }
        for (first, last) in ranges(&allowed) {
            program.extend([step(AT_LEAST, first, 0, 2), step(GREATER, last, 1, 0), give(ALLOW)]);
        }
        program.extend([step(GREATER, NEWEST as u32, 0, 1), give(refuse(libc::ENOSYS)), give(refuse(libc::EPERM))]);
        Self { program, calls: allowed.len() + parts.len() - 2 }
    }
}

/// Ends what is of another architecture; x32 has a bit of its own in the number of the call. Leaves that number loaded.
fn preamble() -> Vec<sock_filter> {
    let mut program = vec![step(LOAD, 4, 0, 0), step(EQUAL, ARCHITECTURE, 1, 0), give(KILL), step(LOAD, 0, 0, 0)];
    if cfg!(target_arch = "x86_64") {
        program.extend([step(AT_LEAST, 0x4000_0000, 0, 1), give(KILL)]);
    }
    program
}

/// Calls that are allowed for some arguments, each with what decides. Each has the number of the call loaded and ends with an answer.
fn in_part(watched: bool) -> Vec<(u32, Vec<sock_filter>)> {
    let mut terminal = vec![argument(1)];
    for request in TERMINAL {
        terminal.extend([step(EQUAL, request, 0, 1), give(refuse(libc::EPERM))]);
    }
    terminal.push(give(ALLOW));
    let family = vec![
        argument(0),
        step(EQUAL, libc::AF_UNIX as u32, 2, 0),
        step(EQUAL, libc::AF_INET as u32, 1, 0),
        step(EQUAL, libc::AF_INET6 as u32, 0, 1),
        give(ALLOW),
        give(refuse(libc::EAFNOSUPPORT)),
    ];
    let process = vec![argument(0), step(ANY_BIT, NAMESPACES, 0, 1), give(refuse(libc::EPERM)), give(ALLOW)];
    // Of its own limits all may be asked for; that on core dumps is not set again.
    let own = vec![
        argument(0),
        step(EQUAL, 0, 0, 7),
        argument(1),
        step(EQUAL, CORE, 0, 4),
        argument(2),
        step(EQUAL, 0, 0, 3),
        high_half(2),
        step(EQUAL, 0, 0, 1),
        give(ALLOW),
        give(refuse(libc::EPERM)),
    ];
    let limit = vec![argument(0), step(EQUAL, CORE, 0, 1), give(refuse(libc::EPERM)), give(ALLOW)];
    let ask = vec![argument(0), step(EQUAL, u32::MAX, 1, 0), step(EQUAL, 0, 0, 1), give(ALLOW), give(refuse(libc::EPERM))];
    let unknown = vec![give(refuse(libc::ENOSYS))];
    let modes = WITH_MODE.iter().map(|(call, flags, mode)| (*call as u32, without_setuid(*flags, *mode)));
    let mut parts = vec![
        (libc::SYS_ioctl as u32, terminal),
        (libc::SYS_socket as u32, family.clone()),
        (libc::SYS_socketpair as u32, family),
        (libc::SYS_clone as u32, process),
        // Their arguments lie in memory, where a filter cannot look; C libraries then use `clone` and `openat`.
        (libc::SYS_clone3 as u32, unknown.clone()),
        (libc::SYS_openat2 as u32, unknown),
        (libc::SYS_prlimit64 as u32, own),
        (libc::SYS_setrlimit as u32, limit),
        (libc::SYS_mmap as u32, if watched { without_shared_memory() } else { vec![give(ALLOW)] }),
        (libc::SYS_fallocate as u32, without_blocks_beyond()),
        (libc::SYS_personality as u32, ask),
    ];
    parts.extend(modes);
    parts
}

/// Refuses a mode with the bits set-user-ID or set-group-ID, with which a file would lend its owner's rights to others on the machine.
fn without_setuid(flags: Option<u32>, mode: u32) -> Vec<sock_filter> {
    let mut program = Vec::new();
    if let Some(flags) = flags {
        // Without `O_CREAT` or `O_TMPFILE` the mode is not looked at, and may be anything.
        program.extend([argument(flags), step(ANY_BIT, (libc::O_CREAT | libc::O_TMPFILE & !libc::O_DIRECTORY) as u32, 1, 0), give(ALLOW)]);
    }
    program.extend([argument(mode), step(ANY_BIT, 0o6000, 0, 1), give(refuse(libc::EPERM)), give(ALLOW)]);
    program
}

/// Refuses shared memory without a file.
fn without_shared_memory() -> Vec<sock_filter> {
    vec![
        argument(3),
        step(ANY_BIT, libc::MAP_SHARED as u32, 0, 2),
        step(ANY_BIT, libc::MAP_ANONYMOUS as u32, 0, 1),
        give(refuse(libc::EPERM)),
        give(ALLOW),
    ]
}

/// Refuses blocks beyond a file's end, which no limit on its size holds; a hole is made with the same bit, and frees.
fn without_blocks_beyond() -> Vec<sock_filter> {
    vec![
        argument(1),
        step(ANY_BIT, libc::FALLOC_FL_PUNCH_HOLE as u32, 2, 0),
        step(ANY_BIT, libc::FALLOC_FL_KEEP_SIZE as u32, 0, 1),
        give(refuse(libc::EOPNOTSUPP)),
        give(ALLOW),
    ]
}

/// Loads the low half of an argument: all that the kernel looks at in the calls that are allowed in part.
fn argument(index: u32) -> sock_filter {
    step(LOAD, 16 + 8 * index, 0, 0)
}

/// Loads the high half of an argument.
fn high_half(index: u32) -> sock_filter {
    step(LOAD, 20 + 8 * index, 0, 0)
}

const fn step(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

const fn give(answer: u32) -> sock_filter {
    step(RETURN, answer, 0, 0)
}

/// Sorted numbers as ranges that hold their ends.
fn ranges(sorted: &[u32]) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in sorted {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::{ANY_BIT, ARCHITECTURE, AT_LEAST, EQUAL, Filter, GREATER, KILL, LOAD, RETURN, refuse};

    /// Runs a filter as the kernel does.
    fn answer(filter: &Filter, architecture: u32, call: u32, arguments: [u64; 6]) -> u32 {
        let (mut at, mut loaded) = (0, 0_u32);
        loop {
            let now = filter.program[at];
            at += 1;
            let jump = |holds: bool| usize::from(if holds { now.jt } else { now.jf });
            match now.code {
                LOAD => {
                    loaded = match now.k {
                        0 => call,
                        4 => architecture,
                        offset => (arguments[(offset as usize - 16) / 8] >> (8 * (offset % 8))) as u32,
                    }
                }
                EQUAL => at += jump(loaded == now.k),
                GREATER => at += jump(loaded > now.k),
                AT_LEAST => at += jump(loaded >= now.k),
                ANY_BIT => at += jump(loaded & now.k != 0),
                RETURN => return now.k,
                code => panic!("code {code}"),
            }
        }
    }

    fn here(filter: &Filter, call: libc::c_long, arguments: [u64; 6]) -> u32 {
        answer(filter, ARCHITECTURE, call as u32, arguments)
    }

    #[test]
    fn what_programs_need_is_allowed() {
        let filter = Filter::new(false);
        for call in [libc::SYS_read, libc::SYS_execve, libc::SYS_mmap, libc::SYS_futex, libc::SYS_openat, libc::SYS_memfd_create] {
            assert_eq!(here(&filter, call, [0; 6]), super::ALLOW, "{call}");
        }
    }

    #[test]
    fn what_reaches_out_is_refused() {
        let filter = Filter::new(true);
        let refused = [
            libc::SYS_mount,
            libc::SYS_umount2,
            libc::SYS_pivot_root,
            libc::SYS_chroot,
            libc::SYS_ptrace,
            libc::SYS_bpf,
            libc::SYS_keyctl,
            libc::SYS_add_key,
            libc::SYS_request_key,
            libc::SYS_userfaultfd,
            libc::SYS_perf_event_open,
            libc::SYS_io_uring_setup,
            libc::SYS_io_uring_enter,
            libc::SYS_io_uring_register,
            libc::SYS_kexec_load,
            libc::SYS_init_module,
            libc::SYS_finit_module,
            libc::SYS_delete_module,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_open_by_handle_at,
            libc::SYS_name_to_handle_at,
            libc::SYS_move_mount,
            libc::SYS_open_tree,
            libc::SYS_fsopen,
            libc::SYS_mount_setattr,
            libc::SYS_pidfd_getfd,
            libc::SYS_kcmp,
            libc::SYS_reboot,
            libc::SYS_swapon,
            libc::SYS_acct,
            libc::SYS_quotactl,
            libc::SYS_settimeofday,
            libc::SYS_clock_settime,
            libc::SYS_syslog,
            libc::SYS_lookup_dcookie,
            libc::SYS_fanotify_init,
            libc::SYS_memfd_create,
            libc::SYS_shmget,
            libc::SYS_mq_open,
        ];
        for call in refused {
            assert_eq!(here(&filter, call, [0; 6]), refuse(libc::EPERM), "{call}");
        }
    }

    #[test]
    fn arguments_decide_where_a_call_is_allowed_in_part() {
        let filter = Filter::new(false);
        let thread = 0x003D_0F00;
        assert_eq!(here(&filter, libc::SYS_clone, [thread, 0, 0, 0, 0, 0]), super::ALLOW);
        for bit in [0x80_u64, 0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000] {
            assert_eq!(here(&filter, libc::SYS_clone, [thread | bit, 0, 0, 0, 0, 0]), refuse(libc::EPERM), "{bit:x}");
        }
        assert_eq!(here(&filter, libc::SYS_clone3, [0; 6]), refuse(libc::ENOSYS));
        // The kernel looks at the low half of a request alone, and so does the filter.
        for request in [0x5412_u64, 0x1_0000_5412, 0x541C] {
            assert_eq!(here(&filter, libc::SYS_ioctl, [0, request, 0, 0, 0, 0]), refuse(libc::EPERM), "{request:x}");
        }
        assert_eq!(here(&filter, libc::SYS_ioctl, [0, 0x5401, 0, 0, 0, 0]), super::ALLOW);
        assert_eq!(here(&filter, libc::SYS_socket, [1, 1, 0, 0, 0, 0]), super::ALLOW);
        for family in [libc::AF_NETLINK, libc::AF_PACKET, libc::AF_VSOCK, libc::AF_ALG] {
            assert_eq!(here(&filter, libc::SYS_socket, [family as u64, 3, 0, 0, 0, 0]), refuse(libc::EAFNOSUPPORT));
        }
        let create = (libc::O_CREAT | libc::O_WRONLY) as u64;
        assert_eq!(here(&filter, libc::SYS_openat, [0, 0, create, 0o4755, 0, 0]), refuse(libc::EPERM));
        assert_eq!(here(&filter, libc::SYS_openat, [0, 0, create, 0o755, 0, 0]), super::ALLOW);
        assert_eq!(here(&filter, libc::SYS_openat, [0, 0, 0, 0o4755, 0, 0]), super::ALLOW);
        assert_eq!(here(&filter, libc::SYS_fchmodat, [0, 0, 0o2755, 0, 0, 0]), refuse(libc::EPERM));
        assert_eq!(here(&filter, libc::SYS_openat2, [0; 6]), refuse(libc::ENOSYS));
        assert_eq!(here(&filter, libc::SYS_prlimit64, [1, 0, 0, 0, 0, 0]), refuse(libc::EPERM));
        let (core, files) = (u64::from(super::CORE), 7);
        assert_eq!(here(&filter, libc::SYS_prlimit64, [0, core, 0, 1 << 40, 0, 0]), super::ALLOW, "it may be asked for");
        for new in [1, 1 << 32] {
            assert_eq!(here(&filter, libc::SYS_prlimit64, [0, core, new, 0, 0, 0]), refuse(libc::EPERM), "{new:x}");
            assert_eq!(here(&filter, libc::SYS_prlimit64, [0, files, new, 0, 0, 0]), super::ALLOW);
        }
        assert_eq!(here(&filter, libc::SYS_setrlimit, [core, 1, 0, 0, 0, 0]), refuse(libc::EPERM));
        assert_eq!(here(&filter, libc::SYS_setrlimit, [files, 1, 0, 0, 0, 0]), super::ALLOW);
        // Plain, and a hole; not blocks beyond the end, also of zeros.
        for (mode, answer) in [(0, super::ALLOW), (3, super::ALLOW), (1, refuse(libc::EOPNOTSUPP)), (0x11, refuse(libc::EOPNOTSUPP))] {
            assert_eq!(here(&filter, libc::SYS_fallocate, [3, mode, 0, 4096, 0, 0]), answer, "{mode:x}");
        }
    }

    #[test]
    fn shared_memory_without_a_file_is_refused_where_no_cgroup_counts_it() {
        let (watched, counted) = (Filter::new(true), Filter::new(false));
        let map = |filter, flags| here(filter, libc::SYS_mmap, [0, 4096, 3, flags, u64::MAX, 0]);
        // Shared, and shared with its flags looked at.
        for flags in [0x21_u64, 0x23, 0x8021] {
            assert_eq!(map(&watched, flags), refuse(libc::EPERM), "{flags:x}");
            assert_eq!(map(&counted, flags), super::ALLOW, "{flags:x}");
        }
        // Private, a shared file, a stack.
        for flags in [0x22_u64, 0x01, 0x02, 0x2_0022] {
            assert_eq!(map(&watched, flags), super::ALLOW, "{flags:x}");
        }
        assert_eq!(here(&watched, libc::SYS_vmsplice, [0; 6]), refuse(libc::EPERM));
    }

    #[test]
    fn other_architectures_end_the_process_and_new_calls_are_unknown() {
        let filter = Filter::new(false);
        assert_eq!(answer(&filter, 0x4000_0003, 3, [0; 6]), KILL);
        if cfg!(target_arch = "x86_64") {
            assert_eq!(here(&filter, 0x4000_0000, [0; 6]), KILL);
        }
        assert_eq!(here(&filter, 4000, [0; 6]), refuse(libc::ENOSYS));
        assert!(filter.program.len() < 4096, "{}", filter.program.len());
    }
}
