use crate::Layer;

/// A step on the way from `clone` to `execve` that can fail. It travels as a number from the child to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Stage {
    Files,
    Cgroup,
    HostMounts,
    User,
    UserNamespace,
    MountNamespace,
    NetworkNamespace,
    IpcNamespace,
    PidNamespace,
    Folders,
    Proc,
    Pivot,
    Dir,
    Rlimits,
    Capabilities,
    NoNewPrivileges,
    Landlock,
    Seccomp,
    Program,
    Fork,
}

impl Stage {
    const ALL: [Self; 20] = [
        Self::Files,
        Self::Cgroup,
        Self::HostMounts,
        Self::User,
        Self::UserNamespace,
        Self::MountNamespace,
        Self::NetworkNamespace,
        Self::IpcNamespace,
        Self::PidNamespace,
        Self::Folders,
        Self::Proc,
        Self::Pivot,
        Self::Dir,
        Self::Rlimits,
        Self::Capabilities,
        Self::NoNewPrivileges,
        Self::Landlock,
        Self::Seccomp,
        Self::Program,
        Self::Fork,
    ];

    pub(super) fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| *stage as u32 == number)
    }

    /// The layer that is not to be had where this fails.
    pub(super) fn layer(self) -> Option<Layer> {
        Some(match self {
            Self::Cgroup => Layer::TreeMemory,
            Self::User | Self::Capabilities => Layer::Unprivileged,
            Self::UserNamespace => Layer::UserNamespace,
            Self::HostMounts | Self::MountNamespace | Self::Folders | Self::Proc | Self::Pivot => Layer::MountNamespace,
            Self::NetworkNamespace => Layer::NetworkNamespace,
            Self::IpcNamespace => Layer::IpcNamespace,
            Self::PidNamespace => Layer::PidNamespace,
            Self::Rlimits => Layer::Rlimits,
            Self::Landlock => Layer::Landlock,
            Self::Seccomp | Self::NoNewPrivileges => Layer::Seccomp,
            Self::Files | Self::Dir | Self::Program | Self::Fork => return None,
        })
    }

    /// What was being done.
    pub(super) fn doing(self) -> &'static str {
        match self {
            Self::Files => "hand over its pipes",
            Self::Cgroup => "enter a cgroup",
            Self::HostMounts => "arrange folders as root",
            Self::User => "give root up",
            Self::UserNamespace => "make a user namespace",
            Self::MountNamespace => "make a mount namespace",
            Self::NetworkNamespace => "make a network namespace",
            Self::IpcNamespace => "make an IPC namespace",
            Self::PidNamespace => "make a PID namespace",
            Self::Folders => "arrange folders",
            Self::Proc => "mount /proc",
            Self::Pivot => "leave the old root",
            Self::Dir => "enter the command's folder",
            Self::Rlimits => "limit resources",
            Self::Capabilities => "drop capabilities",
            Self::NoNewPrivileges => "forbid new privileges",
            Self::Landlock => "restrict files by Landlock",
            Self::Seccomp => "filter system calls",
            Self::Program => "start the program",
            Self::Fork => "make a process",
        }
    }
}
