//! Other processes: this test binary, started again to play one part.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

const PATH: &str = "JARRE_TEST_TRACKER";

/// Starts this binary with `part`, an ignored test, alone; it finds its file with [`part_path`].
pub(crate) fn start(part: &str, path: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([part, "--exact", "--ignored", "--nocapture"]).env(PATH, path);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The file of a part; `None` where someone runs the ignored tests by hand.
#[expect(clippy::disallowed_methods, reason = "how the parent process tells a part its file")]
pub(crate) fn part_path() -> Option<PathBuf> {
    env::var_os(PATH).map(PathBuf::from)
}
