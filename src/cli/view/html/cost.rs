//! What the stack costs a month, as bars by module; each unfolds to its resources.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use terrane_cost::{Cents, Estimate, ResourceCost};

use super::escape::{Html, Links};
use crate::view::printable::one_line;
use crate::view::text::cost;

/// The section; nothing without an estimate.
pub(super) fn section(estimate: Option<&Estimate>, links: &Links) -> String {
    let Some(estimate) = estimate else {
        return String::new();
    };
    let (currency, date) = (one_line(&estimate.currency), one_line(&estimate.date));
    let mut html = format!(
        "<section id=\"cost\"><h2>Cost a month</h2>\n<p class=\"sum\">{}</p>\n<p class=\"faint\">in {}, estimated with prices of {}</p>\n",
        Html(&cost::total(estimate)),
        Html(&currency),
        Html(&date)
    );
    let mut modules: BTreeMap<String, Vec<&ResourceCost>> = BTreeMap::new();
    for resource in &estimate.resources {
        let module = one_line(&resource.address.resource.module.to_string());
        modules.entry(module).or_default().push(resource);
    }
    let bars = modules.values().map(|resources| {
        let sum = |side: fn(&ResourceCost) -> Cents| resources.iter().map(|it| side(it)).sum();
        let (before, after): (Cents, Cents) = (sum(ResourceCost::before), sum(ResourceCost::after));
        (before, after)
    });
    let bars: Vec<(Cents, Cents)> = bars.collect();
    let longest = bars.iter().map(|(before, after)| *before.max(after)).max();
    let longest = longest.unwrap_or_default().0.max(1);
    for ((module, resources), (before, after)) in modules.iter().zip(bars) {
        let name = if module.is_empty() {
            "outside of modules"
        } else {
            module
        };
        let change = match (after - before, before) {
            (Cents(0), _) | (_, Cents(0)) => String::new(),
            (change, _) => format!(" ({})", change.signed()),
        };
        let width = |cents: Cents| cents.0.max(0) * 1000 / longest;
        let _ = writeln!(
            html,
            "<details class=\"cost\"><summary><code>{}</code> <span>{after}{change}</span>\
             <svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"after\" width=\"{}\" height=\"10\"/><rect class=\"before\" width=\"{}\" height=\"3\" y=\"7\"/></svg></summary>",
            Html(name),
            width(after),
            width(before)
        );
        html.push_str("<table>");
        for resource in resources {
            let address = one_line(&resource.address.to_string());
            let parts: Vec<String> = resource.parts.iter().map(cost::part).collect();
            let _ = write!(
                html,
                "<tr><td>{}<br><span class=\"faint\">{}</span></td><td>{}</td></tr>",
                links.address(&address),
                Html(&parts.join("; ")),
                Html(&cost::amount(resource))
            );
        }
        html.push_str("</table></details>\n");
    }
    let not_priced = cost::not_priced(&estimate.not_priced);
    if !not_priced.is_empty() {
        let _ = writeln!(
            html,
            "<details class=\"cost\"><summary>Not in it: {}</summary><ul>",
            not_priced.len()
        );
        for line in &not_priced {
            let _ = writeln!(html, "<li>{}</li>", Html(line));
        }
        html.push_str("</ul></details>\n");
    }
    html.push_str("</section>\n");
    html
}
