//! What is a secret, and what only stands where one would be. Keys are put together here, so that no scanner takes this file for a leak.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use jarre_guardrails::{
    Context, Effect, Guard, Reach,
    pii::Action,
    secrets::{SecretsConfig, SecretsGuard, crc32_base62, shannon},
};
use proptest::prelude::*;

const WORD: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: &str = "0123456789abcdef";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// `length` characters of `alphabet` that look random, and are other for every seed.
fn random(alphabet: &str, length: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        alphabet.as_bytes()[(state >> 33) as usize % alphabet.len()] as char
    };
    (0..length).map(|_| next()).collect()
}

/// The six characters that make `body` pass.
fn check(body: &str) -> String {
    let crc = body
        .bytes()
        .fold(!0u32, |crc, byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }));
    let mut value = !crc;
    let mut digits: Vec<char> = Vec::new();
    for _ in 0..6 {
        digits.push(WORD.as_bytes()[(value % 62) as usize] as char);
        value /= 62;
    }
    digits.iter().rev().collect()
}

fn base64url(text: &str) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |group: &[u8]| {
        let bits = group.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        (0..=group.len()).map(|at| alphabet[(bits >> (18 - 6 * at) & 63) as usize] as char).collect::<String>()
    };
    text.as_bytes().chunks(3).map(group).collect()
}

fn jwt(header: &str) -> String {
    format!("{}.{}.{}", base64url(header), base64url(r#"{"sub":"1234567890","iat":1516239022}"#), random(WORD, 43, 9))
}

fn pem(kind: &str) -> String {
    let body: Vec<_> = (0..20).map(|line| random(WORD, 64, line)).collect();
    format!("-----BEGIN {kind}PRIVATE {}-----\n{}\n-----END {kind}PRIVATE {}-----", "KEY", body.join("\n"), "KEY")
}

/// Secrets and their labels.
fn secrets() -> Vec<(&'static str, String)> {
    let of = |prefix: &str, alphabet: &str, length: usize| format!("{prefix}{}", random(alphabet, length, length as u64));
    let checked = |prefix: &str| {
        let body = random(WORD, 30, 7);
        format!("{prefix}{body}{}", check(&body))
    };
    vec![
        ("aws_access_key", of("AKIA", BASE32, 16)),
        ("github_token", checked("ghp_")),
        ("github_token", format!("github_pat_{}_{}", random(WORD, 22, 1), random(WORD, 59, 2))),
        ("gitlab_token", of("glpat-", WORD, 20)),
        ("slack_token", format!("xoxb-{}-{}-{}", random("0123456789", 12, 3), random("0123456789", 12, 4), random(WORD, 24, 5))),
        ("stripe_key", of("sk_live_", WORD, 24)),
        ("google_api_key", of("AIza", WORD, 35)),
        ("anthropic_key", of("sk-ant-api03-", WORD, 95)),
        ("openai_key", format!("sk-proj-{}T3BlbkFJ{}", random(WORD, 20, 6), random(WORD, 20, 8))),
        ("npm_token", checked("npm_")),
        ("pypi_token", of("pypi-AgEIcHlwaS5vcmc", WORD, 120)),
        ("hugging_face_token", of("hf_", &WORD[10..], 34)),
        ("sendgrid_key", format!("SG.{}.{}", random(WORD, 22, 1), random(WORD, 43, 2))),
        ("twilio_key", of("SK", HEX, 32)),
        ("azure_storage_key", format!("{}==", of("AccountKey=", WORD, 86))),
        ("telegram_token", format!("{}:AA{}", random("123456789", 9, 1), random(WORD, 33, 2))),
        ("jwt", jwt(r#"{"alg":"HS256","typ":"JWT"}"#)),
        ("private_key", pem("RSA ")),
        ("private_key", pem("").replace('\n', "\\n")),
        ("private_key", pem("EC ").replacen('\n', "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B2C3D\n\n", 1)),
        ("url_credentials", format!("postgres://app:{}@db.internal", random(WORD, 12, 3))),
    ]
}

fn guard() -> &'static SecretsGuard {
    static GUARD: LazyLock<SecretsGuard> = LazyLock::new(|| SecretsGuard::new(SecretsConfig::default()).unwrap());
    &GUARD
}

fn found(text: &str) -> Vec<(String, String)> {
    let found = guard().check(text, &Context::default()).unwrap();
    found.into_iter().map(|found| (found.label.into_owned(), text[found.span].to_owned())).collect()
}

#[test]
fn issuers_formats_are_found() {
    for (label, secret) in secrets() {
        for text in [format!("use {secret}"), format!("x: {secret}, then\n"), format!("\"{secret}\"")] {
            assert_eq!(found(&text), [(label.to_owned(), secret.clone())], "{text}");
        }
    }
}

#[test]
fn a_checksum_makes_a_token_sure() {
    let body = random(WORD, 30, 7);
    assert!(crc32_base62(&format!("{body}{}", check(&body))));
    assert!(!crc32_base62(&format!("{body}{}", random(WORD, 6, 1))));
    assert!(!crc32_base62("é") && !crc32_base62("aéaaaaa"));
    let score = |token: String| guard().check(&token, &Context::default()).unwrap()[0].score;
    assert!(score(format!("ghp_{body}{}", check(&body))) > 0.99);
    assert!(score(format!("ghp_{body}{}", random(WORD, 6, 1))) < 0.7);
}

#[test]
fn values_of_names_are_found() {
    let (hex, word) = (random(HEX, 30, 21) + "42", random(WORD, 18, 22) + "07");
    let cases = [
        ("password", "password = \"", ["Tr0ub4dor", "&3"].concat(), "\""),
        ("password", "DB_PASSWORD=", ["k9!mZp", "2Qw7"].concat(), "\n"),
        ("password", "{\"passwd\": \"", ["Summer", "2024!"].concat(), "\"}"),
        ("password", "Das Kennwort: ", ["Xy7-", "kkPq2"].concat(), ""),
        ("api_key", "api_key: ", hex, ""),
        ("api_key", "Authorization: Bearer ", word.clone(), ""),
        ("api_key", "client_secret => '", word, "'"),
    ];
    for (label, before, value, after) in cases {
        assert_eq!(found(&format!("{before}{value}{after}")), [(label.to_owned(), value.clone())], "{before}");
    }
    let key = random(&(WORD.to_owned() + "+/"), 40, 11);
    assert_eq!(found(&format!("aws_secret_access_key = {key}")), [("aws_secret_key".to_owned(), key)]);
}

#[test]
fn placeholders_and_code_are_not() {
    let texts = [
        "password = \"changeme\"",
        "password: <your password>",
        "api_key = ${API_KEY}",
        "token: xxxxxxxxxxxxxxxxxxxx",
        "PASSWORD=$DB_PASS",
        "password = getpass.getpass()",
        "secret_key = os.environ['SECRET_KEY_1']",
        "token = next_token2(lexer)",
        "let token: Token2 = self.token1.clone();",
        "password: required, at least 8 characters",
        "max_tokens=4096, token_count: 128000",
        "https://user:password@example.com/",
        "http://host:8080/path@x",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "AKIAIOSFODNN7EXAMPLE",
        "3f786850e387550fdab836ed7e6dc881de23001b",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "-----BEGIN PUBLIC KEY-----",
        "sk-learn is a library, SK and npm_config_registry are names",
        "SAS_TOKEN=sv=2024-...&ss=bfqt&srt=...",
        "secret_name: prod-eu-west-1-database-2",
        "eyJhbGciOiJIUzI1NiJ9 is a header",
        "tokenizer = \"bert-base-uncased-2018\"",
    ];
    for text in texts {
        assert_eq!(found(text), [], "{text}");
    }
    assert_eq!(found(&jwt(r#"{"typ":"JWT"}"#)), [], "no algorithm");
}

#[test]
fn randomness_counts_where_asked() {
    assert!(shannon("aaaa") < 1e-9 && (shannon("abcd") - 2.0).abs() < 1e-9 && shannon("") < 1e-9);
    let text = format!("x = \"{}\"", random(HEX, 40, 5));
    assert_eq!(found(&text), []);
    let guard = SecretsGuard::new(SecretsConfig { entropy: true, ..SecretsConfig::default() }).unwrap();
    assert_eq!(guard.check(&text, &Context::default()).unwrap()[0].label, "high_entropy");
    assert!(guard.check("x = \"aaaaaaaaaaaaaaaaaaaaaaaa\"", &Context::default()).unwrap().is_empty());
}

#[test]
fn each_secret_has_its_action() {
    let config: SecretsConfig = toml::from_str("action = 'pseudonym'\n[actions]\ngithub_token = 'block'\njwt = 'mask'").unwrap();
    let guard = SecretsGuard::new(config).unwrap();
    let effect = |text: &str| guard.check(text, &Context::default()).unwrap()[0].effect.clone();
    assert_eq!(effect(&secrets()[1].1), Effect::Block);
    assert_eq!(effect(&jwt(r#"{"alg":"none"}"#)), Effect::Replace("[JWT]".into()));
    assert_eq!(effect(&secrets()[0].1), Effect::Replace("<SECRET_1>".into()));
    let actions = [("gihub_token".to_owned(), Action::Mask)].into();
    assert!(SecretsGuard::new(SecretsConfig { actions, ..SecretsConfig::default() }).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn cuts_make_no_difference(parts in prop::collection::vec(0..30usize, 1..5), noise in "[ a-z=\":/-]{0,40}", cuts in prop::collection::vec(any::<usize>(), 0..60)) {
        let secrets = secrets();
        let text = parts.iter().map(|part| secrets.get(*part).map_or(noise.as_str(), |(_, text)| text)).collect::<Vec<_>>().join(" ");
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let guard = guard();
        let Reach::Bytes(reach) = guard.reach() else { unreachable!("patterns are bounded") };
        let (mut scan, mut found) = (guard.scan(&Context::default()), Vec::new());
        for piece in cuts.windows(2) {
            scan.push(&text[piece[0]..piece[1]], &mut found).unwrap();
            prop_assert!(piece[1] - scan.decided() <= reach);
        }
        scan.finish(&mut found).unwrap();
        prop_assert_eq!(found, guard.check(&text, &Context::default()).unwrap());
    }

    #[test]
    fn no_text_is_too_odd(text in any::<String>()) {
        guard().check(&text, &Context::default()).unwrap();
    }
}
