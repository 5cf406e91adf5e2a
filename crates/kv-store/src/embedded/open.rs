use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{Builder, Database, ReadableDatabase, TableError, TableHandle};

use super::{
    disk::{ABOUT, FORMAT, RAFT, ROWS, Table, failed},
    engine::OneFile,
    making::{self, Making},
    options::EmbeddedOptions,
    wall::behind_a_wall,
};
use crate::{
    Error, Result, Verified,
    local::Shared,
    machine::{self, RowsMut},
    snapshot,
};

/// The store in the file at `path`.
pub(super) fn open(path: &Path, options: &EmbeddedOptions) -> Result<OneFile> {
    making::make(path)?;
    let place = path.display().to_string();
    let open = || {
        let database = builder(options).open(path).map_err(|error| failed(&place, error))?;
        start(database, &place, Some(path.to_owned()), options)
    };
    behind_a_wall(&place, open)
}

/// Reads the file at `path`, and holds it to its checksums.
pub(super) fn check(path: &Path) -> Result<Verified> {
    let place = path.display().to_string();
    behind_a_wall(&place, || {
        let database = builder(&EmbeddedOptions::new().verified()).open(path).map_err(|error| failed(&place, error))?;
        check_format(&database, &place)?;
        let reading = database.begin_read().map_err(|error| failed(&place, error))?;
        machine::verify(&Table { table: reading.open_table(ROWS).map_err(|error| failed(&place, error))?, place: &place })
    })
}

/// The store on `disk`; an empty one is given what the file of a new store holds.
#[cfg(feature = "testing")]
pub(super) fn open_on(disk: impl redb::StorageBackend, options: &EmbeddedOptions) -> Result<OneFile> {
    let place = "the disk".to_owned();
    fill_if_empty(&disk)?;
    let open = || {
        let database = builder(options).create_with_backend(disk).map_err(|error| failed(&place, error))?;
        start(database, &place, None, options)
    };
    behind_a_wall(&place, open)
}

/// Gives an empty disk what the file of a new store holds.
#[cfg(feature = "testing")]
pub(crate) fn fill_if_empty(disk: &impl redb::StorageBackend) -> Result<()> {
    let fill = || match disk.len()? {
        0 => disk.write(0, &super::image::of_a_new_store().map_err(io::Error::other)?).and_then(|()| disk.sync_data()),
        _ => Ok(()),
    };
    fill().map_err(|error| Error::io("write the disk", error))
}

/// Makes the file of a store that holds what a snapshot holds.
pub(super) fn restore(path: &Path, from: impl io::Read) -> Result<()> {
    let making = Making::begin(path)?;
    if path.exists() {
        let there = io::Error::from(io::ErrorKind::AlreadyExists);
        return Err(Error::io(format!("restore to {}", path.display()), there));
    }
    let place = making.beside.display().to_string();
    File::create(&making.beside).map_err(|error| Error::io(format!("write {place}"), error))?;
    fill(&making.beside, &place, from)?;
    making.finish()?;
    tracing::info!(path = %path.display(), "a store was restored");
    Ok(())
}

fn fill(path: &Path, place: &str, from: impl io::Read) -> Result<()> {
    let database = builder(&EmbeddedOptions::new()).create(path).map_err(|error| failed(place, error))?;
    make_tables(&database).map_err(|error| failed(place, error))?;
    let writing = database.begin_write().map_err(|error| failed(place, error))?;
    {
        let mut rows = Table { table: writing.open_table(ROWS).map_err(|error| failed(place, error))?, place };
        snapshot::read(from, |key, value| rows.put(key, value))?;
        machine::verify(&rows)?;
    }
    writing.commit().map_err(|error| failed(place, error))
}

fn builder(options: &EmbeddedOptions) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache).set_check_integrity_on_open(options.verify);
    builder
}

fn start(database: Database, place: &str, path: Option<PathBuf>, options: &EmbeddedOptions) -> Result<OneFile> {
    check_format(&database, place)?;
    let reading = database.begin_read().map_err(|error| failed(place, error))?;
    if reading.list_tables().map_err(|error| failed(place, error))?.any(|table| table.name() == RAFT) {
        return Err(Error::Membership(format!("{place} is that of a cluster's member, which alone may change it")));
    }
    let rows = Table { table: reading.open_table(ROWS).map_err(|error| failed(place, error))?, place };
    if options.verify {
        machine::verify(&rows)?;
    }
    let state = machine::state(&rows)?;
    let shared = Arc::new(Shared::new(Arc::clone(&options.clock), options.limits));
    shared.keep_leases(&rows)?;
    drop((rows, reading));
    tracing::info!(place, revision = %state.revision, "a store was opened");
    OneFile::start(database, place.to_owned(), path, shared)
}

/// Whether the file is a store of this format.
pub(crate) fn check_format(database: &Database, place: &str) -> Result<()> {
    let reading = database.begin_read().map_err(|error| failed(place, error))?;
    let about = reading.open_table(ABOUT).map_err(|error| match error {
        TableError::TableDoesNotExist(_) => Error::corrupt(place, "it is a database, but no store"),
        error => failed(place, error),
    })?;
    match about.get("format").map_err(|error| failed(place, error))?.map(|format| format.value()) {
        Some(FORMAT) => Ok(()),
        found => Err(Error::Format { place: place.to_owned(), found: found.unwrap_or(0), known: FORMAT }),
    }
}

/// Makes the tables of an empty store.
pub(crate) fn make_tables(database: &Database) -> Result<(), redb::Error> {
    let writing = database.begin_write()?;
    writing.open_table(ABOUT)?.insert("format", FORMAT)?;
    writing.open_table(ROWS)?;
    Ok(writing.commit()?)
}
