use jarre_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use similar::TextDiff;

use super::{
    Template, Tracker,
    fault::{Fault, Step, missing, or_missing, refused},
};
use crate::{PromptRef, Result};

/// A version of a prompt. Once registered it is never changed and never removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptVersion {
    /// The prompt's name.
    pub name: String,
    /// Counted from 1.
    pub version: u32,
    /// The text.
    pub template: Template,
    /// BLAKE3 of the text, in hexadecimal.
    pub digest: String,
    /// What is new in it.
    pub message: String,
    /// Who registered it.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// The names that point to it now, in order.
    pub aliases: Vec<String>,
}

impl PromptVersion {
    /// What a run says of its prompt.
    pub fn reference(&self) -> PromptRef {
        PromptRef { name: self.name.clone(), version: self.version, digest: self.digest.clone() }
    }

    /// What has changed since `before`, line by line, in the unified format; empty where nothing has.
    pub fn diff_from(&self, before: &Self) -> String {
        let names = [before, self].map(|one| format!("{} version {}", one.name, one.version));
        let diff = TextDiff::from_lines(before.template.text(), self.template.text());
        diff.unified_diff().header(&names[0], &names[1]).to_string()
    }
}

impl Tracker {
    /// Registers a prompt, or another version of it. A text that the latest version has already is that version, and nothing is written.
    ///
    /// ```
    /// # use jarre_eval::track::Tracker;
    /// # use std::sync::Arc;
    /// # let tracker = Tracker::open_in_memory(Arc::new(jarre_core::SystemClock::new()))?;
    /// let first = tracker.register_prompt("solve", "{{question}}", "as it came", "ann")?;
    /// let second = tracker.register_prompt("solve", "{{question}}\nThink step by step.", "ask for steps", "ben")?;
    /// assert_eq!((first.version, second.version), (1, 2));
    /// tracker.set_prompt_alias("solve", "production", 2)?;
    /// assert_eq!(tracker.prompt_by_alias("solve", "production")?.author, "ben");
    /// assert!(second.diff_from(&first).contains("+Think step by step."));
    /// # Ok::<(), jarre_eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) for an empty name.
    pub fn register_prompt(&self, name: &str, template: &str, message: &str, author: &str) -> Result<PromptVersion> {
        let now = self.now().unix_micros();
        self.write(|writing| {
            let prompt = prompt_number(writing, name, now)?;
            let latest: i64 = writing.query_row(LATEST, [prompt], |row| row.get(0))?;
            let digest = blake3::hash(template.as_bytes()).to_hex().to_string();
            let sql = "SELECT EXISTS (SELECT 1 FROM prompt_version WHERE prompt = ?1 AND version = ?2 AND digest = ?3)";
            if writing.query_row(sql, (prompt, latest, &digest), |row| row.get(0))? {
                return find(writing, name, latest);
            }
            let variables = serde_json::to_string(&Template::new(template).variables())?;
            let sql = "INSERT INTO prompt_version VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            writing.execute(sql, (prompt, latest + 1, template, variables, digest, message, author, now))?;
            find(writing, name, latest + 1)
        })
    }

    /// A version of a prompt.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such prompt or version.
    pub fn prompt(&self, name: &str, version: u32) -> Result<PromptVersion> {
        self.read(|reading| find(reading, name, version.into()))
    }

    /// The version of a prompt that was registered last.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such prompt.
    pub fn latest_prompt(&self, name: &str) -> Result<PromptVersion> {
        self.read(|reading| {
            let latest = reading.query_row(LATEST, [named(reading, name)?], |row| row.get(0))?;
            find(reading, name, latest)
        })
    }

    /// The version of a prompt that an alias points to.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such prompt or alias.
    pub fn prompt_by_alias(&self, name: &str, alias: &str) -> Result<PromptVersion> {
        self.read(|reading| {
            let sql = "SELECT version FROM prompt_alias WHERE prompt = ?1 AND alias = ?2";
            let version = reading.query_row(sql, (named(reading, name)?, alias), |row| row.get(0)).optional()?;
            find(reading, name, version.ok_or_else(|| missing("alias", &format!("{name}@{alias}")))?)
        })
    }

    /// All versions of a prompt, the first first.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such prompt.
    pub fn prompt_versions(&self, name: &str) -> Result<Vec<PromptVersion>> {
        self.read(|reading| {
            named(reading, name)?;
            let mut statement = reading.prepare(&format!("{SELECT} WHERE p.name = ?1 ORDER BY v.version"))?;
            statement.query_and_then([name], version_of)?.collect()
        })
    }

    /// The names of all prompts, in order.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn prompts(&self) -> Result<Vec<String>> {
        self.read(|reading| {
            let mut statement = reading.prepare("SELECT name FROM prompt ORDER BY name")?;
            let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(names)
        })
    }

    /// Points an alias (`production`) to a version, wherever it pointed before.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such prompt or version, [`Error::Refused`](crate::Error::Refused) for
    /// an alias that is empty or a number, which would be taken for a version.
    pub fn set_prompt_alias(&self, name: &str, alias: &str, version: u32) -> Result<()> {
        let now = self.now().unix_micros();
        self.write(|writing| {
            if alias.is_empty() || alias.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(refused("an alias is a word, such as `production`"));
            }
            find(writing, name, version.into())?;
            let sql = "INSERT OR REPLACE INTO prompt_alias VALUES (?1, ?2, ?3, ?4)";
            writing.execute(sql, (named(writing, name)?, alias, version, now))?;
            Ok(())
        })
    }

    /// Removes an alias, and says whether it was there.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) where there is no such prompt.
    pub fn remove_prompt_alias(&self, name: &str, alias: &str) -> Result<bool> {
        self.write(|writing| {
            let sql = "DELETE FROM prompt_alias WHERE prompt = ?1 AND alias = ?2";
            Ok(writing.execute(sql, (named(writing, name)?, alias))? > 0)
        })
    }
}

const LATEST: &str = "SELECT coalesce(max(version), 0) FROM prompt_version WHERE prompt = ?1";

const SELECT: &str = "SELECT p.name, v.version, v.template, v.digest, v.message, v.author, v.created,
    (SELECT json_group_array(alias) FROM (SELECT alias FROM prompt_alias a WHERE a.prompt = v.prompt AND a.version = v.version ORDER BY alias))
    FROM prompt p JOIN prompt_version v ON v.prompt = p.n";

fn named(connection: &Connection, name: &str) -> Step<i64> {
    let found = connection.query_row("SELECT n FROM prompt WHERE name = ?1", [name], |row| row.get(0));
    or_missing(found.map_err(Fault::from), "prompt", name)
}

/// The number of a prompt, which is made where there is none.
fn prompt_number(writing: &Connection, name: &str, now: i64) -> Step<i64> {
    if name.is_empty() {
        return Err(refused("a prompt needs a name"));
    }
    writing.execute("INSERT INTO prompt (name, created) VALUES (?1, ?2) ON CONFLICT DO NOTHING", (name, now))?;
    named(writing, name)
}

fn find(connection: &Connection, name: &str, version: i64) -> Step<PromptVersion> {
    named(connection, name)?;
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE p.name = ?1 AND v.version = ?2"))?;
    let found = statement.query_and_then((name, version), version_of)?.next();
    found.unwrap_or_else(|| Err(missing("version of the prompt", &format!("{name}/{version}"))))
}

fn version_of(row: &Row<'_>) -> Step<PromptVersion> {
    Ok(PromptVersion {
        name: row.get(0)?,
        version: row.get(1)?,
        template: Template::new(row.get::<_, String>(2)?),
        digest: row.get(3)?,
        message: row.get(4)?,
        author: row.get(5)?,
        created: Timestamp::from_unix_micros(row.get(6)?),
        aliases: serde_json::from_str(&row.get::<_, String>(7)?)?,
    })
}
