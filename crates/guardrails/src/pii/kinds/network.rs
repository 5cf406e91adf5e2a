use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::context::{just_before, near, stands_alone};
use crate::scan::{Judge, Rule, Seen};

pub(super) fn mac() -> Rule {
    Rule::new("mac", r"(?-u:\b)[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?:[:-]?[0-9A-Za-z])?", |seen| {
        let separator = seen.text[2..].chars().next()?;
        let same = seen.text.matches(separator).count() == 5 && seen.text.len() == 17;
        let told = seen.text.contains(|char: char| !matches!(char, '0' | 'f' | 'F' | ':' | '-'));
        let inside = seen.before.ends_with([':', '-', '_', '/', '.']) && !seen.before.ends_with(": ");
        (same && told && !inside).then_some(0.9)
    })
}

/// Addresses of both versions; private ranges count where `private`.
pub(super) fn ip(private: bool) -> Vec<Rule> {
    let v4 = r"(?-u:\b)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:[-.]?[0-9A-Za-z_])?";
    let v6 = r"(?:(?-u:\b)[0-9A-Fa-f]{1,4}|:)(?::[0-9A-Fa-f]{0,4}){2,7}(?:[:.]?[0-9A-Za-z_])?";
    let (judge_v4, judge_v6): (Judge, Judge) = if private {
        (|seen| v4_score(seen, true), |seen| v6_score(seen, true))
    } else {
        (|seen| v4_score(seen, false), |seen| v6_score(seen, false))
    };
    vec![Rule::new("ip", v4, judge_v4), Rule::new("ip", v6, judge_v6)]
}

const VERSIONS: &[&str] = &[
    "v", "version*", "ver", "release*", "rev", "build", "firmware", "oid", "section", "chapter", "kapitel", "versión", "versione",
    "versie", "wersja", "§",
];
const ADDRESSES: &[&str] = &[
    "ip",
    "ipv4",
    "ip-adresse",
    "adresse ip",
    "dirección ip",
    "indirizzo ip",
    "ip-adres",
    "adres ip",
    "host",
    "client*",
    "from",
    "addr*",
    "remote*",
    "peer",
];

fn v4_score(seen: &Seen<'_>, private: bool) -> Option<f32> {
    let address: Ipv4Addr = seen.text.parse().ok()?;
    let octets = address.octets();
    let special = address.is_private() || address.is_loopback() || address.is_link_local() || octets[0] == 0 || octets[0] >= 224;
    if !stands_alone_address(seen) || (special && !private) {
        return None;
    }
    let small = octets.iter().all(|&octet| octet < 30);
    Some(match (near(seen, ADDRESSES), just_before(seen, VERSIONS)) {
        (_, true) => 0.2,
        _ if small && !just_before(seen, ADDRESSES) => 0.3,
        (true, false) => 0.95,
        (false, false) => 0.8,
    })
}

fn stands_alone_address(seen: &Seen<'_>) -> bool {
    let mut before = seen.before.chars().rev();
    match (before.next(), before.next()) {
        // As in `https://`, and not in `Chrome/120.0.6099.109`.
        (Some('/'), other) => other == Some('/'),
        (Some(':' | '@' | '='), _) => true,
        _ => stands_alone(seen),
    }
}

fn v6_score(seen: &Seen<'_>, private: bool) -> Option<f32> {
    let address: Ipv6Addr = seen.text.parse().ok()?;
    let first = address.segments()[0];
    let global = first & 0xe000 == 0x2000;
    let groups = seen.text.split(':').filter(|group| !group.is_empty()).count();
    let whole = !seen.before.ends_with(|char: char| char.is_alphanumeric() || matches!(char, ':' | '.' | '_'));
    let special = first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 || address.is_loopback();
    (whole && ((global && groups >= 3) || (private && special))).then_some(0.9)
}
