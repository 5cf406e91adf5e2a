use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    path::{Path, PathBuf},
};

use super::Found;

/// Folders cannot be held open here the way that file tools need: nothing is opened.
#[derive(Debug)]
pub(crate) enum Folder {}

impl Folder {
    pub(crate) fn open(_: &Path) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "file tools need a Unix system, where folders are opened without following links"))
    }

    pub(crate) fn enter(&self, _: &OsStr) -> io::Result<Self> {
        match *self {}
    }

    pub(crate) fn make(&self, _: &OsStr) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn find(&self, _: &OsStr) -> io::Result<Option<Found>> {
        match *self {}
    }

    pub(crate) fn read(&self, _: &OsStr) -> io::Result<File> {
        match *self {}
    }

    pub(crate) fn replace(&self, _: &OsStr, _: &[u8], _: u32) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn target(&self, _: &OsStr) -> io::Result<PathBuf> {
        match *self {}
    }

    pub(crate) fn names(&self, _: usize) -> io::Result<Vec<OsString>> {
        match *self {}
    }
}
