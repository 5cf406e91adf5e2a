use crate::Layer;

/// What is done to a command here, as far as the machine lets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each layer is there or not")]
pub(super) struct Plan {
    /// The user that root gives way to, where the caller is root.
    pub(super) gives_way: Option<u32>,
    pub(super) unprivileged: bool,
    pub(super) user: bool,
    pub(super) mounts: bool,
    pub(super) pids: bool,
    pub(super) network: bool,
    pub(super) ipc: bool,
    /// The version of Landlock.
    pub(super) landlock: Option<u32>,
    pub(super) seccomp: bool,
    pub(super) rlimits: bool,
    /// Whether cgroups hold the tree; else the caller's process watches it.
    pub(super) cgroups: bool,
}

impl Plan {
    /// The same without `layer`, and without what stands on it.
    pub(super) fn without(mut self, layer: Layer) -> Self {
        match layer {
            Layer::Unprivileged => self.unprivileged = false,
            Layer::UserNamespace => {
                self.user = false;
                self = [Layer::PidNamespace, Layer::MountNamespace, Layer::NetworkNamespace, Layer::IpcNamespace]
                    .into_iter()
                    .fold(self, Self::without);
            }
            Layer::PidNamespace => self.pids = false,
            Layer::MountNamespace => self.mounts = false,
            Layer::NetworkNamespace => self.network = false,
            Layer::IpcNamespace => self.ipc = false,
            Layer::Landlock => self.landlock = None,
            Layer::Seccomp => self.seccomp = false,
            Layer::Rlimits => self.rlimits = false,
            Layer::TreeMemory | Layer::TreeProcesses => self.cgroups = false,
        }
        self
    }

    /// Whether root arranges the folders, before it gives way.
    pub(super) fn root_arranges(&self) -> bool {
        self.mounts && self.gives_way.is_some()
    }
}
