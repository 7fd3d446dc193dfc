//! What the resources of a plan cost, before and after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode};
use terrane_core::policy::{PlannedObject, PlannedStack};
use terrane_core::{Action, Expr, IdVec, Location, Marked, ProviderId, Scope, Value};

use crate::money::Cents;
use crate::rule::{Quantity, Rule, Subject};
use crate::table::PriceTable;
use crate::usage::Usage;

/// What a plan costs a month, as far as that can be known.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The day of the prices.
    pub date: String,
    /// Their currency.
    pub currency: String,
    /// Resources with a price, in the plan's order.
    pub resources: Vec<ResourceCost>,
    /// What is in no sum.
    pub not_priced: Vec<NotPriced>,
}

/// What one resource costs a month.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceCost {
    /// Its address.
    pub address: Arc<InstanceAddr>,
    /// The planned operation.
    pub action: Action,
    /// Where the program declares it.
    pub location: Option<Location>,
    /// The parts that it is paid by.
    pub parts: Vec<PartCost>,
}

/// One part of what a resource costs.
#[derive(Debug, Clone, PartialEq)]
pub struct PartCost {
    /// Its name.
    pub name: String,
    /// The unit of its quantity.
    pub unit: String,
    /// Before the apply; `None` where it does not exist or has no price.
    pub before: Option<Amount>,
    /// After it.
    pub after: Option<Amount>,
}

/// A quantity at a price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amount {
    /// How much.
    pub quantity: f64,
    /// The price of one unit.
    pub price: f64,
    /// Both multiplied.
    pub cents: Cents,
}

/// Something that is in no sum, because its price or its use is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPriced {
    /// The resource.
    pub address: Arc<InstanceAddr>,
    /// The part of its cost; `None` where it is all of it.
    pub part: Option<String>,
    /// Why.
    pub reason: String,
}

impl ResourceCost {
    /// The sum of its parts before the apply.
    pub fn before(&self) -> Cents {
        sum(&self.parts, |part| part.before)
    }

    /// The sum of its parts after the apply.
    pub fn after(&self) -> Cents {
        sum(&self.parts, |part| part.after)
    }

    /// What the apply adds to it.
    pub fn change(&self) -> Cents {
        self.after() - self.before()
    }
}

fn sum(parts: &[PartCost], side: impl Fn(&PartCost) -> Option<Amount>) -> Cents {
    parts
        .iter()
        .filter_map(side)
        .map(|amount| amount.cents)
        .sum()
}

impl Estimate {
    /// The sum before the apply.
    pub fn before(&self) -> Cents {
        self.resources.iter().map(ResourceCost::before).sum()
    }

    /// The sum after the apply.
    pub fn after(&self) -> Cents {
        self.resources.iter().map(ResourceCost::after).sum()
    }

    /// What the apply adds.
    pub fn change(&self) -> Cents {
        self.after() - self.before()
    }
}

/// Estimates a plan. `region` is where resources are that do not say so themselves, nor by their provider.
pub fn estimate(
    plan: &PlannedStack<'_>,
    region: Option<&str>,
    table: &PriceTable,
    usage: &Usage,
) -> Estimate {
    let regions = provider_regions(plan);
    let work = Work {
        plan,
        table,
        usage,
        common: common(&regions),
        regions,
        region,
    };
    let mut estimate = Estimate {
        date: table.date.clone(),
        currency: table.currency.clone(),
        resources: Vec::new(),
        not_priced: Vec::new(),
    };
    let managed = plan.objects().iter();
    for object in managed.filter(|object| object.address.resource.mode == Mode::Managed) {
        work.object(object, &mut estimate);
    }
    estimate
}

struct Work<'a> {
    plan: &'a PlannedStack<'a>,
    table: &'a PriceTable,
    usage: &'a Usage,
    /// The region of each provider configuration that says one, by its position.
    regions: IdVec<ProviderId, Option<String>>,
    region: Option<&'a str>,
    /// The one region of all configurations that say one: objects in a cluster are where that is.
    common: Option<String>,
}

/// The place of a rule, and of a block.
type Place = (usize, usize);

/// One side of a plan.
struct Side {
    /// By the rule's place among those of the type, and the block's among those that the rule is about.
    amounts: BTreeMap<Place, (String, String, Amount)>,
    not_priced: Vec<NotPriced>,
}

impl Work<'_> {
    fn object(&self, object: &PlannedObject, estimate: &mut Estimate) {
        if object.is_left_out() {
            let is_paid = self.table.rules(&object.address.resource.type_name);
            if is_paid.is_none_or(|rules| !rules.is_empty()) {
                estimate.not_priced.push(NotPriced {
                    address: object.address.clone(),
                    part: None,
                    reason: "the plan leaves it out, or defers it".to_owned(),
                });
            }
            return;
        }
        let before = self.side(object, &object.before.value);
        let after = self.side(object, &object.after.value);
        let gone = object.after.value.is_null();
        // What cannot be known afterwards says enough; of what goes, what was not known before.
        let not_priced = if gone {
            before.not_priced
        } else {
            after.not_priced
        };
        estimate.not_priced.extend(not_priced);
        let mut parts: BTreeMap<Place, PartCost> = BTreeMap::new();
        for (is_after, amounts) in [(false, before.amounts), (true, after.amounts)] {
            for (place, (name, unit, amount)) in amounts {
                let part = parts.entry(place).or_insert_with(|| PartCost {
                    name,
                    unit,
                    before: None,
                    after: None,
                });
                let side = if is_after {
                    &mut part.after
                } else {
                    &mut part.before
                };
                *side = Some(amount);
            }
        }
        if !parts.is_empty() {
            estimate.resources.push(ResourceCost {
                address: object.address.clone(),
                action: object.action,
                location: object.location,
                parts: parts.into_values().collect(),
            });
        }
    }

    fn side(&self, object: &PlannedObject, value: &Value) -> Side {
        let mut side = Side {
            amounts: BTreeMap::new(),
            not_priced: Vec::new(),
        };
        if value.is_null() {
            return side;
        }
        let not = |part: Option<&str>, reason: String| NotPriced {
            address: object.address.clone(),
            part: part.map(str::to_owned),
            reason,
        };
        let type_name = &*object.address.resource.type_name;
        let Some(rules) = self.table.rules(type_name) else {
            let reason = format!("there is no rule for `{type_name}`");
            side.not_priced.push(not(None, reason));
            return side;
        };
        if rules.is_empty() {
            return side;
        }
        let sets = |argument: &str| self.plan.sets(&object.address, argument);
        let parts: Vec<(&Rule, Vec<Quantity>)> = rules
            .iter()
            .map(|rule| {
                let figure = rule.usage.as_deref();
                let figure = figure.and_then(|name| self.usage.figure(&object.address, name));
                let subject = Subject { value, sets: &sets };
                (rule, rule.quantity(subject, self.table.hours, figure))
            })
            .collect();
        let region = match self.region_of(object, value) {
            Ok(region) => region,
            // Where it is does not matter to what has no price anywhere.
            Err(reason) if parts.iter().any(|(rule, found)| rule.is_paid(found)) => {
                side.not_priced.push(not(None, reason));
                return side;
            }
            Err(_) => String::new(),
        };
        for (of_rule, (rule, found)) in parts.into_iter().enumerate() {
            for (of_block, found) in found.into_iter().enumerate() {
                let (price, quantity, not_priced) = match found {
                    Quantity::None => continue,
                    Quantity::Of {
                        price,
                        quantity,
                        not_priced,
                    } => (price, quantity, not_priced),
                    Quantity::Unknown(reason) => {
                        side.not_priced.push(not(Some(&rule.part), reason));
                        continue;
                    }
                };
                let Some(of_one) = self.table.price(&region, &price) else {
                    let missing = || format!("the table has no price `{price}` of `{region}`");
                    let reason = not_priced.unwrap_or_else(missing);
                    side.not_priced.push(not(Some(&rule.part), reason));
                    continue;
                };
                let amount = Amount {
                    quantity,
                    price: of_one,
                    cents: Cents::of(quantity * of_one),
                };
                let part = (rule.part.clone(), rule.unit.clone(), amount);
                side.amounts.insert((of_rule, of_block), part);
            }
        }
        side
    }

    /// Its own, its provider's, that of everything, or the only one of the program; why there are no prices of it.
    fn region_of(&self, object: &PlannedObject, value: &Value) -> Result<String, String> {
        let own = value.get("region").and_then(Value::as_str);
        let own = own.map(str::to_owned);
        let program = self.plan.program();
        let by_provider = || {
            let position = program.position(&object.address)?;
            self.regions[program.resources()[position].provider].clone()
        };
        // One that is not declared any more has the region of the only provider, if there is only one.
        let only = || match self.regions.as_slice() {
            [only] => only.clone(),
            _ => None,
        };
        let region = own
            .or_else(by_provider)
            .or_else(only)
            .or_else(|| self.region.map(str::to_owned))
            .or_else(|| self.common.clone());
        match region {
            Some(region) if self.table.knows(&region) => Ok(region),
            Some(region) => Err(format!("the table has no prices of the region `{region}`")),
            None => Err("its region is not known".to_owned()),
        }
    }
}

/// The region of all configurations that say one, if they say the same.
fn common(regions: &IdVec<ProviderId, Option<String>>) -> Option<String> {
    let mut said = regions.as_slice().iter().flatten();
    let first = said.next()?;
    said.all(|other| other == first).then(|| first.clone())
}

/// What each provider configuration of the program says about its region.
fn provider_regions(plan: &PlannedStack<'_>) -> IdVec<ProviderId, Option<String>> {
    struct Nothing;
    impl Scope for Nothing {
        fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
            Some(Arc::new(Marked::plain(Value::UNKNOWN)))
        }
    }
    let providers = plan.program().providers().iter();
    let region = |arguments: &Expr| {
        let arguments = arguments.evaluate(&Nothing).ok()?;
        let region = arguments.value.get("region")?;
        region.as_str().map(str::to_owned)
    };
    providers
        .map(|provider| region(&provider.arguments))
        .collect()
}
