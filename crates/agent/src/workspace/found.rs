use std::ffi::OsStr;

use super::{Folder, refused};
use crate::{Error, Result};

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    /// In bytes.
    pub(crate) size: u64,
    /// The bits of Unix permissions.
    pub(crate) mode: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    /// A pipe, a device or a socket.
    Other,
}

impl Found {
    /// Whether it is a file that can be opened: the error tells what the name `name` in `folder` is instead.
    pub(super) fn check(self, path: &str, folder: &Folder, name: &OsStr) -> Result<()> {
        match self.kind {
            Kind::File => Ok(()),
            Kind::Folder => Err(refused(path, "it is a folder")),
            Kind::Link => Err(link(path, folder, name)),
            Kind::Other => Err(refused(path, "it is not a regular file")),
        }
    }
}

/// That `name` is a link, and where it leads.
pub(super) fn link(path: &str, folder: &Folder, name: &OsStr) -> Error {
    let target = folder.target(name).map(|target| target.display().to_string()).unwrap_or_default();
    refused(path, format!("it is a link to `{target}`, and links are not followed: give the path itself"))
}
