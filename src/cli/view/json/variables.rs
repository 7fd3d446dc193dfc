//! The configuration of a run as Terraform's `variables`: each key that the program reads, with the value that won.

use std::collections::BTreeMap;

use serde::Serialize;
use terrane_core::secrets::{SecretMatcher, secrets_in, secrets_of, texts_in};
use terrane_core::{Expr, Program, Value};
use terrane_engine::ResourceChange;

use super::configuration::looks_secret;
use super::value::{Json, known};
use crate::view::Secrets;
use crate::view::hidden::Hidden;

/// One key; without its value where that is, or holds, a secret.
#[derive(Serialize)]
pub(super) struct Variable {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Json>,
}

/// All keys. A configuration has no marks: a value is secret whose key says so, or that repeats a secret of an object or of a provider's
/// configuration.
pub(super) fn variables(
    program: &Program,
    changes: &[ResourceChange],
    secrets: Secrets,
) -> BTreeMap<String, Variable> {
    let chosen = program.config().chosen();
    let matcher = match secrets {
        Secrets::Shown => None,
        Secrets::Hidden => SecretMatcher::new(known_secrets(program, changes).iter().map(|s| &**s)),
    };
    let is_secret = |key: &str, value: &Value| {
        secrets == Secrets::Hidden
            && (looks_secret(key) || matcher.as_ref().is_some_and(|all| all.is_in_value(value)))
    };
    let chosen = chosen.into_iter();
    chosen
        .map(|(key, value)| {
            let shown = (!is_secret(&key, &value)).then(|| known(&value, Hidden::NOTHING));
            let variable = Variable {
                value: shown.flatten(),
            };
            (key, variable)
        })
        .collect()
}

fn known_secrets(program: &Program, changes: &[ResourceChange]) -> Vec<String> {
    let mut secrets = Vec::new();
    for change in changes {
        for side in [&change.before, &change.after] {
            secrets_in(side, &mut |secret| secrets.push(secret.to_owned()));
        }
    }
    for provider in program.providers() {
        if let Expr::Map(arguments) = &provider.arguments {
            let arguments = arguments.iter();
            for (_, argument) in arguments.filter(|(name, _)| looks_secret(name)) {
                gather(argument, &mut secrets);
            }
        }
    }
    secrets_of(program.expressions(), &mut |secret| {
        secrets.push(secret.to_owned());
    });
    secrets.sort_unstable();
    secrets.dedup();
    secrets
}

/// Every constant text in an expression.
fn gather(expr: &Expr, secrets: &mut Vec<String>) {
    match expr {
        Expr::Literal(value) => {
            texts_in(value, &mut |secret| secrets.push(secret.to_owned()));
        }
        Expr::List(elements) => elements.iter().for_each(|one| gather(one, secrets)),
        Expr::Map(members) => members.values().for_each(|one| gather(one, secrets)),
        Expr::Sensitive(inner) => gather(inner, secrets),
        _ => {}
    }
}
