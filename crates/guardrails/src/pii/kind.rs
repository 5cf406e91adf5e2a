use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident = $label:literal,)+) => {
        /// A kind of personal data. Its label names findings, and in upper case pseudonyms.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])+ #[serde(rename = $label)] $kind,)+
        }

        impl Kind {
            /// Every kind; where two begin at one place, the earlier one is taken.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// What findings call it.
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$kind => $label,)+
                }
            }
        }
    };
}

kinds! {
    /// A user and a password in a URL.
    UrlCredentials = "url_credentials",
    /// An e-mail address, international ones among them (RFC 5322's dot-atom, RFC 6531).
    Email = "email",
    /// An IBAN, by its country's length and its check digits (ISO 13616).
    Iban = "iban",
    /// The number of a payment card, by its issuer's range, length and check digit (ISO/IEC 7812).
    Card = "card",
    /// An address of Bitcoin, by its checksum, or of Ethereum, by its form.
    CryptoAddress = "crypto_address",
    /// A hardware address (EUI-48).
    Mac = "mac",
    /// An address of IPv4 or IPv6.
    Ip = "ip",
    /// US social security number.
    UsSsn = "us_ssn",
    /// UK national insurance number.
    UkNino = "uk_nino",
    /// UK NHS number.
    UkNhs = "uk_nhs",
    /// German Steuer-Identifikationsnummer.
    DeTaxId = "de_tax_id",
    /// French NIR, the social security number.
    FrNir = "fr_nir",
    /// Spanish DNI or NIE.
    EsDni = "es_dni",
    /// Italian codice fiscale.
    ItCodiceFiscale = "it_codice_fiscale",
    /// Dutch burgerservicenummer.
    NlBsn = "nl_bsn",
    /// Polish PESEL.
    PlPesel = "pl_pesel",
    /// Brazilian CPF.
    BrCpf = "br_cpf",
    /// Brazilian CNPJ.
    BrCnpj = "br_cnpj",
    /// Indian Aadhaar.
    InAadhaar = "in_aadhaar",
    /// Swedish personnummer.
    SePersonnummer = "se_personnummer",
    /// Canadian social insurance number.
    CaSin = "ca_sin",
    /// Australian tax file number.
    AuTfn = "au_tfn",
    /// Swiss AHV number.
    ChAhv = "ch_ahv",
    /// Belgian rijksregisternummer.
    BeNationalNumber = "be_national_number",
    /// Finnish henkilötunnus.
    FiHetu = "fi_hetu",
    /// Norwegian fødselsnummer.
    NoFnr = "no_fnr",
    /// Portuguese NIF.
    PtNif = "pt_nif",
    /// The number of a passport, where words say so.
    Passport = "passport",
    /// The number of a driving licence, where words say so.
    DrivingLicence = "driving_licence",
    /// A date of birth, where words say so.
    BirthDate = "birth_date",
    /// A telephone number.
    Phone = "phone",
    /// Latitude and longitude.
    Coordinates = "coordinates",
    /// A street and the number of a house.
    Address = "address",
    /// A person's name, by titles, introductions and common given names. Off unless asked for: on 100 pages of documentation all that it found
    /// were names, in a third of the cases a part of one, but it found only every fourth.
    Name = "name",
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.label())
    }
}

impl FromStr for Kind {
    type Err = String;

    /// The kind of this label; what is no label comes back as the error.
    fn from_str(label: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|kind| kind.label() == label).ok_or_else(|| label.to_owned())
    }
}
