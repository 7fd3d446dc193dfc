//! An estimate of costs in a plan's JSON. Amounts are numbers in the currency of the prices.

use serde::Serialize;
use terrane_cost::{Amount, Cents, Estimate, NotPriced, PartCost, ResourceCost};

#[derive(Serialize)]
pub(super) struct CostJson {
    date: String,
    currency: String,
    monthly_before: f64,
    monthly_after: f64,
    monthly_change: f64,
    resources: Vec<ResourceJson>,
    not_priced: Vec<NotPricedJson>,
}

#[derive(Serialize)]
struct ResourceJson {
    address: String,
    monthly_before: f64,
    monthly_after: f64,
    parts: Vec<PartJson>,
}

#[derive(Serialize)]
struct PartJson {
    name: String,
    unit: String,
    before: Option<AmountJson>,
    after: Option<AmountJson>,
}

#[derive(Serialize)]
struct AmountJson {
    quantity: f64,
    price: f64,
    monthly: f64,
}

#[derive(Serialize)]
struct NotPricedJson {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    reason: String,
}

impl CostJson {
    pub(super) fn new(estimate: &Estimate) -> Self {
        Self {
            date: estimate.date.clone(),
            currency: estimate.currency.clone(),
            monthly_before: number(estimate.before()),
            monthly_after: number(estimate.after()),
            monthly_change: number(estimate.change()),
            resources: estimate.resources.iter().map(resource).collect(),
            not_priced: estimate.not_priced.iter().map(not_priced).collect(),
        }
    }
}

/// No sum of a stack has so many cents that a double would lose one.
#[allow(clippy::cast_precision_loss)]
pub(in crate::view) fn number(cents: Cents) -> f64 {
    cents.0 as f64 / 100.0
}

fn resource(resource: &ResourceCost) -> ResourceJson {
    let part = |part: &PartCost| PartJson {
        name: part.name.clone(),
        unit: part.unit.clone(),
        before: part.before.map(amount),
        after: part.after.map(amount),
    };
    ResourceJson {
        address: resource.address.to_string(),
        monthly_before: number(resource.before()),
        monthly_after: number(resource.after()),
        parts: resource.parts.iter().map(part).collect(),
    }
}

fn amount(amount: Amount) -> AmountJson {
    AmountJson {
        quantity: amount.quantity,
        price: amount.price,
        monthly: number(amount.cents),
    }
}

fn not_priced(one: &NotPriced) -> NotPricedJson {
    NotPricedJson {
        address: one.address.to_string(),
        part: one.part.clone(),
        reason: one.reason.clone(),
    }
}
