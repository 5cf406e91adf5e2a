use std::{
    ops::Range,
    sync::{Arc, LazyLock},
};

use aho_corasick::{AhoCorasick, MatchKind};

use super::{
    LinkAction, Rules,
    carried::{self, Words},
    host,
    syntax::{self, Form, Link, Step},
    url::Target,
};
use crate::{Effect, Finding, Result, Scan, scan::boundary_before};

/// What begins a link.
const BEGINNINGS: [&str; 14] =
    ["![", "[", "](", "<", "://", "http:", "https:", "ftp:", "javascript:", "vbscript:", "data:", "www.", "ws://", "wss://"];
/// The longest of these, less a byte: of those no more can stand at the end undecided.
const UNFINISHED: usize = 10;

static FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(true).build(BEGINNINGS);
    built.expect("so few short words make an automaton")
});

pub(super) struct LinkScan {
    rules: Arc<Rules>,
    words: Words,
    /// The text from `base` on.
    text: String,
    base: usize,
    decided: usize,
}

impl LinkScan {
    pub(super) fn new(rules: Arc<Rules>, words: Words) -> Self {
        Self { rules, words, text: String::new(), base: 0, decided: 0 }
    }

    fn read(&mut self, ended: bool, found: &mut Vec<Finding>) {
        let mut at = self.decided - self.base;
        loop {
            let Some(start) = FINDER.find(&self.text[at..]).map(|beginning| at + beginning.start()) else {
                let known = if ended { self.text.len() } else { self.text.len().saturating_sub(UNFINISHED) };
                at = at.max(boundary_before(&self.text, known));
                break;
            };
            match syntax::read(&self.text[start..], ended) {
                Step::Wait => {
                    at = start;
                    break;
                }
                Step::Nothing => at = start + 1,
                Step::Found(link) => {
                    at = start + link.end;
                    found.extend(self.judge(&link, start));
                }
            }
        }
        self.decided = self.base + at;
        // Moving what is left costs its length: only once that is the smaller part.
        if at > self.text.len() / 2 {
            self.text.drain(..at);
            self.base += at;
        }
    }

    fn judge(&self, link: &Link, start: usize) -> Option<Finding> {
        let place = |range: &Range<usize>| &self.text[start + range.start..start + range.end];
        let verdicts = link.targets.iter().filter_map(|target| self.verdict(&Target::read(place(target)), link));
        let (label, action) = verdicts.min_by_key(|(label, _)| GRAVEST_FIRST.iter().position(|known| known == label))?;
        let effect = match action {
            LinkAction::Pass => return None,
            LinkAction::Note => Effect::Note,
            LinkAction::Block => Effect::Block,
            LinkAction::Neutralise => Effect::Replace(match link.form {
                Form::Bare => "[link removed]".to_owned(),
                Form::Marked => place(&link.shown).to_owned(),
            }),
        };
        Some(Finding::certain(self.base + start..self.base + start + link.end, label, effect))
    }

    fn verdict(&self, target: &Target, link: &Link) -> Option<(&'static str, LinkAction)> {
        let Rules { config, allow, deny } = &*self.rules;
        let suspicious = |label| Some((label, config.suspicious));
        match target.scheme.as_deref() {
            Some("javascript" | "vbscript") => return Some(("script_url", config.scripts)),
            Some("data") => return Some(("data_url", config.scripts)),
            _ if link.overlong => return suspicious("long_url"),
            _ => {}
        }
        let name = target.host.as_deref()?;
        if deny.hold(name) {
            return suspicious("denied_host");
        }
        if target.userinfo {
            return suspicious("userinfo");
        }
        if allow.hold(name) {
            return None;
        }
        if host::is_ip(name) {
            return suspicious("ip_host");
        }
        if allow.resemble(name) || host::mixes_scripts(name) {
            return suspicious("lookalike_host");
        }
        if carried::carries(target, &self.words, config) {
            return suspicious("carries_data");
        }
        Some(if link.loads { ("image", config.images) } else { ("link", config.links) })
    }
}

const GRAVEST_FIRST: [&str; 10] =
    ["script_url", "data_url", "long_url", "denied_host", "userinfo", "ip_host", "lookalike_host", "carries_data", "image", "link"];

impl Scan for LinkScan {
    fn push(&mut self, text: &str, found: &mut Vec<Finding>) -> Result<()> {
        self.text.push_str(text);
        self.read(false, found);
        Ok(())
    }

    fn finish(&mut self, found: &mut Vec<Finding>) -> Result<()> {
        self.read(true, found);
        Ok(())
    }

    fn decided(&self) -> usize {
        self.decided
    }
}
