//! Check digits, each by the published algorithm. All take the characters as they are written, without separators, and are `false` for
//! what has another alphabet or length.

mod address;
mod digits;
mod national;

pub use address::{base58check, bech32};
pub use digits::{ean13, iso7064_mod11_10, luhn, mod97, verhoeff};
pub use national::{
    aadhaar, be_national_number, br_cnpj, br_cpf, ch_ahv, de_tax_id, es_dni, fi_hetu, fr_nir, it_codice_fiscale, nl_bsn, no_fnr, pl_pesel,
    pt_nif, se_personnummer, uk_nhs,
};
pub(crate) use national::{au_tfn, is_date};

/// The digits of `text`, where it has exactly `N` ASCII digits and nothing else.
fn digits<const N: usize>(text: &str) -> Option<[u32; N]> {
    let digits: Vec<u32> = text.chars().map(|char| char.to_digit(10)).collect::<Option<_>>()?;
    digits.try_into().ok()
}

/// The sum of `digits`, each times its weight.
fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}
