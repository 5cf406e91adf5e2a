use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, StartKind, automaton::OverlappingState};
use regex::Regex;
use regex_syntax::hir::literal::Extractor;

use super::rules::{RULES, WORDS};

/// How a pattern begins that fits the beginning of a sentence alone, and how many bytes that may be.
const FRONT: (&str, usize) = (r"^\W{0,4}", 4 * 4);

/// Finds which patterns a sentence fits: those alone are tried of which it holds a beginning.
pub(super) struct Finder {
    regexes: Vec<Regex>,
    beginnings: AhoCorasick,
    /// For each beginning, the patterns that it is one of.
    begun: Vec<u64>,
    /// The patterns that can begin with anything.
    always: u64,
    /// The patterns that begin where a sentence does.
    front: u64,
    openings: Openings,
}

impl Finder {
    pub(super) fn new() -> Result<Self, Box<dyn std::error::Error>> {
        const { assert!(RULES.len() <= 64, "a set of patterns is a word of bits") };
        let (mut regexes, mut always, mut front) = (Vec::new(), 0, 0);
        let (mut beginnings, mut begun): (Vec<Vec<u8>>, Vec<u64>) = (Vec::new(), Vec::new());
        for (at, rule) in RULES.iter().enumerate() {
            regexes.push(Regex::new(&expand(rule.pattern))?);
            let rest = rule.pattern.strip_prefix(FRONT.0);
            front |= u64::from(rest.is_some()) << at;
            let prefixes = Extractor::new().limit_total(600).extract(&regex_syntax::parse(&expand(rest.unwrap_or(rule.pattern)))?);
            match prefixes.literals().filter(|literals| literals.iter().all(|literal| literal.len() >= 2)) {
                None => always |= 1 << at,
                Some(literals) => {
                    beginnings.extend(literals.iter().map(|literal| literal.as_bytes().to_vec()));
                    begun.resize(beginnings.len(), 1 << at);
                }
            }
        }
        let openings = Openings::of(&beginnings);
        let mut builder = AhoCorasick::builder();
        let beginnings = builder.kind(Some(AhoCorasickKind::ContiguousNFA)).start_kind(StartKind::Anchored).build(beginnings)?;
        Ok(Self { regexes, beginnings, begun, always, front, openings })
    }

    pub(super) fn rules<'a>(&'a self, sentence: &'a str) -> impl Iterator<Item = usize> + 'a {
        let tried = self.tried(sentence);
        (0..self.regexes.len()).filter(move |rule| tried >> rule & 1 == 1 && self.regexes[*rule].is_match(sentence))
    }

    /// The patterns that may fit.
    fn tried(&self, sentence: &str) -> u64 {
        let bytes = sentence.as_bytes();
        // No pattern begins in the middle of a word of ASCII.
        let begins = |at: usize| at == 0 || !bytes[at - 1].is_ascii_alphanumeric() || !bytes[at].is_ascii_alphanumeric();
        let mut tried = self.always;
        for at in (0..bytes.len()).filter(|at| self.openings.hold(bytes, *at) && begins(*at)) {
            tried |= self.begun_at(sentence, at) & if at > FRONT.1 { !self.front } else { !0 };
        }
        tried
    }

    /// The patterns of which a beginning stands at `at`.
    fn begun_at(&self, sentence: &str, at: usize) -> u64 {
        let (mut begun, mut state) = (0, OverlappingState::start());
        loop {
            let here = Input::new(sentence).span(at..sentence.len()).anchored(Anchored::Yes);
            self.beginnings.find_overlapping(here, &mut state);
            let Some(found) = state.get_match() else { return begun };
            begun |= self.begun[found.pattern().as_usize()];
        }
    }
}

/// What texts begin with, by a hash of three bytes: it may hold more than it was given, never less.
struct Openings(Vec<bool>);

impl Openings {
    fn of(texts: &[Vec<u8>]) -> Self {
        let mut openings = Self(vec![false; 1 << 16]);
        for text in texts {
            match text[..] {
                [first, second, third, ..] => openings.0[Self::place([first, second, third])] = true,
                _ => (0..=u8::MAX).for_each(|third| openings.0[Self::place([text[0], text[1], third])] = true),
            }
        }
        openings
    }

    fn hold(&self, bytes: &[u8], at: usize) -> bool {
        let byte = |at| bytes.get(at).copied().unwrap_or_default();
        self.0[Self::place([bytes[at], byte(at + 1), byte(at + 2)])]
    }

    fn place([first, second, third]: [u8; 3]) -> usize {
        (u32::from_le_bytes([first, second, third, 0]).wrapping_mul(0x9e37_79b1) >> 16) as usize
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

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::super::FINDER;

    const WORDS: &str = "ignore|all|previous|instructions|the|hey|assistant|ai|system|message|prompt|what|please|describe|<|im_start|>|##|[inst]|forget|everything|you|\
        are|dan|now|print|your|new|task|if you are an|decode|base64|tools|run|ignorez|tes|consignes|忽略|指令|no longer|bound by|rules";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn what_is_not_tried_does_not_fit(
            words in vec((select(WORDS.split('|').collect::<Vec<_>>()), select(vec![" ", " ", " ", ", ", ": ", "... ", "-"])), 1..12),
            front in "[-*>#( ]{0,6}",
        ) {
            let text: String = words.into_iter().flat_map(|(word, gap)| [word, gap]).collect();
            let (finder, sentence) = (&*FINDER, format!("{front}{text}"));
            let sentence = sentence.trim();
            let fit: Vec<usize> = (0..finder.regexes.len()).filter(|rule| finder.regexes[*rule].is_match(sentence)).collect();
            prop_assert_eq!(finder.rules(sentence).collect::<Vec<_>>(), fit);
        }
    }
}
