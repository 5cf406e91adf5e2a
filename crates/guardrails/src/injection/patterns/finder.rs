use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::Regex;
use regex_syntax::hir::literal::Extractor;

use super::rules::{RULES, WORDS};

/// Finds which patterns a sentence fits: those alone are tried of which it holds a beginning.
pub(super) struct Finder {
    regexes: Vec<Regex>,
    beginnings: AhoCorasick,
    /// For each beginning, the patterns that it is one of.
    begun: Vec<u64>,
    /// The patterns that can begin with anything.
    always: u64,
}

impl Finder {
    pub(super) fn new() -> Result<Self, Box<dyn std::error::Error>> {
        const { assert!(RULES.len() <= 64, "a set of patterns is a word of bits") };
        let (mut regexes, mut always) = (Vec::new(), 0);
        let (mut beginnings, mut begun): (Vec<Vec<u8>>, Vec<u64>) = (Vec::new(), Vec::new());
        for (at, rule) in RULES.iter().enumerate() {
            let pattern = expand(rule.pattern);
            regexes.push(Regex::new(&pattern)?);
            let prefixes = Extractor::new().limit_total(600).extract(&regex_syntax::parse(&pattern)?);
            match prefixes.literals().filter(|literals| literals.iter().all(|literal| literal.len() >= 2)) {
                None => always |= 1 << at,
                Some(literals) => {
                    beginnings.extend(literals.iter().map(|literal| literal.as_bytes().to_vec()));
                    begun.resize(beginnings.len(), 1 << at);
                }
            }
        }
        Ok(Self { regexes, beginnings: AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(beginnings)?, begun, always })
    }

    pub(super) fn rules<'a>(&'a self, sentence: &'a str) -> impl Iterator<Item = usize> + 'a {
        let bytes = sentence.as_bytes();
        // No pattern begins in the middle of a word of ASCII.
        let begins = |at: usize| at == 0 || !bytes[at - 1].is_ascii_alphanumeric() || !bytes[at].is_ascii_alphanumeric();
        let found = self.beginnings.find_overlapping_iter(sentence).filter(|found| begins(found.start()));
        let tried = found.fold(self.always, |tried, found| tried | self.begun[found.pattern().as_usize()]);
        (0..self.regexes.len()).filter(move |rule| tried >> rule & 1 == 1 && self.regexes[*rule].is_match(sentence))
    }
}

/// `<name>` becomes its list of words, `<3>` as many words or fewer.
fn expand(pattern: &str) -> String {
    let mut expanded = pattern.to_owned();
    for _ in 0..2 {
        for (name, words) in WORDS {
            expanded = expanded.replace(&format!("<{name}>"), words);
        }
    }
    for most in 1..=12 {
        expanded = expanded.replace(&format!("<{most}>"), &format!("(?:[^ \\n]+[ \\n]+){{0,{most}}}"));
    }
    // Words begin where a pattern begins; ASCII is enough, and quicker.
    let bounded = expanded.starts_with(|char: char| char.is_ascii_alphanumeric()) || expanded.starts_with("(?:") && expanded.is_ascii();
    let expanded = expanded.replace(r"\b", r"(?-u:\b)").replace(r"\w", "[a-z0-9]").replace(r"\S", "[^ \\n]").replace(r"\W", "[^a-z0-9]");
    if bounded { format!("(?-u:\\b)(?:{expanded})") } else { expanded }
}
