use super::super::checksum;
use crate::scan::Rule;

/// Bitcoin's three kinds of addresses, and Ethereum's.
pub(super) fn rules() -> Vec<Rule> {
    let base58 = r"(?-u:\b)[13][1-9A-HJ-NP-Za-km-z]{25,34}(?-u:\b)";
    let bech32 = r"(?-u:\b)(?:bc1[02-9ac-hj-np-z]{11,71}|BC1[02-9AC-HJ-NP-Z]{11,71})(?-u:\b)";
    vec![
        Rule::new("crypto_address", base58, |seen| checksum::base58check(seen.text).then_some(0.99)),
        Rule::new("crypto_address", bech32, |seen| checksum::bech32(seen.text).then_some(0.99)),
        // The check in the case of letters (EIP-55) is optional, so the form has to do; a digest in hexadecimal is seldom of 40 digits and 0x.
        Rule::new("crypto_address", r"(?-u:\b)0x[0-9A-Fa-f]{40}(?-u:\b)", |seen| {
            let varied = seen.text.bytes().skip(2).collect::<std::collections::BTreeSet<_>>().len() > 5;
            varied.then_some(0.7)
        }),
    ]
}
