//! What shows whose an object is and how an operation ended: apply leaves it behind, recovery decides by it.
//!
//! | module | what it shows |
//! |---|---|
//! | `owner` | that an object is that of one creation: its owner tag |
//! | `proof` | that an object found by its name is that of one creation |
//! | `fingerprint` | that a plan, or a provider's configuration, is the same as then |
//! | `failure` | that a provider which reports an error does not know the outcome |

mod failure;
mod fingerprint;
mod owner;
mod proof;

pub(crate) use failure::gave_up;
pub(crate) use fingerprint::{fingerprint, place, place_fingerprint};
pub use owner::OWNER_TAG;
pub(crate) use owner::{OwnerTags, new_tag};
pub(crate) use proof::{Proof, SKEW, USUAL_TIMEOUT, Unproved, deadline, prove};
