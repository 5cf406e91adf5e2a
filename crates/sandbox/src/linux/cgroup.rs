use std::{
    fs,
    fs::OpenOptions,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{LimitHit, Limits};

const PREFIX: &str = "jarre-sandbox-";
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Where cgroups for commands can be made: below the caller's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// One folder for all controllers.
    V2(PathBuf),
    /// A folder for each.
    V1 { memory: PathBuf, pids: PathBuf, cpu: PathBuf },
}

impl Place {
    /// The first kind in which a group can be made that holds memory and processes.
    pub(super) fn find() -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let v2 = folder(&own, &mounts, None).map(Self::V2);
        let v1 = || {
            let of = |controller| folder(&own, &mounts, Some(controller));
            Some(Self::V1 { memory: of("memory")?, pids: of("pids")?, cpu: of("cpuacct")? })
        };
        v2.into_iter().chain(v1()).find(|place| {
            place.sweep();
            Group::new(place, &Limits::default()).is_some()
        })
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::V1 { .. } => "cgroup v1",
            Self::V2(_) => "cgroup v2",
        }
    }

    fn folders(&self) -> Vec<&Path> {
        match self {
            Self::V1 { memory, pids, cpu } => vec![memory, pids, cpu],
            Self::V2(all) => vec![all],
        }
    }

    /// Removes groups of callers that are gone. One that is in use cannot be removed, and one that is about to be has a caller that is there.
    fn sweep(&self) {
        for folder in self.folders() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let caller = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|rest| rest.split('-').next());
                if caller.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                    let _ = fs::remove_dir(entry.path());
                }
            }
        }
    }
}

/// The folder of the caller's own group: of `controller` in version 1, of all in version 2.
fn folder(own: &str, mounts: &str, controller: Option<&str>) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (_, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let ours = controller.map_or(controllers.is_empty(), |name| controllers.split(',').any(|one| one == name));
        ours.then_some(path)
    })?;
    mounts.lines().find_map(|line| {
        let (head, tail) = line.split_once(" - ")?;
        let mut tail = tail.split(' ');
        let (kind, options) = (tail.next()?, tail.nth(1)?);
        let ours = match controller {
            Some(name) => kind == "cgroup" && options.split(',').any(|one| one == name),
            None => kind == "cgroup2",
        };
        let (root, point) = (head.split(' ').nth(3)?, head.split(' ').nth(4)?);
        let below = if root == "/" { path } else { path.strip_prefix(root)? };
        ours.then(|| Path::new(point).join(below.trim_start_matches('/')))
    })
}

/// The groups of one command, removed when dropped.
#[derive(Debug)]
pub(super) struct Group {
    place: Place,
    name: String,
}

impl Group {
    /// Groups that hold what enters them to `limits`; `None` where that cannot be had.
    pub(super) fn new(place: &Place, limits: &Limits) -> Option<Self> {
        let name = format!("{PREFIX}{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        // Dropped where one of them cannot be made, it removes the others.
        let group = Self { place: place.clone(), name };
        for folder in place.folders() {
            fs::create_dir(folder.join(&group.name)).ok()?;
        }
        group.limit(limits)?;
        Some(group)
    }

    fn limit(&self, limits: &Limits) -> Option<()> {
        let memory = limits.memory.min(i64::MAX as u64).to_string();
        fs::write(self.pids().join("pids.max"), most_processes(limits)).ok()?;
        match &self.place {
            Place::V1 { .. } => {
                fs::write(self.memory().join("memory.limit_in_bytes"), &memory).ok()?;
                // Where swap is counted at all.
                let _ = fs::write(self.memory().join("memory.memsw.limit_in_bytes"), memory);
            }
            Place::V2(_) => {
                fs::write(self.memory().join("memory.max"), memory).ok()?;
                let _ = fs::write(self.memory().join("memory.swap.max"), "0");
                let _ = fs::write(self.memory().join("memory.oom.group"), "1");
            }
        }
        Some(())
    }

    /// Files through which a process enters. In version 1 by the file for one thread, which outer has: moving a whole process waits until every
    /// processor has been through the scheduler, 10 ms and more.
    pub(super) fn doors(&self) -> std::io::Result<Vec<OwnedFd>> {
        let door = match &self.place {
            Place::V1 { .. } => "tasks",
            Place::V2(_) => "cgroup.procs",
        };
        let open = |folder: &Path| Ok(OpenOptions::new().write(true).open(folder.join(&self.name).join(door))?.into());
        self.place.folders().into_iter().map(open).collect()
    }

    /// The processes in it.
    pub(super) fn processes(&self) -> Vec<libc::pid_t> {
        let text = fs::read_to_string(self.pids().join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Processor time that it had.
    pub(super) fn cpu(&self) -> Option<Duration> {
        match &self.place {
            Place::V1 { cpu, .. } => number(&cpu.join(&self.name).join("cpuacct.usage")).map(Duration::from_nanos),
            Place::V2(all) => entry(&all.join(&self.name).join("cpu.stat"), "usage_usec").map(Duration::from_micros),
        }
    }

    /// The most memory that it had, in bytes.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        match &self.place {
            Place::V1 { .. } => number(&self.memory().join("memory.max_usage_in_bytes")),
            Place::V2(_) => number(&self.memory().join("memory.peak")),
        }
    }

    /// Limits that it ran into.
    pub(super) fn hits(&self) -> Vec<LimitHit> {
        let file = match &self.place {
            Place::V1 { .. } => "memory.oom_control",
            Place::V2(_) => "memory.events",
        };
        let memory = entry(&self.memory().join(file), "oom_kill").is_some_and(|count| count > 0);
        let processes = entry(&self.pids().join("pids.events"), "max").is_some_and(|count| count > 0);
        [(memory, LimitHit::Memory), (processes, LimitHit::Processes)].into_iter().filter_map(|(hit, which)| hit.then_some(which)).collect()
    }

    fn memory(&self) -> PathBuf {
        match &self.place {
            Place::V1 { memory, .. } => memory.join(&self.name),
            Place::V2(all) => all.join(&self.name),
        }
    }

    fn pids(&self) -> PathBuf {
        match &self.place {
            Place::V1 { pids, .. } => pids.join(&self.name),
            Place::V2(all) => all.join(&self.name),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for folder in self.place.folders() {
            let _ = fs::remove_dir(folder.join(&self.name));
        }
    }
}

/// What `pids.max` takes; the first process is not the command's. More than there are numbers for is no limit.
fn most_processes(limits: &Limits) -> String {
    const NUMBERS: u64 = 1 << 22;
    match limits.processes.saturating_add(1) {
        most if most < NUMBERS => most.to_string(),
        _ => "max".to_owned(),
    }
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The number after `key` in a file of lines `key number`.
fn entry(path: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{Group, Place, folder, most_processes};
    use crate::Limits;

    #[test]
    fn groups_that_cannot_all_be_made_leave_none_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (memory, missing) = (folder.path().join("memory"), folder.path().join("missing"));
        fs::create_dir(&memory).unwrap();
        let place = Place::V1 { memory: memory.clone(), pids: missing.clone(), cpu: missing };
        assert!(Group::new(&place, &Limits::default()).is_none());
        assert_eq!(fs::read_dir(memory).unwrap().count(), 0);
    }

    #[test]
    fn more_processes_than_the_kernel_has_numbers_for_are_no_limit() {
        let told = |processes| most_processes(&Limits { processes, ..Limits::default() });
        assert_eq!([64, 4_194_302, 4_194_303, u64::MAX].map(told), ["65", "4194303", "max", "max"]);
    }

    #[test]
    fn the_callers_own_group_is_found_in_each_version() {
        let own = "4:memory:/a/b\n2:cpu,cpuacct:/\n0::/user.slice\n";
        let mounts = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      36 31 0:33 /x /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw shared:3 - cgroup2 cgroup2 rw\n";
        assert_eq!(folder(own, mounts, Some("memory")).as_deref(), Some(Path::new("/sys/fs/cgroup/memory/a/b")));
        assert_eq!(folder(own, mounts, None).as_deref(), Some(Path::new("/sys/fs/cgroup/unified/user.slice")));
        assert_eq!(folder(own, mounts, Some("cpuacct")), None, "its group is not below what is mounted");
        assert_eq!(folder(own, mounts, Some("pids")), None);
    }
}
