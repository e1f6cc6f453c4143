//! Draws that a seed repeats (SplitMix64). What else happens is up to the machine.

/// A sequence of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    /// The sequence of this seed and place.
    pub(crate) fn new(seed: u64, place: [u64; 2]) -> Self {
        let mut draw = Self(seed);
        for part in place {
            draw.0 = draw.next() ^ part;
        }
        draw
    }

    /// From 0 to just below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
