use std::{fs, io, path::Path};

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
