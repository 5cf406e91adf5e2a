//! Random expressions against fractions of 128-bit numbers.

use jarre_calculator::evaluate;
use proptest::prelude::*;

/// A value as a fraction with a denominator above zero, or `None` where it was divided by zero or does not fit.
type Value = Option<(i128, i128)>;

#[derive(Clone, Debug)]
enum Tree {
    Number(u32),
    Decimal(u32),
    Negative(Box<Tree>),
    Binary(char, Box<Tree>, Box<Tree>),
}

impl Tree {
    fn value(&self) -> Value {
        let (numerator, denominator) = match self {
            Self::Number(number) => (i128::from(*number), 1),
            Self::Decimal(hundredths) => (i128::from(*hundredths), 100),
            Self::Negative(tree) => tree.value().map(|(n, d)| (-n, d))?,
            Self::Binary(sign, left, right) => {
                let ((a, b), (c, d)) = (left.value()?, right.value()?);
                match sign {
                    '+' => (a.checked_mul(d)?.checked_add(c.checked_mul(b)?)?, b.checked_mul(d)?),
                    '-' => (a.checked_mul(d)?.checked_sub(c.checked_mul(b)?)?, b.checked_mul(d)?),
                    '*' => (a.checked_mul(c)?, b.checked_mul(d)?),
                    _ if c == 0 => return None,
                    _ => (a.checked_mul(d)?.checked_mul(c.signum())?, b.checked_mul(c.checked_abs()?)?),
                }
            }
        };
        let common = gcd(numerator.unsigned_abs(), denominator.unsigned_abs()) as i128;
        Some((numerator / common, denominator / common))
    }

    /// With brackets only where they are needed: around what binds less than `least`.
    fn text(&self, least: u8) -> String {
        let (text, binds) = match self {
            Self::Number(number) => (number.to_string(), 9),
            Self::Decimal(hundredths) => (format!("{}.{:02}", hundredths / 100, hundredths % 100), 9),
            Self::Negative(tree) => (format!("-{}", tree.text(3)), 3),
            Self::Binary(sign, left, right) => {
                let binds = if matches!(sign, '+' | '-') { 1 } else { 2 };
                (format!("{} {sign} {}", left.text(binds), right.text(binds + 1)), binds)
            }
        };
        if binds < least { format!("({text})") } else { text }
    }
}

fn gcd(left: u128, right: u128) -> u128 {
    if right == 0 { left.max(1) } else { gcd(right, left % right) }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![(0u32..1000).prop_map(Tree::Number), (0u32..10_000).prop_map(Tree::Decimal)];
    leaf.prop_recursive(5, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|tree| Tree::Negative(tree.into())),
            (prop_oneof![Just('+'), Just('-'), Just('*'), Just('/')], inner.clone(), inner).prop_map(|(sign, left, right)| Tree::Binary(
                sign,
                left.into(),
                right.into()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn fractions_come_out_as_in_the_model(tree in tree()) {
        if let Some((numerator, denominator)) = tree.value() {
            let answer = evaluate(&tree.text(0)).unwrap();
            prop_assert_eq!(answer.to_fraction(), Some((numerator.to_string(), denominator.to_string())), "{}", tree.text(0));
        }
    }

    #[test]
    fn a_whole_answer_reads_as_itself(tree in tree()) {
        if let Ok(answer) = evaluate(&tree.text(0)) {
            let (numerator, denominator) = answer.to_fraction().unwrap();
            prop_assert_eq!(evaluate(&format!("{numerator}/{denominator}")).unwrap(), answer);
        }
    }

    #[test]
    fn any_text_has_an_answer_or_an_error_within_it(text in "[-+*/%^!(),. 0-9a-z×π_]{0,60}") {
        match evaluate(&text) {
            Ok(answer) => prop_assert!(!answer.to_f64().is_nan()),
            Err(error) => prop_assert!(error.at().is_none_or(|at| (1..=text.chars().count() + 1).contains(&at)), "{}", error),
        }
    }

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,40}") {
        let _ = evaluate(&text);
    }
}
