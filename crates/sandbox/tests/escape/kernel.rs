use crate::attempt::Stage;

/// System calls that lead into the kernel's corners: the filter refuses each before the kernel looks at its arguments.
#[test]
fn system_calls_that_reach_far() {
    let Some(stage) = Stage::new() else { return };
    if cfg!(not(target_arch = "x86_64")) {
        return;
    }
    let calls = [
        ("ptrace", 101),
        ("syslog", 103),
        ("pivot_root", 155),
        ("chroot", 161),
        ("acct", 163),
        ("mount", 165),
        ("umount2", 166),
        ("swapon", 167),
        ("reboot", 169),
        ("iopl", 172),
        ("init_module", 175),
        ("delete_module", 176),
        ("quotactl", 179),
        ("kexec_load", 246),
        ("add_key", 248),
        ("request_key", 249),
        ("keyctl", 250),
        ("unshare", 272),
        ("perf_event_open", 298),
        ("fanotify_init", 300),
        ("name_to_handle_at", 303),
        ("open_by_handle_at", 304),
        ("setns", 308),
        ("process_vm_readv", 310),
        ("process_vm_writev", 311),
        ("kcmp", 312),
        ("finit_module", 313),
        ("bpf", 321),
        ("userfaultfd", 323),
        ("io_uring_setup", 425),
        ("io_uring_enter", 426),
        ("open_tree", 428),
        ("move_mount", 429),
        ("fsopen", 430),
        ("fsmount", 432),
        ("pidfd_getfd", 438),
        ("mount_setattr", 442),
        ("memfd_secret", 447),
    ];
    let script = calls.map(|(name, number)| format!("tried({name:?}, lambda: call({number}, 0, 0, 0, 0, 0))\n")).concat();
    let lines: Vec<String> = calls.iter().map(|(name, _)| format!("{name} EPERM")).collect();
    stage.expect(&script, &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

/// New namespaces, in which a process would have all capabilities: `clone` with their bits, `unshare`, `clone3`.
#[test]
fn namespaces_of_its_own() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
for bit in [0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]:
    tried(hex(bit), lambda: call(56 if X86 else 220, bit | signal.SIGCHLD, 0, 0, 0, 0))
tried("unshare", lambda: call(272 if X86 else 97, 0x10000000))
tried("clone3", lambda: call(435, 0, 0))
"#,
        &[
            "0x80 EPERM",
            "0x20000 EPERM",
            "0x2000000 EPERM",
            "0x4000000 EPERM",
            "0x8000000 EPERM",
            "0x10000000 EPERM",
            "0x20000000 EPERM",
            "0x40000000 EPERM",
            "unshare EPERM",
            "clone3 ENOSYS",
        ],
    );
}

/// Calls of the x32 interface end the process; those that are newer than the filter are unknown.
#[test]
fn calls_under_other_numbers() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(r#"tried("new", lambda: call(4000))"#, &["new ENOSYS"]);
    if cfg!(target_arch = "x86_64") {
        let execution = stage.python("call(0x40000000 + 39)");
        assert_eq!(execution.exit, jarre_sandbox::Exit::Signal(31), "{execution}");
    }
}

/// What the kernel would do for root when a process crashes, a module is missing, or a cgroup empties is set in files that are not there.
#[test]
fn files_that_steer_the_kernel() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
for path in ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger", "/proc/kcore", "/proc/kallsyms",
             "/sys/fs/cgroup", "/sys/kernel/uevent_helper", "/proc/sys/fs/binfmt_misc/register"]:
    tried(path, lambda: os.open(path, os.O_RDONLY))
"#,
        &[
            "/proc/sys/kernel/core_pattern ENOENT",
            "/proc/sys/kernel/modprobe ENOENT",
            "/proc/sysrq-trigger ENOENT",
            "/proc/kcore ENOENT",
            "/proc/kallsyms ENOENT",
            "/sys/fs/cgroup ENOENT",
            "/sys/kernel/uevent_helper ENOENT",
            "/proc/sys/fs/binfmt_misc/register ENOENT",
        ],
    );
}

/// Leaving the cgroup: its files are not there, and none can be mounted.
#[test]
fn leaving_the_cgroup() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
tried("mount", lambda: call(165 if X86 else 40, b"cgroup", b"/tmp", b"cgroup2", 0, 0))
print(any("cgroup" in line for line in open("/proc/self/mountinfo")))
"#,
        &["mount EPERM", "False"],
    );
}

/// Mounting over what is there, making it writable again, letting go of it.
#[test]
fn changing_mounts() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
MOUNT, UMOUNT = (165, 166) if X86 else (40, 39)
tried("remount", lambda: call(MOUNT, b"none", b"/usr", 0, 32 | 4096, 0))
tried("bind", lambda: call(MOUNT, b"/usr", b"/work", 0, 4096, 0))
tried("tmpfs", lambda: call(MOUNT, b"tmpfs", b"/work", b"tmpfs", 0, 0))
tried("umount", lambda: call(UMOUNT, b"/proc", 2))
print(sorted({line.split()[4] for line in open("/proc/self/mountinfo") if " rw" in line.split(" - ")[0]}))
"#,
        &["remount EPERM", "bind EPERM", "tmpfs EPERM", "umount EPERM", "['/tmp', '/work']"],
    );
}

/// `chroot` and a walk up from a descriptor, the classic way out of one: there is no `chroot`, and above the root is the root.
#[test]
fn chroot_and_out() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
tried("chroot", lambda: os.chroot("/work"))
fd = os.open("/", os.O_RDONLY)
for _ in range(50): os.chdir("..")
print(os.stat(".").st_ino == os.stat("/").st_ino, os.listdir(".") == os.listdir("/"))
"#,
        &["chroot EPERM", "True True"],
    );
}
