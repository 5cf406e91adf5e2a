use std::{collections::BTreeMap, fs, io, path::Path};

use super::{
    cgroup::{Group, Place},
    launch::{Refusal, launch, system},
    plan::Plan,
    prepared::Fixed,
    report::{At, Failure},
    seccomp::Filter,
    stage::Stage,
    supervise::{Supervision, Unfinished},
    sys,
};
use crate::{Cancel, Error, Layer, Limits, Missing, Protection, Result, SandboxConfig};

/// What this machine can do.
pub(super) struct Found {
    pub(super) plan: Plan,
    pub(super) protection: Protection,
}

/// Rehearses a start with all layers, then without what failed, until one works; a layer that is required and fails ends it.
pub(super) fn probe(config: &SandboxConfig, fixed: &Fixed, place: Option<&Place>) -> Result<Found> {
    let mut missing: Vec<Missing> = Vec::new();
    let mut plan = first_plan(config, place.is_some());
    if let Err(failure) = sys::landlock_abi().at(Stage::Landlock) {
        lose(&mut missing, &mut plan, failure, config)?;
    }
    if !Path::new("/proc/self/stat").exists() && place.is_none() {
        let failure = Failure { stage: Stage::Cgroup, errno: libc::ENOENT };
        lose(&mut missing, &mut plan, failure, config)?;
    }
    while let Some(failure) = rehearse(plan, fixed, place)? {
        if failure.stage == Stage::Cgroup && plan.cgroups {
            // What can be made but not entered: the tree is watched.
            plan.cgroups = false;
            continue;
        }
        let before = plan;
        lose(&mut missing, &mut plan, failure, config)?;
        if plan == before {
            return Err(system(failure.stage.doing())(io::Error::from_raw_os_error(failure.errno)));
        }
    }
    let in_force = in_force(plan, config, place, &missing);
    Ok(Found { plan, protection: Protection { in_force, missing } })
}

fn first_plan(config: &SandboxConfig, cgroups: bool) -> Plan {
    Plan {
        gives_way: (sys::user() == 0).then_some(config.user),
        unprivileged: true,
        user: true,
        mounts: true,
        pids: true,
        network: true,
        ipc: true,
        landlock: sys::landlock_abi().ok(),
        seccomp: true,
        rlimits: true,
        cgroups,
    }
}

/// Goes on without the layer whose step failed, and without those that stand on it, unless one is required.
fn lose(missing: &mut Vec<Missing>, plan: &mut Plan, failure: Failure, config: &SandboxConfig) -> Result<()> {
    let source = io::Error::from_raw_os_error(failure.errno);
    let Some(layer) = failure.stage.layer() else { return Err(system(failure.stage.doing())(source)) };
    let before = lost(*plan);
    *plan = plan.without(layer);
    let reason = format!("could not {}: {source}", failure.stage.doing());
    let standing = lost(*plan).into_iter().filter(|one| *one != layer && !before.contains(one));
    let below = standing.map(|one| Missing { layer: one, reason: format!("it stands on {layer}, which is missing") });
    for one in [Missing { layer, reason }].into_iter().chain(below) {
        if config.requirements.requires(one.layer) {
            return Err(Error::Missing(one));
        }
        missing.push(one);
    }
    Ok(())
}

fn lost(plan: Plan) -> Vec<Layer> {
    let layers = [
        (plan.unprivileged, Layer::Unprivileged),
        (plan.user, Layer::UserNamespace),
        (plan.pids, Layer::PidNamespace),
        (plan.mounts, Layer::MountNamespace),
        (plan.network, Layer::NetworkNamespace),
        (plan.ipc, Layer::IpcNamespace),
        (plan.landlock.is_some(), Layer::Landlock),
        (plan.seccomp, Layer::Seccomp),
        (plan.rlimits, Layer::Rlimits),
    ];
    layers.into_iter().filter_map(|(there, layer)| (!there).then_some(layer)).collect()
}

/// Does all that is done before a program starts; what failed, if something did.
fn rehearse(plan: Plan, fixed: &Fixed, place: Option<&Place>) -> Result<Option<Failure>> {
    let limits = Limits::default();
    let group = place.filter(|_| plan.cgroups).and_then(|place| Group::new(place, &limits));
    let dir = fs::canonicalize("/tmp").map_err(system("find /tmp"))?;
    let (running, pipes) = match launch(plan, fixed, &limits, &dir, None, group) {
        Ok(started) => started,
        Err(Refusal::Failed(failure)) => return Ok(Some(failure)),
        Err(Refusal::Other(error)) => return Err(error),
    };
    match Supervision::new(running, &dir, &limits, &Cancel::new(), None).finish(pipes, &[], &Protection::default()) {
        Ok(_) => Ok(None),
        Err(Unfinished::Failed(failure)) => Ok(Some(failure)),
        Err(Unfinished::Error(error)) => Err(error),
    }
}

fn in_force(plan: Plan, config: &SandboxConfig, place: Option<&Place>, missing: &[Missing]) -> BTreeMap<Layer, String> {
    let user = match plan.gives_way {
        Some(_) => format!("root gives way to user {}", config.user),
        None => format!("user {}, without capabilities", sys::user()),
    };
    let tree = place.filter(|_| plan.cgroups).map_or("watcher", Place::name);
    let processes = if plan.user && plan.rlimits { format!("{tree}, and the user namespace's own count") } else { tree.to_owned() };
    let filter = Filter::new(!plan.cgroups);
    let how = Layer::ALL.map(|layer| {
        let how = match layer {
            Layer::Unprivileged => user.clone(),
            Layer::UserNamespace => "user 1000 alone".to_owned(),
            Layer::PidNamespace => "ends with its first process".to_owned(),
            Layer::MountNamespace => "own root, read-only but for /work and /tmp".to_owned(),
            Layer::NetworkNamespace => "empty".to_owned(),
            Layer::IpcNamespace => "empty, with a host name of its own".to_owned(),
            Layer::Landlock => format!("ABI {}", plan.landlock.unwrap_or(0)),
            Layer::Seccomp => format!("{} system calls allowed", filter.calls),
            Layer::Rlimits => "processor, data, stack, processes, file size, open files, core".to_owned(),
            Layer::TreeMemory => tree.to_owned(),
            Layer::TreeProcesses => processes.clone(),
        };
        (layer, how)
    });
    how.into_iter().filter(|(layer, _)| !missing.iter().any(|one| one.layer == *layer)).collect()
}
