/// A hash of 64 bits that takes parts one after another (FNV-1a, over words in the place of bytes). It holds off no attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn push(self, part: impl Into<u64>) -> Self {
        // The rotation brings the upper bits, which the product mixes best, to where the next part falls.
        Self((self.0 ^ part.into()).wrapping_mul(0x0100_0000_01b3).rotate_left(23))
    }

    pub(crate) fn of(text: &str) -> u64 {
        text.bytes().fold(Self::new(), Self::push).get()
    }

    pub(crate) fn get(self) -> u64 {
        self.0
    }
}
