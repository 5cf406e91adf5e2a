/// `SplitMix64`: the same numbers everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }

    pub(crate) fn digits(&mut self, count: usize) -> String {
        self.text("0123456789", count)
    }

    pub(crate) fn text(&mut self, alphabet: &str, count: usize) -> String {
        (0..count).map(|_| self.pick(alphabet.as_bytes()) as char).collect()
    }

    /// `shape` with a digit for every `#` and a capital for every `@`.
    pub(crate) fn shape(&mut self, shape: &str) -> String {
        let one = |random: &mut Self, char| match char {
            '#' => random.digits(1),
            '@' => random.text("ABCDEFGHJKLMNPRSTUVWXYZ", 1),
            other => other.to_string(),
        };
        shape.chars().map(|char| one(self, char)).collect()
    }

    /// Texts of this shape until one fits.
    pub(crate) fn fitting(&mut self, shape: &str, fits: impl Fn(&str) -> bool) -> String {
        loop {
            let text = self.shape(shape);
            let compact: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
            if fits(&compact) {
                return text;
            }
        }
    }
}
