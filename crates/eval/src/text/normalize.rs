use std::sync::LazyLock;

use regex::Regex;

/// Characters of the Unicode category punctuation.
static PUNCTUATION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\p{P}").expect("the pattern is constant and valid"));

/// A short answer as `SQuAD` compares it (Rajpurkar et al. 2016): in lower case, without punctuation, without the articles `a`, `an` and
/// `the`, words parted by single spaces.
///
/// On ASCII text this is what the official script does. Beyond ASCII, letters are lowered by Unicode's rules and all punctuation of Unicode
/// goes (`„`, `。`, `—`), where the script knows ASCII's only. Other symbols stay, and so do accents: `é` as one character and as two
/// are different texts.
///
/// ```
/// use jarre_eval::text::normalize_answer;
///
/// assert_eq!(normalize_answer("  The U.S.A., “an  Example” "), "usa example");
/// ```
pub fn normalize_answer(text: &str) -> String {
    normalized_tokens(text).join(" ")
}

/// The words of [`normalize_answer`].
pub(crate) fn normalized_tokens(text: &str) -> Vec<String> {
    let mut bare = text.to_lowercase();
    bare.retain(|c| !is_punctuation(c));
    bare.split_whitespace().filter(|word| !matches!(*word, "a" | "an" | "the")).map(str::to_owned).collect()
}

fn is_punctuation(c: char) -> bool {
    // Letters of other scripts need no search.
    c.is_ascii_punctuation() || !c.is_ascii() && !c.is_alphanumeric() && PUNCTUATION.is_match(c.encode_utf8(&mut [0; 4]))
}
