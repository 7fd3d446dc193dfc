//! Random bytes of ids: from the system, or drawn from a number, so that operations in memory lead to the same ids in every run.

use std::cell::Cell;

thread_local! {
    /// The number that the operation of this thread draws from; none for the system's randomness.
    static DRAWN: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Runs an operation, which draws from `seed` where there is one. An operation never leaves its thread.
pub(crate) fn seeded<R>(seed: Option<u64>, operation: impl FnOnce() -> R) -> R {
    let before = DRAWN.replace(seed);
    let result = operation();
    DRAWN.set(before);
    result
}

/// Fills a buffer with random bytes.
pub(crate) fn fill(bytes: &mut [u8]) {
    let Some(mut state) = DRAWN.get() else {
        // Without randomness the ids of one sandbox may repeat, which its own rules then notice.
        let _ = getrandom::fill(bytes);
        return;
    };
    for chunk in bytes.chunks_mut(8) {
        // SplitMix64, whose outputs differ in every bit from one number to the next.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        for (byte, drawn) in chunk.iter_mut().zip(mixed.to_le_bytes()) {
            *byte = drawn;
        }
    }
    DRAWN.set(Some(state));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: Option<u64>) -> ([u8; 17], [u8; 5]) {
        seeded(seed, || {
            let (mut first, mut second) = ([0; 17], [0; 5]);
            fill(&mut first);
            fill(&mut second);
            (first, second)
        })
    }

    #[test]
    fn the_same_number_leads_to_the_same_bytes_and_another_to_others() {
        assert_eq!(drawn(Some(1)), drawn(Some(1)));
        assert_ne!(drawn(Some(1)), drawn(Some(2)));
        assert_ne!(drawn(None), drawn(None));
        let (first, second) = drawn(Some(1));
        assert_ne!(first[..5], second);
    }
}
