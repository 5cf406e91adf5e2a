use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    Basis, Context, Effect, Error, Guard, Reach, Result, Scan,
    scan::{Matcher, Pattern, Seen},
};

/// Which commands are looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommandConfig {
    /// What is done about them.
    pub effect: Effect,
    /// Of which kinds.
    pub find: Vec<Command>,
}

impl Default for CommandConfig {
    /// Blocks all of them.
    fn default() -> Self {
        Self { effect: Effect::Block, find: vec![Command::Sql, Command::Shell, Command::Script, Command::Template] }
    }
}

/// Kinds of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Statements of SQL, and what is put into them from outside.
    Sql,
    /// Commands of shells that remove, fetch and run, or open a way in.
    Shell,
    /// Scripts in pages, and attributes that run them.
    Script,
    /// Expressions that a template would compute.
    Template,
}

impl Command {
    fn label(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Shell => "shell",
            Self::Script => "script",
            Self::Template => "template",
        }
    }

    fn forms(self) -> &'static [&'static str] {
        match self {
            Self::Sql => SQL,
            Self::Shell => SHELL,
            Self::Script => SCRIPT,
            Self::Template => TEMPLATE,
        }
    }

    fn pattern(self, form: &str) -> Result<Pattern> {
        let pattern = Pattern::new(self.label(), form)?;
        Ok(if self == Self::Sql { pattern.accepting(is_statement) } else { pattern })
    }
}

/// Finds commands that act where a text is passed on to a database, a shell, a page or a template: `sql`, `shell`, `script` and `template`
/// (OWASP LLM10:2026, improper output handling).
///
/// Each form is a grammar rather than a word: `select` alone is none, `SELECT name FROM users` is. Forms are those of plain commands:
/// one that is disguised with comments or quotes inside its words is not found, so this is no substitute for passing arguments apart.
///
/// ```
/// use jarre_guardrails::{Context, Guard, content::{CommandConfig, CommandGuard}};
///
/// let guard = CommandGuard::new(CommandConfig::default())?;
/// let found = guard.check("x' OR 1=1; DROP TABLE users; --", &Context::default())?;
/// assert_eq!(found[0].label, "sql");
/// assert!(guard.check("Select one of the flavours from the list.", &Context::default())?.is_empty());
/// # Ok::<(), jarre_guardrails::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CommandGuard {
    patterns: Arc<[Pattern]>,
    effect: Effect,
}

impl CommandGuard {
    /// A guard that finds these.
    ///
    /// # Errors
    /// [`Error::Config`] where nothing is looked for.
    pub fn new(config: CommandConfig) -> Result<Self> {
        if config.find.is_empty() {
            return Err(Error::config("commands", "`find` names no kind of command"));
        }
        let patterns = config.find.iter().flat_map(|command| command.forms().iter().map(|form| command.pattern(form)));
        Ok(Self { patterns: patterns.collect::<Result<_>>()?, effect: config.effect })
    }
}

impl Guard for CommandGuard {
    fn name(&self) -> &'static str {
        "commands"
    }

    fn reach(&self) -> Reach {
        Matcher::reach(&self.patterns)
    }

    fn basis(&self) -> Basis {
        Basis::Text
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        let effect = self.effect.clone();
        Box::new(Matcher::new(Arc::clone(&self.patterns), move |_, _| effect.clone()))
    }
}

const SQL: &[&str] = &[
    r#"(?i)\bselect[ \t\n]{1,8}(?:distinct[ \t\n]{1,4})?(?:\*|[a-zA-Z0-9_.`"()*]{1,64}(?:[ ]{0,2},[ \n]{0,8}[a-zA-Z0-9_.`"()*]{1,48}){0,12})[ \t\n]{1,8}from[ \t\n]{1,8}[a-zA-Z0-9_.`"(\[]{1,64}"#,
    r"(?i)\bunion[ \t\n+]{1,8}(?:all[ \t\n+]{1,8})?select\b",
    r#"(?im)\b(?:drop|truncate|alter)[ \t]{1,8}(?:table|database|schema|index|view|user)[ \t]{1,8}(?:if[ ]{1,2}exists[ ]{1,2})?[a-zA-Z0-9_.`"\[\]]{1,64}[ \t]{0,8}(?:;|--|$|\b(?:cascade|add|drop|rename|modify)\b)"#,
    r#"(?i)\binsert[ \t\n]{1,8}into[ \t\n]{1,8}[a-zA-Z0-9_.`"\[\]]{1,64}[ \t\n]{0,8}(?:\([^()]{1,128}\)[ \t\n]{0,8})?(?:values|select)\b"#,
    r#"(?i)\bdelete[ \t\n]{1,8}from[ \t\n]{1,8}[a-zA-Z0-9_.`"\[\]]{1,64}[ \t\n]{0,8}(?:;|\bwhere\b[ \t\n]{1,8}[a-zA-Z0-9_.`"]{1,64}[ ]{0,4}(?:[=<>]|\blike\b|\bin\b|\bis\b))"#,
    r#"(?i)\bupdate[ \t\n]{1,8}[a-zA-Z0-9_.`"\[\]]{1,64}[ \t\n]{1,8}set[ \t\n]{1,8}[a-zA-Z0-9_.`"]{1,64}[ ]{0,4}="#,
    r#"(?i)['"][ \t]{0,8}\)?[ \t]{0,8}(?:or|and|\|\|)[ \t]{1,8}['"]?[a-zA-Z0-9_]{1,32}['"]?[ \t]{0,8}(?:=|<|>|\blike\b)[ \t]{0,8}['"]?[a-zA-Z0-9_]{1,32}"#,
    r"(?i)\b(?:xp_cmdshell|waitfor[ ]{1,4}delay|information_schema\.|pg_sleep[ ]{0,2}\(|load_file[ ]{0,2}\(|into[ ]{1,4}outfile)",
];

const SHELL: &[&str] = &[
    r"\brm[ \t]{1,8}(?:--?[a-zA-Z-]{1,24}[ \t]{1,8}){0,3}-{1,2}(?:[a-zA-Z]{0,4}[rRf][a-zA-Z]{0,4}|recursive|force|no-preserve-root)[ \t]{1,8}[^\s]{1,48}",
    r"(?i)\b(?:curl|wget|fetch)[ \t]{1,8}[^|\n]{1,128}\|[ \t]{0,8}(?:sudo[ \t]{1,8})?(?:env[ \t]{1,8})?(?:ba|z|da|k|fi)?(?:sh|python3?|perl|ruby|node)\b",
    r"\bsudo[ \t]{1,8}(?:-[a-zA-Z]{1,8}[ \t]{1,8})?[a-z][a-z0-9_./-]{1,48}[ \t]{1,8}[^\s]{1,48}",
    r"\bchmod[ \t]{1,8}(?:-R[ \t]{1,8})?(?:0?777|[ugoa]{0,4}\+[rwxst]{1,6})[ \t]{1,8}[^\s]{1,48}",
    r"\bdd[ \t]{1,8}if=[^\s]{1,48}[ \t]{1,8}of=/dev/",
    r"\bmkfs(?:\.[a-zA-Z0-9_]{1,16})?[ \t]{1,8}(?:-[^\s]{1,16}[ \t]{1,8}){0,4}/dev/",
    r":\(\)[ ]{0,2}\{[ ]{0,2}:[ ]{0,2}\|[ ]{0,2}:[ ]{0,2}&[ ]{0,2}\}[ ]{0,2};",
    r"(?:>&|<)[ \t]{0,4}/dev/tcp/",
    r"\b(?:nc|ncat|netcat)[ \t]{1,8}(?:[^\n]{0,96} )?-[a-z]{0,8}[ec][ \t]{1,8}[^\s]{1,64}",
    r"(?:\b(?:cat|less|head|tail|cp|scp|grep)\b[^\n|;]{0,96}[ ])(?:/etc/(?:passwd|shadow|sudoers)|~?/?[^\s]{0,64}\.ssh/)",
    r"(?i)\bpowershell(?:\.exe)?[ \t]{1,8}[^\n]{0,96}-e(?:nc|ncodedcommand|xecutionpolicy)?\b",
    r"(?i)\b(?:iex|invoke-expression)[ \t]{0,8}\(",
    r"\bbase64[ \t]{1,8}(?:-d|--decode|-D)\b[^\n|]{0,96}\|[ \t]{0,8}(?:ba|z|da)?sh\b",
    r"(?:&&|;|\|\|?)[ \t]{0,8}(?:rm|wget|curl|nc|bash|sh|chmod|kill|shutdown|reboot)[ \t]{1,8}(?:-|/|~|https?:)[^\s]{1,48}",
    r"(?m)^[ \t]{0,16}\$[ \t]{1,4}[a-z][a-z0-9_./-]{0,32}(?:[ \t][^\n]{1,96})?$",
];

const SCRIPT: &[&str] = &[
    r"(?i)<[ \t]{0,4}/?script\b[^>]{0,96}>?",
    r#"(?i)<[a-z][a-z0-9]{0,16}\b[^>]{0,96}[\s/"']on[a-z]{3,24}[ \t]{0,4}=[^>]{0,96}"#,
    r"(?i)<[ \t]{0,4}(?:iframe|object|embed|base|meta)\b[^>]{0,96}>",
    r#"(?i)\bjavascript:[^\s"'<>]{1,128}"#,
    r"\bdocument\.(?:cookie|write|location)\b",
    r#"(?i)\beval[ ]{0,2}\((?:atob|unescape|string\.fromcharcode|["'])"#,
];

const TEMPLATE: &[&str] = &[
    r"\{\{[^{}\n]{1,128}\}\}",
    r"\{%-?[ ]{0,4}[a-z]{2,16}\b[^{}\n]{0,96}%\}",
    r"\$\{[^{}\n]{1,128}\}",
    r"<%[=@-]?[^%\n]{1,128}%>",
    r"#\{[^{}\n]{1,128}\}",
    r"__(?:class|globals|subclasses|builtins|import|mro)__",
];

/// Prose selects from lists and drops into tables: where the words are in lower case, no article may stand where a name would.
fn is_statement(seen: &Seen<'_>) -> Option<f32> {
    const ARTICLES: [&str; 30] = [
        "the", "a", "an", "this", "that", "these", "those", "my", "your", "our", "his", "her", "its", "their", "one", "two", "three",
        "some", "any", "all", "each", "every", "both", "which", "what", "among", "it", "them", "here", "there",
    ];
    let verb: String = seen.text.chars().take_while(char::is_ascii_alphabetic).collect();
    if verb.is_empty() || verb.chars().all(|letter| letter.is_ascii_uppercase()) {
        return Some(1.0);
    }
    let mut words = seen.text.split(|character: char| !character.is_alphanumeric() && character != '_').filter(|word| !word.is_empty());
    let is_prose = words.any(|word| ARTICLES.iter().any(|article| word.eq_ignore_ascii_case(article)));
    (!is_prose).then_some(0.75)
}
