use super::{
    super::context::{digits, follows_number, just_before, near, stands_alone},
    MORE,
};
use crate::scan::{Rule, Seen};

const WORDS: &[&str] = &[
    "tel",
    "tél",
    "telephone*",
    "téléphone*",
    "telefon*",
    "teléfono*",
    "phone*",
    "mobile*",
    "cell*",
    "fax",
    "call",
    "sms",
    "whatsapp",
    "handy*",
    "mobil*",
    "rufnummer",
    "erreichbar",
    "anrufen",
    "durchwahl",
    "portable",
    "appelez*",
    "appeler",
    "joindre",
    "joignable",
    "móvil",
    "llame*",
    "llamar*",
    "cellulare",
    "chiamare",
    "chiamate",
    "cell",
    "telefoon*",
    "bel",
    "bellen",
    "gsm",
    "telemóvel",
    "celular",
    "ligue",
    "contact*",
    "kom.",
    "komórka",
    "zadzwoń",
    "nr tel",
    "reach me",
    "text me",
    "ring",
];

/// Words before numbers of other kinds.
const OTHERS: &[&str] = &[
    "order*",
    "invoice*",
    "ticket*",
    "isbn*",
    "issn",
    "ref*",
    "article",
    "part",
    "serial*",
    "sku",
    "bestell*",
    "rechnung*",
    "commande*",
    "facture*",
    "pedido*",
    "factura*",
    "ordine*",
    "fattura*",
    "bestelling*",
    "factuur*",
    "artikel*",
    "lot",
    "rfc",
    "issue*",
    "version*",
    "id",
    "tracking*",
    "zamówienie*",
    "faktura*",
    "kunden*",
    "customer",
    "doi",
    "uid",
    "gid",
    "pid",
    "port",
];

/// International numbers first, then national ones by their grouping, then any that words announce.
pub(super) fn rules() -> Vec<Rule> {
    let rule = |regex: &str, judge| Rule::new("phone", format!("{regex}{MORE}"), judge);
    vec![
        rule(r"\+[1-9][0-9]{0,2}(?:[ .\-/]{0,2}\(?[0-9]{1,5}\)?){1,6}", international),
        rule(r"(?-u:\b)00[1-9][0-9]{0,2}(?:[ ./-][0-9]{1,5}){2,6}", |seen| {
            stands_alone(seen).then(|| international(seen)).flatten().map(|score| score - 0.2)
        }),
        rule(r"(?:(?-u:\b)1[ .-])?(?:\([2-9][0-9]{2}\) ?|(?-u:\b)[2-9][0-9]{2}[ .-])[0-9]{3}[ .-][0-9]{4}", north_american),
        rule(r"(?-u:\b)0[1-9](?:[ .-][0-9]{2}){4}", |seen| national(seen, 10..=10, 0.75)),
        rule(r"(?:\(0[1-9][0-9]{0,4}\)|(?-u:\b)0[1-9][0-9]{0,4})(?: ?[/-] ?| )[0-9]{3,8}(?:[ -][0-9]{2,6}){0,3}", |seen| {
            national(seen, 9..=12, 0.6)
        }),
        rule(r"\([1-9][0-9]\) ?9?[0-9]{4}-[0-9]{4}", |seen| national(seen, 10..=11, 0.75)),
        rule(r"(?-u:\b)[2-9][0-9]{2}(?:[ .-][0-9]{3}){2}", |seen| national(seen, 9..=9, 0.45)),
        rule(r"(?-u:\b)[6-9][0-9]{2}(?:[ .-][0-9]{2}){3}", |seen| national(seen, 9..=9, 0.55)),
        rule(r"(?-u:\b)3[0-9]{2}[ .-][0-9]{6,7}", |seen| national(seen, 9..=10, 0.45)),
        rule(r"(?-u:\b)[0-9]{2,4}[ -][0-9]{3,4}(?:[ -][0-9]{2,4}){0,2}", |seen| national(seen, 7..=11, 0.2)),
        rule(r"(?-u:\b)[0-9]{7,12}", |seen| national(seen, 7..=12, 0.2)),
    ]
}

/// `+` and the code of a country (ITU-T E.164).
fn international(seen: &Seen<'_>) -> Option<f32> {
    let number = digits(seen.text);
    let number = number.strip_prefix("00").unwrap_or(&number);
    let whole =
        seen.text.ends_with(|char: char| char.is_ascii_digit()) && !seen.text.contains([':', ',']) && seen.text.matches('(').count() < 2;
    let balanced = seen.text.matches('(').count() == seen.text.matches(')').count();
    let inside = seen.before.ends_with(|char: char| char.is_alphanumeric() || matches!(char, '+' | '.' | '_' | ')'));
    let score = if near(seen, WORDS) { 0.98 } else { 0.85 };
    (whole && balanced && !inside && (8..=15).contains(&number.len()) && assigned(number)).then_some(score)
}

/// Whether E.164 has given out the code that `number` begins with. All other codes of one to three digits belong to somebody.
fn assigned(number: &str) -> bool {
    const FREE: &[&str] = &[
        "210", "214", "215", "217", "219", "259", "28", "384", "388", "422", "424", "425", "426", "427", "428", "429", "693", "694", "695",
        "696", "697", "698", "699", "80", "83", "851", "854", "857", "858", "859", "89", "97", "990", "991", "997", "999",
    ];
    let given = ["808", "800", "801", "970", "971", "972", "973", "974", "975", "976", "977", "979", "882", "883"];
    given.iter().any(|code| number.starts_with(code)) || !FREE.iter().any(|code| number.starts_with(code))
}

/// Exchanges begin with 2 to 9, but for numbers that are made up.
fn north_american(seen: &Seen<'_>) -> Option<f32> {
    let number = digits(seen.text);
    let area = number.len().checked_sub(10)?;
    let given = matches!(number.as_bytes()[area + 3], b'2'..=b'9') || number[area..].starts_with("555") || seen.text.starts_with('(');
    national(seen, 10..=11, if given { 0.6 } else { 0.45 })
}

fn national(seen: &Seen<'_>, lengths: std::ops::RangeInclusive<usize>, alone: f32) -> Option<f32> {
    let number = digits(seen.text);
    let whole = seen.text.ends_with(|char: char| char.is_ascii_digit()) && !seen.text.contains([':', ',']);
    let varied = number.bytes().any(|byte| byte != number.as_bytes()[0]);
    if !whole || !varied || !lengths.contains(&number.len()) || !stands_alone(seen) || is_calendar(seen.text) {
        return None;
    }
    let sep = seen.text.chars().filter(|char| matches!(char, '.' | '-' | '/')).collect::<Vec<_>>();
    // One kind of separator, but for that behind the area.
    let mixed = sep.len() > 1 && sep[1..].iter().any(|other| *other != sep[1]);
    // What says little by itself has to be named at once.
    let named = just_before(seen, WORDS) || alone >= 0.5 && near(seen, WORDS);
    match (named, just_before(seen, OTHERS)) {
        _ if mixed => None,
        (_, true) => Some(0.2),
        (true, false) => Some(0.9),
        (false, false) => (!follows_number(seen)).then_some(alone),
    }
}

/// Whether the groups are a year, a month and a day, or two years.
fn is_calendar(text: &str) -> bool {
    let groups: Vec<&str> = text.split(|char: char| !char.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let year = |group: &str| group.len() == 4 && (group.starts_with("19") || group.starts_with("20"));
    let small = |group: &str, most: u32| group.len() <= 2 && group.parse::<u32>().is_ok_and(|value| (1..=most).contains(&value));
    match groups[..] {
        [first, second, ..] if year(first) && (small(second, 12) || year(second)) => true,
        [first, second, third, ..] => small(first, 31) && small(second, 31) && year(third),
        [solid] => solid.len() == 8 && (year(&solid[..4]) && small(&solid[4..6], 12) && small(&solid[6..], 31)),
        _ => false,
    }
}
