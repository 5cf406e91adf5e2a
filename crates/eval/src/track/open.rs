use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::{
    fault::{Fault, Step},
    migrate,
    tracker::{Durability, TrackerOptions},
};
use crate::{Error, Result};

/// How a `SQLite` file begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Statements that a connection keeps prepared.
const PREPARED: usize = 64;

/// The most that a connection keeps of the file, in KiB. What 1,000 runs of 100 metrics have come to is more than the 2 MB that `SQLite` keeps
/// by itself: each list and each comparison would read it from the file again.
const CACHE_KIB: i64 = 32 << 10;

/// The connection that writes, to a file that is ours and up to date.
pub(super) fn writer(path: &Path, options: &TrackerOptions) -> Result<Connection> {
    let place = path.display().to_string();
    check_header(path, &place)?;
    let open = || -> Step<Connection> {
        let mut connection = Connection::open_with_flags(path, flags() | OpenFlags::SQLITE_OPEN_CREATE)?;
        set_up(&connection, options)?;
        // Before anything is changed, so that what is not ours stays as it is; and in the journal mode that a file has at first, so that the
        // mark of whose it is stands in the file itself.
        migrate::migrate(&mut connection, &place)?;
        write_ahead(&connection)?;
        Ok(connection)
    };
    open().map_err(|fault| fault.at(&place))
}

/// A connection that reads.
pub(super) fn reader(path: &Path, options: &TrackerOptions) -> Step<Connection> {
    let connection = Connection::open_with_flags(path, flags())?;
    set_up(&connection, options)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// The connection to an empty database in memory.
pub(super) fn in_memory(options: &TrackerOptions) -> Result<Connection> {
    let place = "the database in memory";
    let open = || -> Step<Connection> {
        let mut connection = Connection::open_in_memory()?;
        set_up(&connection, options)?;
        migrate::migrate(&mut connection, place)?;
        Ok(connection)
    };
    open().map_err(|fault| fault.at(place))
}

/// Holds the file to its structure and its references.
pub(super) fn verify(connection: &Connection, place: &str) -> Step<()> {
    let damaged = |problem| Fault::Ours(Error::TrackingDamaged { place: place.to_owned(), problem });
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(damaged(found));
    }
    let dangling: Option<String> = connection.query_row("PRAGMA foreign_key_check", [], |row| row.get(0)).optional()?;
    match dangling {
        Some(table) => Err(damaged(format!("a row of the table `{table}` refers to one that is not there"))),
        None => Ok(()),
    }
}

/// URIs are off, so that a path is a path whatever it holds.
fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn set_up(connection: &Connection, options: &TrackerOptions) -> Step<()> {
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // A schema that a stranger wrote cannot call functions with effects from views, triggers and defaults.
    connection.pragma_update(None, "trusted_schema", false)?;
    let synchronous = match options.durability {
        Durability::Process => "NORMAL",
        Durability::Full => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(())
}

/// Turns the write-ahead log on. `SQLite` does not always wait where two processes do so to a new file at once, hence the tries.
fn write_ahead(connection: &Connection) -> Step<()> {
    const TRIES: usize = 200;
    for tried in 1.. {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => break,
            Err(error) if tried >= TRIES || error.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) => {
                return Err(error.into());
            }
            Ok(mode) if tried >= TRIES => {
                return Err(super::fault::refused(format!(
                    "the file's folder allows only the journal mode `{mode}`; put it on a local disk"
                )));
            }
            Ok(_) | Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
    Ok(())
}

/// Refuses what is no `SQLite` file before `SQLite` sees it. An empty file is one that is to be made.
fn check_header(path: &Path, place: &str) -> Result<()> {
    let tracking = |source: io::Error| Error::Tracking { place: place.to_owned(), source: source.into() };
    let damaged = |problem: &str| Error::TrackingDamaged { place: place.to_owned(), problem: problem.to_owned() };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(tracking(error)),
    };
    let length = file.metadata().map_err(tracking)?.len();
    let mut start = Vec::new();
    file.take(MAGIC.len() as u64 + 2).read_to_end(&mut start).map_err(tracking)?;
    match start.split_first_chunk::<16>() {
        None if start.is_empty() => Ok(()),
        Some((magic, &[high, low])) if magic == MAGIC => match u64::from(u16::from_be_bytes([high, low])) {
            // Pages of 64 KiB are written as 1. A log beside the file may hold what is missing in it.
            page if page > 1 && !length.is_multiple_of(page) && !log_of(path).exists() => Err(damaged("its end is missing")),
            _ => Ok(()),
        },
        _ => Err(damaged("it is no SQLite file")),
    }
}

/// Where the write-ahead log of a database is.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durability_is_what_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.db");
        for (durability, expected) in [(Durability::Process, 1), (Durability::Full, 2)] {
            let options = TrackerOptions::default().with_durability(durability);
            let connection = writer(&path, &options).unwrap();
            let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
            assert_eq!((pragma("synchronous"), pragma("foreign_keys")), (expected, 1));
        }
    }
}
