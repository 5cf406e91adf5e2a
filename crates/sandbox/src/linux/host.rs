use std::{fs, io, os::unix::ffi::OsStrExt, path::Path};

use super::{
    cgroup::{Group, Place},
    disk,
    launch::{Refusal, launch, system},
    mounts::Visible,
    plan::Plan,
    prepared::Fixed,
    probe,
    report::Failure,
    supervise::{Supervision, Unfinished},
};
use crate::{Cancel, Command, Error, Execution, Limits, Missing, Protection, Result, SandboxConfig};

/// What was found out about this machine, and what is the same for all commands.
#[derive(Debug)]
pub(crate) struct Machine {
    plan: Plan,
    fixed: Fixed,
    place: Option<Place>,
}

impl Machine {
    pub(crate) fn probe(config: &SandboxConfig) -> Result<(Self, Protection)> {
        Self::with(config, Place::find())
    }

    /// The machine where cgroups can be made at `place`; without one, trees are watched.
    pub(super) fn with(config: &SandboxConfig, place: Option<Place>) -> Result<(Self, Protection)> {
        let fixed = Fixed { visible: Visible::of(&config.readable)?, path: config.path.clone() };
        let found = probe::probe(config, &fixed, place.as_ref())?;
        Ok((Self { plan: found.plan, fixed, place: place.filter(|_| found.plan.cgroups) }, found.protection))
    }

    pub(crate) fn owner(&self) -> Option<u32> {
        self.plan.gives_way.filter(|_| self.plan.unprivileged)
    }

    pub(crate) fn run(&self, command: &Command, limits: &Limits, cancel: &Cancel, protection: &Protection) -> Result<Execution> {
        let unusable = |error: io::Error| Error::Invalid(format!("its folder `{}`: {error}", command.dir.display()));
        let dir = fs::canonicalize(&command.dir).map_err(unusable)?;
        if !dir.is_dir() || dir == Path::new("/") {
            return Err(Error::Invalid(format!("`{}` is not a folder that can be given to a command", dir.display())));
        }
        if let Some(point) = mounted_below(&fs::read("/proc/self/mountinfo").map_err(unusable)?, &dir) {
            let why = "the command could fill it, and nobody would measure that; unmount it, or give another folder";
            return Err(Error::Invalid(format!("`{point}` is mounted below its folder: {why}")));
        }
        let before = if limits.disk == u64::MAX { None } else { Some(disk::usage(&dir).map_err(unusable)?) };
        let group = match &self.place {
            Some(place) => Some(Group::new(place, limits).ok_or_else(|| system("make a cgroup")(io::Error::last_os_error()))?),
            None => None,
        };
        let refused = |failure: Failure| refusal(failure, command);
        let (running, pipes) = match launch(self.plan, &self.fixed, limits, &dir, Some(command), group) {
            Ok(started) => started,
            Err(Refusal::Failed(failure)) => return Err(refused(failure)),
            Err(Refusal::Other(error)) => return Err(error),
        };
        match Supervision::new(running, &dir, limits, cancel, before).finish(pipes, &command.stdin, protection) {
            Ok(execution) => Ok(execution),
            Err(Unfinished::Failed(failure)) => Err(refused(failure)),
            Err(Unfinished::Error(error)) => Err(error),
        }
    }
}

/// A mount of this process's namespace below `dir`, as a file like `/proc/self/mountinfo` has it (proc(5)): with some characters in octal.
fn mounted_below(mounts: &[u8], dir: &Path) -> Option<String> {
    let mut above = Vec::new();
    for byte in dir.as_os_str().as_bytes() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => above.extend(format!("\\{byte:03o}").bytes()),
            _ => above.push(*byte),
        }
    }
    above.push(b'/');
    let points = mounts.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    points.into_iter().find(|point| point.starts_with(&above)).map(|point| String::from_utf8_lossy(point).into_owned())
}

/// The error that a failed step comes to: the command's, where its program or its folder is at fault; else a layer that was there and is not.
fn refusal(failure: Failure, command: &Command) -> Error {
    let source = io::Error::from_raw_os_error(failure.errno);
    match failure.stage.layer() {
        Some(layer) => Error::Missing(Missing { layer, reason: format!("could not {}: {source}", failure.stage.doing()) }),
        None if failure.stage == super::stage::Stage::Program => {
            Error::Invalid(format!("program `{}`: {source}", command.program.display()))
        }
        None => Error::System { doing: failure.stage.doing(), source },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::mounted_below;

    #[test]
    fn mounts_below_a_folder_are_found() {
        let mounts =
            b"21 1 0:5 / / rw - ext4 /dev/vda rw\n36 21 0:32 / /a\\040b rw - tmpfs x rw\n37 21 0:33 / /a\\040b/c/d rw - tmpfs x rw\n";
        let below = |dir: &str| mounted_below(mounts, Path::new(dir));
        assert_eq!(below("/a b").as_deref(), Some("/a\\040b/c/d"));
        assert_eq!(below("/a b/c").as_deref(), Some("/a\\040b/c/d"));
        // A folder that is itself mounted is measured.
        for dir in ["/a b/c/d", "/a b/c/d/e", "/a", "/x"] {
            assert_eq!(below(dir), None, "{dir}");
        }
    }
}
