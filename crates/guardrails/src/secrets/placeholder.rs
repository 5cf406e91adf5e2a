/// Parts of what stands in examples where a secret would be.
const PARTS: &[&str] = &[
    "xxxx",
    "****",
    "...",
    "…",
    "----",
    "____",
    "0000",
    "1111",
    "example",
    "changeme",
    "change_me",
    "change-me",
    "placeholder",
    "your",
    "dummy",
    "sample",
    "todo",
    "replace",
    "insert",
    "redacted",
    "abcdef",
    "123456",
    "qwerty",
    "foobar",
    "mysecret",
    "my_secret",
    "my-secret",
    "mypass",
    "my-pass",
    "my_pass",
    "mytoken",
    "my-token",
    "my_token",
    "my-api",
    "my_api",
    "fake",
    "not-a-real",
    "notreal",
    "<",
    "${",
    "{{",
    "$(",
    "%(",
    "#{",
    "env.",
    "environ",
    "process.",
    "secrets.",
    "getenv",
];

/// Whether `text` stands for a secret and is none, as `xxxx`, `changeme`, `${VAR}` or `<token>`.
pub(super) fn is_placeholder(text: &str) -> bool {
    let lower = text.to_lowercase();
    let first = lower.chars().next();
    let same = lower.chars().all(|char| Some(char) == first);
    let reference = matches!(first, Some('$' | '%' | '@' | '&' | '{' | '<' | '[' | '('));
    same || reference || PARTS.iter().any(|part| lower.contains(part))
}
