//! Identity and Access Management, with policy documents as a typed builder.

pub use crate::generated::iam::*;
