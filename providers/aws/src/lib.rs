//! Typed bindings of the AWS provider, one module and one cargo feature a service, with the few helpers that no schema gives.
//!
//! ```
//! # #[cfg(feature = "ec2")]
//! # fn network(stack: &mut terrane_core::Stack) {
//! use terrane_aws::{Provider, ec2};
//!
//! stack.provider(Provider::builder().region("eu-west-1").default_tags([("team", "data")]));
//! let vpc = ec2::Vpc::builder("main").cidr_block("10.0.0.0/16").declare(stack);
//! ec2::Subnet::builder("private")
//!     .vpc_id(vpc.id())
//!     .cidr_block("10.0.0.0/20")
//!     .declare(stack);
//! # }
//! ```
//!
//! A required argument that is missing does not compile, and the error names it (`SubnetBuilder<MissingVpcId>`):
//!
//! ```compile_fail,E0599
//! # #[cfg(not(feature = "ec2"))]
//! # fn network() { ().declare() }
//! # #[cfg(feature = "ec2")]
//! # fn network(stack: &mut terrane_core::Stack) {
//! terrane_aws::ec2::Subnet::builder("private").cidr_block("10.0.0.0/20").declare(stack);
//! # }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | one for each of 249 services, behind the feature of its name | resource types; data sources in `data` inside, ephemeral resources in `ephemeral` |
//! | `provider` | the blocks of a provider configuration |
//! | `functions` | the functions of the provider |
//! | `iam::PolicyDocument`, `ecr::LifecyclePolicyDocument` | documents as typed builders |
//! | `eks::kubeconfig` | the configuration of `kubectl` for a cluster |
//!
//! The bindings are generated when this crate is built, for the services that are turned on, from the facts in `schema/`. They are made
//! from one version of the provider and drive others as well: only arguments that a program sets are sent. An argument that the running
//! provider does not have yet is an error that names the version of these bindings.
//!
//! Why not all services at once: they are 23 s of checking and 3 GB of memory that a program with three of them need not pay.

// Services with helpers are re-exported item by item, which leaves their modules themselves out of reach.
#[allow(unreachable_pub, clippy::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}
mod contents;
mod lookup;
mod redirect;
mod stateful;

#[cfg(feature = "ecr")]
pub mod ecr;
#[cfg(feature = "eks")]
pub mod eks;
#[cfg(feature = "iam")]
pub mod iam;
#[cfg(any(feature = "ecr", feature = "iam"))]
mod json;

pub use generated::*;
