//! Tests of a stack in `cargo test`: its plan without a provider, its whole life in a sandbox, and what failures leave behind.
//!
//! ```
//! use terrane::{Result, Stack};
//! use terrane_aws::ec2;
//! use terrane_testkit::TestStack;
//!
//! fn network(stack: &mut Stack) -> Result<()> {
//!     let vpc = ec2::Vpc::builder("main").cidr_block("10.0.0.0/16").declare(stack);
//!     ec2::Subnet::builder("a").vpc_id(vpc.id()).cidr_block("10.0.1.0/24").declare(stack);
//!     Ok(())
//! }
//!
//! let plan = TestStack::new(network).plan();
//! let subnet = plan.resource::<ec2::Subnet>("aws_subnet.a");
//! assert_eq!(subnet.get(&subnet.cidr_block()).known(), "10.0.1.0/24");
//! // Nobody knows the id of a network before it is made; the test says so instead of passing by accident.
//! assert_eq!(subnet.get(&subnet.vpc_id()).unknown().origins(), ["aws_vpc.main.id"]);
//! ```
//!
//! The life of a test: a [`TestStack`] is a stack function with its configuration. Its [`plan`](TestStack::plan) is that of an empty
//! cloud; a [`TestCloud`] remembers objects and state from one run to the next. Both give a [`TestPlan`], which is asked for values, policies
//! and its text.
//!
//! ```
//! # use terrane::{Result, Stack};
//! # use terrane_aws::ec2;
//! # use terrane_testkit::TestStack;
//! use terrane_testkit::{Fault, TestCloud};
//! # fn network(stack: &mut Stack) -> Result<()> {
//! #     let vpc = ec2::Vpc::builder("main").cidr_block("10.0.0.0/16").declare(stack);
//! #     ec2::Subnet::builder("a").vpc_id(vpc.id()).cidr_block("10.0.1.0/24").declare(stack);
//! #     Ok(())
//! # }
//!
//! let stack = TestStack::new(network);
//! let mut cloud = TestCloud::new();
//! cloud.fault(Fault::create("aws_subnet.a").fails("InvalidSubnet.Conflict: it overlaps"));
//! cloud.up(&stack).fails("InvalidSubnet.Conflict");
//! assert_eq!(cloud.addresses(), ["aws_vpc.main"]);
//!
//! cloud.up(&stack).succeeds();
//! cloud.preview(&stack).assert_empty();
//! cloud.destroy(&stack).succeeds();
//! assert!(cloud.is_empty());
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `stack` | [`TestStack`]: a stack function and its configuration |
//! | `plan` | [`TestPlan`], [`TestResource`]: what a plan says |
//! | `value` | [`PlannedValue`]: known, unknown, sensitive or absent |
//! | `cloud` | [`TestCloud`]: objects and state from run to run |
//! | `run` | [`TestRun`]: how a run ended |
//! | `operation` | one preview or run of the engine |
//! | `fault` | [`Fault`]: operations that fail, answers that are lost, runs that die |
//! | `provider` | the sandbox as the engine's provider, in this process |
//! | `recorder` | what is recorded, until the run dies |
//! | `time` | a clock and random numbers that are the same in every run |
//!
//! **Why not** mocks of providers: a mock answers what its test expects. The engine, the schemas and the rules of the sandbox are those of
//! `--sandbox`, so that a test fails where the stack would. **Why not** `PartialEq` between planned values and plain ones: then
//! `assert_ne!` would pass on a value that nobody knows.

mod cloud;
mod fault;
mod operation;
mod plan;
mod provider;
mod recorder;
mod run;
mod stack;
#[cfg(test)]
mod tests;
mod time;
mod value;

pub use cloud::TestCloud;
pub use fault::{Fault, FaultyOperation};
pub use plan::{TestPlan, TestResource};
pub use run::TestRun;
pub use stack::TestStack;
pub use value::{Concealed, PlannedValue, Unknown};

/// The guide for people who test stacks, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/testing.md")]
struct Guide;
