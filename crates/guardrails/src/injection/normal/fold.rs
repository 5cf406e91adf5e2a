use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::{Signs, confusables, mapped::Mapped};

/// Every character as plain as it can be by itself: compatibility forms resolved (NFKD), marks on letters and what cannot be seen dropped,
/// Latin letters in lower case.
pub(super) fn fold(text: &str, signs: &mut Signs) -> Mapped {
    let mut mapped = Mapped::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let plain = text.as_bytes()[at..].iter().take_while(|byte| is_plain(**byte)).count();
        mapped.keep_lower(&text[at..at + plain], at);
        at += plain;
        let Some(char) = text[at..].chars().next() else { break };
        fold_char(&mut mapped, char, at, signs);
        at += char.len_utf8();
    }
    mapped
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\t' | b'\r')
}

fn fold_char(mapped: &mut Mapped, char: char, at: usize, signs: &mut Signs) {
    let span = at..at + char.len_utf8();
    if is_unseen(char) {
        signs.see_unseen(char);
    } else if let Some(latin) = confusables::latin(char) {
        signs.homoglyphs += usize::from(latin.is_ascii_alphanumeric());
        mapped.put_char(latin, span);
    } else if char.is_control() || char.is_whitespace() {
        mapped.put_char(if matches!(char, '\u{85}' | '\u{2028}' | '\u{2029}') { '\n' } else { ' ' }, span);
    } else if is_composed(char) {
        mapped.keep(char.encode_utf8(&mut [0; 4]), at);
    } else {
        decompose(mapped, char, span, signs);
    }
}

fn decompose(mapped: &mut Mapped, char: char, span: std::ops::Range<usize>, signs: &mut Signs) {
    let mut parts = 0;
    decompose_compatible(char, |part| {
        if is_mark(part) {
            // A letter may carry one or two.
            signs.marks += usize::from(parts == 0);
            return;
        }
        parts += 1;
        if part == char {
            mapped.keep(char.encode_utf8(&mut [0; 4]), span.start);
        } else {
            signs.compatibility += usize::from(part.is_ascii_alphanumeric() && !is_accented(char));
            mapped.put_char(confusables::latin(part).unwrap_or(part.to_ascii_lowercase()), span.clone());
        }
    });
}

/// The letters with accents that European languages and Vietnamese write.
fn is_accented(char: char) -> bool {
    matches!(char, '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}')
}

/// Marks that stand on letters without being a letter's sound, as those of Indic scripts are.
fn is_mark(char: char) -> bool {
    let block = matches!(char, '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}');
    block && is_combining_mark(char)
}

/// Characters whose parts would be no plainer: those of Greek and Cyrillic, Hangul syllables, kana, Han.
fn is_composed(char: char) -> bool {
    matches!(char, '\u{386}'..='\u{3CE}' | '\u{400}'..='\u{482}' | '\u{48A}'..='\u{52F}' | '\u{AC00}'..='\u{D7A3}' | '\u{3041}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}')
}

/// Zero-widths, directions, fillers, variation selectors and tags.
fn is_unseen(char: char) -> bool {
    matches!(char,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

impl Signs {
    fn see_unseen(&mut self, char: char) {
        match char {
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => self.directions += 1,
            '\u{E0000}'..='\u{E007F}' => self.tags += 1,
            // A soft hyphen, a joiner between letters or emoji, a mark of direction and the look of an emoji are seen in honest texts.
            '\u{AD}' | '\u{200C}'..='\u{200F}' | '\u{FE0F}' | '\u{FEFF}' | '\u{61C}' => {}
            _ => self.unseen += 1,
        }
    }
}
