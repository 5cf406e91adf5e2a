use std::{path::PathBuf, sync::Arc};

use jarre_core::{Permission, Result, ToolOutput};
use jarre_sandbox::{Cancel, Command, Execution, Limits};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Runner,
    frame::{Frame, unchanged},
    offload::implement_offloaded,
    runner::{ending, executed, stream},
    snapshot::Snapshot,
};

/// The most characters of each stream that the model reads.
const OUTPUT_CHARS: usize = 16_000;
/// The longest code, in bytes: Linux takes arguments of up to 128 KiB.
const CODE_BYTES: usize = 64 << 10;

/// A language that [`CodeExecute`] runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// Its name, as the model gives it.
    pub name: String,
    /// The program and its arguments. An argument `{code}` stands for the code.
    pub command: Vec<String>,
}

impl Language {
    /// A language of this name and command.
    pub fn new<S: Into<String>>(name: impl Into<String>, command: impl IntoIterator<Item = S>) -> Self {
        Self { name: name.into(), command: command.into_iter().map(Into::into).collect() }
    }

    /// Python, by the `python3` of the sandbox. Modules of the folder can be imported, and leave no compiled files.
    pub fn python() -> Self {
        Self::new("python", ["python3", "-B", "-c", "{code}"])
    }

    /// A shell, by the `sh` of the sandbox.
    pub fn shell() -> Self {
        Self::new("shell", ["sh", "-c", "{code}"])
    }

    /// Rust of the edition 2024, by the `rustc` of the sandbox. The program is kept in the sandbox's own `/tmp` for as long as it runs.
    pub fn rust() -> Self {
        let compile = r#"printf %s "$1" | rustc --edition 2024 -C debuginfo=0 -o /tmp/program - && exec /tmp/program"#;
        Self::new("rust", ["sh", "-c", compile, "sh", "{code}"])
    }
}

/// `code_execute`: runs code that the model wrote, in a sandbox and in the folder that it works in.
///
/// [`ToolOutput::data`] has `exit`, `stdout`, `stderr` and `limits_hit`, and in `changed` whether files of the folder were changed, where that can be told:
/// in a folder of this machine with no more than 20,000 entries. Code that ends otherwise than with 0 is an error for the model.
#[derive(Clone)]
pub struct CodeExecute {
    frame: Frame,
    runner: Arc<dyn Runner>,
    dir: PathBuf,
    languages: Vec<Language>,
    limits: Limits,
}

#[derive(Deserialize)]
struct Arguments {
    language: String,
    code: String,
    #[serde(default)]
    input: String,
}

impl CodeExecute {
    /// Runs code of these languages in `dir` by `runner`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where there is no language, or one has no program.
    pub fn new(runner: impl Runner + 'static, dir: impl Into<PathBuf>, languages: Vec<Language>) -> crate::Result<Self> {
        if languages.is_empty() || languages.iter().any(|language| language.command.is_empty()) {
            return Err(crate::Error::Invalid("code is run in no language, or by no program: name both".into()));
        }
        let names: Vec<&str> = languages.iter().map(|language| language.name.as_str()).collect();
        let properties = json!({
            "language": {"enum": names},
            "code": {"type": "string", "minLength": 1, "maxLength": CODE_BYTES, "description": "a whole program"},
            "input": {"type": "string", "maxLength": 1 << 20, "description": "what it reads from standard input (default: nothing)"}
        });
        let description = format!(
            "Runs a program ({}) in a sandbox without network, in the folder that you work in, and tells its output and exit code.",
            names.join(", ")
        );
        let frame = Frame::new("code_execute", &description, Permission::Execute, &properties, &["language", "code"]);
        let data = json!({"type": "object", "required": ["exit", "stdout", "stderr", "limits_hit"]});
        Ok(Self { frame: frame.with_data(&data), runner: Arc::new(runner), dir: dir.into(), languages, limits: Limits::default() })
    }

    /// Runs it within these limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn run(&self, arguments: &Arguments, cancel: &Cancel) -> Result<ToolOutput> {
        if arguments.code.len() > CODE_BYTES || arguments.code.contains('\0') {
            return Ok(unchanged(&format!("the code has a NUL, or more than {CODE_BYTES} bytes")));
        }
        let Some(language) = self.languages.iter().find(|language| language.name == arguments.language) else {
            return Ok(unchanged("the language is not known"));
        };
        let before = Snapshot::before(&self.dir, cancel);
        let execution = executed(&*self.runner, &self.command(language, arguments), &self.limits, cancel)?;
        let changed = before.and_then(|before| Some(before != Snapshot::of(&self.dir, cancel)?));
        Ok(told(&execution, changed))
    }

    fn command(&self, language: &Language, arguments: &Arguments) -> Command {
        let words = language.command[1..].iter().map(|word| if word == "{code}" { arguments.code.clone() } else { word.clone() });
        Command::new(&language.command[0], &self.dir).with_args(words).with_stdin(arguments.input.as_bytes())
    }
}

implement_offloaded!(CodeExecute);

impl std::fmt::Debug for CodeExecute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeExecute").field("languages", &self.languages).field("dir", &self.dir).finish_non_exhaustive()
    }
}

fn told(execution: &Execution, changed: Option<bool>) -> ToolOutput {
    let (stdout, stderr) = (stream("stdout", &execution.stdout, OUTPUT_CHARS), stream("stderr", &execution.stderr, OUTPUT_CHARS));
    let text = format!("{}\n{stdout}{stderr}", ending(execution));
    let mut data = json!({
        "exit": execution.exit,
        "stdout": execution.stdout.text,
        "stderr": execution.stderr.text,
        "limits_hit": execution.limits_hit,
    });
    if let Some(changed) = changed {
        data["changed"] = changed.into();
    }
    let output = if execution.succeeded() { ToolOutput::new(text) } else { ToolOutput::error(text) };
    output.with_data(data)
}
