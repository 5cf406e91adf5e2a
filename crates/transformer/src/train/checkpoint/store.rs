use std::{
    collections::BTreeSet,
    fs, iter,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use super::{
    Checkpoint,
    folder::{self, Place},
    handle::CheckpointHandle,
    lock::Lock,
    manifest::{MANIFEST, Manifest},
    survey::{Found, Survey},
};
use crate::error::{Error, Result};

/// The checkpoints of one training in a folder that is locked against others for as long as this lives; the lock dies with the process.
///
/// ```
/// # use jarre_transformer::train::{Checkpoint, CheckpointStore};
/// # use std::num::NonZeroUsize;
/// # let run = tempfile::tempdir().unwrap();
/// # let dir = run.path().join("checkpoints");
/// let mut store = CheckpointStore::open(&dir, NonZeroUsize::new(3).unwrap())?;
/// let state = serde_json::json!({"seed": 7, "epoch": 0, "offset": 12_800});
/// store.save(&Checkpoint::new(100, state).with_file("weights.safetensors", vec![1, 2, 3]))?;
///
/// let found = store.latest()?;
/// assert!(found.skipped.is_empty(), "nothing is damaged");
/// let checkpoint = found.checkpoint.expect("one was saved");
/// assert_eq!((checkpoint.step(), &checkpoint.state()["offset"]), (100, &12_800.into()));
/// assert_eq!(checkpoint.read("weights.safetensors")?, [1, 2, 3]);
/// # Ok::<(), jarre_transformer::Error>(())
/// ```
#[derive(Debug)]
pub struct CheckpointStore {
    dir: PathBuf,
    keep_last: NonZeroUsize,
    keep_best: usize,
    /// `None` until the folder has been looked through.
    known: Option<Known>,
    _lock: Lock,
}

/// What was found out about the checkpoints, some of it at the cost of reading them.
#[derive(Debug, Default)]
struct Known {
    newest: Option<u64>,
    /// They may look whole by their lengths.
    damaged: BTreeSet<Place>,
}

impl CheckpointStore {
    /// Opens `dir`, making it where it is not there, for the one training that may write to it. After each save the newest `keep_last`
    /// checkpoints stay, and the newest that was marked as the best.
    ///
    /// # Errors
    /// [`Error::InUse`] where another store has it open, in this process or another, and [`Error::Io`].
    pub fn open(dir: impl Into<PathBuf>, keep_last: NonZeroUsize) -> Result<Self> {
        let dir = dir.into();
        fs::create_dir_all(&dir).map_err(Error::io(&dir))?;
        let lock = Lock::acquire(&dir)?;
        Ok(Self { dir, keep_last, keep_best: 1, known: None, _lock: lock })
    }

    /// Keeps the newest `count` of those that were marked as the best rather than one.
    pub fn with_keep_best(mut self, count: usize) -> Self {
        self.keep_best = count;
        self
    }

    /// Saves a checkpoint. When this returns it is on the disk; until then, and where it fails, the earlier ones are as they were. A step
    /// may be saved again, and then takes the place of the first. What an interrupted save left behind is removed, and older checkpoints are
    /// pruned; one that cannot be removed now is tried again after the next save.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] for a name of a file that is not allowed, for a state that is too large, and for a step before the newest
    /// that is whole: a training that starts over, or further back, needs a folder of its own. [`Error::Io`] where something cannot be written.
    pub fn save(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.require_progress(checkpoint.step)?;
        let manifest = Manifest::encode(checkpoint)?;
        folder::remove_unfinished(&self.dir)?;
        let place = self.free_place(checkpoint.step)?;
        let draft = self.dir.join(place.unfinished());
        let files = checkpoint.files.iter().map(|(name, content)| (name.as_str(), content.as_slice()));
        let written = folder::write(&draft, files.chain(iter::once((MANIFEST, manifest.as_slice()))));
        written.and_then(|()| folder::publish(&self.dir, &place.unfinished(), place)).inspect_err(|_| {
            fs::remove_dir_all(&draft).ok();
        })?;
        self.known.get_or_insert_default().newest = Some(checkpoint.step);
        self.prune();
        Ok(())
    }

    /// The newest checkpoint that is whole to the last bit; all of it is read to find out.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be listed. A checkpoint that cannot be read is skipped.
    pub fn latest(&mut self) -> Result<Found> {
        let Survey { found, damaged } = Survey::of(&self.dir, |_| true)?;
        let newest = found.checkpoint.as_ref().map(CheckpointHandle::step);
        self.known = Some(Known { newest, damaged: damaged.into_iter().collect() });
        Ok(found)
    }

    /// The newest whole one of those that were marked as the best.
    ///
    /// # Errors
    /// As for [`latest`](Self::latest).
    pub fn best(&self) -> Result<Found> {
        Self::best_in(&self.dir)
    }

    /// As [`latest`](Self::latest), for those who only read: a training may have the folder open. It may also prune what was found, which
    /// [`CheckpointHandle::read`] then reports.
    ///
    /// # Errors
    /// As for [`latest`](Self::latest); also where there is no such folder.
    pub fn latest_in(dir: &Path) -> Result<Found> {
        Ok(Survey::of(dir, |_| true)?.found)
    }

    /// As [`best`](Self::best), for those who only read.
    ///
    /// # Errors
    /// As for [`latest_in`](Self::latest_in).
    pub fn best_in(dir: &Path) -> Result<Found> {
        Ok(Survey::of(dir, CheckpointHandle::is_best)?.found)
    }

    fn require_progress(&mut self, step: u64) -> Result<()> {
        if self.known.is_none() {
            let _ = self.latest()?;
        }
        match self.known.as_ref().and_then(|known| known.newest) {
            Some(newest) if step < newest => {
                let expected =
                    format!("at least {newest}, the newest in {}; resume from there, or take another folder", self.dir.display());
                Err(Error::setting("the step of a checkpoint", step, expected))
            }
            _ => Ok(()),
        }
    }

    /// After whatever has the same step, whole or not.
    fn free_place(&self, step: u64) -> Result<Place> {
        let taken = folder::places(&self.dir)?.into_iter().find(|place| place.step == step);
        let next = taken.map_or(Some(0), |place| place.revision.checked_add(1));
        let full = || Error::corrupt(self.dir.join(Place { step, revision: u32::MAX }.to_string()), "no name is left after it");
        Ok(Place { step, revision: next.ok_or_else(full)? })
    }

    /// Removes whole checkpoints that are not to be kept. Those that are not whole do not count, and stay for someone to look at.
    fn prune(&self) {
        let Ok(places) = folder::places(&self.dir) else { return };
        let damaged = |place: &Place| self.known.as_ref().is_some_and(|known| known.damaged.contains(place));
        let whole = places.into_iter().filter(|place| !damaged(place));
        let whole: Vec<_> = whole.filter_map(|place| Some((place, CheckpointHandle::open(&self.dir, place).ok()?))).collect();
        let best = whole.iter().filter(|(_, handle)| handle.is_best()).take(self.keep_best);
        let kept: BTreeSet<Place> = whole.iter().take(self.keep_last.get()).chain(best).map(|(place, _)| *place).collect();
        for (place, _) in whole {
            if !kept.contains(&place) {
                folder::retire(&self.dir, place);
            }
        }
    }
}
