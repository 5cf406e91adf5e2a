//! Numbers that states give to people.

use super::{digits, ean13, iso7064_mod11_10, luhn, verhoeff, weighted};

/// UK NHS number: 10 digits, modulus 11 with weights 10 to 2 (NHS Data Dictionary).
pub fn uk_nhs(text: &str) -> bool {
    digits::<10>(text).is_some_and(|digits| weighted(&digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11))
}

/// German Steuer-Identifikationsnummer: 11 digits, ISO/IEC 7064 MOD 11,10; of the first ten one digit stands there twice or three times and
/// all others once at most (§ 139b AO, the rule of 2016).
pub fn de_tax_id(text: &str) -> bool {
    let Some(number) = digits::<11>(text) else { return false };
    let mut counts = [0; 10];
    number[..10].iter().for_each(|&digit| counts[digit as usize] += 1);
    let repeated: Vec<i32> = counts.into_iter().filter(|&count| count > 1).collect();
    number[0] != 0 && matches!(repeated[..], [2 | 3]) && iso7064_mod11_10(text)
}

/// French NIR (numéro de sécurité sociale): 13 characters and a key of two digits, 97 less the rest by 97; Corsica's 2A and 2B count as 19 and 18.
pub fn fr_nir(text: &str) -> bool {
    let (number, key) = match text.split_at_checked(13) {
        Some((number, key)) if key.len() == 2 => (number, key.parse::<u64>()),
        _ => return false,
    };
    let number = match number.as_bytes()[5..7] {
        [b'2', b'A'] => number.replacen('A', "9", 1).parse::<u64>(),
        [b'2', b'B'] => number.replacen('B', "8", 1).parse::<u64>(),
        _ => number.parse(),
    };
    matches!((number, key), (Ok(number), Ok(key)) if 97 - number % 97 == key)
}

/// Spanish DNI and NIE: the letter at the end is that of the number by 23; X, Y and Z at the start of a NIE count as 0, 1 and 2.
pub fn es_dni(text: &str) -> bool {
    let text = match text.as_bytes() {
        [first @ b'X'..=b'Z', ..] => format!("{}{}", first - b'X', &text[1..]),
        _ => text.to_owned(),
    };
    let Some((number, letter)) = text.split_at_checked(8) else { return false };
    let letters = b"TRWAGMYFPDXBNJZSQVHLCKE";
    number.bytes().all(|byte| byte.is_ascii_digit())
        && number.parse::<usize>().is_ok_and(|number| letter.as_bytes() == [letters[number % 23]])
}

/// Italian codice fiscale: 16 characters, the last by the tables of the decree of 12 March 1974.
pub fn it_codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let value = |byte: u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        _ => None,
    };
    let values: Option<Vec<u32>> = text.bytes().map(value).collect();
    let Some([body @ .., _]) = values.as_deref().filter(|values| values.len() == 16) else { return false };
    let sum: u32 = body.iter().enumerate().map(|(at, &value)| if at % 2 == 0 { ODD[value as usize] } else { value }).sum();
    u32::from(text.as_bytes()[15]) == u32::from(b'A') + sum % 26
}

/// Dutch burgerservicenummer: 9 digits, the eleven-test with weights 9 to 2 and -1.
pub fn nl_bsn(text: &str) -> bool {
    let Some(number) = digits::<9>(text) else { return false };
    let sum = weighted(&number[..8], &[9, 8, 7, 6, 5, 4, 3, 2]);
    sum > 0 && sum % 11 == number[8]
}

/// Polish PESEL: 11 digits with weights 1, 3, 7, 9; months carry the century.
pub fn pl_pesel(text: &str) -> bool {
    let Some(number) = digits::<11>(text) else { return false };
    let (month, day) = (number[2] * 10 + number[3], number[4] * 10 + number[5]);
    is_date(month % 20, day) && weighted(&number, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

/// Brazilian CPF: 9 digits and two check digits of modulus 11; no number is one digit eleven times.
pub fn br_cpf(text: &str) -> bool {
    let Some(number) = digits::<11>(text) else { return false };
    number.iter().any(|&digit| digit != number[0]) && (9..11).all(|at| br_check(&number[..at], at as u32 + 1) == number[at])
}

/// Brazilian CNPJ of digits: 12 digits and two check digits of modulus 11, whose weights run from 2 to 9 and again from the end.
pub fn br_cnpj(text: &str) -> bool {
    let Some(number) = digits::<14>(text) else { return false };
    number.iter().any(|&digit| digit != number[0]) && (12..14).all(|at| br_check(&number[..at], 9) == number[at])
}

/// The check digit that follows `number`, with weights from 2 up to `last` and again, from the end.
fn br_check(number: &[u32], last: u32) -> u32 {
    let sum: u32 = number.iter().rev().zip((2..=last).cycle()).map(|(digit, weight)| digit * weight).sum();
    (sum * 10 % 11) % 10
}

/// Indian Aadhaar: 12 digits, the first not 0 or 1, by Verhoeff's algorithm (UIDAI).
pub fn aadhaar(text: &str) -> bool {
    text.len() == 12 && !text.starts_with(['0', '1']) && verhoeff(text)
}

/// Swedish personnummer or samordningsnummer: ten digits by Luhn's algorithm, a date first, whose day is 60 more in a samordningsnummer.
pub fn se_personnummer(text: &str) -> bool {
    let Some(number) = digits::<10>(text) else { return false };
    is_date(number[2] * 10 + number[3], (number[4] * 10 + number[5]) % 60) && luhn(text)
}

/// Swiss AHV number: 13 digits that begin with 756, by GS1's check digit.
pub fn ch_ahv(text: &str) -> bool {
    text.starts_with("756") && ean13(text)
}

/// Belgian rijksregisternummer: nine digits and 97 less their rest by 97; those born from 2000 on count with a 2 before.
pub fn be_national_number(text: &str) -> bool {
    let Some((number, check)) = text.split_at_checked(9).filter(|_| digits::<11>(text).is_some()) else { return false };
    let (Ok(number), Ok(check)) = (number.parse::<u64>(), check.parse::<u64>()) else { return false };
    [number, 2_000_000_000 + number].iter().any(|number| 97 - number % 97 == check)
}

/// Finnish henkilötunnus without its century sign: nine digits, and the sign of their rest by 31.
pub fn fi_hetu(text: &str) -> bool {
    let Some((number, sign)) = text.split_at_checked(9) else { return false };
    let Some(date) = digits::<9>(number) else { return false };
    let signs = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    is_date(date[2] * 10 + date[3], date[0] * 10 + date[1])
        && number.parse::<usize>().is_ok_and(|number| sign.as_bytes() == [signs[number % 31]])
}

/// Norwegian fødselsnummer: nine digits and two check digits of modulus 11.
pub fn no_fnr(text: &str) -> bool {
    digits::<11>(text).is_some_and(|number| {
        is_date((number[2] * 10 + number[3]) % 40, (number[0] * 10 + number[1]) % 40)
            && weighted(&number, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
            && weighted(&number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

/// Portuguese NIF: 9 digits, modulus 11 with weights 9 to 2, 10 counts as 0.
pub fn pt_nif(text: &str) -> bool {
    digits::<9>(text).is_some_and(|number| {
        let check = 11 - weighted(&number[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        number[0] != 0 && number[8] == if check > 9 { 0 } else { check }
    })
}

/// Australian tax file number: 9 digits, modulus 11 with weights 1, 4, 3, 7, 5, 8, 6, 9, 10.
pub(crate) fn au_tfn(text: &str) -> bool {
    digits::<9>(text).is_some_and(|number| number[0] != 0 && weighted(&number, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11))
}

/// Whether a year may have this day.
pub(crate) fn is_date(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}
