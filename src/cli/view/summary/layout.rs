//! The summary as JSON, and how it is made to fit: lists and texts get shorter until all of it does, and say so.

use serde::Serialize;
use terrane_core::Diagnostic;

use super::facts::{Facts, Totals, kept};
use crate::view::document::Said;
use crate::view::json::actions;
use crate::view::printable::{one_line, shortened};

/// The most bytes of a summary.
pub(super) const MOST: usize = 8 << 10;
/// How many elements a list has room for, and how many characters a text, the first try first.
const ROOMS: [(usize, usize); 8] = [
    (60, 300),
    (40, 200),
    (25, 160),
    (15, 120),
    (8, 100),
    (4, 80),
    (1, 60),
    (0, 40),
];
/// The whole document, in at most `MOST` bytes.
pub(super) fn fitted(stack: &str, said: &Said<Facts>) -> String {
    let mut texts = ROOMS.iter().map(|&(items, characters)| {
        let document = Document::new(stack, said, Room { items, characters });
        let json = serde_json::to_string(&document);
        format!(
            "{}\n",
            json.expect("invariant: our documents are serialisable")
        )
    });
    let fits = texts.find(|text| text.len() <= MOST);
    fits.expect("invariant: without lists and with short texts it fits")
}

/// How much room there is.
#[derive(Clone, Copy)]
struct Room {
    items: usize,
    characters: usize,
}

impl Room {
    fn text(self, text: &str) -> String {
        // What a shorter beginning spells out has room as well.
        let text = shortened(text, 4 * self.characters);
        shortened(&one_line(&text), self.characters).into_owned()
    }

    fn list<T, S>(self, (all, more): &(Vec<T>, usize), item: impl Fn(&T) -> S) -> List<S> {
        let items: Vec<S> = all.iter().take(self.items).map(item).collect();
        List {
            more: more + all.len() - items.len(),
            items,
        }
    }
}

#[derive(Serialize)]
struct Document {
    format_version: &'static str,
    stack: String,
    #[serde(flatten)]
    plan: Option<PlanDocument>,
    errors: List<String>,
    warnings: List<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunDocument>,
}

#[derive(Serialize)]
struct PlanDocument {
    mode: &'static str,
    made_at: String,
    plan_digest: DigestDocument,
    #[serde(skip_serializing_if = "Option::is_none")]
    apply_command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<SavedDocument>,
    has_changes: bool,
    is_partial: bool,
    totals: Totals,
    destroyed_or_replaced: List<LossDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<CostDocument>,
    policies: PoliciesDocument,
}

#[derive(Serialize)]
struct DigestDocument {
    sha256: String,
    place: String,
}

#[derive(Serialize)]
struct SavedDocument {
    file: String,
    sha256: String,
}

/// The elements that have room, and how many have none.
#[derive(Serialize)]
struct List<T> {
    items: Vec<T>,
    more: usize,
}

#[derive(Serialize)]
struct LossDocument {
    address: String,
    actions: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

#[derive(Serialize)]
struct CostDocument {
    currency: String,
    date: String,
    monthly_before: f64,
    monthly_after: f64,
    monthly_change: f64,
    largest_changes: List<CostChange>,
    not_priced: usize,
}

#[derive(Serialize)]
struct CostChange {
    address: String,
    monthly_change: f64,
}

#[derive(Serialize)]
struct PoliciesDocument {
    failed: usize,
    advisory_failed: usize,
    undecided: usize,
    passed: usize,
    failing: List<FailingDocument>,
}

#[derive(Serialize)]
struct FailingDocument {
    name: String,
    enforcement: &'static str,
    violations: usize,
    examples: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

#[derive(Serialize)]
struct RunDocument {
    complete: bool,
    result: List<String>,
}

impl Document {
    fn new(stack: &str, said: &Said<Facts>, room: Room) -> Self {
        let of = |is_error| {
            let of_kind = said.diagnostics.iter();
            let of_kind = of_kind.filter(move |one| one.is_error() == is_error);
            room.list(&kept(of_kind), |one| room.text(&sentence(one)))
        };
        Self {
            format_version: "1.0",
            stack: room.text(stack),
            plan: said.plan.as_ref().map(|plan| plan.document(room)),
            errors: of(true),
            warnings: of(false),
            run: said.is_complete.map(|complete| RunDocument {
                complete,
                result: room.list(&kept(said.result.iter()), |text| room.text(text)),
            }),
        }
    }
}

/// A diagnostic as one sentence.
fn sentence(one: &Diagnostic) -> String {
    let address = one.address.as_ref();
    let address = address.map(|address| format!("{address}: "));
    let detail = match one.detail.is_empty() {
        true => String::new(),
        false => format!(": {}", one.detail),
    };
    format!("{}{}{detail}", address.unwrap_or_default(), one.summary)
}

impl Facts {
    fn document(&self, room: Room) -> PlanDocument {
        let saved = self.saved.as_ref();
        let policies = &self.policies;
        PlanDocument {
            mode: self.mode,
            made_at: self.made_at.clone(),
            plan_digest: DigestDocument {
                sha256: self.sha256.clone(),
                place: room.text(&self.place),
            },
            apply_command: self.apply.clone(),
            saved: saved.map(|(file, sha256)| SavedDocument {
                file: room.text(file),
                sha256: sha256.clone(),
            }),
            has_changes: self.has_changes,
            is_partial: self.is_partial,
            totals: self.totals,
            destroyed_or_replaced: room.list(&self.losses, |loss| LossDocument {
                address: room.text(&loss.address),
                actions: actions(loss.action),
                id: loss.id.as_ref().map(|id| room.text(id)),
                why: loss.why.as_ref().map(|why| room.text(why)),
                source: loss
                    .location
                    .map(|location| room.text(&location.to_string())),
            }),
            cost: self.cost.as_ref().map(|cost| CostDocument {
                currency: room.text(&cost.currency),
                date: room.text(&cost.date),
                monthly_before: cost.before,
                monthly_after: cost.after,
                monthly_change: cost.change,
                largest_changes: room.list(&cost.changes, |(address, change)| CostChange {
                    address: room.text(address),
                    monthly_change: *change,
                }),
                not_priced: cost.not_priced,
            }),
            policies: PoliciesDocument {
                failed: policies.failed,
                advisory_failed: policies.advisory_failed,
                undecided: policies.undecided,
                passed: policies.passed,
                failing: room.list(&policies.failing, |one| FailingDocument {
                    name: room.text(&one.name),
                    enforcement: one.enforcement,
                    violations: one.count,
                    examples: one.findings.iter().map(|text| room.text(text)).collect(),
                    hint: one.hint.as_ref().map(|hint| room.text(hint)),
                }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;
    use terrane_engine::Action;

    use super::*;
    use crate::view::summary::facts::{COMMAND, Cost, Failing, KEPT, Loss, Policies};

    /// Texts that take a lot of room once they are escaped.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("x"),
            Just("\""),
            Just("\u{0}"),
            Just("\u{202e}"),
            Just("\u{1f600}"),
            Just("\\"),
            Just("::error::"),
        ];
        (piece, 0..700usize).prop_map(|(piece, times)| piece.repeat(times))
    }

    prop_compose! {
        fn facts()(
            texts in proptest::collection::vec(text(), 12),
            losses in 0..KEPT,
            more in 0..100_000usize,
            failing in 0..KEPT,
            changes in 0..KEPT,
            priced in any::<bool>(),
        ) -> Facts {
            let text = |place: usize| texts[place].clone();
            let loss = |_| Loss {
                action: Action::Delete,
                address: text(0),
                id: Some(text(1)),
                why: Some(text(2)),
                location: None,
            };
            let policy = |_| Failing {
                name: text(3),
                enforcement: "mandatory",
                findings: vec![text(4), text(5), text(6)],
                count: more,
                hint: Some(text(7)),
            };
            let cost = Cost {
                date: text(8),
                currency: "USD".to_owned(),
                before: 1.0,
                after: 2.0,
                change: 1.0,
                changes: ((0..changes).map(|_| (text(0), 1.5)).collect(), more),
                not_priced: more,
            };
            Facts {
                mode: "normal",
                made_at: "2026-11-28T15:00:00Z".to_owned(),
                sha256: "0".repeat(64),
                place: text(10),
                apply: Some("x".repeat(COMMAND)),
                saved: Some((text(11), "0".repeat(64))),
                has_changes: true,
                is_partial: false,
                totals: Totals {
                    create: more,
                    update: more,
                    replace: more,
                    delete: more,
                    read: more,
                    forget: more,
                    deferred: more,
                    unchanged: more,
                    outputs: more,
                    drifted: more,
                    moved: more,
                    imported: more,
                },
                losses: ((0..losses).map(loss).collect(), more),
                cost: priced.then_some(cost),
                policies: Policies {
                    failed: more,
                    advisory_failed: more,
                    undecided: more,
                    passed: more,
                    failing: ((0..failing).map(policy).collect(), more),
                },
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_summary_fits_whatever_the_plan_and_counts_what_it_leaves_out(
            plan in facts(),
            errors in proptest::collection::vec(text(), 0..30),
            stack in text(),
        ) {
            let expected = plan.losses.0.len() + plan.losses.1;
            let mut said = Said::default();
            said.plan = Some(plan);
            said.diagnostics = errors.iter().map(|text| Diagnostic::error(text).detail(text)).collect();
            said.result = vec![errors.concat()];
            said.is_complete = Some(false);
            let written = fitted(&stack, &said);
            prop_assert!(written.len() <= MOST, "{}", written.len());
            prop_assert!(!written.contains(['\u{0}', '\u{202e}']), "{written}");
            let json: Json = serde_json::from_str(&written).expect("JSON");
            let losses = &json["destroyed_or_replaced"];
            let named = losses["items"].as_array().expect("a list").len();
            prop_assert_eq!(losses["more"].as_u64(), u64::try_from(expected - named).ok());
            prop_assert_eq!(json["apply_command"].as_str().map(str::len), Some(COMMAND));
        }
    }
}
