/// The sentences of `text`: cut at line ends, and after `.`, `!` or `?` (with closing quotes and brackets) before white space, unless
/// the mark ends an initial or a usual abbreviation. A rule for Latin punctuation, not a model; `。`, `！` and `？` cut too.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    text.lines().flat_map(sentences_of_line).filter(|sentence| sentence.contains(char::is_alphanumeric)).collect()
}

fn sentences_of_line(line: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut ended = false;
    for (place, character) in line.char_indices() {
        if ended && (character.is_whitespace() || line[..place].ends_with(WIDE_MARKS)) {
            sentences.push(line[start..place].trim());
            start = place;
            ended = false;
        } else if WIDE_MARKS.contains(&character) || "!?".contains(character) {
            ended = true;
        } else if character == '.' {
            ended = !ends_in_abbreviation(&line[start..place]);
        } else {
            ended = ended && "\"')]”’".contains(character);
        }
    }
    sentences.push(line[start..].trim());
    sentences
}

/// Whether `text`, up to a full stop, ends in a single letter or in an abbreviation that sentences go on after.
fn ends_in_abbreviation(text: &str) -> bool {
    let word = text.rsplit(|character: char| !character.is_alphanumeric()).next().unwrap_or(text);
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    initial || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

const WIDE_MARKS: [char; 3] = ['。', '！', '？'];
const ABBREVIATIONS: [&str; 13] = ["dr", "mr", "mrs", "ms", "prof", "st", "vs", "e", "g", "eg", "ie", "fig", "approx"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        let table: [(&str, &[&str]); 8] = [
            ("One. Two! Three?", &["One.", "Two!", "Three?"]),
            ("It cost 3.5 euros. Cheap.", &["It cost 3.5 euros.", "Cheap."]),
            ("Dr. J. Smith left. He ran.", &["Dr. J. Smith left.", "He ran."]),
            ("He said \"no.\" Then left.", &["He said \"no.\"", "Then left."]),
            ("- a\n- b\n\n---", &["- a", "- b"]),
            ("北京。上海。", &["北京。", "上海。"]),
            ("see example.org now", &["see example.org now"]),
            (" \n\t", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(sentences(text), expected, "{text}");
        }
    }
}
