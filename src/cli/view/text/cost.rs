//! An estimate of costs as people read it: each resource whose costs change, the sum, and what is in no sum.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use terrane_cost::{Amount, Cents, Estimate, NotPriced, PartCost, ResourceCost};

use super::painter::{Painter, Tone};
use crate::view::printable::{counted, one_line};

/// The section, with an empty line at its end; nothing without an estimate.
pub(crate) fn text(estimate: Option<&Estimate>, painter: Painter) -> String {
    let Some(estimate) = estimate else {
        return String::new();
    };
    let heading = painter.paint(Tone::Strong, "Cost a month");
    let (currency, date) = (one_line(&estimate.currency), one_line(&estimate.date));
    let mut text = format!("{heading} in {currency}, estimated with prices of {date}:\n");
    let changes = |resource: &&ResourceCost| resource.change() != Cents(0);
    let (changed, same): (Vec<_>, Vec<_>) = estimate.resources.iter().partition(changes);
    // Where nothing changes, the question is what there is.
    let shown = if changed.is_empty() { &same } else { &changed };
    for resource in shown {
        self::resource(&mut text, resource, painter);
    }
    if !changed.is_empty() && !same.is_empty() {
        let sum: Cents = same.iter().map(|resource| resource.after()).sum();
        let resources = counted(same.len(), "resource");
        let _ = writeln!(text, "  {sum:>10}  {resources} without a change");
    }
    let _ = writeln!(text, "  {}", painter.paint(Tone::Strong, &total(estimate)));
    let not_priced = not_priced(&estimate.not_priced);
    if !not_priced.is_empty() {
        let heading = painter.paint(Tone::Warning, "Not in it:");
        let _ = writeln!(text, "  {heading}");
    }
    for line in not_priced {
        let _ = writeln!(text, "    {line}");
    }
    text.push('\n');
    text
}

/// The sum on both sides: `168.19 → 201.04 in all (+32.85)`.
pub(in crate::view) fn total(estimate: &Estimate) -> String {
    match (estimate.before(), estimate.after()) {
        _ if estimate.resources.is_empty() => "nothing in this plan has a price".to_owned(),
        (Cents(0), after) => format!("{after} in all"),
        (before, after) if before == after => format!("{after} in all, as before"),
        (before, after) => {
            let change = estimate.change().signed();
            format!("{before} → {after} in all ({change})")
        }
    }
}

fn resource(text: &mut String, resource: &ResourceCost, painter: Painter) {
    let tone = match resource.change() {
        Cents(0) => Tone::Faint,
        Cents(1..) => Tone::Add,
        _ => Tone::Remove,
    };
    let amount = painter.paint(tone, &format!("{:>10}", amount(resource)));
    let address = one_line(&resource.address.to_string());
    let _ = writeln!(text, "  {amount}  {address}");
    for part in &resource.parts {
        let line = painter.paint(Tone::Faint, &self::part(part));
        let _ = writeln!(text, "              {line}");
    }
}

/// How much a resource adds, or what it costs if that stays: `+32.85`, `32.85`.
pub(in crate::view) fn amount(resource: &ResourceCost) -> String {
    match resource.change() {
        Cents(0) if resource.after() == Cents(0) && has_tiny_part(resource) => "< 0.01".to_owned(),
        Cents(0) => resource.after().to_string(),
        change => change.signed(),
    }
}

/// `instances: 2190 hours × 0.0416 = 91.10`
pub(in crate::view) fn part(part: &PartCost) -> String {
    let side = |amount: &Option<Amount>| match amount {
        None => "nothing".to_owned(),
        Some(amount) => {
            let (quantity, price) = (decimal(amount.quantity), price(amount.price));
            let unit = one_line(&part.unit);
            let cost = cost(amount);
            format!("{quantity} {unit} × {price} = {cost}")
        }
    };
    let name = one_line(&part.name);
    match (&part.before, &part.after) {
        (None, Some(_)) => format!("{name}: {}", side(&part.after)),
        (before, after) if before == after => format!("{name}: {}", side(after)),
        (before, after) => format!("{name}: {} → {}", side(before), side(after)),
    }
}

/// An amount below a cent is not nothing.
fn cost(amount: &Amount) -> String {
    match amount.cents {
        Cents(0) if amount.quantity * amount.price > 0.0 => "less than 0.01".to_owned(),
        cents => cents.to_string(),
    }
}

fn has_tiny_part(resource: &ResourceCost) -> bool {
    let after = resource.parts.iter().filter_map(|part| part.after);
    after
        .into_iter()
        .any(|amount| amount.quantity * amount.price > 0.0)
}

/// At most two decimals, and none where they are zeros; all of a number that two decimals would make nothing of.
fn decimal(number: f64) -> String {
    if number.abs() < 0.01 {
        return number.to_string();
    }
    let text = format!("{number:.2}");
    let text = text.strip_suffix(".00").unwrap_or(&text);
    text.to_owned()
}

/// At least two decimals, and all that there are.
fn price(number: f64) -> String {
    let text = number.to_string();
    match text.split_once('.') {
        None => format!("{text}.00"),
        Some((_, decimals)) if decimals.len() == 1 => format!("{text}0"),
        Some(_) => text,
    }
}

/// What is in no sum, a line for things of one type and one reason.
pub(in crate::view) fn not_priced(all: &[NotPriced]) -> Vec<String> {
    let mut groups: BTreeMap<(&str, Option<&str>, &str), Vec<&NotPriced>> = BTreeMap::new();
    for one in all {
        let type_name = &*one.address.resource.type_name;
        let key = (type_name, one.part.as_deref(), &*one.reason);
        groups.entry(key).or_default().push(one);
    }
    let lines = groups
        .into_iter()
        .map(|((type_name, part, reason), members)| {
            let who = match members.as_slice() {
                [one] => one_line(&one.address.to_string()),
                many => format!("{} × {}", many.len(), one_line(type_name)),
            };
            let part = part.map(|part| format!(", {}", one_line(part)));
            let part = part.unwrap_or_default();
            format!("{who}{part}: {}", one_line(reason))
        });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use terrane_core::Action;

    use super::*;

    fn amount(quantity: f64, price: f64, cents: i64) -> Option<Amount> {
        Some(Amount {
            quantity,
            price,
            cents: Cents(cents),
        })
    }

    fn resource(address: &str, before: Option<Amount>, after: Option<Amount>) -> ResourceCost {
        let address: terrane_core::addr::InstanceAddr = address.parse().expect("an address");
        ResourceCost {
            address: address.into(),
            action: Action::Update,
            location: None,
            parts: vec![PartCost {
                name: "storage".to_owned(),
                unit: "GB".to_owned(),
                before,
                after,
            }],
        }
    }

    fn not(address: &str, part: Option<&str>, reason: &str) -> NotPriced {
        let address: terrane_core::addr::InstanceAddr = address.parse().expect("an address");
        NotPriced {
            address: address.into(),
            part: part.map(str::to_owned),
            reason: reason.to_owned(),
        }
    }

    fn estimate(resources: Vec<ResourceCost>, not_priced: Vec<NotPriced>) -> Estimate {
        Estimate {
            date: "2026-11-28".to_owned(),
            currency: "USD".to_owned(),
            resources,
            not_priced,
        }
    }

    #[test]
    fn changes_are_told_with_their_parts_and_what_has_no_price_with_its_reason() {
        let resources = vec![
            resource("aws_x.more", amount(10.0, 0.1, 100), amount(25.5, 0.1, 255)),
            resource("aws_x.gone", amount(1.0, 5.0, 500), None),
            resource("aws_x.tiny", None, amount(0.001, 0.0000166667, 0)),
            resource("aws_x.same", amount(1.0, 0.023, 2), amount(1.0, 0.023, 2)),
        ];
        let not_priced = vec![
            not("aws_y.a", Some("requests"), "the usage file has no `x`"),
            not("aws_y.b", Some("requests"), "the usage file has no `x`"),
            not("aws_z.c", None, "no rule\u{1b}"),
        ];
        let all = estimate(resources, not_priced);
        assert_snapshot!(text(Some(&all), Painter::PLAIN), @r"
        Cost a month in USD, estimated with prices of 2026-11-28:
               +1.55  aws_x.more
                      storage: 10 GB × 0.10 = 1.00 → 25.50 GB × 0.10 = 2.55
               -5.00  aws_x.gone
                      storage: 1 GB × 5.00 = 5.00 → nothing
                0.02  2 resources without a change
          6.02 → 2.57 in all (-3.45)
          Not in it:
            2 × aws_y, requests: the usage file has no `x`
            aws_z.c: no rule\u{1b}
        ");
    }

    #[test]
    fn a_plan_without_a_change_of_costs_tells_what_there_is() {
        let tiny = amount(0.001, 0.0000166667, 0);
        let all = estimate(vec![resource("aws_x.tiny", tiny, tiny)], Vec::new());
        assert_snapshot!(text(Some(&all), Painter::PLAIN), @r"
        Cost a month in USD, estimated with prices of 2026-11-28:
              < 0.01  aws_x.tiny
                      storage: 0.001 GB × 0.0000166667 = less than 0.01
          0.00 in all
        ");
        let nothing = estimate(Vec::new(), Vec::new());
        assert!(text(Some(&nothing), Painter::PLAIN).contains("nothing in this plan has a price"));
        assert_eq!(text(None, Painter::PLAIN), "");
    }
}
