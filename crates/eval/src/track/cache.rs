use std::time::Duration;

use jarre_core::{ChatResponse, Timestamp};
use rusqlite::OptionalExtension;

use super::Tracker;
use crate::Result;

/// What the cache of responses holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Responses, those that have expired among them.
    pub entries: u64,
    /// Their length in bytes.
    pub bytes: u64,
    /// How often one was given out.
    pub hits: u64,
}

impl Tracker {
    /// The response that was kept under `digest`, unless it has expired. The caller's digest covers all that the answer depends on: model,
    /// messages, sampling, tools, and the repeat where repeats are to differ.
    ///
    /// # Errors
    /// Where the file cannot be read or written: that a response was given out is recorded.
    pub fn cached_response(&self, digest: &str) -> Result<Option<ChatResponse>> {
        let now = self.now().unix_micros();
        self.write(|writing| {
            let sql = "UPDATE response SET hits = hits + 1, last_hit = ?2 WHERE digest = ?1 AND (expires IS NULL OR expires > ?2)
                       RETURNING response";
            let mut statement = writing.prepare_cached(sql)?;
            let found: Option<String> = statement.query_row((digest, now), |row| row.get(0)).optional()?;
            Ok(found.map(|json| serde_json::from_str(&json)).transpose()?)
        })
    }

    /// Keeps a response under `digest`, in the place of an earlier one; for `ttl`, or until it is pruned.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn cache_response(&self, digest: &str, response: &ChatResponse, ttl: Option<Duration>) -> Result<()> {
        let now = self.now();
        let expires = ttl.map(|ttl| now.saturating_add(ttl).unix_micros());
        self.write(|writing| {
            let json = serde_json::to_string(response)?;
            let sql = "INSERT OR REPLACE INTO response (digest, response, created, expires) VALUES (?1, ?2, ?3, ?4)";
            writing.prepare_cached(sql)?.execute((digest, json, now.unix_micros(), expires))?;
            Ok(())
        })
    }

    /// Removes responses that have expired, and those that nobody made or asked for since `unused_since`; says how many.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn prune_cache(&self, unused_since: Option<Timestamp>) -> Result<usize> {
        let now = self.now().unix_micros();
        self.write(|writing| {
            let sql = "DELETE FROM response WHERE expires <= ?1 OR max(created, coalesce(last_hit, created)) < ?2";
            Ok(writing.execute(sql, (now, unused_since.map(Timestamp::unix_micros)))?)
        })
    }

    /// What the cache holds.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn cache_stats(&self) -> Result<CacheStats> {
        self.read(|reading| {
            let sql = "SELECT count(*), coalesce(sum(octet_length(response)), 0), coalesce(sum(hits), 0) FROM response";
            Ok(reading.query_row(sql, [], |row| {
                let count = |index| row.get::<_, i64>(index).map(|count| count as u64);
                Ok(CacheStats { entries: count(0)?, bytes: count(1)?, hits: count(2)? })
            })?)
        })
    }
}
