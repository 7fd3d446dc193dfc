//! Identity and Access Management, with policy documents as a typed builder.

mod document;
mod statement;

pub use crate::generated::iam::*;
pub use document::PolicyDocument;
pub use statement::Statement;
