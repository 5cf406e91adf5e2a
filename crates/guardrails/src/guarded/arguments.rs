use std::sync::Arc;

use crate::{Context, Effect, Finding, Guard, Reach, Result, Scan, scan::Whole};

/// The same JSON text with the escapes in its strings that need not be taken out (RFC 8259, section 7), so that nothing hides behind
/// `\u0040`. What is no JSON is changed in the same places.
pub(super) fn plain(arguments: &str) -> String {
    let mut plain = String::with_capacity(arguments.len());
    let mut rest = arguments;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let (read, length) = escape(&rest[at..]);
        match read.filter(|&read| !matches!(read, '"' | '\\' | '\0'..='\u{1f}')) {
            Some(read) => plain.push(read),
            None => plain.push_str(&rest[at..at + length]),
        }
        rest = &rest[at + length..];
    }
    plain + rest
}

/// The character that the escape at the start of `text` stands for, and the bytes of the escape.
fn escape(text: &str) -> (Option<char>, usize) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    match (text.as_bytes().get(1), unit(0)) {
        (Some(b'/'), _) => (Some('/'), 2),
        (_, Some(high @ 0xd800..=0xdbff)) => match unit(6) {
            Some(low @ 0xdc00..=0xdfff) => (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 12),
            _ => (None, 6),
        },
        (_, Some(unit)) => (char::from_u32(unit), 6),
        _ => (None, 1 + text[1..].chars().next().map_or(0, char::len_utf8)),
    }
}

/// Whether `arguments` can be read as a tool's.
pub(super) fn are_json(arguments: &str) -> bool {
    arguments.trim().is_empty() || serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok()
}

/// A guard of the calls to some tools, whose replacements are written as they stand within a JSON string.
pub(super) struct Escaping {
    guard: Arc<dyn Guard>,
    tools: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

impl Escaping {
    pub(super) fn new(guard: Arc<dyn Guard>, tools: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { guard, tools: Box::new(tools) }
    }
}

impl Guard for Escaping {
    fn name(&self) -> &str {
        self.guard.name()
    }

    fn reach(&self) -> Reach {
        self.guard.reach()
    }

    fn scan(&self, context: &Context) -> Box<dyn Scan> {
        if context.tool.as_deref().is_some_and(|tool| (self.tools)(tool)) {
            Box::new(EscapingScan(self.guard.scan(context)))
        } else {
            Box::new(Whole::new(|_| Ok(Vec::new())))
        }
    }
}

struct EscapingScan(Box<dyn Scan>);

impl Scan for EscapingScan {
    fn push(&mut self, text: &str, found: &mut Vec<Finding>) -> Result<()> {
        let told = found.len();
        let read = self.0.push(text, found);
        escape_replacements(&mut found[told..]);
        read
    }

    fn finish(&mut self, found: &mut Vec<Finding>) -> Result<()> {
        let told = found.len();
        let read = self.0.finish(found);
        escape_replacements(&mut found[told..]);
        read
    }

    fn decided(&self) -> usize {
        self.0.decided()
    }
}

fn escape_replacements(found: &mut [Finding]) {
    for finding in found {
        if let Effect::Replace(with) = &mut finding.effect {
            let quoted = serde_json::Value::from(with.as_str()).to_string();
            quoted[1..quoted.len() - 1].clone_into(with);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needless_escapes_are_taken_out_and_the_meaning_stays() {
        let cases = [
            (r#"{"a":"x\u0040y\/z"}"#, r#"{"a":"x@y/z"}"#),
            (r#"{"a":"\u0022\u005c\u000a\n\"\\"}"#, r#"{"a":"\u0022\u005c\u000a\n\"\\"}"#),
            (r#"["\ud83d\ude00\ud83dx\ude00"]"#, "[\"😀\\ud83dx\\ude00\"]"),
            (r#""\\u0040""#, r#""\\u0040""#),
            (r"\u00", r"\u00"),
            ("\\", "\\"),
            ("\\é\\u+123", "\\é\\u+123"),
        ];
        for (escaped, expected) in cases {
            assert_eq!(plain(escaped), expected, "{escaped}");
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            assert_eq!(value(escaped), value(expected));
        }
    }
}
