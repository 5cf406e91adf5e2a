use std::{
    collections::HashSet,
    net::{Ipv4Addr, Ipv6Addr},
};

use unicode_normalization::UnicodeNormalization;

use super::{punycode, url::decoded};

/// Names of hosts, some with all that stands below them.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    exact: HashSet<String>,
    /// Those that were written `*.name`.
    above: HashSet<String>,
    /// All of them as they look.
    looks: HashSet<String>,
}

impl Hosts {
    /// # Errors
    /// The name that is none.
    pub(super) fn new(written: &[String]) -> Result<Self, String> {
        let mut hosts = Self::default();
        for entry in written {
            let (name, below) = entry.strip_prefix("*.").map_or((entry.as_str(), false), |name| (name, true));
            let name = normal(name);
            if name.is_empty() || name.contains(['/', '@', '*', ' ', '?', '#']) {
                return Err(entry.clone());
            }
            hosts.looks.insert(skeleton(&name));
            if below {
                hosts.above.insert(name)
            } else {
                hosts.exact.insert(name)
            };
        }
        Ok(hosts)
    }

    /// Whether `name`, which is [`normal`], is one of them.
    pub(super) fn hold(&self, name: &str) -> bool {
        self.exact.contains(name) || parents(name).any(|parent| self.above.contains(parent))
    }

    /// Whether `name`, which they do not hold, looks like one of them or like one below.
    pub(super) fn resemble(&self, name: &str) -> bool {
        let looks = skeleton(name);
        self.looks.contains(&looks) || parents(&looks).any(|parent| self.looks.contains(parent) && !self.known_parent(name))
    }

    /// Whether the name stands below a name of theirs: a place that they did not name, but not one that feigns to be it.
    fn known_parent(&self, name: &str) -> bool {
        parents(name).any(|parent| self.exact.contains(parent) || self.above.contains(parent))
    }
}

/// `b.c` and `c` for `a.b.c`.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').map(|(at, _)| &name[at + 1..])
}

/// The name in lower case, compatible characters as one, Punycode (RFC 3492) read, without the dot at its end.
pub(super) fn normal(name: &str) -> String {
    let folded: String =
        decoded(name).nfkc().flat_map(char::to_lowercase).map(|character| if character == '。' { '.' } else { character }).collect();
    let labels: Vec<String> = folded.trim_end_matches('.').split('.').map(label).collect();
    labels.join(".")
}

fn label(label: &str) -> String {
    label.strip_prefix("xn--").and_then(punycode::decode).unwrap_or_else(|| label.to_owned())
}

/// Whether the name is an address of the Internet Protocol, in any way that browsers read: `127.1`, `0x7f000001`, `[::1]`.
pub(super) fn is_ip(name: &str) -> bool {
    if let Some(inner) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    name.parse::<Ipv4Addr>().is_ok() || (name.split('.').count() <= 4 && name.split('.').all(is_number))
}

fn is_number(part: &str) -> bool {
    match part.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// Whether a label of the name mixes Latin letters with Cyrillic or Greek ones (Unicode Technical Standard 39, section 5.2).
pub(super) fn mixes_scripts(name: &str) -> bool {
    name.split('.').any(|label| {
        let latin = label.chars().any(|character| character.is_ascii_alphabetic());
        latin && label.chars().any(|character| matches!(character, '\u{370}'..='\u{52f}'))
    })
}

/// What the name looks like: characters that are hard to tell apart are one.
fn skeleton(name: &str) -> String {
    let plain: String = name.nfkd().filter(|character| !matches!(character, '\u{300}'..='\u{36f}')).map(looks_like).collect();
    plain.replace("rn", "m").replace("vv", "w").replace("cl", "d")
}

fn looks_like(character: char) -> char {
    match character {
        '0' | 'о' | 'ο' | 'օ' => 'o',
        '1' | 'і' | 'ı' | 'ι' | 'ӏ' | '|' | 'l' => 'i',
        'а' | 'α' | 'ɑ' => 'a',
        'е' | 'ε' => 'e',
        'с' | 'ϲ' => 'c',
        'р' | 'ρ' => 'p',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ү' => 'y',
        'ѕ' | '5' => 's',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'т' | 'τ' => 't',
        'в' | 'ь' => 'b',
        'н' | 'һ' => 'h',
        'ν' => 'v',
        'ԁ' => 'd',
        'ԛ' => 'q',
        'ѡ' | 'ω' => 'w',
        'ɡ' => 'g',
        'п' => 'n',
        '-' | '‐' | '‑' | '–' => '-',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_however_written() {
        assert_eq!(normal("ExAmple.COM."), "example.com");
        assert_eq!(normal("xn--mnchen-3ya.example"), "münchen.example");
        assert_eq!(normal("ｅxample.com"), "example.com");
    }

    #[test]
    fn look_alikes_resemble_what_they_feign() {
        let hosts = Hosts::new(&["paypal.example".into(), "*.modern.example".into()]).unwrap();
        for name in ["раypal.example", "paypa1.example", "pay-pal.example", "modem.example", "x.rnodern.example"] {
            assert!(!hosts.hold(name), "{name}");
        }
        for name in ["раypal.example", "paypa1.example", "modem.example", "x.rnodem.example"] {
            assert!(hosts.resemble(name), "{name}");
        }
        assert!(hosts.hold("paypal.example") && hosts.hold("a.modern.example"));
        assert!(!hosts.resemble("other.example") && !hosts.resemble("evil.paypal.example"));
        assert_eq!(Hosts::new(&["https://x".into()]).unwrap_err(), "https://x");
    }

    #[test]
    fn numbers_are_addresses() {
        for name in ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "[::1]"] {
            assert!(is_ip(name), "{name}");
        }
        assert!(!is_ip("1.2.3.example") && !is_ip("example.com") && !is_ip("[x]"));
    }
}
