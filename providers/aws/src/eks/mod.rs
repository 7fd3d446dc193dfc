//! Elastic Kubernetes Service, with the configuration that `kubectl` needs.

mod kubeconfig;

pub use crate::generated::eks::*;
pub use kubeconfig::kubeconfig;
