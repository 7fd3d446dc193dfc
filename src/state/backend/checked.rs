//! Writes that need proof: a proxy may acknowledge one and store nothing.

use std::time::Duration;

use super::BackendError;
use crate::clock::Clock;

/// How a store answered a write that it did not refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered<T> {
    /// With something that only a store of these very bytes can know, such as their checksum.
    Proof(T),
    /// With nothing that proves the stored content.
    Unproved,
}

/// The stored content after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<T> {
    /// Ours.
    Ours(T),
    /// The earlier one, or nothing.
    Unchanged,
}

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);
const TRIES: usize = 5;

/// Writes until the answer or a look at the store shows that it is stored. A look that finds neither ours nor the earlier content
/// returns an error of its own.
///
/// # Errors
/// Those of the two; [`BackendError::NotStored`] when the store says again and again that it took a write that it does not have.
pub async fn write_checked<T, E, W, L>(
    clock: &dyn Clock,
    place: &str,
    mut write: impl FnMut() -> W,
    mut look: impl FnMut() -> L,
) -> Result<T, E>
where
    E: From<BackendError>,
    W: Future<Output = Result<Answered<T>, E>>,
    L: Future<Output = Result<Found<T>, E>>,
{
    for n in 0..TRIES {
        if n > 0 {
            clock.sleep(PAUSE).await;
        }
        if let Answered::Proof(done) = write().await? {
            return Ok(done);
        }
        if let Found::Ours(done) = look().await? {
            return Ok(done);
        }
    }
    let place = place.to_owned();
    Err(BackendError::NotStored { place }.into())
}
