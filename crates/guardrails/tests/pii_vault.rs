//! Pseudonyms, and the way back.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use jarre_guardrails::{
    Context, Effect, Finding, Guard, Stage,
    pii::{PiiConfig, PiiGuard, RestoreConfig, RestoreGuard, Vault, VaultRecord},
};
use proptest::prelude::*;

/// `text` with what the findings put in its place.
fn replaced(text: &str, found: &[Finding]) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for Finding { span, effect, .. } in found {
        out += &text[at..span.start];
        out += match effect {
            Effect::Replace(to) => to,
            _ => &text[span.clone()],
        };
        at = span.end;
    }
    out + &text[at..]
}

fn run(guard: &dyn Guard, text: &str, vault: &Vault) -> String {
    let context = Context { vault: vault.clone(), ..Context::new(Stage::Input) };
    replaced(text, &guard.check(text, &context).unwrap())
}

fn redact(text: &str, vault: &Vault) -> String {
    static GUARD: LazyLock<PiiGuard> = LazyLock::new(|| PiiGuard::new(PiiConfig::default()).unwrap());
    run(&*GUARD, text, vault)
}

fn restore(text: &str, lenient: bool, vault: &Vault) -> String {
    static GUARDS: LazyLock<[RestoreGuard; 2]> =
        LazyLock::new(|| [false, true].map(|lenient| RestoreGuard::new(&RestoreConfig { lenient }).unwrap()));
    run(&GUARDS[usize::from(lenient)], text, vault)
}

#[test]
fn values_come_back() {
    let vault = Vault::new();
    let text = "Ada <ada@example.org>, +44 20 7946 0958; again ada@example.org.";
    let redacted = redact(text, &vault);
    assert_eq!(redacted, "Ada <<EMAIL_1>>, <PHONE_1>; again <EMAIL_1>.");
    assert_eq!(restore(&redacted, false, &vault), text);
    assert_eq!(vault.len(), 2);
}

#[test]
fn what_models_make_of_pseudonyms_is_understood() {
    let vault = Vault::new();
    redact("ada@example.org", &vault);
    for written in ["<EMAIL_1>", "<email_1>", r"<EMAIL\_1>", "[EMAIL_1]", "EMAIL_1", r"\<EMAIL_1\>"] {
        assert_eq!(restore(&format!("To {written}."), true, &vault), "To ada@example.org.", "{written}");
    }
    for other in ["<EMAIL_2>", "EMAIL_12", "MY_EMAIL_1", "email_1", "<PHONE_1>"] {
        assert_eq!(restore(other, true, &vault), other);
    }
    assert_eq!(restore("<email_1> EMAIL_1", false, &vault), "<email_1> EMAIL_1");
}

#[test]
fn a_pseudonym_that_somebody_wrote_reveals_nothing() {
    let (one, other) = (Vault::new(), Vault::new());
    redact("ada@example.org", &one);
    let asked = redact("What is <EMAIL_1>, [email_1] or EMAIL_1?", &one);
    assert_eq!(asked, "What is <TEXT_1>, <TEXT_2> or <TEXT_3>?");
    assert_eq!(restore(&asked, true, &one), "What is <EMAIL_1>, [email_1] or EMAIL_1?");
    assert_eq!(restore("<EMAIL_1>", true, &other), "<EMAIL_1>");
}

#[test]
fn a_vault_tells_nothing_unasked() {
    let vault = Vault::new();
    redact("ada@example.org", &vault);
    let record = vault.export();
    assert!(!format!("{vault:?} {record:?}").contains("ada"));
    let stored = serde_json::to_string(&record).unwrap();
    let again = Vault::import(&serde_json::from_str(&stored).unwrap());
    assert_eq!(again.value("<EMAIL_1>").as_deref(), Some("ada@example.org"));
    assert_eq!(redact("bob@example.org and ada@example.org", &again), "<EMAIL_2> and <EMAIL_1>");
}

#[test]
fn no_record_is_too_odd() {
    let text = r#"{"entries":[["email",18446744073709551615,"a"],["email",1,"b"],["email",1,"c"]]}"#;
    let vault = Vault::import(&serde_json::from_str::<VaultRecord>(text).unwrap());
    assert_eq!(vault.value("<EMAIL_1>").as_deref(), Some("b"));
    assert_eq!(vault.pseudonym("email", "d"), "<EMAIL_2>");
}

/// Texts of pieces that pseudonyms, values and what is around them are made of.
fn texts() -> impl Strategy<Value = String> {
    let pieces = [
        "<",
        ">",
        "\\",
        "[",
        "]",
        "_",
        "EMAIL_1",
        "<EMAIL_1>",
        "<email_2>",
        "EMAIL",
        "1",
        "TEXT_1",
        "<TEXT_1>",
        "IP",
        " ",
        "ada@example.org",
        "é@example.org",
        "+44 20 7946 0958",
        "81.2.69.142",
        "x",
        "\n",
        "DE89370400440532013000",
        "<PHONE_",
        "@",
        ".",
        "é",
        "SECRET_1",
    ];
    let piece = prop_oneof![4 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => any::<String>()];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_text_comes_back(texts in prop::collection::vec(texts(), 1..3)) {
        let vault = Vault::new();
        for text in texts {
            let redacted = redact(&text, &vault);
            prop_assert_eq!(&restore(&redacted, false, &vault), &text, "{}", redacted);
            prop_assert_eq!(&restore(&redacted, true, &vault), &text, "{}", redacted);
        }
    }
}
