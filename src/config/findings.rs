//! Notes every fault with its path while a type reads the configuration.

use std::cell::RefCell;

use terrane_core::Path;

use crate::mismatch::Mismatch;

/// The faults of one attempt to read a type.
#[derive(Default)]
pub(super) struct Findings {
    unasked: RefCell<Vec<(Path, &'static [&'static str])>>,
    mismatch: RefCell<Option<(Path, Mismatch)>>,
}

impl Findings {
    /// Notes a key that was set and that the type does not ask for, with the names that it knows.
    pub(super) fn unasked(&self, path: Path, known: &'static [&'static str]) {
        self.unasked.borrow_mut().push((path, known));
    }

    /// Notes the error that leaves the value at that path, and gives it back for the way out.
    ///
    /// Where the asking type hands an error of its parts on, nothing but the text is left of it: such a one is known by its text, and
    /// the note from further inside stays. Any other error is new, and a type may have got over the one before (an untagged enum).
    pub(super) fn mismatch(&self, path: &Path, mismatch: Mismatch) -> Mismatch {
        let mut noted = self.mismatch.borrow_mut();
        let passed_on = noted.as_ref().is_some_and(|(inner, known)| {
            path.contains(inner) && known.to_string() == mismatch.to_string()
        });
        if !passed_on {
            *noted = Some((path.clone(), mismatch.clone()));
        }
        mismatch
    }

    /// The error that ended the attempt.
    pub(super) fn take_mismatch(&self) -> Option<(Path, Mismatch)> {
        self.mismatch.borrow_mut().take()
    }

    /// Every key that was not asked for, once.
    pub(super) fn take_unasked(&self) -> Vec<(Path, &'static [&'static str])> {
        let mut unasked = self.unasked.take();
        let mut seen = std::collections::HashSet::new();
        unasked.retain(|(path, _)| seen.insert(path.clone()));
        unasked
    }
}
