use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Longer texts, in bytes, are no number.
const LONGEST: usize = 256;

/// What a number may look like once its characters are folded: a sign, a currency, then a mixed number (`1 1/2`), a fraction, a decimal
/// with an exponent, or a power of ten, then a unit.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    const DECIMAL: &str = r"(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d*)?|\d{1,3}(?:['\u{2019}]\d{3})+(?:\.\d*)?|\d{1,3}(?:\ \d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)";
    let pattern = format!(
        r"(?x)^(?P<sign>[-+]?)\s*(?P<currency>(?:US|AU|CA|A|C|HK)?\$|[€£¥₹]|USD|EUR|GBP|INR)?\s*(?P<inner>[-+]?)\s*
        (?: (?P<whole>\d+)\s+(?P<top>\d+)\s*/\s*(?P<bottom>\d+)
          | 10\^\{{?(?P<ten>[-+]?\d+)\}}?
          | (?P<number>{DECIMAL})(?:[eE](?P<exponent>[-+]?\d+)|\s*[x*]\s*10\^\{{?(?P<power>[-+]?\d+)\}}?)?(?:\s*/\s*(?P<divisor>{DECIMAL}))? )
        \s*(?P<tail>[\p{{L}}°%$€£¥₹].*)?$"
    );
    Regex::new(&pattern).expect("the pattern is constant and valid")
});

/// A number as people and models write it: `-$1,234.50`, `18 dollars`, `1/2`, `1 1/2`, `½`, `1.5e-3`, `1.5 × 10^-3`, `3 million`, `50 %`,
/// `１２`, `−5`. `None` for everything else, and for NaN and what a float cannot hold.
///
/// - Thousands are parted by commas (groups of three, or India's), spaces or apostrophes. A comma is never a decimal point: `3,5` is no
///   number, as nobody can tell.
/// - A percent sign is dropped (`50 %` is 50), and so are a currency and a unit after the number, if no digit stands in it except as an
///   exponent (`m^2`). `thousand` to `trillion` multiply.
/// - Signs of Unicode for minus and digits in full width, of Arabic and of Devanagari are read like ASCII's.
///
/// ```
/// use jarre_eval::text::parse_number;
///
/// assert_eq!(parse_number("−$1,234.50"), Some(-1234.5));
/// assert_eq!(parse_number("2½ hours"), Some(2.5));
/// assert_eq!(parse_number("3,5"), None);
/// ```
pub fn parse_number(text: &str) -> Option<f64> {
    Quantity::parse(text).map(|quantity| quantity.value)
}

/// Whether two texts are the same number, read like [`parse_number`]: they differ by no more than `tolerance` times the larger magnitude.
/// False where one is no number, and for a tolerance that is negative or NaN.
///
/// Units are not converted. Where both sides have one (`5 km`, `$5`), its first word must agree, plurals apart; where one side has none,
/// the other's says nothing. Where one side alone is in percent, 50 % equals both 50 and 0.5.
///
/// ```
/// use jarre_eval::text::numeric_equal;
///
/// assert!(numeric_equal("$1,000", "1000 dollars", 0.0));
/// assert!(numeric_equal("0.3333", "1/3", 1e-3));
/// assert!(!numeric_equal("5 km", "5 miles", 0.0));
/// ```
pub fn numeric_equal(left: &str, right: &str, tolerance: f64) -> bool {
    let Some((left, right)) = Quantity::parse(left).zip(Quantity::parse(right)) else { return false };
    let close = |left, right| within(left, right, tolerance);
    let units_agree = left.unit.is_none() || right.unit.is_none() || left.unit == right.unit;
    let as_share = match (left.percent, right.percent) {
        (true, false) => close(left.value / 100.0, right.value),
        (false, true) => close(left.value, right.value / 100.0),
        _ => false,
    };
    units_agree && (as_share || close(left.value, right.value))
}

/// Whether two numbers differ by no more than `tolerance` times the larger magnitude.
pub(super) fn within(left: f64, right: f64, tolerance: f64) -> bool {
    (left - right).abs() <= tolerance * left.abs().max(right.abs())
}

struct Quantity {
    value: f64,
    percent: bool,
    unit: Option<String>,
}

impl Quantity {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches(['*', '`', '"', '\'']).trim();
        if text.len() > LONGEST {
            return None;
        }
        let folded = fold(text);
        let found = NUMBER.captures(folded.trim().trim_end_matches(['.', ' ']))?;
        let tail = Tail::parse(found.name("tail").map_or("", |tail| tail.as_str()))?;
        let sign = match (&found["sign"], &found["inner"]) {
            ("-", "") | ("", "-") => -1.0,
            (_, "") | ("", _) => 1.0,
            _ => return None,
        };
        let value = sign * magnitude(&found)? * tail.scale;
        let unit = found.name("currency").map(|currency| unit_name(currency.as_str())).or(tail.unit);
        value.is_finite().then_some(Self { value, percent: tail.percent, unit })
    }
}

/// What follows the digits.
struct Tail {
    percent: bool,
    scale: f64,
    unit: Option<String>,
}

impl Tail {
    fn parse(tail: &str) -> Option<Self> {
        let unpercented = tail.strip_prefix('%').or_else(|| strip_word(tail, "percent")).or_else(|| strip_word(tail, "per cent"));
        let (scale, tail) = strip_scale(unpercented.unwrap_or(tail).trim());
        let named = tail.is_empty() || is_unit(tail);
        let unit = tail.split_whitespace().next().map(unit_name);
        named.then_some(Self { percent: unpercented.is_some(), scale, unit })
    }
}

fn strip_scale(tail: &str) -> (f64, &str) {
    let words = [("thousand", 1e3), ("million", 1e6), ("billion", 1e9), ("trillion", 1e12)];
    let scaled = words.iter().find_map(|(word, scale)| strip_word(tail, word).map(|rest| (*scale, rest.trim())));
    scaled.unwrap_or((1.0, tail))
}

/// What follows `word`, in any case, where it is a whole word.
fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let start = text.get(..word.len())?;
    let rest = &text[word.len()..];
    (start.eq_ignore_ascii_case(word) && !rest.starts_with(char::is_alphanumeric)).then_some(rest)
}

/// Whether a digit stands in `tail` at most as an exponent: `m^2`, but not `to 10`.
fn is_unit(tail: &str) -> bool {
    let mut before = ' ';
    tail.chars().all(|c| {
        let allowed = !c.is_ascii_digit() || before == '^';
        before = c;
        allowed
    })
}

/// The first word of a unit so that its spellings agree: currencies by name, plurals as singulars.
fn unit_name(unit: &str) -> String {
    let unit = unit.trim_matches(|c: char| c.is_ascii_punctuation() && c != '$').to_lowercase();
    let currencies = [("$", "dollar"), ("usd", "dollar"), ("€", "euro"), ("eur", "euro"), ("£", "pound"), ("gbp", "pound"), ("¥", "yen")];
    let named = currencies.iter().find(|(sign, _)| unit == *sign || (*sign == "$" && unit.ends_with('$')));
    named.map_or_else(|| if unit.len() > 2 { unit.trim_end_matches('s').to_owned() } else { unit.clone() }, |(_, name)| (*name).to_owned())
}

fn magnitude(found: &Captures<'_>) -> Option<f64> {
    let part = |name: &str| found.name(name).map(|part| part.as_str());
    if let Some(whole) = part("whole") {
        return Some(decimal(whole)? + quotient(decimal(part("top")?)?, decimal(part("bottom")?)?)?);
    }
    if let Some(ten) = part("ten") {
        return format!("1e{ten}").parse().ok();
    }
    let exponent = part("exponent").or(part("power")).unwrap_or("0");
    let number: f64 = format!("{}e{exponent}", digits(part("number")?)).parse().ok()?;
    part("divisor").map_or(Some(number), |divisor| quotient(number, decimal(divisor)?))
}

fn decimal(text: &str) -> Option<f64> {
    digits(text).parse().ok()
}

/// Without what parts thousands.
fn digits(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect()
}

fn quotient(top: f64, bottom: f64) -> Option<f64> {
    (bottom != 0.0).then(|| top / bottom)
}

/// The text with ASCII's characters where Unicode has others of the same meaning.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut raised = false;
    for c in text.chars() {
        let exponent = superscript(c);
        if exponent.is_some() && !raised {
            folded.push('^');
        }
        raised = exponent.is_some();
        match exponent.or_else(|| fold_char(c)) {
            Some(c) => folded.push(c),
            None => push_fraction(&mut folded, c),
        }
    }
    folded
}

fn superscript(c: char) -> Option<char> {
    let place = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻".chars().position(|raised| raised == c)?;
    "0123456789-".chars().nth(place)
}

/// `None` for characters that stand for a fraction.
fn fold_char(c: char) -> Option<char> {
    /// Where the ten digits of a script begin: Arabic, Persian, Devanagari.
    const ZEROS: [u32; 3] = [0x660, 0x6F0, 0x966];
    let code = u32::from(c);
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(code - 0xFEE0),
        '\u{2212}' | '\u{2010}'..='\u{2013}' | '\u{FE63}' => Some('-'),
        '\u{A0}' | '\u{2007}'..='\u{200A}' | '\u{202F}' | '\u{3000}' => Some(' '),
        '×' => Some('*'),
        '\u{2044}' | '\u{2215}' => Some('/'),
        '\u{66B}' => Some('.'),
        '\u{66C}' => Some(','),
        '\u{66A}' => Some('%'),
        _ if fraction(c).is_some() => None,
        _ => {
            let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code));
            Some(zero.and_then(|zero| char::from_digit(code - zero, 10)).unwrap_or(c))
        }
    }
}

fn push_fraction(folded: &mut String, c: char) {
    if folded.ends_with(|c: char| c.is_ascii_digit()) {
        folded.push(' ');
    }
    folded.push_str(fraction(c).unwrap_or_default());
}

fn fraction(c: char) -> Option<&'static str> {
    let fractions = [
        ('½', "1/2"),
        ('⅓', "1/3"),
        ('⅔', "2/3"),
        ('¼', "1/4"),
        ('¾', "3/4"),
        ('⅕', "1/5"),
        ('⅖', "2/5"),
        ('⅗', "3/5"),
        ('⅘', "4/5"),
        ('⅙', "1/6"),
        ('⅚', "5/6"),
        ('⅐', "1/7"),
        ('⅛', "1/8"),
        ('⅜', "3/8"),
        ('⅝', "5/8"),
        ('⅞', "7/8"),
    ];
    fractions.iter().find(|(sign, _)| *sign == c).map(|(_, written)| *written)
}
