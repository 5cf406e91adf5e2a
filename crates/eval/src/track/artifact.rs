use std::{fs::File, path::Path};

use jarre_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    RunId, Tracker,
    fault::{Step, missing, refused},
    run::number,
};
use crate::{Error, Result};

/// Something that a run made: a file beside the database, or bytes inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its name among those of the run.
    pub name: String,
    /// What it is (`text/html`, `application/octet-stream`).
    pub media_type: String,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub digest: String,
    /// Its length in bytes.
    pub size: u64,
    /// The file that it is; `None` where the bytes are kept inside.
    pub path: Option<String>,
    /// When it was added.
    pub created: Timestamp,
}

impl Tracker {
    /// Keeps `bytes` with a run, in the place of an earlier artifact of the name.
    ///
    /// # Errors
    /// [`Error::Refused`] where they are more than [`artifact_limit`](super::TrackerOptions::with_artifact_limit) and for an empty name,
    /// [`Error::NotFound`] where there is no such run.
    pub fn add_artifact(&self, run: &RunId, name: &str, media_type: &str, bytes: &[u8]) -> Result<Artifact> {
        let limit = self.options().artifact_limit;
        if bytes.len() > limit {
            let found = bytes.len();
            return Err(Error::Refused(format!("the artifact `{name}` has {found} bytes and {limit} are kept inside; add it as a file")));
        }
        let digest = blake3::hash(bytes);
        self.put_artifact(run, self.artifact(name, media_type, digest, bytes.len() as u64, None), Some(bytes))
    }

    /// Records that a file belongs to a run, with the digest of its bytes. The file stays where it is.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Refused`] where its path is not UTF-8 and for an empty name, [`Error::NotFound`]
    /// where there is no such run.
    pub fn add_artifact_file(&self, run: &RunId, name: &str, media_type: &str, path: &Path) -> Result<Artifact> {
        let text = path.to_str().ok_or_else(|| Error::Refused(format!("the path {} is not UTF-8; rename the file", path.display())))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path)?)?;
        self.put_artifact(run, self.artifact(name, media_type, hasher.finalize(), hasher.count(), Some(text)), None)
    }

    /// What a run made, by name.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such run.
    pub fn artifacts(&self, run: &RunId) -> Result<Vec<Artifact>> {
        self.read(|reading| artifacts(reading, number(reading, run)?))
    }

    /// The bytes of an artifact, held to its digest.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such run or artifact, [`Error::Io`] where its file cannot be read, and [`Error::Refused`] where
    /// that has changed since it was added.
    pub fn artifact_bytes(&self, run: &RunId, name: &str) -> Result<Vec<u8>> {
        let (path, bytes, digest) = self.read(|reading| {
            let sql = "SELECT path, bytes, digest FROM artifact WHERE run = ?1 AND name = ?2";
            let found = reading.query_row(sql, (number(reading, run)?, name), |row| {
                Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<Vec<u8>>>(1)?, row.get::<_, String>(2)?))
            });
            found.optional()?.ok_or_else(|| missing("artifact", name))
        })?;
        let bytes = match path {
            Some(path) => std::fs::read(path)?,
            None => bytes.unwrap_or_default(),
        };
        if blake3::hash(&bytes).to_hex().as_str() == digest {
            return Ok(bytes);
        }
        Err(Error::Refused(format!("the artifact `{name}` is not what was added: its digest is not {digest}; add it again")))
    }

    fn artifact(&self, name: &str, media_type: &str, digest: blake3::Hash, size: u64, path: Option<&str>) -> Artifact {
        let (name, media_type, path) = (name.to_owned(), media_type.to_owned(), path.map(str::to_owned));
        Artifact { name, media_type, digest: digest.to_hex().to_string(), size, path, created: self.now() }
    }

    fn put_artifact(&self, run: &RunId, artifact: Artifact, bytes: Option<&[u8]>) -> Result<Artifact> {
        self.write(|writing| put(writing, number(writing, run)?, &artifact, bytes))?;
        Ok(artifact)
    }
}

pub(super) fn put(writing: &Connection, run: i64, artifact: &Artifact, bytes: Option<&[u8]>) -> Step<()> {
    if artifact.name.is_empty() {
        return Err(refused("an artifact needs a name"));
    }
    let sql = "INSERT OR REPLACE INTO artifact VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let Artifact { name, media_type, digest, size, path, created } = artifact;
    writing.execute(sql, params![run, name, media_type, digest, *size as i64, path, bytes, created.unix_micros()])?;
    Ok(())
}

pub(super) fn artifacts(reading: &Connection, run: i64) -> Step<Vec<Artifact>> {
    let sql = "SELECT name, media_type, digest, size, path, created FROM artifact WHERE run = ?1 ORDER BY name";
    let mut statement = reading.prepare_cached(sql)?;
    let rows = statement.query_map([run], |row| {
        Ok(Artifact {
            name: row.get(0)?,
            media_type: row.get(1)?,
            digest: row.get(2)?,
            size: row.get::<_, i64>(3)? as u64,
            path: row.get(4)?,
            created: Timestamp::from_unix_micros(row.get(5)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
