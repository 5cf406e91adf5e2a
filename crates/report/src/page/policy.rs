//! What a page may do: run the scripts and use the styles that are in it, and nothing else.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// The policy (CSP 3) for a page with this one style and this one script. A `meta` element holds it, so that it is in force for a file too;
/// what a `meta` element cannot forbid (being framed) a server has to. A page that `is_served` may send forms to its server and ask it.
pub(super) fn content_security_policy(style: &str, script: &str, is_served: bool) -> String {
    let script = if script.is_empty() { "'none'".to_owned() } else { source(script) };
    let server = if is_served { "form-action 'self'; connect-src 'self'" } else { "form-action 'none'" };
    format!("default-src 'none'; script-src {script}; style-src {}; img-src data:; base-uri 'none'; {server}", source(style))
}

/// Styles written so that they do not end their element: `\/` means `/` in CSS.
pub(super) fn inside_style(css: &str) -> String {
    without_controls(&css.replace("</", "<\\/"))
}

/// A script written so that it neither ends its element nor enters the states in which a parser looks for `-->` (HTML standard,
/// "Restrictions for contents of script elements").
pub(super) fn inside_script(javascript: &str) -> String {
    let mut written = String::with_capacity(javascript.len());
    let mut rest = javascript;
    while let Some(place) = rest.find('<') {
        let (before, from) = rest.split_at(place);
        written.push_str(before);
        let begins = |start: &str| from.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start));
        written.push('<');
        if begins("</script") || begins("<!--") {
            written.push('\\');
        } else if begins("<script") {
            // `\x` would be another letter outside of a string, but no program compares with something called `script`.
            written.pop();
            written.push_str("\\x3c");
        }
        rest = &from[1..];
    }
    written.push_str(rest);
    without_controls(&written)
}

/// A parser replaces NUL and normalises line ends, and the hash is of what it makes of them.
fn without_controls(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{fffd}")
}

fn source(content: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_standard() {
        // The example of CSP Level 3, section 2.3.1, computed with `openssl dgst -sha256 -binary | base64`.
        assert_eq!(source("alert('Hello, world.');"), "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='");
        assert!(content_security_policy("a{}", "", false).contains("script-src 'none'"));
    }

    #[test]
    fn nothing_ends_the_element_it_stands_in() {
        assert_eq!(inside_script("a < b; s = '</SCRIPT>'; t = '<!--<script'"), "a < b; s = '<\\/SCRIPT>'; t = '<\\!--\\x3cscript'");
        assert_eq!(inside_style("a{content:'</style>'}"), "a{content:'<\\/style>'}");
        assert_eq!(inside_script("a\r\nb\0"), "a\nb\u{fffd}");
    }
}
