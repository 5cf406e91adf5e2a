use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::fault::{Fault, Step};
use crate::Error;

/// Marks a `SQLite` file as one of ours, in its header (`JRev`).
pub(super) const APPLICATION: i64 = 0x4a52_6576;

/// The statements that lead from each version to the next; the first makes an empty file one of version 1. A script that was released is
/// never edited: another is added.
const SCRIPTS: [&str; 2] = [include_str!("schema_1.sql"), include_str!("schema_2.sql")];

/// Brings the database to the version that this program knows, in one transaction.
///
/// `place` names the file in errors, which are: a file that is another program's, one of a later version, and one whose earlier versions
/// were made by other scripts than these.
pub(super) fn migrate(connection: &mut Connection, place: &str) -> Step<()> {
    if is_current(connection)? {
        return Ok(());
    }
    let writing = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&writing)?;
    check(&writing, found, place)?;
    for (index, script) in SCRIPTS.iter().enumerate().skip(found) {
        apply(&writing, index, script)?;
    }
    writing.commit()?;
    Ok(())
}

/// Whether nothing is to be done: said without the write lock, which another process may hold for long.
fn is_current(connection: &Connection) -> Step<bool> {
    Ok(application(connection)? == APPLICATION && version(connection)? == SCRIPTS.len() && strange_script(connection)?.is_none())
}

fn check(connection: &Connection, found: usize, place: &str) -> Step<()> {
    let place = place.to_owned();
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let ours = application(connection)? == APPLICATION;
    if !ours && (tables > 0 || found > 0) {
        return Err(Fault::Ours(Error::TrackingDamaged { place, problem: "it is the database of another program".into() }));
    }
    if found > SCRIPTS.len() {
        return Err(Fault::Ours(Error::TrackingNewer { place, found, known: SCRIPTS.len() }));
    }
    match if ours { strange_script(connection)? } else { None } {
        Some(script) => {
            let problem = format!("its tables of version {script} were not made by this program's script");
            Err(Fault::Ours(Error::TrackingDamaged { place, problem }))
        }
        None => Ok(()),
    }
}

fn apply(writing: &Transaction<'_>, index: usize, script: &str) -> Step<()> {
    if index == 0 {
        writing.execute_batch("CREATE TABLE migration (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT")?;
        writing.pragma_update(None, "application_id", APPLICATION)?;
    }
    writing.execute_batch(script)?;
    writing.execute("INSERT INTO migration VALUES (?1, ?2)", (index as i64 + 1, checksum(script)))?;
    writing.pragma_update(None, "user_version", index as i64 + 1)?;
    Ok(())
}

/// The first version that another script made than the one known by its number.
fn strange_script(connection: &Connection) -> Step<Option<usize>> {
    let mut statement = connection.prepare("SELECT checksum FROM migration WHERE version = ?1")?;
    for (index, script) in SCRIPTS.iter().enumerate().take(version(connection)?) {
        let found: Option<String> = statement.query_row([index as i64 + 1], |row| row.get(0)).optional()?;
        if found.as_deref() != Some(checksum(script).as_str()) {
            return Ok(Some(index + 1));
        }
    }
    Ok(None)
}

fn checksum(script: &str) -> String {
    blake3::hash(script.as_bytes()).to_hex().to_string()
}

fn application(connection: &Connection) -> Step<i64> {
    Ok(connection.pragma_query_value(None, "application_id", |row| row.get(0))?)
}

fn version(connection: &Connection) -> Step<usize> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // A negative number is no version of ours; as one beyond all known it is refused as such.
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}
