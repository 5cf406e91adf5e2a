//! What each kind of personal data looks like.

mod address;
mod bank;
mod birth;
mod crypto;
mod document;
mod email;
mod name;
mod national;
mod network;
mod phone;

use super::{Kind, PiiConfig};
use crate::{scan::Rule, secrets};

/// What follows a number that goes on: a match that takes it has a digit too many.
const MORE: &str = r"(?:[-/][0-9A-Za-z]|[.:]?[0-9]|[A-Za-z_])?";

/// How a kind is found. Where two rules fit at one place, the earlier one is taken.
pub(super) fn rules(kind: Kind, config: &PiiConfig) -> Vec<Rule> {
    match kind {
        Kind::UrlCredentials => vec![secrets::url::rule(kind.label())],
        Kind::Email => vec![email::rule()],
        Kind::Iban => vec![bank::iban()],
        Kind::Card => bank::card(),
        Kind::CryptoAddress => crypto::rules(),
        Kind::Mac => vec![network::mac()],
        Kind::Ip => network::ip(config.private_addresses),
        Kind::Passport => vec![document::passport()],
        Kind::DrivingLicence => vec![document::driving_licence()],
        Kind::BirthDate => birth::rules(),
        Kind::Phone => phone::rules(),
        Kind::Coordinates => vec![address::coordinates()],
        Kind::Address => address::streets(),
        Kind::Name => vec![name::rule()],
        national => vec![national::rule(national)],
    }
}
