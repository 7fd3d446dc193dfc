//! Advice about a program that is valid: what it says twice, asks for in vain, or leaves unprotected.

use std::collections::HashSet;

use crate::addr::Mode;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::expr::Expr;
use crate::program::{Program, ResourceId, ResourceInstance};
use crate::value::Value;

/// The switches by which a cloud itself refuses to delete an object.
const DELETION_PROTECTION: [&str; 2] = ["deletion_protection", "deletion_protection_enabled"];

impl Program {
    /// Warnings about declarations that are valid and probably not meant: a `depends_on` that a reference says already, a data
    /// resource that nothing reads, an object that holds data and nothing protects.
    pub fn lint(&self) -> Diagnostics {
        let read = self.read_positions();
        let resources = self.resources().entries();
        let mut found = Diagnostics::new();
        for (position, resource) in resources {
            found.extend(self.redundant_depends_on(resource));
            if resource.mode() == Mode::Data && !read.contains(&position) {
                found.push(
                    warning(resource, "nothing reads this data resource")
                        .hint("remove it; every run asks the provider for it"),
                );
            }
            if self.is_unprotected(resource) {
                found.push(
                    warning(
                        resource,
                        "a change of the program can delete the data in it",
                    )
                    .hint("add `.lifecycle(Lifecycle::new().prevent_destroy())`"),
                );
            }
        }
        found
    }

    /// The positions of everything that something else refers to.
    fn read_positions(&self) -> HashSet<ResourceId> {
        let resources = self.resources().iter();
        let by_resources = resources.flat_map(|resource| resource.dependencies.iter().copied());
        let providers = self.providers().iter();
        let by_providers = providers.flat_map(|provider| provider.dependencies.iter().copied());
        let mut read: HashSet<ResourceId> = by_resources.chain(by_providers).collect();
        for export in self.exports() {
            read.extend(self.references(&export.value));
        }
        read
    }

    fn references(&self, expr: &Expr) -> HashSet<ResourceId> {
        let mut found = HashSet::new();
        expr.for_each_reference(&mut |reference| {
            found.extend(self.position(&reference.address));
        });
        found
    }

    /// A `depends_on` of what an argument refers to, or named twice.
    fn redundant_depends_on(&self, resource: &ResourceInstance) -> Vec<Diagnostic> {
        if resource.depends_on.is_empty() {
            return Vec::new();
        }
        let references = self.references(&resource.arguments);
        let mut seen = HashSet::new();
        let redundant = resource.depends_on.iter().filter_map(|position| {
            let twice = !seen.insert(*position);
            let why = match (references.contains(position), twice) {
                (true, _) => "an argument refers to it already",
                (_, true) => "it is there twice",
                _ => return None,
            };
            let other = &self.resources()[*position].address;
            let summary = format!("`depends_on` {other} is redundant");
            Some(warning(resource, &summary).detail(why))
        });
        redundant.collect()
    }

    fn is_unprotected(&self, resource: &ResourceInstance) -> bool {
        let binding = self.providers()[resource.provider].binding;
        let stateful =
            binding.is_some_and(|binding| binding.stateful.contains(&&**resource.type_name()));
        let switched_on = |name: &str| match &resource.arguments {
            Expr::Map(arguments) => {
                matches!(arguments.get(name), Some(Expr::Literal(Value::Bool(true))))
            }
            _ => false,
        };
        resource.mode() == Mode::Managed
            && stateful
            && !resource.lifecycle.prevent_destroy
            && !DELETION_PROTECTION.into_iter().any(switched_on)
    }
}

fn warning(resource: &ResourceInstance, summary: &str) -> Diagnostic {
    Diagnostic::warning(summary)
        .address(&resource.address)
        .location(resource.location)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use crate::lifecycle::Lifecycle;
    use crate::lookup::LookupRules;
    use crate::provider::{ProviderBinding, ProviderDeclaration};
    use crate::{NoConfig, Program, Resource};

    static BINDING: ProviderBinding = ProviderBinding {
        source: "hashicorp/t",
        version: "1.0.0",
        versions: "~> 1.0",
        facts: &[],
        redirect: None,
        lookup: LookupRules::NONE,
        stateful: &["t_store"],
    };

    #[test]
    fn what_is_redundant_unread_or_unprotected_is_named_and_nothing_else() {
        let program = Program::from_fn(
            |stack| {
                stack.provider(ProviderDeclaration::new(&BINDING));
                let zones = Resource::dynamic_data("t_zones", "read").declare(stack);
                Resource::dynamic_data("t_zones", "exported").declare(stack);
                Resource::dynamic_data("t_zones", "unread").declare(stack);
                let exported = stack.resource("data.t_zones.exported")?;
                stack.export("zones", exported.attribute::<String>("id"));
                let plain = Resource::dynamic("t_plain", "one").declare(stack);
                Resource::dynamic("t_plain", "two")
                    .set("zone", zones.attribute::<String>("id"))
                    .depends_on(&zones)
                    .depends_on(&plain)
                    .depends_on(&plain)
                    .declare(stack);
                Resource::dynamic("t_store", "open").declare(stack);
                Resource::dynamic("t_store", "kept")
                    .lifecycle(Lifecycle::new().prevent_destroy())
                    .declare(stack);
                Resource::dynamic("t_store", "switched")
                    .set("deletion_protection", true)
                    .declare(stack);
                Ok(())
            },
            NoConfig,
        );
        let found = program.expect("a program").lint();
        let found = found.iter().map(|one| {
            let address = one.address.as_deref().unwrap_or_default();
            format!("{address}: {} {}", one.summary, one.detail)
        });
        let found: Vec<String> = found.map(|line| line.trim_end().to_owned()).collect();
        assert_snapshot!(found.join("\n"), @r"
        data.t_zones.unread: nothing reads this data resource
        t_plain.two: `depends_on` data.t_zones.read is redundant an argument refers to it already
        t_plain.two: `depends_on` t_plain.one is redundant it is there twice
        t_store.open: a change of the program can delete the data in it
        ");
    }
}
