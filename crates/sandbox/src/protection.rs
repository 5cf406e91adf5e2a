use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

/// A layer of protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layer {
    /// The caller's user is given up, also where it is root.
    Unprivileged,
    /// An own user namespace.
    UserNamespace,
    /// An own PID namespace: no process outside is seen, and none inside survives.
    PidNamespace,
    /// An own mount namespace.
    MountNamespace,
    /// An own network namespace with nothing in it.
    NetworkNamespace,
    /// An own IPC namespace.
    IpcNamespace,
    /// Landlock's rules on files.
    Landlock,
    /// A filter of system calls.
    Seccomp,
    /// Limits on each process.
    Rlimits,
    /// A limit on the memory of the whole tree.
    TreeMemory,
    /// A limit on the processes of the whole tree.
    TreeProcesses,
}

impl Layer {
    /// Every layer.
    pub const ALL: [Self; 11] = [
        Self::Unprivileged,
        Self::UserNamespace,
        Self::PidNamespace,
        Self::MountNamespace,
        Self::NetworkNamespace,
        Self::IpcNamespace,
        Self::Landlock,
        Self::Seccomp,
        Self::Rlimits,
        Self::TreeMemory,
        Self::TreeProcesses,
    ];

    /// Its name, as on the wire and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unprivileged => "unprivileged",
            Self::UserNamespace => "user_namespace",
            Self::PidNamespace => "pid_namespace",
            Self::MountNamespace => "mount_namespace",
            Self::NetworkNamespace => "network_namespace",
            Self::IpcNamespace => "ipc_namespace",
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
            Self::Rlimits => "rlimits",
            Self::TreeMemory => "tree_memory",
            Self::TreeProcesses => "tree_processes",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A layer that is not to be had here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Which.
    pub layer: Layer,
    /// Why, in words.
    pub reason: String,
}

/// What stands around a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Layers in force, each with how: `cgroup v1`, `ABI 7`, `watcher`.
    pub in_force: BTreeMap<Layer, String>,
    /// Layers that are not.
    pub missing: Vec<Missing>,
}

/// The layers without which nothing is run: all of them, unless some are given up by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Requirements(BTreeSet<Layer>);

impl Requirements {
    /// Gives `layer` up.
    pub fn without(mut self, layer: Layer) -> Self {
        self.0.remove(&layer);
        self
    }

    /// Whether nothing runs without `layer`.
    pub fn requires(&self, layer: Layer) -> bool {
        self.0.contains(&layer)
    }
}

impl Default for Requirements {
    fn default() -> Self {
        Self(Layer::ALL.into())
    }
}

/// A line for each layer: `pid_namespace: ends with its first process`, and `landlock: MISSING, ...`.
impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let there = self.in_force.iter().map(|(layer, how)| format!("{layer}: {how}"));
        let lines: Vec<String> = there.chain(self.missing.iter().map(|one| format!("{}: MISSING, {}", one.layer, one.reason))).collect();
        f.write_str(&lines.join("\n"))
    }
}
