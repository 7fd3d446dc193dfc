//! Elastic Container Registry, with lifecycle policies as a typed builder.

mod lifecycle;

pub use crate::generated::ecr::*;
pub use lifecycle::{LifecyclePolicyDocument, LifecycleRule};
