//! Random numbers that nobody can foresee, for nonces, lives and the moment to stand for election; in a simulation they follow from its seed.

use rand_core::{Error, RngCore};

/// A number used once.
pub(super) fn nonce() -> [u8; 32] {
    let mut bytes = [0; 32];
    fill(&mut bytes);
    bytes
}

/// A number that no other member draws.
pub(super) fn life() -> u64 {
    // Zero is no life.
    Numbers.next_u64().max(1)
}

/// A number of `[0, 1)`.
pub(super) fn share() -> f64 {
    f64::from(Numbers.next_u32()) / (f64::from(u32::MAX) + 1.0)
}

fn fill(bytes: &mut [u8]) {
    #[cfg(feature = "testing")]
    if seeded::fill(bytes) {
        return;
    }
    getrandom::fill(bytes).expect("the system has random numbers");
}

/// The numbers as openraft takes them.
pub(crate) struct Numbers;

impl RngCore for Numbers {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        fill(bytes);
        Ok(())
    }
}

#[cfg(feature = "testing")]
pub(crate) mod seeded {
    use std::cell::RefCell;

    use crate::testing::nemesis::Dice;

    thread_local! {
        static DICE: RefCell<Option<Dice>> = const { RefCell::new(None) };
    }

    /// Lets the numbers that this thread draws follow from `dice`; `None` makes them the system's again.
    pub(crate) fn draw_from(dice: Option<Dice>) {
        DICE.set(dice);
    }

    /// Whether they are drawn from dice.
    pub(super) fn fill(bytes: &mut [u8]) -> bool {
        DICE.with_borrow_mut(|dice| {
            let Some(dice) = dice else { return false };
            for part in bytes.chunks_mut(8) {
                part.copy_from_slice(&dice.roll().to_le_bytes()[..part.len()]);
            }
            true
        })
    }
}
