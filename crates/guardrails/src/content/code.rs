use serde::{Deserialize, Serialize};

use crate::{Basis, Context, Effect, Error, Finding, Guard, Reach, Result, Scan, scan::boundary_before};

/// Bytes of a line that are looked at together; what is longer is read in parts.
const LONGEST_LINE: usize = 1024;

/// When text is a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CodeConfig {
    /// What is done about it.
    pub effect: Effect,
    /// Whether what stands between fences (```` ``` ````) is code whatever it looks like, unless the fence says that it is text.
    pub fences: bool,
    /// How much has to speak for code: each line that looks like code adds up to 3, each that looks like prose takes 2 away.
    pub evidence: u32,
}

impl Default for CodeConfig {
    /// Blocks what is fenced, and what two or three lines speak for.
    fn default() -> Self {
        Self { effect: Effect::Block, fences: true, evidence: 5 }
    }
}

/// Finds programs where none should be, as `code`: by fences, and by how lines look.
///
/// Evidence is summed over lines as in a CUSUM chart (Page, 1954): it never falls below nothing, so that prose before a program does not
/// hide it. A finding is a line at which there is enough of it; so the first lines of a program without fences are let through.
/// It knows no grammar: a single line of code in prose is not found. See [`CommandGuard`](super::CommandGuard) for those that do harm.
///
/// ```
/// use jarre_guardrails::{Context, Guard, content::{CodeConfig, CodeGuard}};
///
/// let guard = CodeGuard::new(CodeConfig::default())?;
/// assert!(guard.check("Let us import what we need.\nThen we return.", &Context::default())?.is_empty());
/// assert_eq!(guard.check("So:\n\nfn main() {\n    let x = 1;\n}\n", &Context::default())?[0].label, "code");
/// # Ok::<(), jarre_guardrails::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CodeGuard {
    config: CodeConfig,
}

impl CodeGuard {
    /// A guard that finds programs so.
    ///
    /// # Errors
    /// [`Error::Config`] where no evidence is enough.
    pub fn new(config: CodeConfig) -> Result<Self> {
        if config.evidence == 0 {
            return Err(Error::config("code", "`evidence` is 0, which every text has; 5 is two lines"));
        }
        Ok(Self { config })
    }
}

impl Guard for CodeGuard {
    fn name(&self) -> &'static str {
        "code"
    }

    fn reach(&self) -> Reach {
        Reach::Bytes(LONGEST_LINE)
    }

    fn basis(&self) -> Basis {
        Basis::Text
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        Box::new(CodeScan { config: self.config.clone(), line: String::new(), decided: 0, evidence: 0, fence: None })
    }
}

struct CodeScan {
    config: CodeConfig,
    /// What of the line has come.
    line: String,
    decided: usize,
    evidence: i64,
    /// The mark of an open fence, and whether what it holds is code.
    fence: Option<(u8, bool)>,
}

impl CodeScan {
    /// Takes the line `self.line[from..to]`.
    fn take(&mut self, from: usize, to: usize, found: &mut Vec<Finding>) {
        let line = &self.line[from..to];
        let fence = fence(line);
        let is_code = match (fence, self.fence) {
            (Some((mark, rest)), Some((open, _))) if mark == open && rest.is_empty() => {
                self.fence = None;
                false
            }
            (Some((mark, rest)), None) => {
                self.fence = Some((mark, self.config.fences && !is_text(rest)));
                false
            }
            (_, Some((_, is_code))) => is_code,
            (None, None) => false,
        };
        let enough = i64::from(self.config.evidence);
        if fence.is_none() {
            self.evidence = (self.evidence + i64::from(points(line))).clamp(0, enough + 4);
        }
        if !line.trim().is_empty() && (is_code || (fence.is_none() && self.evidence >= enough)) {
            found.push(Finding::certain(self.decided..self.decided + line.len(), "code", self.config.effect.clone()));
        }
        self.decided += to - from;
    }
}

impl Scan for CodeScan {
    fn push(&mut self, text: &str, found: &mut Vec<Finding>) -> Result<()> {
        self.line.push_str(text);
        let mut at = 0;
        loop {
            let rest = &self.line.as_bytes()[at..];
            let end = match rest.iter().take(LONGEST_LINE).position(|&byte| byte == b'\n') {
                Some(end) => at + end + 1,
                None if rest.len() > LONGEST_LINE => at + boundary_before(&self.line[at..], LONGEST_LINE),
                None => break,
            };
            self.take(at, end, found);
            at = end;
        }
        self.line.drain(..at);
        Ok(())
    }

    fn finish(&mut self, found: &mut Vec<Finding>) -> Result<()> {
        if !self.line.is_empty() {
            self.take(0, self.line.len(), found);
        }
        Ok(())
    }

    fn decided(&self) -> usize {
        self.decided
    }
}

/// The mark of a fence and what is said behind it (CommonMark 0.31, section 4.5).
fn fence(line: &str) -> Option<(u8, &str)> {
    let line = line.trim();
    let mark = *line.as_bytes().first().filter(|mark| matches!(mark, b'`' | b'~'))?;
    let rest = line.trim_start_matches(mark as char);
    (line.len() - rest.len() >= 3 && !rest.contains(mark as char)).then_some((mark, rest.trim()))
}

fn is_text(language: &str) -> bool {
    let name = language.split([' ', ',', '{']).next().unwrap_or_default();
    ["text", "txt", "plain", "plaintext", "markdown", "md", "quote"].iter().any(|text| name.eq_ignore_ascii_case(text))
}

/// What a line says: up to 3 for code, -2 for prose, 0 where it says nothing.
fn points(line: &str) -> i32 {
    let trimmed = line.trim();
    if trimmed.len() < 2 {
        return i32::from(matches!(trimmed, "{" | "}"));
    }
    let marks = marks(trimmed);
    let closes = i32::from(closes(trimmed)) * 2;
    let points = marks + opens(trimmed) + closes;
    if points > 0 && !(points < 3 && is_prose(trimmed)) {
        return points.min(3);
    }
    if is_prose(trimmed) { -2 } else { 0 }
}

/// Pairs of marks that prose does not write.
fn marks(line: &str) -> i32 {
    const PAIRS: [&str; 22] = [
        "::", "->", "=>", "==", "!=", "+=", "-=", "&&", "||", "();", "()", "</", "/>", "${", "<=", ">=", "\": ", "](&", "[\"", "['", "(\"",
        "('",
    ];
    let found = PAIRS.iter().filter(|pair| line.contains(**pair)).count() as i32;
    let assigns =
        line.split_once(" = ").is_some_and(|(name, _)| !name.is_empty() && name.split_whitespace().count() <= 4 && !name.contains(". "));
    let calls = line.as_bytes().windows(2).any(|pair| (pair[0].is_ascii_lowercase() || pair[0] == b'_') && pair[1] == b'(');
    found.min(2) + i32::from(assigns) * 2 + i32::from(calls)
}

/// What lines of programs and shells begin with.
const BEGINNINGS: [&str; 58] = [
    "fn ",
    "pub ",
    "let ",
    "use ",
    "impl ",
    "mod ",
    "struct ",
    "enum ",
    "trait ",
    "match ",
    "const ",
    "static ",
    "def ",
    "class ",
    "import ",
    "from ",
    "elif ",
    "lambda ",
    "async ",
    "await ",
    "func ",
    "package ",
    "type ",
    "var ",
    "function ",
    "return ",
    "export ",
    "public ",
    "private ",
    "void ",
    "int ",
    "float ",
    "double ",
    "char ",
    "bool ",
    "switch ",
    "case ",
    "while ",
    "for ",
    "if ",
    "else",
    "try",
    "catch",
    "print",
    "select ",
    "insert ",
    "create ",
    "update ",
    "cargo ",
    "npm ",
    "pip ",
    "git ",
    "sudo ",
    "apt",
    "docker ",
    "cd ",
    "curl ",
    "echo ",
];

/// How much the beginning of the line is one of programs and shells: 3 where nothing else begins so, 2 for words that prose begins with too.
fn opens(line: &str) -> i32 {
    const SURE: [&str; 13] =
        ["// ", "/// ", "/*", "#include", "#[", "$ ", ">>> ", "#!/", "SELECT ", "CREATE ", "INSERT INTO ", "UPDATE ", "ALTER TABLE "];
    let is_marked = line.starts_with('<') && line.ends_with('>') || line.starts_with('@') && !line.contains(' ');
    if is_marked || imports(line) || SURE.iter().any(|sure| line.starts_with(sure)) {
        return 3;
    }
    let syntax = line.contains(['{', '(', ';', '=', ':', '<', '[']) || !line.ends_with(['.', ',', '?', '!']) && line.split(' ').count() < 6;
    let is_setting = names_value(line) || line.contains(" --") && !line.contains(" -- ");
    if is_setting || syntax && BEGINNINGS.iter().any(|word| line.starts_with(word)) { 2 } else { 0 }
}

/// `import a`, `import a as b` and `from a import b`.
fn imports(line: &str) -> bool {
    let words = line.split_whitespace().count();
    line.starts_with("import ") && (words == 2 || words == 4 && line.contains(" as "))
        || line.starts_with("from ") && line.contains(" import ")
}

/// `name=value` and `"name": value`, as arguments and members are written.
fn names_value(line: &str) -> bool {
    let quoted = line.starts_with(['"', '\'']) && (line.contains("\": ") || line.contains("': "));
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    quoted || line.split_once('=').is_some_and(|(name, value)| is_name(name) && !value.is_empty())
}

/// Whether the line ends as those of programs do.
fn closes(line: &str) -> bool {
    line.ends_with([';', '{', '}', '\\']) || line.ends_with("),") || line.ends_with("):") || line.ends_with("],") || line.ends_with("\",")
}

/// Whether the line is words for the most part.
fn is_prose(line: &str) -> bool {
    let words = line.split_whitespace();
    let (mut plain, mut all) = (0, 0);
    for word in words {
        all += 1;
        let word = word.trim_matches(['.', ',', '!', '?', ':', ';', '"', '\'', '(', ')', '“', '”']);
        plain += usize::from(
            !word.is_empty() && word.chars().all(|character| character.is_alphabetic() || matches!(character, '\'' | '’' | '-')),
        );
    }
    all >= 4 && plain * 10 >= all * 7
}
