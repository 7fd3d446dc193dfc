//! Elastic Container Registry, with lifecycle policies as a typed builder.

pub use crate::generated::ecr::*;
