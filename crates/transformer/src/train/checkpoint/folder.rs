//! Names and durable writing of the folders that checkpoints are kept in.

use std::{
    fmt,
    fs::{self, File},
    io::Write,
    path::Path,
};

use crate::error::{Error, Result};
use crate::weights::sync_folder;

const UNFINISHED: &str = ".tmp";

/// Where a checkpoint is kept: `step-N`, or `step-N.R` where the step was saved before. In the order in which they replace each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) step: u64,
    pub(super) revision: u32,
}

/// What this crate could have put into the folder of a store, apart from the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Checkpoint(Place),
    /// A save or a removal that did not come to its end. Only this is ever deleted without being asked for.
    Unfinished(String),
}

impl Place {
    fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("step-")?;
        let (step, revision) = rest.split_once('.').unwrap_or((rest, "0"));
        let place = Self { step: step.parse().ok()?, revision: revision.parse().ok()? };
        (place.to_string() == name).then_some(place)
    }

    /// The name of the folder while it is written, or removed.
    pub(super) fn unfinished(self) -> String {
        format!("{self}{UNFINISHED}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision {
            0 => write!(f, "step-{}", self.step),
            revision => write!(f, "step-{}.{revision}", self.step),
        }
    }
}

impl Entry {
    fn parse(name: &str) -> Option<Self> {
        let unfinished = || name.strip_suffix(UNFINISHED).and_then(Place::parse).map(|_| Self::Unfinished(name.to_owned()));
        Place::parse(name).map(Self::Checkpoint).or_else(unfinished)
    }
}

/// What is in `dir`; files of others are passed over.
pub(super) fn list(dir: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let name = entry.map_err(Error::io(dir))?.file_name();
        entries.extend(name.to_str().and_then(Entry::parse));
    }
    Ok(entries)
}

/// The checkpoints of `dir`, whole or not, the newest first.
pub(super) fn places(dir: &Path) -> Result<Vec<Place>> {
    let mut places: Vec<Place> =
        list(dir)?.into_iter().filter_map(|entry| if let Entry::Checkpoint(place) = entry { Some(place) } else { None }).collect();
    places.sort_unstable_by(|a, b| b.cmp(a));
    Ok(places)
}

/// Writes `files` into a new folder, synced to the disk, names included.
pub(super) fn write<'a>(folder: &Path, files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<()> {
    fs::create_dir(folder).map_err(Error::io(folder))?;
    for (name, content) in files {
        let path = folder.join(name);
        write_file(&path, content).map_err(Error::io(path))?;
    }
    sync_folder(folder)
}

/// Gives a folder of `dir` its final name, durably.
pub(super) fn publish(dir: &Path, from: &str, to: Place) -> Result<()> {
    let path = dir.join(to.to_string());
    fs::rename(dir.join(from), &path).map_err(Error::io(path))?;
    sync_folder(dir)
}

/// Removes what an interrupted save or removal left behind, as far as that can be done now.
pub(super) fn remove_unfinished(dir: &Path) -> Result<()> {
    for entry in list(dir)? {
        if let Entry::Unfinished(name) = entry {
            let path = dir.join(name);
            fs::remove_dir_all(&path).or_else(|_| fs::remove_file(path)).ok();
        }
    }
    Ok(())
}

/// Removes a checkpoint as far as that can be done now: renamed first, so that half a removal does not look like damage.
pub(super) fn retire(dir: &Path, place: Place) {
    let unfinished = dir.join(place.unfinished());
    if fs::rename(dir.join(place.to_string()), &unfinished).is_ok() {
        fs::remove_dir_all(unfinished).ok();
    }
}

fn write_file(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_only_as_they_are_written() {
        let place = |step, revision| Entry::Checkpoint(Place { step, revision });
        assert_eq!(Entry::parse("step-0"), Some(place(0, 0)));
        assert_eq!(Entry::parse("step-18446744073709551615.7"), Some(place(u64::MAX, 7)));
        assert_eq!(Entry::parse("step-12.tmp"), Some(Entry::Unfinished("step-12.tmp".to_owned())));
        assert_eq!(Entry::parse("step-12.3.tmp"), Some(Entry::Unfinished("step-12.3.tmp".to_owned())));
        let others =
            ["step-", "step-007", "step-+7", "step-1.0", "step-1.", "step-1.02", "step--1", "step-18446744073709551616", "step-1.tmp.tmp"];
        for name in others.into_iter().chain(["step-x.tmp", ".tmp", "lock", "lock.owner", "manifest.json", ""]) {
            assert_eq!(Entry::parse(name), None, "{name}");
        }
    }

    #[test]
    fn places_are_ordered_by_number_and_the_newest_comes_first() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["step-9", "step-10.2", "step-10", "step-10.11", "step-9.tmp", "notes"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let names: Vec<String> = places(dir.path()).unwrap().iter().map(Place::to_string).collect();
        assert_eq!(names, ["step-10.11", "step-10.2", "step-10", "step-9"]);
        remove_unfinished(dir.path()).unwrap();
        assert_eq!(list(dir.path()).unwrap().len(), 4);
        assert!(dir.path().join("notes").exists());
    }

    #[test]
    fn a_removal_begins_with_a_new_name_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { step: 5, revision: 0 };
        for folder in ["step-5", "step-5.tmp"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
            fs::write(dir.path().join(folder).join("weights"), folder).unwrap();
        }
        retire(dir.path(), place);
        assert_eq!(fs::read(dir.path().join("step-5/weights")).unwrap(), b"step-5", "the new name is taken");
        remove_unfinished(dir.path()).unwrap();
        retire(dir.path(), place);
        assert!(list(dir.path()).unwrap().is_empty());
    }
}
