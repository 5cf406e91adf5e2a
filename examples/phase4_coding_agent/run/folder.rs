use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result, bail};
use jarre_agent::{Rule, RuleSet, Verdict};
use jarre_core::{Permission, ToolSpec};
use serde_json::json;

use crate::{
    store::StoreArgs,
    tasks::{self, TaskSpec},
};

/// Files that are copied at most.
const MOST: usize = 20_000;
/// What is made anew anyway, or is none of the agent's business.
const LEFT_OUT: [&str; 3] = ["target", ".git", "__pycache__"];

/// Lays a task's files in a new folder, but not those that `rules` let nothing read.
pub(super) fn lay(folder: &Path, task: &TaskSpec, rules: &RuleSet) -> Result<Laid> {
    let kept = Kept::by(rules);
    let files = task.files.iter().chain(&task.tests).filter(|(path, _)| !kept.hides(path.as_ref()));
    let files: BTreeMap<String, String> = files.map(|(path, text)| (path.clone(), text.clone())).collect();
    filled(folder, || tasks::lay(folder, &files))
}

/// Copies the files of `repo`, but not those of the store, which can lie in it, nor those that `rules` let nothing read. Links are left out,
/// because they can lead anywhere.
pub(super) fn copy(repo: &Path, folder: &Path, store: &StoreArgs, rules: &RuleSet) -> Result<Laid> {
    filled(folder, || {
        let root = repo.canonicalize().with_context(|| format!("there is no folder {}", repo.display()))?;
        let kept = Kept { store: store.own(), ..Kept::by(rules) };
        Copy { root: &root, kept, left: MOST }.within(&root, folder)
    })
}

/// Copies the files of the run `from`, where there are any, as they are now: what its tools did is not undone. No run `to` has begun.
pub(crate) fn copy_again(store: &StoreArgs, from: &str, to: &str) -> Result<Option<Laid>> {
    let (from, to) = (store.folder(from), store.folder(to));
    if !from.is_dir() {
        return Ok(None);
    }
    filled(&to, || Copy { root: &from, kept: Kept::default(), left: MOST }.within(&from, &to)).map(Some)
}

/// A folder that is laid for a run that has not begun: it goes when this is dropped, unless it is to be kept. Where the process is ended before
/// that, a file beside it tells, and the next try begins anew.
#[derive(Debug)]
pub(crate) struct Laid {
    folder: PathBuf,
    kept: AtomicBool,
}

impl Laid {
    fn begin(folder: &Path) -> Result<Self> {
        let mark = mark(folder);
        if mark.exists() && folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}, which was laid for no run", folder.display()))?;
        }
        if folder.exists() {
            bail!("{} is there already: take another name for the run, or another --db", folder.display());
        }
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        fs::write(&mark, "").with_context(|| format!("cannot write {}", mark.display()))?;
        Ok(Self { folder: folder.to_owned(), kept: AtomicBool::new(false) })
    }

    /// The run has begun.
    pub(crate) fn keep(&self) {
        if !self.kept.swap(true, Ordering::Relaxed) {
            begun(&self.folder);
        }
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        if !*self.kept.get_mut() {
            // What went wrong before is told.
            let _ = fs::remove_dir_all(&self.folder);
            begun(&self.folder);
        }
    }
}

/// Takes away the mark of a folder whose run has begun; one that was killed right then left it.
pub(super) fn begun(folder: &Path) {
    let _ = fs::remove_file(mark(folder));
}

/// The names of runs begin with a letter or a digit.
fn mark(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.starting"))
}

/// What is kept from the agent, beside [`LEFT_OUT`].
#[derive(Debug, Default)]
struct Kept {
    /// Places in full.
    store: Vec<PathBuf>,
    /// That deny paths to whatever reads: a command would see what lies in its folder.
    rules: RuleSet,
}

impl Kept {
    /// What `rules` let nothing read.
    fn by(rules: &RuleSet) -> Self {
        let rules = rules.unreadable().map(|glob| Rule::new(Verdict::Deny).on_path(glob)).collect();
        Self { store: Vec::new(), rules: RuleSet { rules, otherwise: Verdict::Ask } }
    }

    /// Whether `path`, relative to the folder, may not be read.
    fn hides(&self, path: &Path) -> bool {
        let read = ToolSpec::new("read", "reads a file", json!({"type": "object"}), Permission::Read);
        self.rules.verdict(&read, &json!({"path": path.to_string_lossy()})).0 == Verdict::Deny
    }
}

struct Copy<'a> {
    root: &'a Path,
    kept: Kept,
    /// Files that may still be copied.
    left: usize,
}

impl Copy<'_> {
    fn within(&mut self, from: &Path, to: &Path) -> Result<()> {
        for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
            let entry = entry?;
            let (name, path, kind) = (entry.file_name(), entry.path(), entry.file_type()?);
            if LEFT_OUT.iter().any(|left_out| name == *left_out) || self.is_kept(&path) {
                continue;
            }
            self.left = self.left.checked_sub(1).with_context(|| format!("there are more than {MOST} files to copy"))?;
            let target = to.join(&name);
            if kind.is_dir() {
                make(&target)?;
                self.within(&path, &target)?;
            } else if kind.is_file() {
                fs::copy(&path, &target).with_context(|| format!("cannot copy {}", path.display()))?;
            }
        }
        Ok(())
    }

    fn is_kept(&self, path: &Path) -> bool {
        self.kept.store.iter().any(|place| place == path) || path.strip_prefix(self.root).is_ok_and(|path| self.kept.hides(path))
    }
}

/// Makes the folder and fills it; where that fails, nothing is left of it.
fn filled(folder: &Path, fill: impl FnOnce() -> Result<()>) -> Result<Laid> {
    let laid = Laid::begin(folder)?;
    make(folder)?;
    fill()?;
    Ok(laid)
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    open_to_commands(folder)
}

/// Where the caller is root, commands run as a user of their own, who has to be able to write here. What was just made belongs to the caller.
#[cfg(unix)]
fn open_to_commands(folder: &Path) -> Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let told = || format!("cannot open {} to commands", folder.display());
    if fs::metadata(folder).with_context(told)?.uid() == 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).with_context(told)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn open_to_commands(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_store_the_folders_of_runs_and_what_rules_hide_are_not_copied() {
        let repo = tempfile::tempdir().unwrap();
        let store = ["runs/agent.db", "runs/agent.db.lock", "runs/agent.db.new", "runs/agent.db.work/old/b.py"];
        for path in store.iter().chain(&["a.py", "runs/note.txt", "secrets/key", "deep/x.pem"]) {
            tasks::lay(repo.path(), &BTreeMap::from([((*path).to_owned(), "text".to_owned())])).unwrap();
        }
        let store = StoreArgs { db: repo.path().join("runs/agent.db") };
        let deny = |glob| Rule::new(Verdict::Deny).on_path(glob);
        let rules = RuleSet { rules: vec![deny("secrets/**"), deny("**/*.pem"), deny("a.py").on_tool("file_write")], ..RuleSet::default() };
        let folder = store.folder("new");
        copy(repo.path(), &folder, &store, &rules).unwrap().keep();
        assert_eq!(files(&folder), ["a.py", "deep", "runs"]);
        assert_eq!(files(&folder.join("runs")), ["note.txt"]);
        assert!(files(&folder.join("deep")).is_empty());
    }

    #[test]
    fn a_folder_stays_only_where_its_run_began() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("demo");
        let lay = || filled(&folder, || Ok(fs::write(folder.join("a"), "")?));
        drop(lay().unwrap());
        assert!(files(place.path()).is_empty(), "an error behind it leaves nothing");
        assert!(filled(&folder, || bail!("no")).is_err());
        assert!(files(place.path()).is_empty(), "nor does one in it");
        std::mem::forget(lay().unwrap());
        fs::write(folder.join("stale"), "").unwrap();
        lay().unwrap().keep();
        assert_eq!((files(place.path()), files(&folder)), (vec!["demo".to_owned()], vec!["a".to_owned()]), "a kill is begun anew");
        assert!(lay().is_err(), "the folder of a run is never taken away");
        assert_eq!((files(place.path()), files(&folder)), (vec!["demo".to_owned()], vec!["a".to_owned()]));
    }

    #[cfg(unix)]
    #[test]
    fn folders_are_open_to_all_only_where_the_caller_is_root() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("demo");
        make(&folder).unwrap();
        let found = fs::metadata(&folder).unwrap();
        assert_eq!(found.permissions().mode() & 0o002 != 0, found.uid() == 0);
    }
}
