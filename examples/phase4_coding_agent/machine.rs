//! The sandbox with the compilers and interpreters of this machine in it.

use std::{
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::{Context, Result};
use clap::Args;
use jarre_agent::{
    RuleSet, Toolbox, Workspace,
    log::Effects,
    tools::{Calculator, CodeExecute, FileRead, Language, ListFiles, Runner, SearchText, TestFormat, TestRun},
};
use jarre_sandbox::{Cancel, Command, Execution, Layer, Limits, Requirements, Sandbox, SandboxConfig};

use crate::durable;

/// How commands are shut in.
#[derive(Clone, Debug, Args)]
pub(crate) struct SandboxArgs {
    /// Runs commands although this layer of protection is not to be had; may be given several times.
    #[arg(long = "allow-missing", value_name = "LAYER", value_parser = layer)]
    pub(crate) allow_missing: Vec<Layer>,
    /// Time until a command is ended, in seconds.
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS")]
    pub(crate) wall: f64,
    /// Processor time of a command, in seconds.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    pub(crate) cpu: f64,
    /// Memory of a command, in MiB.
    #[arg(long, default_value_t = 1024, value_name = "MIB")]
    pub(crate) memory: u64,
    /// Processes and threads of a command.
    #[arg(long, default_value_t = 64)]
    pub(crate) processes: u64,
    /// What a command may write, in MiB.
    #[arg(long, default_value_t = 256, value_name = "MIB")]
    pub(crate) disk: u64,
    /// What is kept of each output stream, in KiB.
    #[arg(long, default_value_t = 64, value_name = "KIB")]
    pub(crate) output: usize,
    /// Shows one more file or folder to commands, read-only; may be given several times.
    #[arg(long, value_name = "PATH")]
    pub(crate) readable: Vec<PathBuf>,
}

fn layer(name: &str) -> Result<Layer, String> {
    let known = Layer::ALL.map(Layer::name).join(", ");
    Layer::ALL.into_iter().find(|layer| layer.name() == name).ok_or_else(|| format!("there is no such layer, there are: {known}"))
}

impl SandboxArgs {
    /// The limits of a command.
    pub(crate) fn limits(&self) -> Result<Limits> {
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).context("--wall and --cpu are times in seconds, from 0 on");
        let mut limits = Limits::default();
        (limits.wall, limits.cpu) = (seconds(self.wall)?, seconds(self.cpu)?);
        (limits.memory, limits.disk) = (self.memory.saturating_mul(1 << 20), self.disk.saturating_mul(1 << 20));
        // A file may be as large as all of them together.
        (limits.processes, limits.file_size) = (self.processes, limits.disk);
        limits.output = self.output.saturating_mul(1 << 10);
        Ok(limits)
    }

    /// The sandbox, with one folder more that commands see.
    pub(crate) fn machine(&self, shown: Option<&Path>) -> Result<Machine> {
        let requirements = self.allow_missing.iter().fold(Requirements::default(), |required, layer| required.without(*layer));
        let mut config = SandboxConfig::default().with_limits(self.limits()?).with_requirements(requirements);
        for prefix in toolchains() {
            config = config.with_tools(prefix);
        }
        for path in self.readable.iter().map(PathBuf::as_path).chain(shown) {
            config = config.with_readable(path);
        }
        Ok(Machine { sandbox: Sandbox::new(config)?, cancel: Cancel::new() })
    }
}

/// Where Rust and Python are, where not with the system. Rust is found by what `rustc` says of itself, because the program of that name
/// can be a proxy that picks a toolchain by the caller's home, which is not seen inside; Python likewise.
fn toolchains() -> Vec<PathBuf> {
    let rust = asked("rustc", &["--print", "sysroot"]);
    let python = asked("python3", &["-c", "import sys; print(sys.base_prefix)"]);
    let system = ["/", "/usr", "/usr/local"].map(Path::new);
    [rust, python].into_iter().flatten().filter(|prefix| !system.contains(&prefix.as_path())).collect()
}

fn asked(program: &str, args: &[&str]) -> Option<PathBuf> {
    let output = process::Command::new(program).args(args).output().ok()?;
    let prefix = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    (output.status.success() && prefix.is_absolute()).then_some(prefix)
}

/// Runs commands in the sandbox, with what compilers need of an environment.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) sandbox: Sandbox,
    pub(crate) cancel: Cancel,
}

impl Runner for Machine {
    fn run(&self, command: &Command, limits: &Limits) -> jarre_sandbox::Result<Execution> {
        self.run_until(command, limits, &Cancel::new())
    }

    /// Ended by `cancel`, which a tool that is given up sets, and by Ctrl-C, which sets the machine's own.
    fn run_until(&self, command: &Command, limits: &Limits, cancel: &Cancel) -> jarre_sandbox::Result<Execution> {
        let env = [
            ("CARGO_HOME", "/tmp/cargo"),
            ("CARGO_INCREMENTAL", "0"),
            ("CARGO_NET_OFFLINE", "true"),
            ("CARGO_TERM_COLOR", "never"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
        ];
        let command = env.into_iter().fold(command.clone(), |command, (key, value)| command.with_env(key, value));
        self.sandbox.run_with(&command, limits, &self.cancel.or(cancel))
    }
}

impl Machine {
    /// The tool that runs `command` in `folder` and reads what its tests say.
    pub(crate) fn tests(&self, folder: &Path, command: &[String], format: TestFormat) -> Result<TestRun> {
        Ok(TestRun::new(self.clone(), folder, command, format)?.with_limits(self.sandbox.config().limits))
    }

    /// Every tool that an agent has in `folder`, what `rules` keep from being read hidden, what came of calls kept in `effects`.
    pub(crate) fn toolbox(
        &self,
        folder: &Path,
        command: &[String],
        format: TestFormat,
        rules: &RuleSet,
        effects: &Effects,
    ) -> Result<Toolbox> {
        let workspace = rules.unreadable().fold(Workspace::open(folder)?, Workspace::hiding);
        let languages = vec![Language::python(), Language::shell(), Language::rust()];
        let execute = CodeExecute::new(self.clone(), folder, languages)?.with_limits(self.sandbox.config().limits);
        let files = Toolbox::new()
            .with(FileRead::new(workspace.clone()))
            .with(durable::write(workspace.clone(), effects))
            .with(durable::edit(workspace.clone(), effects))
            .with(ListFiles::new(workspace.clone()))
            .with(SearchText::new(workspace));
        let tests = durable::tests(self.tests(folder, command, format)?, effects);
        Ok(files.with(Calculator::new()).with(durable::execute(execute, effects)).with(tests))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use jarre_agent::{Rule, Verdict};
    use jarre_core::ToolContext;
    use jarre_kv_store::Memory;
    use jarre_sandbox::LimitHit;
    use serde_json::json;

    use super::*;

    fn machine() -> Machine {
        let requirements = Layer::ALL.into_iter().fold(Requirements::default(), Requirements::without);
        Machine { sandbox: Sandbox::new(SandboxConfig::default().with_requirements(requirements)).unwrap(), cancel: Cancel::new() }
    }

    #[test]
    fn a_command_is_ended_by_the_tool_that_gave_it_up_and_by_ctrl_c() {
        let folder = tempfile::tempdir().unwrap();
        let command = Command::new("sleep", folder.path()).with_args(["20"]);
        let limits = Limits::default();
        let (given_up, machine) = (Cancel::new(), machine());
        given_up.cancel();
        let execution = machine.run_until(&command, &limits, &given_up).unwrap();
        assert_eq!(execution.limits_hit, [LimitHit::Cancelled]);
        machine.cancel.cancel();
        let execution = machine.run_until(&command, &limits, &Cancel::new()).unwrap();
        assert_eq!(execution.limits_hit, [LimitHit::Cancelled]);
    }

    #[test]
    fn what_rules_keep_from_being_read_is_found_by_no_search_and_in_no_list() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("secrets")).unwrap();
        fs::write(folder.path().join("secrets/key"), "password").unwrap();
        fs::write(folder.path().join("open.txt"), "password").unwrap();
        let rules = RuleSet { rules: vec![Rule::new(Verdict::Deny).on_path("secrets/**")], ..RuleSet::default() };
        let (command, effects) = (["true".to_owned()], Effects::new(Arc::new(Memory::new())));
        let tools = machine().toolbox(folder.path(), &command, TestFormat::ExitCode, &rules, &effects).unwrap();
        for (name, arguments) in [("search_text", json!({"pattern": "password"})), ("list_files", json!({}))] {
            let output = pollster::block_on(tools.get(name).unwrap().call(arguments, &ToolContext::new(name))).unwrap();
            assert!(output.text.contains("open.txt") && !output.text.contains("key"), "{name}: {}", output.text);
        }
    }
}
