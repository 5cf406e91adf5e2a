use serde::{Deserialize, Serialize};

use crate::{Basis, Context, Effect, Error, Finding, Guard, Reach, Result, Scan, fnv::Fnv};

/// How much text there may be; 0 is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitConfig {
    /// What is done at the character that is too much.
    pub effect: Effect,
    /// Bytes of UTF-8.
    pub bytes: usize,
    /// Characters (scalar values of Unicode).
    pub characters: usize,
    /// Lines.
    pub lines: usize,
    /// Words, parted by white space.
    pub words: usize,
    /// Times that one character stands in a row.
    pub same_character: usize,
    /// Times that one word stands in a row.
    pub same_word: usize,
    /// Times that one line, which is not empty, stands in a row.
    pub same_line: usize,
    /// Brackets of any kind that are open at once.
    pub nesting: usize,
}

impl Default for LimitConfig {
    /// A mebibyte, and repetition and nesting as no writing has.
    fn default() -> Self {
        Self {
            effect: Effect::Block,
            bytes: 1 << 20,
            characters: 0,
            lines: 0,
            words: 0,
            same_character: 512,
            same_word: 64,
            same_line: 64,
            nesting: 128,
        }
    }
}

/// Finds where a text is too long, repeats itself without end or opens too many brackets (OWASP LLM06:2026, unbounded consumption).
///
/// Findings are `bytes`, `characters`, `lines`, `words`, `same_character`, `same_word`, `same_line` and `nesting`, each once, on the
/// character that goes beyond the limit.
///
/// ```
/// use jarre_guardrails::{Context, Guard, content::{LimitConfig, LimitGuard}};
///
/// let guard = LimitGuard::new(LimitConfig { words: 3, ..LimitConfig::default() })?;
/// let found = guard.check("one two three four", &Context::default())?;
/// assert_eq!((&*found[0].label, found[0].span.start), ("words", 14));
/// # Ok::<(), jarre_guardrails::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LimitGuard {
    config: LimitConfig,
}

impl LimitGuard {
    /// A guard of these limits.
    ///
    /// # Errors
    /// [`Error::Config`] where there is none.
    pub fn new(config: LimitConfig) -> Result<Self> {
        if limits(&config).iter().all(|(_, limit)| *limit == 0) {
            return Err(Error::config("limits", "no limit is set"));
        }
        Ok(Self { config })
    }
}

fn limits(config: &LimitConfig) -> [(&'static str, usize); 8] {
    [
        ("bytes", config.bytes),
        ("characters", config.characters),
        ("lines", config.lines),
        ("words", config.words),
        ("same_character", config.same_character),
        ("same_word", config.same_word),
        ("same_line", config.same_line),
        ("nesting", config.nesting),
    ]
}

impl Guard for LimitGuard {
    fn name(&self) -> &'static str {
        "limits"
    }

    fn reach(&self) -> Reach {
        Reach::Bytes(0)
    }

    fn basis(&self) -> Basis {
        Basis::Text
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        Box::new(LimitScan {
            limits: limits(&self.config).map(|limit| Some(limit).filter(|(_, limit)| *limit > 0)),
            effect: self.config.effect.clone(),
            counts: Counts::default(),
        })
    }
}

struct LimitScan {
    /// Those that are set and were not reached.
    limits: [Option<(&'static str, usize)>; 8],
    effect: Effect,
    counts: Counts,
}

impl Scan for LimitScan {
    fn push(&mut self, text: &str, found: &mut Vec<Finding>) -> Result<()> {
        let mut room = self.room();
        for character in text.chars() {
            let start = self.counts.bytes;
            self.counts.take(character);
            if room > 0 {
                room -= 1;
            } else {
                self.tell(start, found);
                room = self.room();
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<Finding>) -> Result<()> {
        Ok(())
    }

    fn decided(&self) -> usize {
        self.counts.bytes
    }
}

impl LimitScan {
    /// Tells of the limits that the character from `start` on goes beyond.
    fn tell(&mut self, start: usize, found: &mut Vec<Finding>) {
        for (limit, count) in self.limits.iter_mut().zip(self.counts.all()) {
            if let Some((label, _)) = limit.take_if(|(_, limit)| count > *limit) {
                found.push(Finding::certain(start..self.counts.bytes, label, self.effect.clone()));
            }
        }
    }

    /// Characters that can be taken before any limit is near: each makes no count larger by more than its bytes.
    fn room(&self) -> usize {
        let left = self.limits.iter().zip(self.counts.all()).filter_map(|(limit, count)| Some(limit.as_ref()?.1 - count));
        left.min().unwrap_or(usize::MAX) / char::MAX.len_utf8()
    }
}

#[derive(Default)]
struct Counts {
    bytes: usize,
    characters: usize,
    lines: usize,
    words: usize,
    last: Option<char>,
    same_character: usize,
    word: Repeated,
    line: Repeated,
    open: usize,
}

impl Counts {
    fn take(&mut self, character: char) {
        self.bytes += character.len_utf8();
        self.characters += 1;
        self.same_character = if self.last == Some(character) { self.same_character + 1 } else { 1 };
        let is_space = character.is_whitespace();
        self.words += usize::from(!is_space && self.last.is_none_or(char::is_whitespace));
        self.lines += usize::from(self.last.is_none_or(|last| last == '\n'));
        match character {
            '(' | '[' | '{' => self.open += 1,
            ')' | ']' | '}' => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        self.word.take(character, is_space);
        self.line.take(character, character == '\n');
        self.last = Some(character);
    }

    /// In the order of [`limits`].
    fn all(&self) -> [usize; 8] {
        let Self { bytes, characters, lines, words, same_character, word, line, open, .. } = self;
        [*bytes, *characters, *lines, *words, *same_character, word.times, line.times, *open]
    }
}

/// How often the same part has come in a row, by hashes.
#[derive(Default)]
struct Repeated {
    hash: Option<Fnv>,
    last: Option<Fnv>,
    times: usize,
}

impl Repeated {
    fn take(&mut self, character: char, ends: bool) {
        if !ends {
            self.hash = Some(self.hash.unwrap_or(Fnv::new()).push(character));
        } else if let Some(hash) = self.hash.take() {
            // What is empty between two ends is no part.
            self.times = if self.last == Some(hash) { self.times + 1 } else { 1 };
            self.last = Some(hash);
        }
    }
}
