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
//! | `dynamodb`, `ec2`, `ecr`, `eks`, `iam`, `kms`, `logs`, `meta`, `s3`, `sts`, `tagging` | resource types; data sources in `data` inside |
//! | `provider` | the blocks of a provider configuration |
//! | `iam::PolicyDocument`, `ecr::LifecyclePolicyDocument` | documents as typed builders |
//! | `eks::kubeconfig` | the configuration of `kubectl` for a cluster |
//!
//! Why not bindings of all 1,305 types: they are six seconds of checking that a program with thirty of them need not pay.
//! `provider.toml` names the services; anything else is `Resource::dynamic`.

// Services with helpers are re-exported item by item, which leaves their modules themselves out of reach.
#[allow(unreachable_pub)]
mod generated;
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

#[cfg(feature = "dynamodb")]
pub use generated::dynamodb;
#[cfg(feature = "ec2")]
pub use generated::ec2;
#[cfg(feature = "kms")]
pub use generated::kms;
#[cfg(feature = "logs")]
pub use generated::logs;
#[cfg(feature = "meta")]
pub use generated::meta;
pub use generated::provider::{self, Provider};
#[cfg(feature = "s3")]
pub use generated::s3;
#[cfg(feature = "sts")]
pub use generated::sts;
#[cfg(feature = "tagging")]
pub use generated::tagging;

/// The provider as the engine sees it: where it comes from, the version of the bindings, the facts of its schema.
pub static PROVIDER: terrane_core::ProviderBinding = terrane_core::ProviderBinding {
    source: generated::SOURCE,
    version: generated::VERSION,
    facts: generated::FACTS,
    redirect: Some(redirect::redirect),
    lookup: lookup::LOOKUP,
    stateful: stateful::STATEFUL,
};
