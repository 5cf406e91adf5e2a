//! Numbers as people read them.

/// Three significant digits at most, thousands as `k`, `M`, `B` and `T`, what is very small or large with an exponent: `0`, `0.25`, `1.2k`,
/// `3M`, `1e-4`.
pub(crate) fn short(value: f64) -> String {
    let Some((_, exponent)) = scientific(value, 3) else { return special(value) };
    match exponent {
        -3..=2 => trimmed(&format!("{value:.*}", (2 - exponent) as usize)),
        3..=14 => {
            let unit = exponent / 3;
            let scaled = value / 10_f64.powi(3 * unit);
            trimmed(&format!("{scaled:.*}", (2 - (exponent - 3 * unit)) as usize)) + UNITS[unit as usize]
        }
        _ => exponential(value, 3, true),
    }
}

/// The given number of significant digits, zeros at the end included, so that a column of them tells how precise it is.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    let digits = digits.clamp(1, 17);
    let Some((_, exponent)) = scientific(value, digits) else { return special(value) };
    if (-4..=14).contains(&exponent) {
        format!("{value:.*}", (digits as i32 - 1 - exponent).max(0) as usize)
    } else {
        exponential(value, digits, false)
    }
}

/// The given number of decimals; infinities and NaN by name.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return special(value);
    }
    let text = format!("{value:.*}", decimals.min(17));
    if text.starts_with('-') && text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.')) { text[1..].to_owned() } else { text }
}

/// The label of a tick, with as many digits as neighbours at the distance of `step` need to differ. `largest` is the greatest magnitude on
/// the axis, which decides how all its labels are written.
pub(crate) fn tick(value: f64, step: f64, largest: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let (magnitude, resolution) = (exponent_of(value), exponent_of(step));
    if !(-3..15).contains(&exponent_of(largest)) || resolution < -12 {
        return exponential(value, (magnitude - resolution).clamp(0, 16) as usize + 1, true);
    }
    let unit = (magnitude / 3).clamp(0, 4);
    let decimals = 3 * unit - resolution;
    if unit > 0 && decimals <= 2 {
        return trimmed(&format!("{:.*}", decimals.max(0) as usize, value / 10_f64.powi(3 * unit))) + UNITS[unit as usize];
    }
    fixed(value, (-resolution).max(0) as usize)
}

/// The label of a power of ten.
pub(crate) fn decade(exponent: i32) -> String {
    match exponent {
        -3..=-1 => format!("0.{}1", "0".repeat((-exponent - 1) as usize)),
        0..=2 => format!("1{}", "0".repeat(exponent as usize)),
        3..=14 => format!("1{}{}", "0".repeat(exponent as usize % 3), UNITS[exponent as usize / 3]),
        _ => format!("1e{exponent}"),
    }
}

const UNITS: [&str; 5] = ["", "k", "M", "B", "T"];

fn special(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "∞" } else { "-∞" }.to_owned()
    } else {
        "0".to_owned()
    }
}

/// Mantissa and exponent after rounding to `digits` significant digits; none for zero and what is not finite.
fn scientific(value: f64, digits: usize) -> Option<(String, i32)> {
    if value == 0.0 || !value.is_finite() {
        return None;
    }
    let text = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = text.split_once('e').expect("the format writes an exponent");
    Some((mantissa.to_owned(), exponent.parse().expect("the format writes a whole exponent")))
}

fn exponential(value: f64, digits: usize, trim: bool) -> String {
    match scientific(value, digits) {
        Some((mantissa, exponent)) if trim => format!("{}e{exponent}", trimmed(&mantissa)),
        Some((mantissa, exponent)) => format!("{mantissa}e{exponent}"),
        None => special(value),
    }
}

/// The power of ten at or below, with a slack for the last bits of computed steps.
fn exponent_of(value: f64) -> i32 {
    scientific(value, 12).map_or(0, |(_, exponent)| exponent)
}

/// Without zeros at the end of the decimals.
fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (0.25, "0.25"),
            (1.0 / 3.0, "0.333"),
            (0.001, "0.001"),
            (1e-4, "1e-4"),
            (-1.234e-7, "-1.23e-7"),
            (999.6, "1k"),
            (1234.0, "1.23k"),
            (-45_600.0, "-45.6k"),
            (3e6, "3M"),
            (999_999.0, "1M"),
            (1.24e9, "1.24B"),
            (7e13, "70T"),
            (1e15, "1e15"),
            (f64::MAX, "1.8e308"),
            (5e-324, "4.94e-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-∞"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn significant_digits_keep_their_zeros() {
        assert_eq!(significant(0.5, 3), "0.500");
        assert_eq!(significant(9.999, 3), "10.0");
        assert_eq!(significant(123_456.0, 3), "123456");
        assert_eq!(significant(1.0e-9, 2), "1.0e-9");
        assert_eq!(significant(f64::INFINITY, 2), "∞");
        assert_eq!(fixed(-0.0004, 2), "0.00");
        assert_eq!(fixed(-0.5, 2), "-0.50");
    }

    #[test]
    fn ticks_show_what_tells_them_apart() {
        let cases = [
            (0.3, 0.1, "0.3"),
            (2.0, 0.5, "2.0"),
            (1500.0, 500.0, "1.5k"),
            (20_000.0, 5000.0, "20k"),
            (9800.0, 100.0, "9.8k"),
            (100_002.0, 2.0, "100002"),
            (2.5e-5, 5e-6, "2.5e-5"),
            (0.002, 0.001, "0.002"),
            (1e15, 2e14, "1e15"),
            (1e6, 2e5, "1M"),
            (-400.0, 100.0, "-400"),
        ];
        for (value, step, text) in cases {
            assert_eq!(tick(value, step, value.abs()), text);
        }
        assert_eq!(tick(5e-4, 5e-4, 0.002), "0.0005", "as its neighbours are written");
    }

    #[test]
    fn powers_of_ten() {
        let labels: Vec<String> = (-5..=7).chain([14, 15, 300, -320]).map(decade).collect();
        let expected =
            ["1e-5", "1e-4", "0.001", "0.01", "0.1", "1", "10", "100", "1k", "10k", "100k", "1M", "10M", "100T", "1e15", "1e300", "1e-320"];
        assert_eq!(labels, expected);
    }
}
