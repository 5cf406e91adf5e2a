//! Check digits that several numbers share.

/// Luhn's algorithm (ISO/IEC 7812-1, annex B), for any number of digits from 2 on: payment cards, personnummer, SIN.
pub fn luhn(text: &str) -> bool {
    let double = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let mut sum = 0;
    for (at, char) in text.chars().rev().enumerate() {
        let Some(digit) = char.to_digit(10) else { return false };
        sum += if at % 2 == 1 { double(digit) } else { digit };
    }
    text.len() > 1 && sum % 10 == 0
}

/// ISO/IEC 7064 MOD 97-10, as ISO 13616 has it for IBANs: letters count from A = 10, and the first four characters go to the end.
pub fn mod97(text: &str) -> bool {
    let Some((head, tail)) = text.split_at_checked(4) else { return false };
    let mut rest = 0u32;
    for char in tail.chars().chain(head.chars()) {
        let Some(value) = char.to_digit(36).filter(|_| !char.is_ascii_lowercase()) else { return false };
        rest = if value < 10 { rest * 10 + value } else { rest * 100 + value } % 97;
    }
    rest == 1
}

/// ISO/IEC 7064 MOD 11,10 over all digits, the check digit last.
pub fn iso7064_mod11_10(text: &str) -> bool {
    let mut product = 10;
    let digits: Option<Vec<u32>> = text.chars().map(|char| char.to_digit(10)).collect();
    let Some((check, digits)) = digits.as_deref().and_then(<[u32]>::split_last) else { return false };
    for digit in digits {
        let sum = (digit + product) % 10;
        product = if sum == 0 { 10 } else { sum } * 2 % 11;
    }
    !digits.is_empty() && (product + check) % 10 == 1
}

/// Verhoeff's algorithm (J. Verhoeff, *Error Detecting Decimal Codes*, 1969), the check digit last.
pub fn verhoeff(text: &str) -> bool {
    let mut state = 0;
    for (at, char) in text.chars().rev().enumerate() {
        let Some(digit) = char.to_digit(10) else { return false };
        state = dihedral(state, (0..at % 8).fold(digit, |digit, _| PERMUTATION[digit as usize]));
    }
    text.len() > 1 && state == 0
}

/// The permutation whose powers Verhoeff's algorithm applies.
const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/// The product in the dihedral group of order 10: 0 to 4 are rotations, 5 to 9 reflections.
fn dihedral(left: u32, right: u32) -> u32 {
    match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => (left + right) % 5 + 5,
        (false, true) => (left - right) % 5 + 5,
        (false, false) => (left + 5 - right) % 5,
    }
}

/// The check digit of GS1's 13-digit numbers (EAN-13): weights 1 and 3 in turn.
pub fn ean13(text: &str) -> bool {
    super::digits::<13>(text).is_some_and(|digits| super::weighted(&digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10))
}
