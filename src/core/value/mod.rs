//! Values as providers know them: nulls, unknowns, exact numbers, collections, and their types.

mod binary;
mod convert;
mod json;
mod model;
mod number;
mod path;
mod refinements;
#[cfg(test)]
pub(crate) mod samples;
pub mod saved;
mod serialize;
mod set;
mod types;
#[cfg(test)]
mod vectors_test;

pub use convert::{ConvertError, REPEATED_KEY};
pub(crate) use convert::{Members, concrete_type};
pub use json::{JsonError, RawMembers, RawString};
pub use model::{Map, Value};
pub use number::{Number, ParseNumberError};
pub use path::{ParsePathError, Path, PathStep};
pub use refinements::{Bound, Refinements};
pub use types::{ObjectType, ParseTypeError, Type};
