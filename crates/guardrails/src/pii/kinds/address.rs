use super::super::context::near;
use crate::scan::{Rule, Seen};

/// A capitalised word.
const WORD: &str = r"[A-ZÀ-ÖØ-Þ][A-Za-zÀ-ɏ'’-]{1,20}";

/// Streets with the number of a house, as six languages write them.
pub(super) fn streets() -> Vec<Rule> {
    let english = format!(
        r"(?-u:\b)[0-9]{{1,5}}[A-Za-z]?,? (?:{WORD} ){{1,3}}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Close|Crescent|Terrace|Way|Square|Gardens)(?-u:\b)"
    );
    let joined = r"(?:(?:Am|An der|Auf der|Im|In der|Zum|Zur|Alte|Alter|Neue|Oude|Nieuwe|Grote) )?[A-ZÄÖÜ][A-Za-zÀ-ɏ-]{2,24}(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ufer|damm|straat|laan|plein|gracht|kade|dijk|singel) [0-9]{1,4}(?: ?[a-z])?(?-u:\b)";
    let german = format!(r"(?:{WORD}[ -]){{1,2}}(?:Straße|Strasse|Str\.|Weg|Platz|Allee) [0-9]{{1,4}}(?: ?[a-z])?(?-u:\b)");
    let french = format!(
        r"(?-u:\b)[0-9]{{1,4}}(?: (?:bis|ter))?,? (?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Cc]hemin|[Ii]mpasse|[Aa]llée|[Qq]uai|[Cc]ours) (?:(?:de la|de l'|de|du|des|d'|de l’|d’|la|le|les) ?)?(?:{WORD})(?: (?:(?:de|du|des|la|le) )?{WORD}){{0,3}}"
    );
    let southern = format!(
        r"(?-u:\b)(?:Calle|C/|Avenida|Avda\.|Plaza|Paseo|Camino|Via|Viale|Piazza|Corso|Largo|Vicolo|Rua|Travessa|Praça|ul\.|al\.) (?:(?:de la|de los|de las|de|del|della|delle|dei|da|do|dos|das|la) )?(?:{WORD})(?: (?:(?:de|del|la|y|e|di|da) )?{WORD}){{0,3}},? (?:n\.?[ºo°]? ?)?[0-9]{{1,4}}(?:/?[a-zA-Z])?(?-u:\b)"
    );
    [
        (english, english_score as fn(&Seen<'_>) -> _),
        (joined.into(), |_| Some(0.8)),
        (german, |_| Some(0.75)),
        (french, |_| Some(0.8)),
        (southern, |_| Some(0.75)),
    ]
    .into_iter()
    .map(|(regex, judge)| Rule::new("address", regex, judge))
    .collect()
}

/// Years stand before words more often than houses do, and numbers of streets have no point before.
fn english_score(seen: &Seen<'_>) -> Option<f32> {
    let inside = seen.before.ends_with(|char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '/' | '$'));
    (!inside).then_some(0.75)
}

/// Two decimals with four places at least; words have to say that they are a place.
pub(super) fn coordinates() -> Rule {
    let regex = r"[-+]?[0-9]{1,2}\.[0-9]{4,8}°?(?: ?[NS](?-u:\b))?, ?[-+]?[0-9]{1,3}\.[0-9]{4,8}(?:°? ?[EWO](?-u:\b))?";
    Rule::new("coordinates", regex, |seen| {
        let numbers: Vec<f64> =
            seen.text.split(',').filter_map(|part| part.trim_matches(|char: char| !char.is_ascii_digit()).parse().ok()).collect();
        let valid = matches!(numbers[..], [latitude, longitude] if latitude <= 90.0 && longitude <= 180.0);
        let inside = seen.before.trim_end().ends_with([',', '['])
            || seen.before.ends_with(|char: char| char.is_alphanumeric() || matches!(char, '.' | '-'));
        (valid && !inside).then(|| if near(seen, PLACES) { 0.9 } else { 0.3 })
    })
}

const PLACES: &[&str] = &[
    "gps",
    "lat*",
    "coord*",
    "koordinaten",
    "position",
    "posición",
    "posizione",
    "positie",
    "standort",
    "location*",
    "geo*",
    "ubicación",
    "współrzędne",
];
