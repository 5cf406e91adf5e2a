use std::{
    collections::{BTreeMap, BTreeSet},
    fs, iter,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
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
    tree(init).into_keys().filter(|pid| *pid != init).collect()
}

/// The processes below `init`, and itself.
fn tree(init: libc::pid_t) -> BTreeMap<libc::pid_t, Stat> {
    let ids = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut all: BTreeMap<libc::pid_t, Stat> = ids.filter_map(|pid| Some((pid, stat(pid)?))).collect();
    let mut children: BTreeMap<libc::pid_t, Vec<libc::pid_t>> = BTreeMap::new();
    for (pid, stat) in &all {
        children.entry(stat.parent).or_default().push(*pid);
    }
    let (mut found, mut next) = (BTreeSet::new(), vec![init]);
    while let Some(pid) = next.pop() {
        if found.insert(pid) {
            next.extend(children.remove(&pid).into_iter().flatten());
        }
    }
    all.retain(|pid, _| found.contains(pid));
    all
}

/// What the tree below `init` uses; processor time includes that of those which ended, as far as `times` or the kernel know of them.
pub(super) fn usage(init: libc::pid_t, times: &mut Times) -> Usage {
    let tree = tree(init);
    let ticks = times.look(&tree);
    let processes = tree.iter().filter(|(pid, _)| **pid != init);
    let (threads, memory) = processes.fold((0, 0), |(threads, bytes), (pid, stat)| (threads + stat.threads, bytes + memory(*pid)));
    Usage { processes: threads, memory, cpu: Duration::from_millis(ticks * 1000 / TICKS) }
}

/// Processor time of a tree's processes, as they were last seen.
///
/// The kernel adds what a process had to what its parent's children had when the parent waits for it, and to nothing where the parent ignores
/// that its children end. So what was seen of those that ended is kept: for the children of each process the larger of the two counts.
#[derive(Debug, Default)]
pub(super) struct Times(BTreeMap<(u64, libc::pid_t), Time>);

#[derive(Debug, Default)]
struct Time {
    parent: libc::pid_t,
    own: u64,
    /// Of children that it waited for.
    waited: u64,
    /// Of children that were seen and are gone.
    gone: u64,
}

impl Time {
    fn whole(&self) -> u64 {
        self.own + self.waited.max(self.gone)
    }
}

impl Times {
    /// Takes in what is there now; gives the ticks of all that there ever was.
    fn look(&mut self, tree: &BTreeMap<libc::pid_t, Stat>) -> u64 {
        for (pid, stat) in tree {
            let time = self.0.entry((stat.began, *pid)).or_default();
            time.parent = stat.parent;
            time.own = time.own.max(stat.own);
            time.waited = time.waited.max(stat.waited);
        }
        // Children began after their parents, so that a whole branch that is gone is added up from its leaves.
        let gone: Vec<_> = self.0.keys().filter(|(began, pid)| tree.get(pid).is_none_or(|stat| stat.began != *began)).copied().collect();
        let mut lost = Time::default();
        for key in gone.into_iter().rev() {
            let Some(time) = self.0.remove(&key) else { continue };
            let parent = self.0.iter_mut().rev().find(|((began, pid), _)| *pid == time.parent && *began <= key.0);
            parent.map_or(&mut lost, |(_, parent)| parent).gone += time.whole();
        }
        if let Some(mut first) = self.0.first_entry() {
            first.get_mut().gone += lost.gone;
        }
        self.0.values().map(Time::whole).sum()
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

/// Bytes of files on `device` that these processes hold, open or mapped, and that have no name any more.
pub(super) fn nameless(processes: &[libc::pid_t], device: u64) -> u64 {
    let mut files = BTreeMap::new();
    for pid in processes {
        // Threads may have files of their own.
        let open = tasks(*pid).flat_map(|task| fs::read_dir(task.join("fd")).into_iter().flatten().flatten()).map(|entry| entry.path());
        for path in open.chain(mapped_nameless(*pid)) {
            if let Ok(file) = fs::metadata(path)
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

/// Files that a process maps and that have no name any more; only root may look at them.
fn mapped_nameless(pid: libc::pid_t) -> Vec<PathBuf> {
    let told = |task: PathBuf| fs::read(task.join("maps")).ok().filter(|text| !text.is_empty()).map(|text| (task, text));
    let Some((task, text)) = tasks(pid).find_map(told) else { return Vec::new() };
    let lines = text.split(|byte| *byte == b'\n').filter(|line| line.ends_with(b" (deleted)"));
    let range = |line: &[u8]| {
        let (from, to) = std::str::from_utf8(line.split(|byte| *byte == b' ').next()?).ok()?.split_once('-')?;
        // There without the zeros at the front.
        Some(format!("{:x}-{:x}", u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
    };
    lines.filter_map(range).map(|range| task.join("map_files").join(range)).collect()
}

/// Folders in `/proc` that tell of a process: its own, then those of its threads. Where the first thread has ended, its own tells nothing of
/// memory and files.
fn tasks(pid: libc::pid_t) -> impl Iterator<Item = PathBuf> {
    let threads = move || {
        fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten().map(|entry| Path::new("/proc").join(entry.file_name()))
    };
    iter::once(PathBuf::from(format!("/proc/{pid}"))).chain(iter::once_with(threads).flatten())
}

#[derive(Debug)]
struct Stat {
    parent: libc::pid_t,
    /// Ticks that it had itself.
    own: u64,
    /// Ticks of its children that it waited for.
    waited: u64,
    threads: u64,
    began: u64,
}

/// Fields of `/proc/PID/stat`, which follow the name in brackets (proc(5)).
fn stat(pid: libc::pid_t) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(text.get(end + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    Some(Stat {
        parent: number(1)? as libc::pid_t,
        own: number(11)? + number(12)?,
        waited: number(13)? + number(14)?,
        threads: number(17)?,
        began: number(19)?,
    })
}

/// Bytes of memory and of swap; what several processes share is divided among them, where the kernel tells.
fn memory(pid: libc::pid_t) -> u64 {
    let told =
        |task: PathBuf| sum(&task.join("smaps_rollup"), &["Pss", "SwapPss"]).or_else(|| sum(&task.join("status"), &["VmRSS", "VmSwap"]));
    tasks(pid).find_map(told).unwrap_or(0)
}

/// The sum of these lines of a file of lines `key: number kB`; `None` where there is none of them. Names in it may be no text.
fn sum(file: &Path, keys: &[&str]) -> Option<u64> {
    let text = fs::read(file).ok()?;
    let text = String::from_utf8_lossy(&text);
    let number = |line: &str| {
        let (key, rest) = line.split_once(':')?;
        keys.contains(&key).then_some(rest.split_ascii_whitespace().next()?.parse::<u64>().ok()?)
    };
    text.lines().filter_map(number).reduce(u64::saturating_add).map(|kilobytes| kilobytes.saturating_mul(1024))
}
