use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    time::Duration,
};

use super::sys;

/// Ticks of `/proc/PID/stat` in a second: fixed for all programs, whatever the kernel's own.
const TICKS: u64 = 100;

/// What the processes below another have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) processes: u64,
    pub(super) memory: u64,
    pub(super) cpu: Duration,
}

/// The processes below `init`, itself left out.
pub(super) fn below(init: libc::pid_t) -> Vec<libc::pid_t> {
    let mut children: BTreeMap<libc::pid_t, Vec<libc::pid_t>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some((pid, parent)) = pid.and_then(|pid| Some((pid, stat(pid)?.parent))) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut found, mut next) = (BTreeSet::new(), vec![init]);
    while let Some(pid) = next.pop() {
        next.extend(children.remove(&pid).into_iter().flatten().filter(|child| found.insert(*child)));
    }
    found.into_iter().collect()
}

/// What the tree below `init` uses; processor time includes that of those which ended.
pub(super) fn usage(init: libc::pid_t) -> Usage {
    let processes = below(init);
    let ticks: u64 = processes.iter().chain([&init]).filter_map(|pid| Some(stat(*pid)?.ticks)).sum();
    Usage {
        processes: processes.iter().map(|pid| threads(*pid)).sum(),
        memory: processes.iter().map(|pid| memory(*pid)).sum(),
        cpu: Duration::from_millis(ticks * 1000 / TICKS),
    }
}

/// Ends all below `init`, until there are none.
pub(super) fn kill_below(init: libc::pid_t) {
    // Each round ends all that it sees; a process that forks faster than it is seen meets the limit on processes.
    for _ in 0..1000 {
        let processes = below(init);
        if processes.is_empty() {
            return;
        }
        processes.into_iter().for_each(sys::kill);
    }
}

/// Bytes of files on `device` that these processes hold open and that have no name any more.
pub(super) fn nameless(processes: &[libc::pid_t], device: u64) -> u64 {
    let mut files = BTreeMap::new();
    for pid in processes {
        for entry in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            if let Ok(file) = fs::metadata(entry.path())
                && file.is_file()
                && file.nlink() == 0
                && file.dev() == device
            {
                files.insert(file.ino(), file.blocks().saturating_mul(512));
            }
        }
    }
    files.into_values().fold(0, u64::saturating_add)
}

struct Stat {
    parent: libc::pid_t,
    ticks: u64,
    threads: u64,
}

/// Fields of `/proc/PID/stat`, which follow the name in brackets (proc(5)).
fn stat(pid: libc::pid_t) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(text.get(end + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    Some(Stat { parent: number(1)? as libc::pid_t, ticks: number(11)? + number(12)? + number(13)? + number(14)?, threads: number(17)? })
}

fn threads(pid: libc::pid_t) -> u64 {
    stat(pid).map_or(0, |stat| stat.threads)
}

/// Bytes of memory; what several processes share is divided among them, where the kernel tells.
fn memory(pid: libc::pid_t) -> u64 {
    let lines = |file: &str, key: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        text.lines().find_map(|line| line.strip_prefix(key)?.split_ascii_whitespace().next()?.parse::<u64>().ok())
    };
    lines("smaps_rollup", "Pss:").or_else(|| lines("status", "VmRSS:")).unwrap_or(0).saturating_mul(1024)
}
