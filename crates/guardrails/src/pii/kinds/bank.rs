use super::{
    super::{
        checksum,
        context::{compact, digits, near, stands_alone},
    },
    MORE,
};
use crate::scan::{Rule, Seen};

/// The lengths of IBANs by country (SWIFT's IBAN registry).
const LENGTHS: &[(usize, &str)] = &[
    (15, "NO"),
    (16, "BE"),
    (18, "DK|FI|FO|GL|NL"),
    (19, "MK|SI"),
    (20, "AT|BA|EE|KZ|LT|LU|XK"),
    (21, "CH|HR|LI|LV"),
    (22, "BG|BH|CR|DE|GB|GE|IE|ME|RS|VA"),
    (23, "AE|GI|IL|IQ|OM|TL"),
    (24, "AD|CZ|ES|MD|PK|RO|SA|SE|SK|TN|VG"),
    (25, "PT"),
    (26, "IS|TR"),
    (27, "FR|GR|IT|MC|MR|SM"),
    (28, "AL|AZ|BY|CY|DO|GT|HU|LB|PL"),
    (29, "BR|EG|PS|QA|UA"),
    (30, "JO|KW|MU"),
    (31, "MT|SC"),
    (33, "RU"),
];

/// An IBAN in groups of four or in one piece.
pub(super) fn iban() -> Rule {
    let lengths = LENGTHS.iter().map(|(length, countries)| {
        let (groups, rest) = ((length - 4) / 4, (length - 4) % 4);
        let rest = if rest > 0 { format!("[ -]?[0-9A-Z]{{{rest}}}") } else { String::new() };
        format!(r"(?:{countries})[0-9]{{2}}(?:[ -]?[0-9A-Z]{{4}}){{{groups}}}{rest}")
    });
    let regex = format!(r"(?-u:\b)(?:{})(?-u:\b)", lengths.collect::<Vec<_>>().join("|"));
    Rule::new("iban", regex, |seen| checksum::mod97(&compact(seen.text)).then_some(0.99))
}

const WORDS: &[&str] = &[
    "card*",
    "visa",
    "mastercard",
    "amex",
    "american express",
    "credit",
    "debit",
    "pan",
    "cc",
    "kreditkarte*",
    "karte*",
    "kartennummer",
    "carte*",
    "tarjeta*",
    "carta*",
    "cartão",
    "cartao",
    "creditcard*",
    "kaart*",
    "karta",
    "karty",
    "kartę",
];

/// Groups as they are embossed, and numbers in one piece.
pub(super) fn card() -> Vec<Rule> {
    let grouped = format!(
        r"(?-u:\b)(?:[2-6][0-9]{{3}}(?:[ -][0-9]{{4}}){{3}}|3[47][0-9]{{2}}[ -][0-9]{{6}}[ -][0-9]{{5}}|3[0689][0-9]{{2}}[ -][0-9]{{6}}[ -][0-9]{{4}}){MORE}"
    );
    let solid = format!(r"(?-u:\b)[2-6][0-9]{{12,18}}{MORE}");
    vec![Rule::new("card", grouped, |seen| score(seen, 0.9)), Rule::new("card", solid, |seen| score(seen, 0.6))]
}

fn score(seen: &Seen<'_>, alone: f32) -> Option<f32> {
    let number = digits(seen.text);
    let ends = seen.text.ends_with(|char: char| char.is_ascii_digit());
    let varied = number.bytes().any(|byte| byte != number.as_bytes()[0]);
    if !ends || !varied || !stands_alone(seen) || !checksum::luhn(&number) || MORE_TAKEN.iter().any(|&sign| seen.text.contains(sign)) {
        return None;
    }
    let named = near(seen, WORDS);
    match issued(&number) {
        Some(usual) if usual || named => Some(if named { 0.99 } else { alone }),
        Some(_) => Some(0.4),
        None => None,
    }
}

/// Signs that no number of a card has within.
const MORE_TAKEN: [char; 4] = ['.', '/', ':', ','];

/// Whether an issuer gives out numbers like this, and whether it is one of the lengths that most have.
fn issued(number: &str) -> Option<bool> {
    let start = |length: usize| number[..length].parse::<u32>().unwrap_or_default();
    match (number.len(), start(2), start(4)) {
        // Visa, Mastercard, Discover, UnionPay, JCB, American Express.
        (16, 40..=49 | 51..=55 | 62 | 65, _) | (16, _, 2221..=2720 | 3528..=3589 | 6011 | 6440..=6499) | (15, 34 | 37, _) => Some(true),
        // Diners Club, Visa and UnionPay in rare lengths, Maestro.
        (14, 36 | 38 | 39, _)
        | (14, _, 3000..=3059 | 3095)
        | (13 | 19, 40..=49, _)
        | (17..=19, 62, _)
        | (13..=19, 50 | 56..=58 | 60..=69, _) => Some(false),
        _ => None,
    }
}
