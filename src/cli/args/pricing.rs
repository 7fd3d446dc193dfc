//! The flags of an estimate of costs.

use std::path::PathBuf;

use clap::Args;

/// Whether a plan is priced, and by what.
#[derive(Debug, Args)]
pub(crate) struct Pricing {
    /// Estimate what the stack costs a month, before and after
    #[arg(long)]
    pub(crate) cost: bool,
    /// Prices and rules that take the place of the built-in ones
    #[arg(long, value_name = "FILE", requires = "cost")]
    pub(crate) prices: Option<PathBuf>,
    /// Figures that no program has: traffic, stored data, requests
    #[arg(long, value_name = "FILE", requires = "cost")]
    pub(crate) usage: Option<PathBuf>,
}
