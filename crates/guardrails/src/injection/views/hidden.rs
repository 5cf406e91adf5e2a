use super::{Encoding, View, readable};

/// The fewest characters that say something.
const LEAST: usize = 4;
/// Flags of regions are this one and tags.
const FLAG: char = '\u{1F3F4}';

/// Finds text in characters that are not seen.
pub(super) fn find(text: &str, found: &mut Vec<View>) {
    if text.bytes().fold(0, u8::max) < 0xEF {
        return;
    }
    let (mut hidden, mut start, mut before) = (Vec::new(), 0, ' ');
    let mut kind = None;
    for (at, char) in text.char_indices().chain([(text.len(), ' ')]) {
        let now = unseen(char, before == FLAG && kind.is_none());
        if kind != now.map(|(encoding, _)| encoding) {
            if let Some(encoding) = kind {
                tell(encoding, &hidden, start..at, found);
            }
            hidden.clear();
            (kind, start) = (now.map(|(encoding, _)| encoding), at);
        }
        hidden.extend(now.map(|(_, byte)| byte));
        before = char;
    }
}

fn tell(encoding: Encoding, hidden: &[u8], span: std::ops::Range<usize>, found: &mut Vec<View>) {
    let text = if encoding == Encoding::Tags { Some(String::from_utf8_lossy(hidden).into_owned()) } else { readable(hidden) };
    if let Some(text) = text.filter(|text| text.len() >= LEAST) {
        found.push(View { encoding, text, span });
    }
}

/// What an unseen character says; `flag` where it goes on a flag.
fn unseen(char: char, flag: bool) -> Option<(Encoding, u8)> {
    let byte = |first: u32| u8::try_from(u32::from(char) - first).ok();
    match char {
        '\u{E0020}'..='\u{E007E}' if !flag => Some((Encoding::Tags, byte(0xE_0000)?)),
        '\u{FE00}'..='\u{FE0F}' => Some((Encoding::Selectors, byte(0xFE00)?)),
        '\u{E0100}'..='\u{E01EF}' => Some((Encoding::Selectors, byte(0xE_0100 - 16)?)),
        _ => None,
    }
}
