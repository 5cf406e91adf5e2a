//! How often code, or whatever else can be tried several times, passes its tests.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How many of the attempts at one task passed.
///
/// ```
/// use jarre_eval::code::Attempts;
///
/// let task = Attempts::new(10, 3)?;
/// assert!((task.pass_at(1).expect("one attempt was made") - 0.3).abs() < 1e-12);
/// assert!((task.pass_at(5).expect("five attempts were made") - (1.0 - 21.0 / 252.0)).abs() < 1e-12);
/// assert!((task.pass_hat(2).expect("two attempts were made") - 3.0 / 45.0).abs() < 1e-12);
/// assert_eq!(task.pass_at(11), None);
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Attempts {
    made: u32,
    passed: u32,
}

#[derive(Deserialize)]
struct Unchecked {
    made: u32,
    passed: u32,
}

impl TryFrom<Unchecked> for Attempts {
    type Error = Error;

    fn try_from(read: Unchecked) -> Result<Self> {
        Self::new(read.made, read.passed)
    }
}

impl Attempts {
    /// So many attempts, of which so many passed.
    ///
    /// # Errors
    /// [`Error::ImpossibleProportion`] where more passed than were made.
    pub fn new(made: u32, passed: u32) -> Result<Self> {
        if passed > made {
            return Err(Error::ImpossibleProportion { successes: passed.into(), trials: made.into() });
        }
        Ok(Self { made, passed })
    }

    /// Attempts made.
    pub fn made(self) -> u32 {
        self.made
    }

    /// Attempts that passed.
    pub fn passed(self) -> u32 {
        self.passed
    }

    /// pass@k: the chance that at least one of `k` attempts passes, 1 - C(n-c, k) / C(n, k), without bias (Chen et al. 2021). `None` where
    /// `k` is 0 or more than were made.
    pub fn pass_at(self, k: u32) -> Option<f64> {
        self.can_draw(k).then(|| 1.0 - draw(self.made, self.made - self.passed, k))
    }

    /// pass^k: the chance that all of `k` attempts pass, C(c, k) / C(n, k), without bias (Yao et al. 2024). `None` where `k` is 0 or more
    /// than were made.
    pub fn pass_hat(self, k: u32) -> Option<f64> {
        self.can_draw(k).then(|| draw(self.made, self.passed, k))
    }

    fn can_draw(self, k: u32) -> bool {
        (1..=self.made).contains(&k)
    }
}

/// The mean of pass@k over tasks; `None` without tasks, and where one has fewer than `k` attempts, as it would be another measure without it.
pub fn pass_at_k(tasks: &[Attempts], k: u32) -> Option<f64> {
    mean(tasks, |task| task.pass_at(k))
}

/// The mean of pass^k over tasks; `None` without tasks, and where one has fewer than `k` attempts.
pub fn pass_hat_k(tasks: &[Attempts], k: u32) -> Option<f64> {
    mean(tasks, |task| task.pass_hat(k))
}

fn mean(tasks: &[Attempts], figure: impl Fn(Attempts) -> Option<f64>) -> Option<f64> {
    let sum: f64 = tasks.iter().map(|task| figure(*task)).sum::<Option<f64>>()?;
    (!tasks.is_empty()).then(|| sum / tasks.len() as f64)
}

/// C(of, k) / C(n, k), the chance that `k` drawn out of `n` are all among `of`, as a product of shares so that nothing overflows.
fn draw(n: u32, of: u32, k: u32) -> f64 {
    if k > of {
        return 0.0;
    }
    // The same chance, with fewer factors: that none of the others is drawn.
    let (rest, factors) = if n - of < k { (n - k, n - of) } else { (of, k) };
    let mut chance = 1.0;
    for drawn in 0..factors {
        chance *= f64::from(rest - drawn) / f64::from(n - drawn);
        // Nothing is left of it, and it may be long to the end.
        if chance == 0.0 {
            break;
        }
    }
    chance
}
