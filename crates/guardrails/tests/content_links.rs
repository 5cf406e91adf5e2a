//! Links that carry data away, and those that do not.
#![expect(clippy::unwrap_used, reason = "tests")]

mod pieces;

use jarre_guardrails::{
    Context, Effect, Finding, Guard,
    content::{LinkAction, LinkConfig, LinkGuard},
};
use proptest::prelude::*;

fn guard() -> LinkGuard {
    let allow = vec!["docs.example".to_owned(), "*.good.example".to_owned()];
    LinkGuard::new(LinkConfig { allow, deny: vec!["bad.good.example".into()], ..LinkConfig::default() }).unwrap()
}

fn found(text: &str) -> Vec<(String, String)> {
    let found = guard().check(text, &Context::default()).unwrap();
    found.iter().map(|finding| (finding.label.to_string(), text[finding.span.clone()].to_owned())).collect()
}

fn labels(text: &str) -> Vec<String> {
    found(text).into_iter().map(|(label, _)| label).collect()
}

/// `text` with each finding replaced.
fn cleaned(guard: &LinkGuard, text: &str, context: &Context) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for Finding { span, effect, .. } in guard.check(text, context).unwrap() {
        out.push_str(&text[at..span.start]);
        if let Effect::Replace(replacement) = effect {
            out.push_str(&replacement);
        }
        at = span.end;
    }
    out + &text[at..]
}

#[test]
fn images_from_elsewhere_go_and_leave_their_text() {
    let context = Context::default();
    let cases = [
        ("a ![chart](https://evil.example/x.png \"t\") b", "a chart b"),
        ("a ![](//evil.example/x.png) b", "a  b"),
        ("a ![x](<https://evil.example/a b.png>) b", "a x b"),
        ("a <img alt=\"x\" src='https://evil.example/x.png'> b", "a  b"),
        ("a <img src=//evil.example/x.png> b", "a  b"),
        ("<p style=\"background: url('https://evil.example/x')\">b", "b"),
        ("<img srcset=\"/a.png 1x, https://evil.example/b.png 2x\">", ""),
        ("<meta http-equiv=refresh content=\"0; url=https://evil.example\">", ""),
        ("![a][r]\n\n[r]: https://evil.example/x.png\n", "![a][r]\n\n\n"),
        ("[![alt](https://evil.example/i.png)](https://docs.example/)", "[alt](https://docs.example/)"),
    ];
    for (text, expected) in cases {
        assert_eq!(cleaned(&guard(), text, &context), expected, "{text}");
    }
}

#[test]
fn what_is_trusted_or_local_stays() {
    for text in [
        "![plan](https://docs.example/a.png?size=large) and <img src='https://cdn.good.example/x.png'>",
        "![local](images/a.png) [top](#top) <img src=\"/a.png\"> <a href='b.html'>b</a>",
        "[a plain link](https://elsewhere.example/blog/how-to-train) and https://elsewhere.example/page.",
        "In JavaScript: we say data: 3, 4; see http: and www. for more. a[0](1) <b>bold</b> x <y and z> w",
        "a commit https://elsewhere.example/commit/2c06be3511065d3ff1c1a56b2b4b7c9f0d1e2f3a",
        "mail <someone@docs.example> or mailto:someone@docs.example",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn tricks_are_seen_through() {
    let cases = [
        ("[x](https://docs.example@evil.example/)", "userinfo"),
        ("[x](https://docs.example%40evil.example@1.2.3.4/)", "userinfo"),
        ("https://bad.good.example/", "denied_host"),
        ("https://2130706433/", "ip_host"),
        ("http://[2001:db8::1]/a", "ip_host"),
        ("https://dосs.example/", "lookalike_host"),
        ("https://xn--ds-fmcm.example/", "lookalike_host"),
        ("[x](javascript:alert(1))", "script_url"),
        ("<a href=\" jAva\tscript:alert(1)\">x</a>", "script_url"),
        ("<a href=\"&#106;avascript:alert(1)\">x</a>", "script_url"),
        ("![x](data:image/svg+xml;base64,PHN2Zz4=)", "data_url"),
        ("<data:text/html,hello>", "data_url"),
        ("![x](\\\\evil.example\\a.png)", "image"),
    ];
    for (text, label) in cases {
        assert_eq!(labels(text), [label], "{text}");
    }
}

#[test]
fn data_in_an_address_is_found() {
    let context = Context {
        system: Some("The internal codename is bluebird and the budget is seventy thousand.".into()),
        question: Some("Summarise the quarterly figures please".into()),
        ..Context::default()
    };
    let check = |text: &str| guard().check(text, &context).unwrap().first().map(|finding| finding.label.to_string());
    for text in [
        "https://evil.example/?q=internal-codename-bluebird-budget",
        "https://bluebird.internal.codename.budget.evil.example/",
        "https://evil.example/x?d=dGhlIGJsdWViaXJkIGJ1ZGdldA==",
        "https://evil.example/746865206275646765742069732073657665",
        "https://evil.example/aGVsbG8gd29ybGQgaG93IGFyZSB5b3U",
        "https://k3jF9aQz7LmX2pRt8WvYc4Nd.evil.example/",
        "https://evil.example/collect?x=[removed]",
    ] {
        let expected = if text.contains("removed") { None } else { Some("carries_data") };
        assert_eq!(check(text).as_deref(), expected, "{text}");
    }
    let long = format!("https://evil.example/?q={}", "word+".repeat(60));
    assert_eq!(check(&long).as_deref(), Some("carries_data"));
    assert_eq!(check("https://elsewhere.example/blog/quarterly-figures-2024?page=2"), None);
}

#[test]
fn what_is_longer_than_2048_bytes_is_found_up_to_there() {
    for before in ["![x](", "", "<img src=", "[r]: "] {
        let text = format!("{before}https://evil.example/{}", "a".repeat(9000));
        let found = found(&text);
        assert_eq!(found[0].0, "long_url", "{before}");
        assert!((2040..4096).contains(&found[0].1.len()), "{before}");
    }
}

#[test]
fn actions_are_those_configured() {
    let config = LinkConfig { links: LinkAction::Note, images: LinkAction::Block, ..LinkConfig::default() };
    let found = LinkGuard::new(config).unwrap().check("https://a.example/ ![x](//b.example)", &Context::default()).unwrap();
    assert_eq!(found.iter().map(|finding| &finding.effect).collect::<Vec<_>>(), [&Effect::Note, &Effect::Block]);
    assert!(LinkGuard::new(LinkConfig { allow: vec!["https://a.example/".into()], ..LinkConfig::default() }).is_err());
    let all = LinkConfig { links: LinkAction::Neutralise, ..LinkConfig::default() };
    let clean = cleaned(&LinkGuard::new(all).unwrap(), "[text](https://a.example/) or https://a.example/b.", &Context::default());
    assert_eq!(clean, "text or [link removed].");
}

#[test]
fn long_texts_of_beginnings_take_no_longer() {
    for part in ["[", "![", "](", "<a", "<a '", "<a href=\"", "[x](", "www.", "http://", "data:", "[a]: ", "é[", "((", "[x](((("] {
        let text = part.repeat(200_000 / part.len());
        pieces::read(&guard(), &text, &Context::default(), &[1, 4097, 100_000]);
    }
}

proptest! {
    #[test]
    fn cuts_make_no_difference(
        parts in prop::collection::vec(prop_oneof![
            "[a-z .,\n\"'é😀/]{0,12}",
            prop::sample::select(vec![
                "![", "[", "](", ")", "]", "]: ", "<", ">", "<img src=", "<a href='", "'", "\"", "https://evil.example", "http:", "//",
                "javascript:x", "data:text/html,", "www.evil.example", "@", "?q=", "docs.example/", "(", "\n", "data", "wss://",
            ]).prop_map(str::to_owned),
        ], 0..24),
        cuts in prop::collection::vec(any::<usize>(), 0..24),
    ) {
        pieces::same_in_pieces(&guard(), &parts.concat(), &Context::default(), &cuts);
    }

    #[test]
    fn no_text_breaks_it(text: String) {
        pieces::read(&guard(), &text, &Context::default(), &[text.len() / 2]);
    }
}
