use super::super::context::{just_before, stands_alone};
use crate::scan::{Rule, Seen};

const PASSPORT: &[&str] = &[
    "passport*",
    "reisepass*",
    "passnummer",
    "pass-nr",
    "passeport*",
    "pasaporte*",
    "passaporto*",
    "passaporte*",
    "paspoort*",
    "paszport*",
];

const LICENCE: &[&str] = &[
    "driving licence",
    "driving license",
    "driver's license",
    "drivers license",
    "driver license",
    "driver licence",
    "driver’s license",
    "licence number",
    "führerschein*",
    "fahrerlaubnis*",
    "permis de conduire",
    "permiso de conducir",
    "carnet de conducir",
    "patente di guida",
    "patente",
    "rijbewijs*",
    "prawo jazdy",
    "prawa jazdy",
    "carta de condução",
    "dl no",
    "dl number",
    "dl#",
];

/// Numbers of passports have 6 to 9 letters and digits (ICAO Doc 9303: 9 at most).
pub(super) fn passport() -> Rule {
    Rule::announced("passport", r"(?-u:\b)[A-Za-z0-9]{6,9}(?-u:\b)", PASSPORT, |seen| announced(seen, PASSPORT, 4))
}

/// Numbers of driving licences have up to 18 characters, groups with hyphens or spaces among them.
pub(super) fn driving_licence() -> Rule {
    Rule::announced("driving_licence", r"(?-u:\b)[A-Z0-9]{1,16}(?:-[A-Z0-9]{2,6}){0,3}(?-u:\b)", LICENCE, |seen| {
        announced(seen, LICENCE, 4)
    })
}

fn announced(seen: &Seen<'_>, words: &[&str], least: usize) -> Option<f32> {
    let digits = seen.text.chars().filter(char::is_ascii_digit).count();
    let lower = seen.text.contains(|char: char| char.is_ascii_lowercase());
    let long = (6..=18).contains(&seen.text.len());
    (digits >= least && long && !lower && stands_alone(seen) && just_before(seen, words)).then_some(0.85)
}
