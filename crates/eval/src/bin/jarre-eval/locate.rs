use anyhow::{Result, bail};
use jarre_eval::track::{Run, RunId, RunQuery, RunRow, Tracker};

/// The run that is meant by `name`: its id, the beginning of it, or a name that only one run has; `NAME@latest` is the last of that name.
pub fn run(tracker: &Tracker, name: &str) -> Result<Run> {
    if let Ok(id) = name.parse::<RunId>()
        && let Ok(run) = tracker.run(&id)
    {
        return Ok(run);
    }
    let (wanted, latest) = name.strip_suffix("@latest").map_or((name, false), |wanted| (wanted, true));
    // The newest first.
    let found = matching(tracker, |row| row.name == wanted || (!latest && wanted.len() >= 4 && row.id.as_str().starts_with(wanted)))?;
    match found.as_slice() {
        [] => bail!("there is no run `{name}`; `jarre-eval runs` lists them"),
        [only] => Ok(tracker.run(&only.id)?),
        [newest, ..] if latest => Ok(tracker.run(&newest.id)?),
        several => {
            let ids: Vec<&str> = several.iter().take(5).map(|row| row.id.as_str()).collect();
            bail!("`{name}` can be {} runs: {}; give an id, or `{wanted}@latest`", several.len(), ids.join(", "))
        }
    }
}

fn matching(tracker: &Tracker, is_meant: impl Fn(&RunRow) -> bool) -> Result<Vec<RunRow>> {
    let mut query = RunQuery::default().with_limit(1000);
    let mut found = Vec::new();
    loop {
        let page = tracker.list_runs(&query)?;
        found.extend(page.rows.into_iter().filter(|row| is_meant(row)));
        let Some(next) = page.next else { return Ok(found) };
        query = query.after(next);
    }
}
