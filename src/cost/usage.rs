//! Figures that no program has: traffic, stored data, requests.

use std::collections::BTreeMap;

use terrane_core::addr::{InstanceAddr, Pattern};

use crate::table::{CostError, PriceTable};

/// The figures of a usage file: by address, by a pattern of addresses, or by type.
///
/// ```toml
/// [aws_nat_gateway]                       # every one of the type
/// processed_gb = 200
///
/// ["module.storage.aws_s3_bucket.main"]   # these instances; the later table wins
/// storage_gb = 50
/// ```
#[derive(Debug, Default)]
pub struct Usage(Vec<Table>);

#[derive(Debug)]
struct Table {
    of: Of,
    figures: BTreeMap<String, f64>,
}

#[derive(Debug)]
enum Of {
    Type(String),
    Addresses(Pattern),
}

impl Usage {
    /// Reads a usage file. Its figures must be ones that a rule of the table asks for.
    ///
    /// # Errors
    /// When it is no TOML, a table has no name of a type or address, or a figure no rule.
    pub fn parse(text: &str, prices: &PriceTable) -> Result<Self, CostError> {
        let tables: toml::Table =
            toml::from_str(text).map_err(|error| CostError::syntax(&error))?;
        let known = prices.usage_names();
        let mut usage = Vec::new();
        for (name, table) in tables {
            let of = match name.contains('.') {
                false => Of::Type(name.clone()),
                true => Of::Addresses(
                    name.parse()
                        .map_err(|_| CostError::NotAnAddress { name: name.clone() })?,
                ),
            };
            let Some(table) = table.as_table() else {
                return Err(CostError::NotATable { name });
            };
            let mut figures = BTreeMap::new();
            for (figure, value) in table {
                if !known.contains(figure.as_str()) {
                    let closest = terrane_core::closest(figure, known.iter().copied());
                    return Err(CostError::UnknownFigure {
                        figure: figure.clone(),
                        table: name,
                        closest: closest.map(str::to_owned),
                    });
                }
                #[allow(clippy::cast_precision_loss)]
                let number = value
                    .as_float()
                    .or(value.as_integer().map(|whole| whole as f64));
                let number = number.filter(|number| number.is_finite() && *number >= 0.0);
                let number = number.ok_or_else(|| CostError::NotAFigure {
                    figure: figure.clone(),
                    table: name.clone(),
                })?;
                figures.insert(figure.clone(), number);
            }
            usage.push(Table { of, figures });
        }
        // What names an address is nearer than what names a type.
        usage.sort_by_key(|table| matches!(table.of, Of::Addresses(_)));
        Ok(Self(usage))
    }

    /// The figure of a resource, if the file has one.
    pub(crate) fn figure(&self, address: &InstanceAddr, name: &str) -> Option<f64> {
        let tables = self.0.iter().rev();
        let mut found = tables.filter(|table| match &table.of {
            Of::Type(type_name) => **type_name == *address.resource.type_name,
            Of::Addresses(pattern) => pattern.matches(address),
        });
        found.find_map(|table| table.figures.get(name).copied())
    }
}
