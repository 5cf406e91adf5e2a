use std::{
    collections::BTreeSet,
    ffi::{CStr, CString, OsStr, OsString},
    fs, io,
    os::{fd::AsRawFd, unix::ffi::OsStrExt},
    path::{Component, Path, PathBuf},
};

use super::{
    report::{At, Failure},
    stage::Stage,
    sys,
};
use crate::{Error, Result};

/// The folder in the sandbox that the command starts in.
pub(super) const WORK: &str = "/work";

const READ_ONLY: u64 = 0x1;
const NO_SETUID: u64 = 0x2;
const NO_DEVICES: u64 = 0x4;
const NO_EXECUTION: u64 = 0x8;

const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
const LINKS: [(&str, &str); 5] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/shm", "/tmp"),
];
const FILES: [(&str, &str); 3] = [
    ("/etc/passwd", "sandbox:x:1000:1000::/tmp:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"),
    ("/etc/group", "sandbox:x:1000:\nnogroup:x:65534:\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
];

/// A step in arranging the folders that the command sees. All strings are there before the process is made that takes the steps.
#[derive(Debug)]
enum Step {
    Dir(CString),
    File(CString, &'static str),
    Link { target: CString, path: CString },
    Bind { from: CString, to: CString, attributes: u64 },
    Scratch { to: CString, options: CString },
    Seal(CString),
}

/// What a sandbox sees of the machine's folders, beside the command's own.
#[derive(Debug)]
pub(super) struct Visible {
    /// Files and folders that are shown where they are, with whether it is a folder.
    pub(super) shown: Vec<(PathBuf, bool)>,
    links: Vec<(PathBuf, PathBuf)>,
}

impl Visible {
    /// Looks at what is to be shown: what is a symbolic link is shown as one, along with what it leads to.
    pub(super) fn of(readable: &[PathBuf]) -> Result<Self> {
        let (mut places, mut links) = (BTreeSet::new(), Vec::new());
        for path in readable {
            let invalid = |why: &str| Error::Invalid(format!("`{}` cannot be shown in it: {why}", path.display()));
            let real = fs::canonicalize(path).map_err(|error| invalid(&error.to_string()))?;
            let all = ["/", "/proc", "/sys", "/dev", "/tmp", WORK];
            if !path.is_absolute() || all.iter().any(|no| real == Path::new(no)) || real.starts_with("/proc") || real.starts_with("/sys") {
                return Err(invalid("name a folder that holds what is needed and no more, by its whole path"));
            }
            if path.components().any(|part| part == Component::ParentDir) {
                return Err(invalid("name it without `..`"));
            }
            if let Ok(target) = fs::read_link(path) {
                links.push((path.clone(), target));
            }
            places.insert(real);
        }
        let mut shown: Vec<(PathBuf, bool)> = Vec::new();
        for place in places {
            if !shown.iter().any(|(above, _)| place.starts_with(above)) {
                let is_dir = place.is_dir();
                shown.push((place, is_dir));
            }
        }
        links.retain(|(path, _)| !shown.iter().any(|(above, _)| path.starts_with(above)));
        Ok(Self { shown, links })
    }
}

/// The folders of one command.
#[derive(Debug)]
pub(super) struct Mounts {
    steps: Vec<Step>,
}

impl Mounts {
    /// Everything that is visible, read-only, and `dir` at [`WORK`]; `/tmp` holds `scratch` bytes.
    pub(super) fn new(visible: &Visible, dir: &Path, scratch: u64) -> Result<Self> {
        let mut builder = Builder::default();
        // First, because what is shown may lie below it.
        builder.dir(Path::new("/tmp"))?;
        let options = format!("mode=1777,size={},nr_inodes={}", scratch.max(4096), (scratch / 4096).clamp(64, 1 << 20));
        builder.steps.push(Step::Scratch { to: inside("/tmp")?, options: string(&options)? });
        for (path, is_dir) in &visible.shown {
            builder.bind(path, *is_dir, path, READ_ONLY | NO_SETUID | NO_DEVICES)?;
        }
        for (path, target) in &visible.links {
            builder.parents(path)?;
            builder.steps.push(Step::Link { target: string(target)?, path: inside(path)? });
        }
        for (path, text) in FILES {
            if !visible.shown.iter().any(|(above, _)| Path::new(path).starts_with(above)) {
                builder.parents(Path::new(path))?;
                builder.steps.push(Step::File(inside(path)?, text));
            }
        }
        for device in DEVICES {
            let path = Path::new("/dev").join(device);
            builder.bind(&path, false, &path, READ_ONLY | NO_SETUID | NO_EXECUTION)?;
        }
        for (path, target) in LINKS {
            builder.steps.push(Step::Link { target: string(target)?, path: inside(path)? });
        }
        builder.bind(dir, true, Path::new(WORK), NO_SETUID | NO_DEVICES)?;
        builder.dir(Path::new("/proc"))?;
        builder.steps.push(Step::Seal(inside("")?));
        Ok(Self { steps: builder.steps })
    }

    /// Arranges the folders under `/newroot` of a root that has the old one at `/oldroot`.
    pub(super) fn arrange(&self, stage: Stage) -> Result<(), Failure> {
        let private = libc::MS_REC | libc::MS_PRIVATE;
        sys::mount(None, c"/", None, private, None).at(stage)?;
        let flags = libc::MS_NOSUID | libc::MS_NODEV;
        let tmpfs = Some(c"tmpfs");
        sys::mount(tmpfs, c"/tmp", tmpfs, flags, Some(c"mode=755,size=4m,nr_inodes=16384")).at(stage)?;
        sys::make_dir(c"/tmp/newroot").at(stage)?;
        sys::make_dir(c"/tmp/oldroot").at(stage)?;
        sys::pivot_root(c"/tmp", c"/tmp/oldroot").at(stage)?;
        sys::change_dir(c"/").at(stage)?;
        sys::mount(tmpfs, c"/newroot", tmpfs, flags, Some(c"mode=755,size=4m,nr_inodes=16384")).at(stage)?;
        self.steps.iter().try_for_each(|step| step.take().at(stage))
    }

    /// Makes `/newroot` the root, with a `/proc` of this PID namespace where there is one, and lets go of the old root.
    pub(super) fn enter(own_pids: bool) -> Result<(), Failure> {
        if own_pids {
            let flags = libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
            sys::mount(Some(c"proc"), c"/newroot/proc", Some(c"proc"), flags, Some(c"hidepid=2,subset=pid")).at(Stage::Proc)?;
        }
        // A copy of the mount, because one that another namespace has locked cannot become the root.
        sys::mount(Some(c"/newroot"), c"/newroot", None, libc::MS_BIND | libc::MS_REC, None).at(Stage::Pivot)?;
        sys::change_dir(c"/newroot").at(Stage::Pivot)?;
        // The old root comes to lie over the new one, from where it is let go of.
        sys::pivot_root(c".", c".").at(Stage::Pivot)?;
        sys::detach(c".").at(Stage::Pivot)?;
        sys::change_dir(c"/").at(Stage::Pivot)
    }
}

impl Step {
    fn take(&self) -> io::Result<()> {
        match self {
            Self::Dir(path) => sys::make_dir(path),
            Self::File(path, text) => {
                let file = sys::open(path, libc::O_WRONLY | libc::O_CREAT | libc::O_NOFOLLOW)?;
                sys::write_all(file.as_raw_fd(), text.as_bytes())
            }
            Self::Link { target, path } => sys::make_link(target, path),
            Self::Bind { from, to, attributes } => {
                sys::mount(Some(from), to, None, libc::MS_BIND | libc::MS_REC, None)?;
                sys::add_mount_attributes(to, *attributes)
            }
            Self::Scratch { to, options } => {
                let tmpfs: Option<&CStr> = Some(c"tmpfs");
                sys::mount(tmpfs, to, tmpfs, libc::MS_NOSUID | libc::MS_NODEV, Some(options))
            }
            Self::Seal(path) => {
                sys::mount(None, path, None, libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV, None)
            }
        }
    }
}

/// Steps so far, and folders that they make.
#[derive(Default)]
struct Builder {
    steps: Vec<Step>,
    made: BTreeSet<PathBuf>,
}

impl Builder {
    fn dir(&mut self, path: &Path) -> Result<()> {
        self.parents(path)?;
        if self.made.insert(path.to_owned()) {
            self.steps.push(Step::Dir(inside(path)?));
        }
        Ok(())
    }

    fn parents(&mut self, path: &Path) -> Result<()> {
        match path.parent() {
            Some(parent) if parent != Path::new("/") => self.dir(parent),
            _ => Ok(()),
        }
    }

    fn bind(&mut self, from: &Path, is_dir: bool, to: &Path, attributes: u64) -> Result<()> {
        if is_dir {
            self.dir(to)?;
        } else {
            self.parents(to)?;
            self.steps.push(Step::File(inside(to)?, ""));
        }
        self.steps.push(Step::Bind { from: under("/oldroot", from)?, to: inside(to)?, attributes });
        Ok(())
    }
}

/// `path` as it is called while the new root is not yet the root.
fn inside(path: impl AsRef<Path>) -> Result<CString> {
    under("/newroot", path.as_ref())
}

fn under(root: &str, path: &Path) -> Result<CString> {
    let mut whole = OsString::from(root);
    whole.push(path);
    string(&whole)
}

pub(super) fn string(text: &(impl AsRef<OsStr> + ?Sized)) -> Result<CString> {
    let text = text.as_ref();
    CString::new(text.as_bytes()).map_err(|_| Error::Invalid(format!("`{}` has a zero byte in it", text.display())))
}
