//! Punycode (RFC 3492).

const BASE: u32 = 36;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const LEAST: u32 = 1;
const MOST: u32 = 26;

/// The label that `encoded`, which stands behind `xn--`, means; `None` where it means none. A label has 63 bytes at most (RFC 1035).
pub(super) fn decode(encoded: &str) -> Option<String> {
    if encoded.len() > 63 || !encoded.is_ascii() {
        return None;
    }
    let (plain, digits) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    let mut label: Vec<char> = plain.chars().collect();
    let mut digits = digits.bytes();
    let (mut code, mut place, mut bias) = (128_u32, 0_u32, 72_u32);
    while digits.len() > 0 {
        let before = place;
        let mut weight = 1_u32;
        for step in 1.. {
            let digit = value(digits.next()?)?;
            place = place.checked_add(digit.checked_mul(weight)?)?;
            let threshold = (BASE * step).saturating_sub(bias).clamp(LEAST, MOST);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
        }
        let count = label.len() as u32 + 1;
        bias = adapt(place - before, count, before == 0);
        code = code.checked_add(place / count)?;
        place %= count;
        label.insert(place as usize, char::from_u32(code)?);
        place += 1;
    }
    Some(label.into_iter().collect())
}

fn value(digit: u8) -> Option<u32> {
    match digit {
        b'a'..=b'z' => Some(u32::from(digit - b'a')),
        b'A'..=b'Z' => Some(u32::from(digit - b'A')),
        b'0'..=b'9' => Some(u32::from(digit - b'0') + 26),
        _ => None,
    }
}

fn adapt(delta: u32, count: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta += delta / count;
    let mut bias = 0;
    while delta > (BASE - LEAST) * MOST / 2 {
        delta /= BASE - LEAST;
        bias += BASE;
    }
    bias + (BASE - LEAST + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_rfc_3492() {
        let samples = [
            ("mnchen-3ya", "münchen"),
            ("ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"),
            ("PorqunopuedensimplementehablarenEspaol-fmd56a", "PorquénopuedensimplementehablarenEspañol"),
            ("3B-ww4c5e180e575a65lsy2b", "3年B組金八先生"),
        ];
        for (encoded, plain) in samples {
            assert_eq!(decode(encoded).as_deref(), Some(plain));
        }
        for none in ["99999999", "é", "a-b-!", "zzzzzzzzzzzzzzzzz"] {
            assert_eq!(decode(none), None, "{none}");
        }
    }
}
