mod command;
pub(crate) mod glob;
pub(crate) mod path;

use std::fmt;

use jarre_core::{Permission, ToolSpec};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::{command::CommandLine, glob::Glob, path::NormalPath};

/// What a rule says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is made.
    Allow,
    /// A person is asked first.
    Ask,
    /// It is not made; the model is told.
    Deny,
}

/// A rule: whom it speaks of, and what it says. Each condition that is given has to hold.
///
/// Where it is open whether a condition holds, a rule that allows does not speak and one that asks or denies does:
///
/// - Paths are compared after `.` and `..` are worked out. One that leaves its folder, is absolute or is no text is allowed by no rule on paths.
/// - A command that is a list of words is never a shell's line, and is compared word by word. A text is split as a shell splits it; where a shell
///   would do more than that (`;`, `|`, `$(..)`, `>`, wildcards, an assignment in front), no rule on commands allows it. Rules that ask or
///   deny look at every part of it, from every word on: `rm *` also speaks of `cd x && sudo /bin/rm -r y` and of `["sh", "-c", "rm y"]`.
///
/// Names are compared letter by letter: where a file system takes `Keys` and `keys` for one, a rule has to name both.
///
/// Rules on commands are for people's convenience, not walls: a program that is allowed can start others. What holds commands is the sandbox.
/// A rule on paths speaks of calls that name the path; what walks a folder is kept from files by
/// [`Workspace::hiding`](crate::Workspace::hiding).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it says.
    pub verdict: Verdict,
    /// The tool's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The tool's permission class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Permission>,
    /// A glob over the argument `path`: `*` and `?` stay within a part of it, `**` stands for any number of parts. `a/**` speaks of `a` too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A glob over the words of the argument `command`: `*` and `?` stay within a word; `**`, and a `*` that comes last, stand for any number of
    /// words. Rules that ask or deny look at the argument `code` where there is no `command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Rule {
    /// A rule that says this of every call, until it is given conditions.
    pub fn new(verdict: Verdict) -> Self {
        Self { verdict, tool: None, class: None, path: None, command: None }
    }

    /// Speaks only of this tool.
    pub fn on_tool(mut self, name: impl Into<String>) -> Self {
        self.tool = Some(name.into());
        self
    }

    /// Speaks only of tools of this class.
    pub fn on_class(mut self, class: Permission) -> Self {
        self.class = Some(class);
        self
    }

    /// Speaks only of calls whose `path` matches.
    pub fn on_path(mut self, glob: impl Into<String>) -> Self {
        self.path = Some(glob.into());
        self
    }

    /// Speaks only of calls whose `command` matches.
    pub fn on_command(mut self, glob: impl Into<String>) -> Self {
        self.command = Some(glob.into());
        self
    }

    fn speaks_of(&self, spec: &ToolSpec, arguments: &Value) -> bool {
        self.tool.as_ref().is_none_or(|tool| *tool == spec.name)
            && self.class.is_none_or(|class| class == spec.permission)
            && self.path.as_ref().is_none_or(|glob| self.holds_path(glob, arguments.get("path")))
            && self.command.as_ref().is_none_or(|glob| self.holds_command(glob, self.commands(arguments)))
    }

    fn holds_path(&self, glob: &str, argument: Option<&Value>) -> bool {
        let Some(argument) = argument else { return false };
        let Some(text) = argument.as_str().filter(|text| !text.contains('\0')) else { return self.is_strict() };
        let path = NormalPath::new(text);
        match (text.starts_with('/'), glob.starts_with('/')) {
            (true, true) => Glob::new(glob).matches(&path.parts),
            (false, false) if path.inside => Glob::new(glob).matches(&path.parts),
            (false, true) if path.inside => false,
            _ => self.is_strict(),
        }
    }

    /// What is to be run. Code is no command that could be allowed, but may hold one that is not.
    fn commands<'a>(&self, arguments: &'a Value) -> Option<&'a Value> {
        arguments.get("command").or_else(|| arguments.get("code").filter(|_| self.is_strict()))
    }

    fn holds_command(&self, glob: &str, argument: Option<&Value>) -> bool {
        match argument {
            None => false,
            Some(argument) => match CommandLine::read(argument) {
                Some(command) if self.is_strict() => command.has(glob),
                Some(command) => command.is(glob),
                None => self.is_strict(),
            },
        }
    }

    fn is_strict(&self) -> bool {
        self.verdict != Verdict::Allow
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.verdict {
            Verdict::Allow => "allow",
            Verdict::Ask => "ask before",
            Verdict::Deny => "deny",
        })?;
        match (&self.tool, self.class) {
            (Some(tool), _) => write!(f, " `{tool}`")?,
            (None, Some(class)) => write!(f, " {} calls", class_name(class))?,
            (None, None) => f.write_str(" any tool")?,
        }
        if let Some(path) = &self.path {
            write!(f, " on paths like `{path}`")?;
        }
        if let Some(command) = &self.command {
            write!(f, " with commands like `{command}`")?;
        }
        Ok(())
    }
}

fn class_name(class: Permission) -> &'static str {
    match class {
        Permission::Read => "read",
        Permission::Write => "write",
        Permission::Network => "network",
        Permission::Execute => "execute",
    }
}

/// Rules and what is said where none speaks. Of several rules that speak, the strictest is followed.
///
/// ```
/// use jarre_agent::{Rule, RuleSet, Verdict};
/// use jarre_core::{Permission, ToolSpec};
/// use serde_json::json;
///
/// let rules = RuleSet {
///     rules: vec![Rule::new(Verdict::Allow).on_tool("file_write").on_path("src/**"), Rule::new(Verdict::Deny).on_path("src/keys/**")],
///     ..RuleSet::default()
/// };
/// let write = ToolSpec::new("file_write", "writes", json!({"type": "object"}), Permission::Write);
/// let verdict = |path| rules.verdict(&write, &json!({"path": path})).0;
/// assert_eq!(verdict("src/lib.rs"), Verdict::Allow);
/// assert_eq!(verdict("src/../Cargo.toml"), Verdict::Ask);
/// assert_eq!(verdict("src/./keys/id"), Verdict::Deny);
/// assert_eq!(verdict("../elsewhere"), Verdict::Deny);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleSet {
    /// The rules.
    pub rules: Vec<Rule>,
    /// What is said of writing, executing and the network where no rule speaks. Reading is allowed then, unless this denies.
    pub otherwise: Verdict,
}

impl Default for RuleSet {
    fn default() -> Self {
        Self { rules: Vec::new(), otherwise: Verdict::Ask }
    }
}

impl RuleSet {
    /// What is said of a call, and by which rule, in words.
    pub fn verdict(&self, spec: &ToolSpec, arguments: &Value) -> (Verdict, String) {
        let speaking = self.rules.iter().enumerate().filter(|(_, rule)| rule.speaks_of(spec, arguments));
        // The first of the strictest.
        let strictest = speaking.reduce(|best, next| if next.1.verdict > best.1.verdict { next } else { best });
        match strictest {
            Some((index, rule)) => (rule.verdict, format!("rule {}: {rule}", index + 1)),
            None if spec.permission == Permission::Read && self.otherwise != Verdict::Deny => {
                (Verdict::Allow, "no rule speaks of it, and it only reads".into())
            }
            None => (self.otherwise, format!("no rule speaks of it, and it is a call of the class `{}`", class_name(spec.permission))),
        }
    }

    /// The globs of paths that nothing may read: those of rules that deny, whatever the tool or for reading. What a
    /// [`Workspace`](crate::Workspace) hides, so that listings and searches keep to the rules too.
    pub fn unreadable(&self) -> impl Iterator<Item = &str> {
        let applies = |rule: &&Rule| {
            let all = rule.tool.is_none() && rule.command.is_none();
            rule.verdict == Verdict::Deny && all && rule.class.is_none_or(|class| class == Permission::Read)
        };
        self.rules.iter().filter(applies).filter_map(|rule| rule.path.as_deref())
    }
}
