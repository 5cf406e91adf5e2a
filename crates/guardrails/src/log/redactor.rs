use std::{fmt, sync::Arc};

use crate::{Context, Effect, Finding, Guard};

/// Names of fields whose values are never written, in parts of lower case.
const HIDDEN: [&str; 22] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "client_secret",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "private_key",
    "signing_key",
    "encryption_key",
    "authorization",
    "proxy_authorization",
    "auth",
    "credential",
    "credentials",
    "cookie",
    "set_cookie",
    "session_id",
    "dsn",
];

/// What goes into no log: what guards find, and fields of certain names. Clones share their guards.
#[derive(Clone)]
pub struct Redactor {
    guards: Arc<[Arc<dyn Guard>]>,
    hidden: Arc<[String]>,
    context: Context,
}

impl Redactor {
    /// Hides what these find, whatever they would have done about it, and the usual names of secrets.
    pub fn new(guards: Vec<Arc<dyn Guard>>) -> Self {
        Self { guards: guards.into(), hidden: HIDDEN.map(str::to_owned).into(), context: Context::default() }
    }

    /// Hides fields of these names too. A name is one of a field, or its last parts: `key` hides `signing.key` and `signingKey`.
    pub fn with_hidden(mut self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.hidden = self.hidden.iter().cloned().chain(names.into_iter().map(|name| parts(name.as_ref()))).collect();
        self
    }

    /// Whether the value of a field of this name is hidden unread.
    pub fn hides(&self, name: &str) -> bool {
        let name = parts(name);
        let ends = |hidden: &String| name.strip_suffix(hidden.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'));
        self.hidden.iter().any(ends)
    }

    /// `text` without what the guards find in it: a replacement stands there where a guard has one, and the label in brackets otherwise. Where a
    /// guard fails, its name is all that is left.
    pub fn redact(&self, text: &mut String) {
        let mut found = Vec::new();
        for guard in &*self.guards {
            let Ok(more) = guard.check(text, &self.context) else {
                *text = format!("[withheld, the guard `{}` failed]", guard.name());
                return;
            };
            found.extend(more);
        }
        if !found.is_empty() {
            *text = without(text, found);
        }
    }
}

/// `text` with each run of findings that overlap replaced by what the first of them says.
fn without(text: &str, mut found: Vec<Finding>) -> String {
    found.sort_by_key(|finding| (finding.span.start, finding.span.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for finding in found {
        if finding.span.start >= at {
            out.push_str(&text[at..finding.span.start]);
            match finding.effect {
                Effect::Replace(replacement) => out.push_str(&replacement),
                Effect::Note | Effect::Block => out.extend(["[", &*finding.label, "]"]),
            }
        }
        at = at.max(finding.span.end);
    }
    out.push_str(&text[at..]);
    out
}

/// A name in lower case, its parts joined by `_`: `apiKey`, `api.key` and `Api-Key` are one.
fn parts(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut before = '_';
    for character in name.chars() {
        if !character.is_alphanumeric() || (before.is_lowercase() && character.is_uppercase()) {
            out.push('_');
        }
        if character.is_alphanumeric() {
            out.extend(character.to_lowercase());
        }
        before = character;
    }
    out
}

impl fmt::Debug for Redactor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.guards.iter().map(|guard| guard.name()).collect();
        out.debug_struct("Redactor").field("guards", &names).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hidden_however_they_are_written() {
        let redactor = Redactor::new(Vec::new()).with_hidden(["ssn"]);
        for name in
            ["password", "db.password", "dbPassword", "X-Api-Key", "http.request.header.Authorization", "apikey", "access_token", "ssn"]
        {
            assert!(redactor.hides(name), "{name}");
        }
        for name in ["tokens", "prompt_tokens", "author", "message", "compass", "tokenizer", "key"] {
            assert!(!redactor.hides(name), "{name}");
        }
    }

    #[test]
    fn findings_that_overlap_are_one() {
        let finding = |span, effect| Finding::certain(span, "x", effect);
        let found = vec![finding(2..5, Effect::Block), finding(0..3, Effect::Replace("<A>".into())), finding(7..8, Effect::Note)];
        assert_eq!(without("0123456789", found), "<A>56[x]89");
    }
}
