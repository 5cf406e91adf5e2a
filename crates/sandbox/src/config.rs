use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{Limits, Requirements};

/// The system's programs, libraries and the settings that they read, where they are usual.
const SYSTEM: [&str; 14] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/nix/store",
];

/// What a [`Sandbox`](crate::Sandbox) is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SandboxConfig {
    /// What a command may use, where a run does not say otherwise.
    pub limits: Limits,
    /// Layers without which nothing is run.
    pub requirements: Requirements,
    /// Files and folders that are visible, read-only, where they are. The system's programs and libraries (`/usr` and the like) unless changed.
    pub readable: Vec<PathBuf>,
    /// Folders in which programs are looked up; becomes `PATH`.
    pub path: Vec<PathBuf>,
    /// The user and group that root gives way to; where the caller is not root, its own user stays. Files that a command makes belong to it.
    /// Best one that nothing else on the machine uses: not 65534, which stands for many.
    pub user: u32,
    /// Where folders for commands are made.
    pub scratch: PathBuf,
    /// The most that is copied into a folder for a command, in bytes, as the lengths of files say. Of what a command leaves there, four times as much
    /// is looked at and carried over.
    pub copied_bytes: u64,
    /// The most files and folders that are copied into one.
    pub copied_files: u64,
}

impl SandboxConfig {
    /// Sets what a command may use.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the layers without which nothing is run.
    pub fn with_requirements(mut self, requirements: Requirements) -> Self {
        self.requirements = requirements;
        self
    }

    /// Shows one more file or folder, read-only.
    pub fn with_readable(mut self, path: impl Into<PathBuf>) -> Self {
        self.readable.push(path.into());
        self
    }

    /// Shows a folder of tools, read-only, and looks programs up in its `bin` before all others: a toolchain of rustup, a Python of pyenv.
    pub fn with_tools(mut self, root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        self.path.insert(0, root.join("bin"));
        self.with_readable(root)
    }

    /// Sets where folders for commands are made.
    pub fn with_scratch(mut self, scratch: impl Into<PathBuf>) -> Self {
        self.scratch = scratch.into();
        self
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        let there = |path: &&&str| Path::new(path).exists();
        Self {
            limits: Limits::default(),
            requirements: Requirements::default(),
            readable: SYSTEM.iter().filter(there).map(PathBuf::from).collect(),
            path: ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from).into(),
            user: 64_321,
            scratch: env::temp_dir(),
            copied_bytes: 1 << 30,
            copied_files: 100_000,
        }
    }
}
