use super::{
    super::{
        Kind, checksum,
        context::{compact, digits, follows_number, just_before, near, stands_alone},
    },
    MORE,
};
use crate::scan::{Judge, Rule, Seen};

/// How the numbers of one country are written and judged.
pub(super) fn rule(kind: Kind) -> Rule {
    let (regex, judge): (&str, Judge) = match kind {
        Kind::UsSsn => ("[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}", us_ssn),
        Kind::UkNino => ("[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z](?: ?[0-9]{2}){3} ?[A-Da-d]", uk_nino),
        Kind::UkNhs => ("[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", uk_nhs),
        Kind::DeTaxId => ("[1-9][0-9](?:[ /]?[0-9]{3}){3}", |seen| number(seen, checksum::de_tax_id, DE_TAX, 0.6)),
        Kind::FrNir => (r"[12378] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", fr_nir),
        Kind::EsDni => ("(?:[0-9]{8}|[XYZ]-?[0-9]{7})-?[A-Z]", |seen| {
            letters(seen, checksum::es_dni, &["dni", "nie", "nif", "documento", "identidad"], 0.7)
        }),
        Kind::ItCodiceFiscale => {
            (CODICE_FISCALE, |seen| letters(seen, checksum::it_codice_fiscale, &["codice fiscale", "c.f.", "cf"], 0.95))
        }
        Kind::NlBsn => {
            ("[0-9]{9}|[0-9]{4}[. ][0-9]{2}[. ][0-9]{3}", |seen| number(seen, checksum::nl_bsn, &["bsn", "burgerservice*", "sofi*"], 0.1))
        }
        Kind::PlPesel => ("[0-9]{11}", |seen| number(seen, checksum::pl_pesel, &["pesel*"], 0.4)),
        Kind::BrCpf => (r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[0-9]{11}", |seen| punctuated(seen, checksum::br_cpf, &["cpf*"])),
        Kind::BrCnpj => {
            (r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}|[0-9]{14}", |seen| punctuated(seen, checksum::br_cnpj, &["cnpj*"]))
        }
        Kind::InAadhaar => {
            ("[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}", |seen| number(seen, checksum::aadhaar, &["aadhaar", "aadhar", "uidai", "uid"], 0.4))
        }
        Kind::SePersonnummer => ("(?:19|20)?[0-9]{6}[-+]?[0-9]{4}", se_personnummer),
        Kind::CaSin => ("[1-79][0-9]{2}[ -]?[0-9]{3}[ -]?[0-9]{3}", |seen| {
            just_before(seen, &["sin", "social insurance", "nas"]).then(|| number(seen, checksum::luhn, &[], 0.95)).flatten()
        }),
        Kind::AuTfn => ("[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}", |seen| number(seen, checksum::au_tfn, &["tfn", "tax file"], 0.1)),
        Kind::ChAhv => (r"756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}", |seen| number(seen, checksum::ch_ahv, &["ahv*", "avs", "navs*"], 0.9)),
        Kind::BeNationalNumber => {
            (r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}|[0-9]{11}", |seen| punctuated(seen, checksum::be_national_number, BE_WORDS))
        }
        Kind::FiHetu => ("[0-3][0-9][01][0-9]{3}[-+A-FU-Y][0-9]{3}[0-9A-Y]", fi_hetu),
        Kind::NoFnr => {
            ("[0-7][0-9][0-9]{4} ?[0-9]{5}", |seen| number(seen, checksum::no_fnr, &["fødselsnummer", "fnr", "personnummer"], 0.6))
        }
        Kind::PtNif => {
            ("[1-35689][0-9]{2} ?[0-9]{3} ?[0-9]{3}", |seen| number(seen, checksum::pt_nif, &["nif", "contribuinte", "fiscal"], 0.1))
        }
        _ => unreachable!("rules are asked for the numbers of states only here"),
    };
    Rule::new(kind.label(), format!(r"(?-u:\b)(?:{regex}){MORE}"), judge)
}

const DE_TAX: &[&str] = &["steuer*", "idnr", "tin", "tax"];
const BE_WORDS: &[&str] = &["rijksregister*", "registre national", "numéro national", "insz", "niss"];
const CODICE_FISCALE: &str = "[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]";

/// The score of digits that the checksum fits: high where words name them, else `alone`.
fn number(seen: &Seen<'_>, fits: fn(&str) -> bool, words: &[&str], alone: f32) -> Option<f32> {
    let whole = stands_alone(seen) && seen.text.ends_with(|char: char| char.is_ascii_digit()) && !seen.text.contains([':', ',']);
    (whole && fits(&digits(seen.text))).then(|| if near(seen, words) { 0.97 } else { alone })
}

/// As [`number`], where letters are part of the number.
fn letters(seen: &Seen<'_>, fits: fn(&str) -> bool, words: &[&str], alone: f32) -> Option<f32> {
    let whole = stands_alone(seen) && !seen.text.contains(['.', '/', ':', ',']);
    (whole && fits(&compact(seen.text))).then(|| if near(seen, words) { 0.97 } else { alone })
}

/// As [`number`], where the signs between the digits tell enough, and words have to where there are none.
fn punctuated(seen: &Seen<'_>, fits: fn(&str) -> bool, words: &[&str]) -> Option<f32> {
    number(seen, fits, words, if seen.text.contains('-') { 0.95 } else { 0.3 })
}

/// Ranges that the Social Security Administration gives out.
fn us_ssn(seen: &Seen<'_>) -> Option<f32> {
    let fits = |number: &str| {
        let known = number == "078051120" || number == "123456789";
        number.len() == 9
            && !known
            && !matches!(&number[..3], "000" | "666")
            && !number.starts_with('9')
            && &number[3..5] != "00"
            && &number[5..] != "0000"
    };
    let alone = if seen.text.matches('-').count() == 2 { 0.85 } else { 0.1 };
    number(seen, fits, &["ssn", "social security", "ss#"], alone)
}

fn uk_nino(seen: &Seen<'_>) -> Option<f32> {
    let spaced = seen.text.contains(' ');
    let fits = |number: &str| number.len() == 9 && !["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"].contains(&&number[..2]);
    let upper = !seen.text.contains(|char: char| char.is_ascii_lowercase());
    letters(
        seen,
        fits,
        &["national insurance", "nino", "ni number", "ni no"],
        if spaced && upper {
            0.9
        } else if upper {
            0.7
        } else {
            0.2
        },
    )
}

/// In the groups that the NHS writes it stands for itself, where it is in no list of numbers.
fn uk_nhs(seen: &Seen<'_>) -> Option<f32> {
    let grouped = seen.text.matches(' ').count() == 2 && !follows_number(seen);
    number(seen, checksum::uk_nhs, &["nhs", "health service", "patient*"], if grouped { 0.5 } else { 0.3 })
}

fn fr_nir(seen: &Seen<'_>) -> Option<f32> {
    let month = compact(seen.text).get(3..5).and_then(|month| month.parse::<u32>().ok());
    let plausible = month.is_some_and(|month| matches!(month, 1..=12 | 20..=42 | 50..=99));
    plausible.then(|| letters(seen, checksum::fr_nir, &["sécurité sociale", "nir", "insee", "sécu", "n° ss"], 0.8)).flatten()
}

fn se_personnummer(seen: &Seen<'_>) -> Option<f32> {
    let fits = |number: &str| checksum::se_personnummer(&number[number.len().saturating_sub(10)..]);
    number(seen, fits, &["personnummer*", "personnr", "pnr", "samordningsnummer*"], if seen.text.contains(['-', '+']) { 0.8 } else { 0.2 })
}

fn fi_hetu(seen: &Seen<'_>) -> Option<f32> {
    let number: String = [seen.text.get(..6)?, seen.text.get(7..)?].concat();
    (stands_alone(seen) && checksum::fi_hetu(&number)).then_some(0.95)
}
