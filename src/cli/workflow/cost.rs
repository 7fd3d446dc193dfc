//! Estimates the costs of a plan: no network, no account.

use std::path::Path;

use terrane_core::{Diagnostic, Program};
use terrane_cost::{CostError, Estimate, PriceTable, Usage, estimate};
use terrane_engine::Plan;

use crate::args::Pricing;
use crate::error::CommandError;
use crate::session::Session;
use crate::view::printable::one_line;

/// How long a file of prices or figures may be.
const LONGEST: u64 = 16 << 20;

/// The table and the figures to estimate with.
pub(crate) struct Prices {
    table: PriceTable,
    usage: Usage,
}

/// Reads the files that the flags name, before any work is done.
pub(crate) fn read(pricing: &Pricing) -> Result<Option<Prices>, CommandError> {
    if !pricing.cost {
        return Ok(None);
    }
    let mut table = PriceTable::built_in();
    if let Some(file) = &pricing.prices {
        table = parsed("--prices", file, |text| table.with(text))?;
    }
    let usage = match &pricing.usage {
        Some(file) => parsed("--usage", file, |text| Usage::parse(text, &table))?,
        None => Usage::default(),
    };
    Ok(Some(Prices { table, usage }))
}

fn parsed<T>(
    flag: &str,
    file: &Path,
    parse: impl FnOnce(&str) -> Result<T, CostError>,
) -> Result<T, CommandError> {
    let refused = |reason: String| {
        let file = one_line(&file.display().to_string());
        let refused = Diagnostic::error(format!("the file {file} of `{flag}` cannot be used"));
        CommandError::usage(refused.detail(reason))
    };
    let text = terrane_files::read_text(file, LONGEST);
    let text = text.map_err(|error| refused(error.to_string()))?;
    parse(&text).map_err(|error| refused(error.to_string()))
}

impl Prices {
    /// The estimate of a plan.
    pub(crate) fn estimate(
        &self,
        session: &Session<'_>,
        plan: &Plan,
        program: &Program,
    ) -> Estimate {
        let region = session.default_region();
        estimate(&plan.planned(program), region, &self.table, &self.usage)
    }
}
