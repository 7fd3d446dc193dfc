//! Estimates what a plan costs a month: rules by resource type, and a dated table of prices, both data.
//!
//! ```
//! use terrane_core::policy::PlannedStack;
//! use terrane_core::{NoConfig, Program, Resource};
//! use terrane_cost::{PriceTable, Usage, estimate};
//!
//! let program = Program::from_fn(
//!     |stack| {
//!         Resource::dynamic("aws_nat_gateway", "main").declare(stack);
//!         Ok(())
//!     },
//!     NoConfig,
//! )
//! .unwrap();
//! let plan = PlannedStack::creating(&program);
//! let cost = estimate(&plan, Some("us-east-1"), &PriceTable::built_in(), &Usage::default());
//! assert_eq!(cost.after().to_string(), "32.85");
//! // How much traffic goes through it nobody has said, so that is no part of the sum.
//! assert_eq!(cost.not_priced[0].part.as_deref(), Some("data processed"));
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `table` | the format of a table, the one in this crate, and one that replaces parts of it |
//! | `rule` | the parts that a resource is paid by, and their quantities |
//! | `usage` | figures that no program has: traffic, stored data, requests |
//! | `estimate` | a plan's resources, before and after |
//! | `money` | amounts, in cents |
//! | `prices.toml`, `rules.toml` | the data |
//!
//! Why not a price service: it needs an account or a network, and the same plan would cost another sum tomorrow. Why not code for each
//! type: a wrong price or a missing type is mended by its user in a file.

mod estimate;
mod money;
mod rule;
mod table;
#[cfg(test)]
mod tests;
mod usage;

pub use estimate::{Amount, Estimate, NotPriced, PartCost, ResourceCost, estimate};
pub use money::Cents;
pub use table::{CostError, PriceTable};
pub use usage::Usage;
