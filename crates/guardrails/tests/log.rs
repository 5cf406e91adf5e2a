//! Nothing of what a guard finds reaches a log, whichever way it came.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fmt, io,
    io::Write as _,
    sync::{Arc, Mutex},
};

use jarre_guardrails::{
    Context, Effect, Error, Finding, Guard, Reach, Result, Scan,
    log::{RedactedFields, RedactedWriter, Redactor},
    scan::{Matcher, Pattern},
};
use tracing::{error, info, info_span};
use tracing_subscriber::fmt::{MakeWriter, Subscriber};

const SECRET: &str = "sk-4f9a8b7c6d5e";
const KEY: &str = "-----BEGIN KEY-----\nMIIEvQIBADAN\nq83vEjRWeJ\n-----END KEY-----";

/// Finds secrets, keys of several lines, addresses and numbers of cards.
struct Secrets(Arc<[Pattern]>);

impl Secrets {
    fn new() -> Self {
        let pattern = |label, regex| Pattern::new(label, regex).unwrap();
        Self(
            [
                pattern("secret", "sk-[a-z0-9]{8,32}"),
                pattern("key", r"-----BEGIN KEY-----\s[A-Za-z0-9\s]{1,200}-----END KEY-----"),
                pattern("email", r"[a-z]{1,16}@[a-z]{1,16}\.example"),
                pattern("card", r"\b[0-9]{16}\b"),
            ]
            .into(),
        )
    }
}

impl Guard for Secrets {
    fn name(&self) -> &'static str {
        "secrets"
    }

    fn reach(&self) -> Reach {
        Matcher::reach(&self.0)
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        Box::new(Matcher::new(Arc::clone(&self.0), |label, _| match label {
            "email" => Effect::Replace("<EMAIL_1>".into()),
            "card" => Effect::Note,
            _ => Effect::Block,
        }))
    }
}

struct Failing;

impl Guard for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn reach(&self) -> Reach {
        Reach::Whole
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        let fail = |_: &str| -> Result<Vec<Finding>> { Err(Error::Config { guard: "failing", reason: "it fails".into() }) };
        Box::new(jarre_guardrails::scan::Whole::new(fail))
    }
}

/// What was written, by all clones.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn redactor() -> Redactor {
    Redactor::new(vec![Arc::new(Secrets::new())])
}

/// What is written while `act` runs.
fn logged(redactor: Redactor, act: impl FnOnce()) -> String {
    let written = Written::default();
    let subscriber = Subscriber::builder()
        .without_time()
        .with_ansi(false)
        .with_writer(written.clone())
        .fmt_fields(RedactedFields::new(redactor))
        .finish();
    tracing::subscriber::with_default(subscriber, act);
    written.text()
}

#[derive(Debug, thiserror::Error)]
#[error("the call failed")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("refused {}", SECRET)]
struct Inner;

#[derive(Debug)]
#[expect(dead_code, reason = "only its Debug form is read")]
struct Account {
    owner: &'static str,
    key: &'static str,
}

struct Shown;

impl fmt::Display for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "shown {SECRET}")
    }
}

#[test]
fn no_kind_of_field_lets_a_value_through() {
    let text = logged(redactor(), || {
        let account = Account { owner: "ada@mills.example", key: KEY };
        let span = info_span!("call", who = "ada@mills.example", late = tracing::field::Empty);
        let _in = span.enter();
        span.record("late", SECRET);
        info!("message with {SECRET} in it");
        info!(text = SECRET, shown = %Shown, debugged = ?account, "fields");
        info!(card = 4_111_111_111_111_111_u64, big = 4_111_111_111_111_111_i128, "numbers");
        info!(bytes = ?SECRET.as_bytes().iter().map(|&byte| byte as char).collect::<String>(), some = Some(SECRET), "others");
        info!(key = KEY, inner = ?Some(vec![KEY]), "key of several lines {KEY}");
        error!(error = &Outer(Inner) as &dyn std::error::Error, "failed");
    });
    for part in [SECRET, "4f9a8b7c", "ada@", "mills.example", "4111111111111111", "MIIEvQIBADAN", "q83vEjRWeJ", "BEGIN KEY"] {
        assert!(!text.contains(part), "{part} in {text}");
    }
    for part in [
        "<EMAIL_1>",
        "[secret]",
        "[card]",
        "[key]",
        "message with [secret] in it",
        "the call failed: refused [secret]",
        "late=\"[secret]\"",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert_eq!(text.lines().count(), 6, "{text}");
}

#[test]
fn fields_of_some_names_are_never_read() {
    let text = logged(Redactor::new(vec![]).with_hidden(["visitor"]), || {
        let span = info_span!("login", db.password = "one", http.request.header.authorization = "two");
        let _in = span.enter();
        info!(apiKey = "three", visitor = ?"four", token = 5555, tokens = 12, "plain");
    });
    for part in ["one", "two", "three", "four", "5555"] {
        assert!(!text.contains(part), "{part} in {text}");
    }
    assert!(text.contains("tokens=12") && text.contains("db.password=[hidden]") && text.contains("visitor=[hidden]"), "{text}");
}

#[test]
fn no_value_feigns_a_line_or_moves_a_cursor() {
    let text = logged(redactor(), || info!(user = "x\nERROR forged", other = "\u{1b}[2J\u{202e}", "a\r\nb"));
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("x\\nERROR forged") && !text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
}

#[test]
fn a_guard_that_fails_hides_the_event() {
    let redactor = Redactor::new(vec![Arc::new(Failing)]);
    let text = logged(redactor, || info!(user = "ada", "hello"));
    assert!(!text.contains("ada") && !text.contains("hello") && text.contains("[withheld, the guard `failing` failed]"), "{text}");
}

#[test]
fn a_value_in_two_writes_is_one() {
    let written = Written::default();
    let maker = RedactedWriter::new(written.clone(), redactor());
    for cut in 0..=SECRET.len() {
        let mut line = maker.make_writer();
        for part in ["a ", &SECRET[..cut], &SECRET[cut..], " b\n"] {
            line.write_all(part.as_bytes()).unwrap();
        }
    }
    let mut line = maker.make_writer();
    line.write_all(b"\xff sk-abcdefgh").unwrap();
    line.flush().unwrap();
    let text = written.text();
    assert_eq!(text.lines().filter(|line| *line == "a [secret] b").count(), SECRET.len() + 1, "{text}");
    assert!(!text.contains("sk-"), "{text}");
}

#[test]
fn the_writer_serves_any_format() {
    let written = Written::default();
    let maker = RedactedWriter::new(written.clone(), redactor());
    let subscriber = Subscriber::builder().compact().with_ansi(false).with_writer(maker).finish();
    tracing::subscriber::with_default(subscriber, || info!(owner = "ada@mills.example", "uses {SECRET}"));
    let text = written.text();
    assert!(text.contains("uses [secret]") && text.contains("<EMAIL_1>") && text.ends_with('\n'), "{text}");
}
