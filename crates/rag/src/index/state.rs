//! One committed state of an index, in memory.

use std::{path::Path, sync::Arc};

use super::{
    manifest::Manifest,
    records::Entry,
    segment::{Segment, View},
    storage::{MANIFEST, corrupt},
};
use crate::{DocId, Error, Result};

/// How often a reader starts over because a writer replaced what it was reading. Each time a whole commit has happened meanwhile.
const ATTEMPTS: usize = 50;

#[derive(Debug)]
pub(super) struct State {
    pub(super) manifest: Manifest,
    pub(super) views: Vec<View>,
    /// The live documents, ordered by id.
    places: Vec<Place>,
}

/// Where a document is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) view: u32,
    pub(super) entry: u32,
}

impl State {
    /// The state over `views`, which are those of `manifest` in order.
    pub(super) fn new(manifest: Manifest, views: Vec<View>) -> Self {
        let mut places: Vec<Place> = Vec::new();
        for (view, content) in views.iter().enumerate() {
            places.extend(content.live_entries().map(|entry| Place { view: view as u32, entry: entry as u32 }));
        }
        let id = |place: &Place| &views[place.view as usize].segment.entries()[place.entry as usize].document.id;
        places.sort_by(|a, b| id(a).cmp(id(b)));
        Self { manifest, views, places }
    }

    /// Loads the committed state of `dir` while writers may go on.
    ///
    /// Files that a newer commit deleted are missing, or changed, for a reader of the older manifest; then the newer one is read.
    pub(super) fn load(dir: &Path) -> Result<Self> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let Some((manifest, bytes)) = Manifest::read(dir)? else { return Err(Error::NoIndex { path: dir.to_owned() }) };
            match Self::load_segments(dir, manifest) {
                Err(_) if attempts < ATTEMPTS && Manifest::read(dir)?.is_some_and(|(_, newer)| newer != bytes) => {}
                loaded => return loaded,
            }
        }
    }

    fn load_segments(dir: &Path, manifest: Manifest) -> Result<Self> {
        let dims = manifest.config.encoder.dims;
        let open = |record| {
            let segment = Arc::new(Segment::open(dir, record, dims)?);
            View::new(segment, &record.dead).ok_or_else(|| corrupt(dir.join(MANIFEST), "it removes documents that are not there"))
        };
        let views = manifest.segments.iter().map(open).collect::<Result<_>>()?;
        let state = Self::new(manifest, views);
        match state.places.windows(2).find(|pair| state.entry(pair[0]).document.id == state.entry(pair[1]).document.id) {
            Some(pair) => Err(corrupt(dir.join(MANIFEST), format!("`{}` is there twice", state.entry(pair[0]).document.id))),
            None => Ok(state),
        }
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    pub(super) fn find(&self, id: &DocId) -> Option<Place> {
        let found = self.places.binary_search_by(|&place| self.entry(place).document.id.cmp(id)).ok()?;
        Some(self.places[found])
    }

    pub(super) fn entry(&self, place: Place) -> &Entry {
        &self.views[place.view as usize].segment.entries()[place.entry as usize]
    }

    pub(super) fn live_rows(&self) -> usize {
        self.views.iter().map(View::live_rows).sum()
    }

    pub(super) fn live_terms(&self) -> u64 {
        self.views.iter().map(View::live_terms).sum()
    }
}
