/// The stem of a word of ASCII letters and digits in lower case: Porter (1980), with the departures of NLTK, which `rouge-score` uses.
/// Takes time linear in the length.
pub(super) fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word) {
        return (*stem).to_owned();
    }
    let mut stem = word.to_owned();
    if word.len() > 2 {
        for step in [plural, participle, final_y, double_suffix, suffix, single_suffix, final_e, final_ll] {
            stem = step(stem);
        }
    }
    stem
}

const IRREGULAR: [(&str, &str); 16] = [
    ("sky", "sky"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("news", "news"),
    ("innings", "inning"),
    ("inning", "inning"),
    ("outings", "outing"),
    ("outing", "outing"),
    ("cannings", "canning"),
    ("canning", "canning"),
    ("howe", "howe"),
    ("proceed", "proceed"),
    ("exceed", "exceed"),
    ("succeed", "succeed"),
];

/// A suffix, what stands in its place, and what its stem must fulfil.
type Rule<'r> = (&'r str, &'r str, fn(&str) -> bool);

/// Applies the first rule whose suffix the word has, where its condition holds.
fn apply(word: String, rules: &[Rule<'_>]) -> String {
    let found = rules.iter().find_map(|(suffix, with, condition)| word.strip_suffix(suffix).map(|stem| (stem, with, condition)));
    match found {
        Some((stem, with, condition)) if condition(stem) => format!("{stem}{with}"),
        _ => word,
    }
}

/// Step 1a.
fn plural(word: String) -> String {
    if word.len() == 4 && word.ends_with("ies") {
        return apply(word, &[("ies", "ie", always)]);
    }
    apply(word, &[("sses", "ss", always), ("ies", "i", always), ("ss", "ss", always), ("s", "", always)])
}

/// Step 1b.
fn participle(word: String) -> String {
    if word.ends_with("ied") {
        let with = if word.len() == 4 { "ie" } else { "i" };
        return apply(word, &[("ied", with, always)]);
    }
    if word.ends_with("eed") {
        return apply(word, &[("eed", "ee", measured)]);
    }
    let stem = ["ed", "ing"].iter().find_map(|suffix| word.strip_suffix(suffix).filter(|stem| has_vowel(stem)));
    stem.map(completed).unwrap_or(word)
}

/// What is left of a word whose `ed` or `ing` was taken.
fn completed(stem: &str) -> String {
    let double = |letters: &[u8]| letters.len() > 1 && letters[letters.len() - 1] == letters[letters.len() - 2];
    if ["at", "bl", "iz"].iter().any(|end| stem.ends_with(end)) {
        format!("{stem}e")
    } else if double(stem.as_bytes()) && ends_consonant(stem) {
        if stem.ends_with(['l', 's', 'z']) { stem.to_owned() } else { stem[..stem.len() - 1].to_owned() }
    } else if measure(stem) == 1 && ends_short(stem) {
        format!("{stem}e")
    } else {
        stem.to_owned()
    }
}

/// Step 1c.
fn final_y(word: String) -> String {
    apply(word, &[("y", "i", |stem| stem.len() > 1 && ends_consonant(stem))])
}

/// Step 2.
fn double_suffix(word: String) -> String {
    // Only what follows a stem with a syllable, so that the word shortens each time.
    if word.strip_suffix("alli").is_some_and(measured) {
        return double_suffix(apply(word, &[("alli", "al", always)]));
    }
    let rules = [
        ("ational", "ate"),
        ("tional", "tion"),
        ("enci", "ence"),
        ("anci", "ance"),
        ("izer", "ize"),
        ("bli", "ble"),
        ("alli", "al"),
        ("entli", "ent"),
        ("eli", "e"),
        ("ousli", "ous"),
        ("ization", "ize"),
        ("ation", "ate"),
        ("ator", "ate"),
        ("alism", "al"),
        ("iveness", "ive"),
        ("fulness", "ful"),
        ("ousness", "ous"),
        ("aliti", "al"),
        ("iviti", "ive"),
        ("biliti", "ble"),
        ("fulli", "ful"),
    ];
    // The measure of this one's stem counts the `l`.
    let log = |word: String| {
        if word.strip_suffix("ogi").is_some_and(|stem| measured(stem) && stem.ends_with('l')) {
            apply(word, &[("logi", "log", always)])
        } else {
            word
        }
    };
    if word.ends_with("logi") { log(word) } else { apply(word, &rules.map(|(suffix, with)| (suffix, with, measured as fn(&str) -> bool))) }
}

/// Step 3.
fn suffix(word: String) -> String {
    let rules = [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];
    apply(word, &rules.map(|(suffix, with)| (suffix, with, measured as fn(&str) -> bool)))
}

/// Step 4.
fn single_suffix(word: String) -> String {
    if word.ends_with("ion") {
        return apply(word, &[("ion", "", |stem| measure(stem) > 1 && stem.ends_with(['s', 't']))]);
    }
    let suffixes =
        ["al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ou", "ism", "ate", "iti", "ous", "ive", "ize"];
    apply(word, &suffixes.map(|suffix| (suffix, "", (|stem| measure(stem) > 1) as fn(&str) -> bool)))
}

/// Step 5a.
fn final_e(word: String) -> String {
    apply(word, &[("e", "", |stem| measure(stem) > 1 || measure(stem) == 1 && !ends_short(stem))])
}

/// Step 5b.
fn final_ll(word: String) -> String {
    let single = word.strip_suffix('l').filter(|stem| stem.ends_with('l') && measure(stem) > 1).map(str::to_owned);
    single.unwrap_or(word)
}

fn always(_: &str) -> bool {
    true
}

fn measured(stem: &str) -> bool {
    measure(stem) > 0
}

/// How many times consonants follow vowels: m of [C](VC)^m[V].
fn measure(stem: &str) -> usize {
    let consonants: Vec<bool> = consonants(stem).collect();
    consonants.windows(2).filter(|pair| !pair[0] && pair[1]).count()
}

fn has_vowel(stem: &str) -> bool {
    consonants(stem).any(|consonant| !consonant)
}

fn ends_consonant(stem: &str) -> bool {
    consonants(stem).last().unwrap_or(false)
}

/// Consonant, vowel, consonant but w, x and y; or vowel and consonant alone.
fn ends_short(stem: &str) -> bool {
    let consonants: Vec<bool> = consonants(stem).collect();
    match consonants.as_slice() {
        [false, true] => true,
        [.., true, false, true] => !stem.ends_with(['w', 'x', 'y']),
        _ => false,
    }
}

/// For each letter whether it is a consonant; `y` is one at the beginning and after a vowel.
fn consonants(word: &str) -> impl Iterator<Item = bool> {
    word.bytes().scan(false, |before, letter| {
        *before = match letter {
            b'a' | b'e' | b'i' | b'o' | b'u' => false,
            b'y' => !*before,
            _ => true,
        };
        Some(*before)
    })
}
