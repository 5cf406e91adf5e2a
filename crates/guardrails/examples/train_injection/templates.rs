use std::collections::{BTreeMap, BTreeSet};

use crate::split::Random;

/// These are the same wherever they occur in one text.
const STICKY: [&str; 4] = ["persona", "maker", "product", "city"];
/// How deep slots lie in each other at most.
const DEEPEST: usize = 6;

/// Templates by family, and what their slots are filled with. `corpora/attacks.txt` tells the notation.
pub(crate) struct Templates {
    slots: BTreeMap<String, Vec<String>>,
    pub(crate) families: Vec<(String, Vec<String>)>,
}

impl Templates {
    /// Those of a corpus; the first line is a comment.
    pub(crate) fn parse(corpus: &str) -> Self {
        let mut parsed = Self { slots: BTreeMap::new(), families: Vec::new() };
        for line in corpus.lines().skip(1).filter(|line| !line.trim().is_empty()) {
            if let Some((name, values)) = line.strip_prefix('@').and_then(|line| line.split_once(':')) {
                parsed.slots.insert(name.into(), values.split('|').map(|value| value.trim().replace("\\n", "\n")).collect());
            } else if let Some(family) =
                line.strip_prefix("# ").filter(|family| family.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
            {
                parsed.families.push((family.into(), Vec::new()));
            } else if let Some((_, templates)) = parsed.families.last_mut() {
                templates.push(line.into());
            }
        }
        parsed
    }

    /// Up to `most` different texts of `template`.
    pub(crate) fn texts(&self, template: &str, most: usize, random: &mut Random) -> BTreeSet<String> {
        (0..most).map(|_| self.fill(&template.replace("\\n", "\n"), random, &mut BTreeMap::new(), 0).trim().to_owned()).collect()
    }

    fn fill(&self, template: &str, random: &mut Random, chosen: &mut BTreeMap<String, String>, depth: usize) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            text.push_str(&rest[..open]);
            rest = &rest[open..];
            let slot = rest.find('}').map(|close| &rest[1..close]).filter(|slot| depth < DEEPEST && self.slots.contains_key(name(slot)));
            if let Some(slot) = slot {
                self.fill_slot(slot, &mut text, random, chosen, depth);
                rest = &rest[slot.len() + 2..];
            } else {
                text.push('{');
                rest = &rest[1..];
            }
        }
        text + rest
    }

    fn fill_slot(&self, slot: &str, text: &mut String, random: &mut Random, chosen: &mut BTreeMap<String, String>, depth: usize) {
        let values = &self.slots[name(slot)];
        let (least, most) =
            slot.split_once('*').and_then(|(_, count)| count.split_once('-')).map_or((1, 1), |(least, most)| (number(least), number(most)));
        let mut left: Vec<usize> = (0..values.len()).collect();
        let start = text.is_empty() || text.ends_with(['\n', '.', '!', '?']) || text.ends_with(". ") || text.ends_with(": ");
        for at in 0..(least + random.below(most - least + 1)).min(values.len()) {
            let value = &values[left.swap_remove(random.below(left.len()))];
            let filled = match chosen.get(slot).filter(|_| STICKY.contains(&slot)) {
                Some(filled) => filled.clone(),
                None => self.fill(value, random, chosen, depth + 1),
            };
            if STICKY.contains(&slot) {
                chosen.insert(slot.into(), filled.clone());
            }
            text.push_str(if at > 0 { " " } else { "" });
            // Half of what begins a sentence begins with a capital.
            let capital = start && at == 0 && random.below(2) == 0;
            text.push_str(&if capital { capitalised(&filled) } else { filled });
        }
    }
}

fn name(slot: &str) -> &str {
    slot.split('*').next().unwrap_or(slot)
}

fn number(digits: &str) -> usize {
    digits.parse().expect("the corpora give numbers after a star")
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
