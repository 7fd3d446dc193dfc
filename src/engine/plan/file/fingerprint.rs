//! The declarations of a program, as digests: closures cannot be written into a file, so a plan is applied only with the same program.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use terrane_core::{Expr, IgnoreChanges, Program};
use terrane_state::Sha256;

use super::codec;
use super::form::SavedPath;
use terrane_core::value::saved::Borrowed;

/// Digests of everything that a program declares: arguments as far as they are data, references, lifecycles, providers, exports.
///
/// A closure counts by the place where it was written; its code is covered by the build of the program alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Of the whole, in its order.
    #[serde(with = "codec::text")]
    sha256: Sha256,
    /// Of each declaration, shortened: tells which one differs.
    declarations: BTreeMap<String, String>,
}

impl Fingerprint {
    /// Of that program.
    pub fn of(program: &Program) -> Self {
        let mut whole = String::new();
        let mut declarations = BTreeMap::new();
        let mut add = |name: String, declaration: Vec<u8>| {
            let digest = Sha256::of(&declaration).to_string();
            whole.extend([&name, " ", &digest, "\n"]);
            declarations.insert(name, digest[..16].to_owned());
        };
        // Policies are not in it: they decide about plans, they are no part of one.
        add("owner tags".to_owned(), json(&program.owner_tags()));
        for provider in program.providers() {
            let binding = provider.binding.map(|known| (known.source, known.version));
            let declared = (binding, Form(&provider.arguments));
            add(provider.address.to_string(), json(&declared));
        }
        let resources = program.resources();
        for resource in resources {
            let lifecycle = &resource.lifecycle;
            let ignored: (&str, Vec<SavedPath>) = match &lifecycle.ignore_changes {
                IgnoreChanges::Nothing => ("nothing", Vec::new()),
                IgnoreChanges::Paths(paths) => ("paths", paths.iter().map(Into::into).collect()),
                IgnoreChanges::Everything => ("everything", Vec::new()),
            };
            let triggers = lifecycle.replace_triggered_by.iter();
            let triggers: Vec<(String, SavedPath)> = triggers
                .map(|trigger| (trigger.address.to_string(), (&trigger.path).into()))
                .collect();
            let depends_on = resource.depends_on.iter();
            let depends_on: Vec<String> = depends_on
                .map(|&position| resources[position].address.to_string())
                .collect();
            let declared = (
                program.providers()[resource.provider].address.to_string(),
                Form(&resource.arguments),
                depends_on,
                lifecycle.create_before_destroy,
                (lifecycle.prevent_destroy, lifecycle.adopt_if_exists),
                ignored,
                triggers,
            );
            add(resource.address.to_string(), json(&declared));
        }
        for module in program.value_modules() {
            let declared = (Form(&module.needs), module.value.as_ref().map(Borrowed));
            add(
                format!("{} with its value", module.address),
                json(&declared),
            );
        }
        for action in program.actions() {
            let triggers = action.triggers.iter();
            let triggers: Vec<String> = triggers
                .map(|&(position, when)| format!("{when} {}", resources[position].address))
                .collect();
            let failure = format!("{:?}", action.on_failure);
            let declared = (Form(&action.arguments), triggers, failure);
            add(action.address.to_string(), json(&declared));
        }
        for meta in program.provider_metas() {
            let name = format!("provider_meta {} {}", meta.module, meta.source);
            add(name, json(&Form(&Expr::Literal(meta.value.clone()))));
        }
        for moved in program.moved() {
            let name = format!("moved {}", moved.from);
            add(name, json(&moved.to.to_string()));
        }
        for removed in program.removed() {
            add(format!("removed {}", removed.address), Vec::new());
        }
        for (position, resource) in resources.entries() {
            if let Some(adoption) = program.adoption(position) {
                let name = format!("import {}", resource.address);
                add(name, format!("{:?}", adoption.by).into_bytes());
            }
        }
        for export in program.exports() {
            add(
                format!("export {}", export.name),
                json(&Form(&export.value)),
            );
        }
        Self {
            sha256: Sha256::of(whole.as_bytes()),
            declarations,
        }
    }

    /// The declarations that differ, or exist in only one of the two.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let differs =
            |name: &&String| self.declarations.get(*name) != other.declarations.get(*name);
        let here = self.declarations.keys().filter(differs);
        let only_there = |name: &&String| !self.declarations.contains_key(*name);
        let there = other.declarations.keys().filter(only_there);
        here.chain(there).cloned().collect()
    }
}

fn json(declared: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(declared).expect("invariant: every declaration is serialisable")
}

/// An expression as JSON without ambiguity.
struct Form<'a>(&'a Expr);

impl Serialize for Form<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Expr::Literal(value) => ("literal", Borrowed(value)).serialize(serializer),
            Expr::Reference(reference) => {
                let path = SavedPath::from(&reference.path);
                ("reference", reference.address.to_string(), path).serialize(serializer)
            }
            Expr::List(elements) => {
                let elements: Vec<Self> = elements.iter().map(Form).collect();
                ("list", elements).serialize(serializer)
            }
            Expr::Map(members) => {
                let members: BTreeMap<&str, Self> = members
                    .iter()
                    .map(|(name, expr)| (&**name, Form(expr)))
                    .collect();
                ("map", members).serialize(serializer)
            }
            Expr::At(at) => ("at", Form(&at.0), SavedPath::from(&at.1)).serialize(serializer),
            Expr::Apply(apply) => {
                let place = apply.location();
                let place = (place.file, place.line, place.column);
                ("apply", Form(apply.input()), place).serialize(serializer)
            }
            Expr::Forward(forward) => forward.value().map(Form).serialize(serializer),
            Expr::Sensitive(inner) => ("sensitive", Form(inner)).serialize(serializer),
            // The value may change between plan and apply; then the operation is not the one that was planned.
            Expr::Secret(secret) => ("secret", secret.source().to_string()).serialize(serializer),
            Expr::Call(call) => {
                let arguments: Vec<Self> = call.arguments.iter().map(Form).collect();
                (
                    "call",
                    call.provider.to_string(),
                    &*call.function,
                    arguments,
                )
                    .serialize(serializer)
            }
            // With its value, for the plan rests on it.
            Expr::Export(export) => {
                let value = export.value().map(|marked| Borrowed(&marked.value));
                let producer = export.producer().to_string();
                ("export", producer, &**export.name(), value).serialize(serializer)
            }
        }
    }
}
