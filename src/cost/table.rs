//! Tables of prices: their format, the one in this crate, and one that replaces parts of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

use crate::rule::Rule;

/// Prices by region, and the rules by which resources are paid.
#[derive(Debug, Clone)]
pub struct PriceTable {
    /// The day of the prices.
    pub date: String,
    /// The currency of the prices.
    pub currency: String,
    /// Hours in a month.
    pub(crate) hours: f64,
    regions: BTreeMap<String, Prices>,
    rules: BTreeMap<String, Vec<Rule>>,
    free: BTreeSet<String>,
}

/// Prices by name.
type Prices = BTreeMap<String, f64>;

/// A table or usage file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CostError {
    /// It is no TOML of the expected shape.
    #[error("{reason}")]
    Syntax {
        /// The parser's reason, with its place.
        reason: String,
    },
    /// A region has the prices of one that is not there.
    #[error("the region `{region}` has the prices of `{other}`, which the table does not have")]
    NoSuchRegion {
        /// The region.
        region: String,
        /// The other one.
        other: String,
    },
    /// A price is negative or no number.
    #[error("the price `{price}` of `{region}` is not a positive number")]
    NotAPrice {
        /// Its name.
        price: String,
        /// Its region.
        region: String,
    },
    /// A rule says neither what a part costs nor why it has no price.
    #[error("the rule `{part}` needs either `price` or `not_priced`")]
    RuleWithoutPrice {
        /// The part that it is about.
        part: String,
    },
    /// A table of a usage file is named by no address.
    #[error("`{name}` is neither a resource type nor an address")]
    NotAnAddress {
        /// Its name.
        name: String,
    },
    /// A figure stands outside of a table.
    #[error("`{name}` stands outside of a table; put it under `[aws_…]` or `[\"ADDRESS\"]`")]
    NotATable {
        /// Its name.
        name: String,
    },
    /// No rule asks for a figure.
    #[error("no rule asks for the figure `{figure}` under `{table}`{}", suggestion(.closest.as_deref()))]
    UnknownFigure {
        /// Its name.
        figure: String,
        /// Its table.
        table: String,
        /// A name that a rule asks for.
        closest: Option<String>,
    },
    /// A figure is negative or no number.
    #[error("the figure `{figure}` under `{table}` is not a number from 0")]
    NotAFigure {
        /// Its name.
        figure: String,
        /// Its table.
        table: String,
    },
}

fn suggestion(closest: Option<&str>) -> String {
    closest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl CostError {
    pub(crate) fn syntax(error: &toml::de::Error) -> Self {
        Self::Syntax {
            reason: error.to_string().trim_end().to_owned(),
        }
    }
}

/// A table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    date: Option<String>,
    currency: Option<String>,
    hours_per_month: Option<f64>,
    #[serde(default)]
    regions: BTreeMap<String, Region>,
    #[serde(default)]
    rule: Vec<Rule>,
    #[serde(default)]
    free: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Region {
    /// Everything that is not said costs as much as there.
    same_as: Option<String>,
    #[serde(default)]
    prices: Prices,
}

impl PriceTable {
    /// The table of this crate.
    ///
    /// # Panics
    /// Never; a test reads it.
    pub fn built_in() -> Self {
        const PRICES: &str = include_str!("prices.toml");
        const RULES: &str = include_str!("rules.toml");
        let mut table = Self {
            date: String::new(),
            currency: "USD".to_owned(),
            hours: 730.0,
            regions: BTreeMap::new(),
            rules: BTreeMap::new(),
            free: BTreeSet::new(),
        };
        for text in [RULES, PRICES] {
            table = table
                .with(text)
                .expect("invariant: the built-in table is right");
        }
        table
    }

    /// This table with the prices, rules and regions of another in place of its own.
    ///
    /// # Errors
    /// When the other one cannot be used.
    pub fn with(mut self, text: &str) -> Result<Self, CostError> {
        let written: Written = toml::from_str(text).map_err(|error| CostError::syntax(&error))?;
        if let Some(date) = written.date {
            self.date = date;
        }
        if let Some(currency) = written.currency {
            self.currency = currency;
        }
        if let Some(hours) = written.hours_per_month {
            self.hours = hours;
        }
        let mut copies = Vec::new();
        for (region, Region { same_as, prices }) in written.regions {
            for (price, amount) in &prices {
                if !amount.is_finite() || *amount < 0.0 {
                    return Err(CostError::NotAPrice {
                        price: price.clone(),
                        region,
                    });
                }
            }
            if let Some(other) = same_as {
                copies.push((region.clone(), other));
            }
            self.regions.entry(region).or_default().extend(prices);
        }
        for (region, other) in copies {
            let Some(prices) = self.regions.get(&other).cloned() else {
                return Err(CostError::NoSuchRegion { region, other });
            };
            let own = self.regions.entry(region).or_default();
            for (price, amount) in prices {
                own.entry(price).or_insert(amount);
            }
        }
        let mut fresh: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
        for rule in written.rule {
            if rule.price.is_none() && rule.not_priced.is_none() {
                return Err(CostError::RuleWithoutPrice { part: rule.part });
            }
            for type_name in &rule.types {
                fresh
                    .entry(type_name.clone())
                    .or_default()
                    .push(rule.clone());
            }
        }
        // All rules of a type are replaced together, so that no part is counted twice.
        self.free.retain(|type_name| !fresh.contains_key(type_name));
        self.rules.extend(fresh);
        self.free.extend(written.free);
        Ok(self)
    }

    /// The price of that name in a region.
    pub(crate) fn price(&self, region: &str, name: &str) -> Option<f64> {
        self.regions.get(region)?.get(name).copied()
    }

    /// Whether the table has any price of a region.
    pub(crate) fn knows(&self, region: &str) -> bool {
        self.regions.contains_key(region)
    }

    /// The rules of a type; `None` where nobody has written any.
    pub(crate) fn rules(&self, type_name: &str) -> Option<&[Rule]> {
        match self.rules.get(type_name) {
            Some(rules) => Some(rules),
            None => self.is_free(type_name).then_some(&[]),
        }
    }

    /// Whether a type costs nothing by itself: it is named, or its family is (`kubernetes_*`).
    fn is_free(&self, type_name: &str) -> bool {
        self.free.contains(type_name)
            || type_name
                .split_once('_')
                .is_some_and(|(family, _)| self.free.contains(&format!("{family}_*")))
    }

    /// The figures that rules ask a usage file for.
    pub(crate) fn usage_names(&self) -> BTreeSet<&str> {
        let rules = self.rules.values().flatten();
        rules.filter_map(|rule| rule.usage.as_deref()).collect()
    }
}
