//! The secrets that a program holds: constants that it marks as sensitive, and secrets of its configuration that were read.

use super::matcher::{secrets_in, texts_in};
use crate::expr::Expr;

/// Calls `visit` with every text that expressions hold as a literal and mark as sensitive, or as a secret of the configuration, and that says enough to be looked for.
pub fn secrets_of<'a>(
    expressions: impl IntoIterator<Item = &'a Expr>,
    visit: &mut dyn FnMut(&str),
) {
    for expr in expressions {
        walk(expr, false, visit);
    }
}

fn walk(expr: &Expr, marked: bool, visit: &mut dyn FnMut(&str)) {
    match expr {
        Expr::Literal(value) if marked => texts_in(value, visit),
        Expr::Literal(_) | Expr::Reference(_) => {}
        Expr::Secret(secret) => {
            if let Some(value) = secret.value() {
                texts_in(value, visit);
            }
        }
        Expr::List(elements) => elements.iter().for_each(|one| walk(one, marked, visit)),
        Expr::Map(members) => members.values().for_each(|one| walk(one, marked, visit)),
        Expr::Forward(forward) => forward
            .value()
            .into_iter()
            .for_each(|one| walk(one, marked, visit)),
        Expr::At(at) => walk(&at.0, marked, visit),
        Expr::Apply(apply) => walk(apply.input(), marked, visit),
        Expr::Sensitive(inner) => walk(inner, true, visit),
        Expr::Call(call) => call
            .arguments
            .iter()
            .for_each(|one| walk(one, marked, visit)),
        Expr::Export(export) => {
            if let Some(value) = export.value() {
                match marked {
                    true => texts_in(&value.value, visit),
                    false => secrets_in(value, visit),
                }
            }
        }
    }
}
