use super::super::{
    checksum::is_date,
    context::{just_before, stands_alone},
};
use crate::scan::{Rule, Seen};

const WORDS: &[&str] = &[
    "born",
    "born on",
    "date of birth",
    "birth date",
    "birthdate*",
    "birthday",
    "dob",
    "d.o.b.",
    "geboren",
    "geburtsdatum",
    "geb.",
    "né le",
    "née le",
    "né(e) le",
    "naissance",
    "nacido",
    "nacida",
    "nací",
    "nacimiento",
    "nato il",
    "nata il",
    "nato",
    "nata",
    "nascita",
    "geboren op",
    "geboortedatum",
    "nascido",
    "nascida",
    "nascimento",
    "urodzony",
    "urodzona",
    "urodzenia",
    "ur.",
];

const MONTHS: &str = "jan(?:uary|uar|vier)?|feb(?:ruary|ruar|bruari)?|f[ée]v(?:rier)?|m(?:ar(?:ch|s|zo)?|ärz|aart)|apr(?:il|ile)?|avr(?:il)?|may|mai|mayo|maggio|mei|june?|juni|juin|junio|giugno|\
    july?|juli|juillet|julio|luglio|aug(?:ust|ustus)?|août|agosto|sep(?:t|tember|tembre|tiembre)?|settembre|o[ck]t(?:ober|obre|ubre)?|ottobre|nov(?:ember|embre|iembre)?|de[cz](?:ember)?|\
    d[ée]c(?:embre)?|diciembre|dicembre|enero|febrero|abril|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro|gennaio|febbraio|januari|februari|\
    stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia";

/// Dates in digits and with the names of months of eight languages.
pub(super) fn rules() -> Vec<Rule> {
    let year = "(?:19|20)[0-9]{2}";
    let numeric = format!(
        r"(?-u:\b)(?:{year}[-./][0-9]{{1,2}}[-./][0-9]{{1,2}}|[0-9]{{1,2}}[-./] ?[0-9]{{1,2}}[-./] ?(?:{year}|[0-9]{{2}}))(?-u:\b)"
    );
    let named = format!(
        r"(?i)(?-u:\b)(?:[0-9]{{1,2}}(?:\.|er|st|nd|rd|th|º)? (?:de |of )?(?:{MONTHS})\.?,? (?:de |del )?{year}|(?:{MONTHS})\.? [0-9]{{1,2}}(?:st|nd|rd|th)?,? {year})(?-u:\b)"
    );
    let named_score = |seen: &Seen<'_>| just_before(seen, WORDS).then_some(0.9);
    vec![Rule::announced("birth_date", numeric, WORDS, numeric_score), Rule::announced("birth_date", named, WORDS, named_score)]
}

fn numeric_score(seen: &Seen<'_>) -> Option<f32> {
    let groups: Vec<u32> = seen.text.split(['-', '.', '/']).filter_map(|group| group.trim().parse().ok()).collect();
    let date = match groups[..] {
        [year, month, day] if year > 99 => is_date(month, day),
        [first, second, _] => is_date(first, second) || is_date(second, first),
        _ => false,
    };
    (date && stands_alone(seen) && just_before(seen, WORDS)).then_some(0.9)
}
