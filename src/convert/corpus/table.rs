//! The outcomes as Markdown.

use std::fmt::Write as _;

use crate::outcome::{Outcome, Reached};

/// All rows, and what they come to.
pub(crate) fn of(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| configuration | blocks | untranslated | compiles | objects | differences |\n|---|---:|---:|---|---:|---:|\n",
    );
    for outcome in outcomes {
        let _ = writeln!(text, "{}", row(outcome));
    }
    let count = |filter: fn(&Outcome) -> bool| outcomes.iter().filter(|it| filter(it)).count();
    let blocks: usize = outcomes.iter().filter_map(|it| it.blocks).sum();
    let untranslated: usize = outcomes.iter().map(|it| it.untranslated.len()).sum();
    let _ = write!(
        text,
        "\nOf {} configurations, {} are converted, {} without anything untranslated, {} compile, {} make a plan, and {} plan what Terraform plans. \
         Of {blocks} blocks, {untranslated} are untranslated.",
        outcomes.len(),
        count(|it| it.blocks.is_some()),
        count(|it| it.blocks.is_some() && it.untranslated.is_empty()),
        count(|it| it.compiles() == Some(true)),
        count(|it| matches!(it.reached, Reached::Planned { .. })),
        count(Outcome::is_whole),
    );
    text
}

/// One configuration.
pub(crate) fn row(outcome: &Outcome) -> String {
    let blocks = match outcome.blocks {
        Some(blocks) => blocks.to_string(),
        None => "refused".to_owned(),
    };
    let compiles = match outcome.compiles() {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    let (objects, differences) = match &outcome.reached {
        Reached::Planned {
            compared,
            differing,
            ..
        } => (compared.to_string(), differing.to_string()),
        Reached::Compiled { .. } => ("no plan".to_owned(), String::new()),
        _ => Default::default(),
    };
    format!(
        "| {} | {blocks} | {} | {compiles} | {objects} | {differences} |",
        outcome.configuration,
        outcome.untranslated.len(),
    )
}
