//! Elastic Kubernetes Service, with the configuration that `kubectl` needs.

pub use crate::generated::eks::*;
