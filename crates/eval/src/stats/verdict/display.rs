use std::fmt;

use super::{Finding, Verdict};

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Better(finding) => finding.distinguished(f, "better"),
            Self::Worse(finding) => finding.distinguished(f, "worse"),
            Self::NotDistinguishable(finding) => finding.indistinct(f),
            Self::Undefined(reason) => write!(f, "undefined: {reason}"),
        }
    }
}

impl Finding {
    fn distinguished(&self, f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
        let [one, other] = [self.interval.low.abs(), self.interval.high.abs()];
        let (near, far) = (self.number(one.min(other)), self.number(one.max(other)));
        write!(f, "{word} by {}{} ({near} to {far})", self.number(self.difference.abs()), self.unit.suffix())?;
        match self.p_value {
            Some(p) => write!(f, ", p {}", p_value(p)),
            None => Ok(()),
        }
    }

    fn indistinct(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = trimmed(format!("{:.4}", 100.0 * self.confidence));
        let (low, high) = (self.signed(self.interval.low), self.signed(self.interval.high));
        write!(f, "not distinguishable: {percent} % interval {low} to {high}{}", self.unit.suffix())?;
        match self.needed {
            Some(needed) if needed.more_items > 0 => {
                let items = if needed.more_items == 1 { "item" } else { "items" };
                write!(f, "; {} more {items} would show a difference of {}", needed.more_items, self.plain(needed.effect))
            }
            Some(needed) => write!(f, "; a difference of {} would likely have shown", self.plain(needed.effect)),
            None => match self.detectable {
                Some(effect) if effect > 0.0 => write!(f, "; {} items show differences from {} on", self.n, self.number(effect)),
                _ => Ok(()),
            },
        }
    }

    /// Two significant digits of the interval's half-width are as many as it is worth.
    fn decimals(&self) -> usize {
        let half = self.interval.width() / 2.0 * self.unit.scale();
        let exponent = if half > 0.0 && half.is_finite() { half.log10().floor() } else { 0.0 };
        ((1.0 - exponent).max(0.0) as usize).clamp(self.unit.least_decimals(), 12)
    }

    fn number(&self, value: f64) -> String {
        without_minus_zero(format!("{:.*}", self.decimals(), value * self.unit.scale()))
    }

    fn signed(&self, value: f64) -> String {
        let number = self.number(value);
        let positive = number.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) && !number.starts_with('-');
        if positive { format!("+{number}") } else { number }
    }

    /// As someone would have written it.
    fn plain(&self, value: f64) -> String {
        trimmed(format!("{:.6}", value * self.unit.scale()))
    }
}

/// Two significant digits.
fn p_value(p: f64) -> String {
    if p == 0.0 {
        "< 1e-300".to_owned()
    } else if p < 0.001 {
        format!("= {p:.1e}")
    } else {
        format!("= {:.*}", if p < 0.01 { 4 } else { 3 }, p)
    }
}

fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn without_minus_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}
