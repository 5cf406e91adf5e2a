//! Looking through the checkpoints of a folder for one that is whole.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    folder::{self, Entry, Place},
    handle::CheckpointHandle,
};
use crate::error::Result;

/// What a search for a checkpoint came to.
#[derive(Clone, Debug)]
#[must_use = "a checkpoint may have been passed over because it is damaged"]
pub struct Found {
    /// The newest one that is whole; none where nothing is.
    pub checkpoint: Option<CheckpointHandle>,
    /// What was passed over on the way, the newest first. It is worth telling a person about.
    pub skipped: Vec<Skipped>,
}

/// Something in the folder of a store that is not a whole checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "passed over {}: {}", self.path.display(), self.reason)
    }
}

/// A search, and the places that it found damaged.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) found: Found,
    pub(super) damaged: Vec<Place>,
}

impl Survey {
    /// Goes through the checkpoints of `dir` from the newest to the first that is `wanted` and whole to the last bit.
    ///
    /// A training may save and prune meanwhile: where nothing is left of what was listed, the list is made again.
    pub(super) fn of(dir: &Path, wanted: impl Fn(&CheckpointHandle) -> bool) -> Result<Self> {
        loop {
            let places = folder::places(dir)?;
            let survey = Self::among(dir, &places, &wanted)?;
            if survey.found.checkpoint.is_some() || folder::places(dir)? == places {
                return Ok(survey);
            }
        }
    }

    fn among(dir: &Path, places: &[Place], wanted: impl Fn(&CheckpointHandle) -> bool) -> Result<Self> {
        let mut survey = Self { found: Found { checkpoint: None, skipped: unfinished(dir)? }, damaged: Vec::new() };
        for &place in places {
            match whole(dir, place, &wanted) {
                Ok(None) => {}
                Ok(found) => {
                    survey.found.checkpoint = found;
                    break;
                }
                Err(error) => {
                    survey.damaged.push(place);
                    survey.found.skipped.push(Skipped { path: dir.join(place.to_string()), reason: error.to_string() });
                }
            }
        }
        Ok(survey)
    }
}

fn whole(dir: &Path, place: Place, wanted: impl Fn(&CheckpointHandle) -> bool) -> Result<Option<CheckpointHandle>> {
    let handle = CheckpointHandle::open(dir, place)?;
    if !wanted(&handle) {
        return Ok(None);
    }
    handle.verify()?;
    Ok(Some(handle))
}

fn unfinished(dir: &Path) -> Result<Vec<Skipped>> {
    let skip = |name: String| Skipped { path: dir.join(name), reason: "its save or its removal was not finished".to_owned() };
    let names = folder::list(dir)?.into_iter().filter_map(|entry| if let Entry::Unfinished(name) = entry { Some(name) } else { None });
    Ok(names.map(skip).collect())
}
