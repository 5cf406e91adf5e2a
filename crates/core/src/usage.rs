use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign},
};

use serde::{Deserialize, Serialize};

/// Tokens that a call used. Sums saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens that the model read, those from a cache included.
    pub prompt_tokens: u64,
    /// Tokens that the model wrote.
    pub completion_tokens: u64,
    /// Those of `prompt_tokens` that came from a cache.
    pub cached_tokens: u64,
}

impl Usage {
    /// Tokens read and written, none from a cache.
    pub const fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        Self { prompt_tokens, completion_tokens, cached_tokens: 0 }
    }

    /// States how many of the prompt's tokens came from a cache.
    pub const fn with_cached(mut self, cached_tokens: u64) -> Self {
        self.cached_tokens = cached_tokens;
        self
    }

    /// Tokens read and written together, saturating.
    pub const fn total_tokens(self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }

    /// The sum; `None` where a count overflows.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            prompt_tokens: self.prompt_tokens.checked_add(other.prompt_tokens)?,
            completion_tokens: self.completion_tokens.checked_add(other.completion_tokens)?,
            cached_tokens: self.cached_tokens.checked_add(other.cached_tokens)?,
        })
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            completion_tokens: self.completion_tokens.saturating_add(other.completion_tokens),
            cached_tokens: self.cached_tokens.saturating_add(other.cached_tokens),
        }
    }
}

/// What a million tokens cost.
///
/// ```
/// use jarre_core::{Cost, Price, Usage};
///
/// // $2.50 and $10 a million, cached tokens at half price.
/// let price = Price::per_million(Cost::from_micros(2_500_000), Cost::from_micros(10_000_000)).with_cached(Cost::from_micros(1_250_000));
/// let cost = price.cost(Usage::new(1_000, 200).with_cached(400));
/// assert_eq!(cost, Cost::from_micros(600 * 2_500_000 / 1_000_000 + 400 * 1_250_000 / 1_000_000 + 200 * 10));
/// assert_eq!(cost.to_string(), "$0.004000");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Price {
    /// A million prompt tokens that came from no cache.
    pub prompt: Cost,
    /// A million completion tokens.
    pub completion: Cost,
    /// A million prompt tokens that came from a cache.
    pub cached: Cost,
}

impl Price {
    /// What a million tokens read and a million written cost; cached tokens cost what others do.
    pub const fn per_million(prompt: Cost, completion: Cost) -> Self {
        Self { prompt, completion, cached: prompt }
    }

    /// States what a million cached prompt tokens cost.
    pub const fn with_cached(mut self, cached: Cost) -> Self {
        self.cached = cached;
        self
    }

    /// What `usage` costs: summed exactly, then rounded up to a whole micro-dollar once, so that a budget is never overrun by rounding
    /// and a call costs at most one micro-dollar too much. Saturates at [`Cost::MAX`].
    pub fn cost(self, usage: Usage) -> Cost {
        // More cached tokens than prompt tokens is a provider's mistake; the prompt is then counted as cached, not twice.
        let cached = usage.cached_tokens.min(usage.prompt_tokens);
        let lines = [(usage.prompt_tokens - cached, self.prompt), (cached, self.cached), (usage.completion_tokens, self.completion)];
        let exact = lines.map(|(tokens, price)| u128::from(tokens) * u128::from(price.0)).into_iter().fold(0, u128::saturating_add);
        Cost(u64::try_from(exact.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

/// An amount of money in whole micro-dollars ($0.000001), never negative. Sums saturate, so that a total never wraps round to little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cost(u64);

impl Cost {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount, where sums stop.
    pub const MAX: Self = Self(u64::MAX);

    /// So many micro-dollars.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The micro-dollars.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The sum; `None` where it overflows.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// What is left of this after `other`; `None` where that is more.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

macro_rules! sums {
    ($($amount:ty),*) => {$(
        impl AddAssign for $amount {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl Sum for $amount {
            fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
                amounts.fold(Self::default(), Add::add)
            }
        }
    )*};
}
sums!(Usage, Cost);

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRICE: Price = Price::per_million(Cost(75_000), Cost(300_000)).with_cached(Cost(18_750));

    #[test]
    fn a_cost_is_rounded_up_once() {
        assert_eq!(PRICE.cost(Usage::default()), Cost::ZERO);
        assert_eq!(PRICE.cost(Usage::new(1, 0)), Cost(1));
        // 0.075 + 0.3 micro-dollars make one, not two.
        assert_eq!(PRICE.cost(Usage::new(1, 1)), Cost(1));
        // Exactly 3 micro-dollars stay 3.
        assert_eq!(PRICE.cost(Usage::new(40, 0)), Cost(3));
        assert_eq!(PRICE.cost(Usage::new(41, 0)), Cost(4));
        assert_eq!(PRICE.cost(Usage::new(160, 0).with_cached(160)), Cost(3));
    }

    #[test]
    fn nothing_wraps() {
        let most = Usage::new(u64::MAX, u64::MAX).with_cached(1);
        assert_eq!(Price::per_million(Cost::MAX, Cost::MAX).cost(most), Cost::MAX);
        assert_eq!([Cost::MAX, Cost(1)].into_iter().sum::<Cost>(), Cost::MAX);
        assert_eq!(Cost::MAX.checked_add(Cost(1)), None);
        assert_eq!(Cost(1).checked_sub(Cost(2)), None);
        assert_eq!((most + Usage::new(1, 0)).prompt_tokens, u64::MAX);
        assert_eq!(most.checked_add(Usage::new(1, 0)), None);
        assert_eq!(most.total_tokens(), u64::MAX);
    }

    #[test]
    fn more_cached_than_read_is_not_charged_twice() {
        assert_eq!(PRICE.cost(Usage::new(100, 0).with_cached(1_000)), PRICE.cost(Usage::new(100, 0).with_cached(100)));
    }

    #[test]
    fn money_and_usage_on_the_wire() {
        let usage = Usage::new(3, 4).with_cached(1);
        let wire = serde_json::json!({"prompt_tokens": 3, "completion_tokens": 4, "cached_tokens": 1});
        assert_eq!(serde_json::to_value(usage).unwrap(), wire);
        assert_eq!(serde_json::from_value::<Usage>(wire).unwrap(), usage);
        let wire = serde_json::json!({"prompt": 75_000, "completion": 300_000, "cached": 18_750});
        assert_eq!(serde_json::to_value(PRICE).unwrap(), wire);
        assert_eq!(serde_json::from_value::<Price>(wire).unwrap(), PRICE);
    }

    proptest! {
        #[test]
        fn splitting_a_call_never_makes_it_cheaper(a in 0..1_000_000u64, b in 0..1_000_000u64, c in 0..1_000_000u64) {
            let (first, second) = (Usage::new(a, b), Usage::new(c, a));
            let (apart, together) = (PRICE.cost(first) + PRICE.cost(second), PRICE.cost(first + second));
            prop_assert!(together <= apart && apart.0 <= together.0 + 1);
        }
    }
}
