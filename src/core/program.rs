//! The frozen graph that a stack function produced, checked before anything is asked of a provider.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::addr::{InstanceAddr, Mode, ProviderConfigAddr, ProviderSource};
use crate::config::ConfigValues;
use crate::diagnostics::{Diagnostic, Diagnostics, Location};
use crate::error::Result;
use crate::expr::{EvalError, Expr, Scope};
use crate::into_expr::IntoExpr;
use crate::lifecycle::Lifecycle;
use crate::marks::Marked;
use crate::provider::ProviderBinding;
use crate::resource::BlockArguments;
use crate::stack::{Declared, Export, Stack};

/// What a stack function declared: providers, resources and exports, with every reference resolved.
///
/// References lead only to declared instances, addresses are unique, and there is no cycle.
#[derive(Debug)]
pub struct Program {
    providers: Vec<ProviderConfig>,
    resources: Vec<ResourceInstance>,
    exports: Vec<Export>,
    owner_tags: bool,
    index: HashMap<Arc<InstanceAddr>, usize>,
    config: Arc<ConfigValues>,
}

/// One configured provider.
#[derive(Debug)]
pub struct ProviderConfig {
    /// Its address in the state.
    pub address: ProviderConfigAddr,
    /// What the bindings know of it.
    pub binding: Option<&'static ProviderBinding>,
    /// Its arguments, an object.
    pub arguments: Expr,
    /// Indexes of the resource instances that its arguments refer to.
    pub dependencies: Vec<usize>,
    /// Names, or prefixes with a `*`, of environment variables that its process gets beside those that it always gets.
    pub passed_env: Vec<Arc<str>>,
    /// Where it was declared; `None` for a provider that is used without a configuration.
    pub location: Option<Location>,
}

/// One resource or data resource instance.
#[derive(Debug)]
pub struct ResourceInstance {
    /// Its address.
    pub address: Arc<InstanceAddr>,
    /// Index of its provider configuration.
    pub provider: usize,
    /// Its arguments, an object.
    pub arguments: Expr,
    /// Indexes of the instances that it refers to or names in `depends_on` or `replace_triggered_by`; sorted, each once.
    pub dependencies: Vec<usize>,
    /// Indexes of the instances named in `depends_on`.
    pub depends_on: Vec<usize>,
    /// How the engine may treat it.
    pub lifecycle: Lifecycle,
    /// Where it was declared.
    pub location: Location,
}

impl ResourceInstance {
    /// Managed or data.
    pub fn mode(&self) -> Mode {
        self.address.resource.mode
    }

    /// The resource type.
    pub fn type_name(&self) -> &Arc<str> {
        &self.address.resource.type_name
    }
}

impl ProviderConfig {
    /// One without arguments that no line declares.
    fn implied(address: ProviderConfigAddr, binding: Option<&'static ProviderBinding>) -> Self {
        Self {
            address,
            binding,
            arguments: Expr::map(BTreeMap::new()),
            dependencies: Vec::new(),
            passed_env: Vec::new(),
            location: None,
        }
    }
}

impl Program {
    /// Runs a stack function with that configuration and checks what it declared. Needs no cloud, no provider and no files,
    /// so a stack can have unit tests.
    ///
    /// # Errors
    /// Everything that is wrong: the function's own error or panic, duplicate addresses, references to what is not declared,
    /// cycles, invalid names. Each at the user's line.
    pub fn from_fn(
        function: impl FnOnce(&mut Stack) -> Result<()>,
        config: impl Into<Arc<ConfigValues>>,
    ) -> Result<Self, Diagnostics> {
        let mut stack = Stack::new(config.into());
        // A partial program must never be planned: its missing half would be destroyed.
        match catch_unwind(AssertUnwindSafe(|| function(&mut stack))) {
            Err(_) => {
                let mut diagnostics = stack.declared.diagnostics;
                diagnostics.push(
                    Diagnostic::error("the stack function panicked")
                        .detail("nothing was planned: a program that ended early declares only a part of the stack")
                        .hint("the panic message above names the line"),
                );
                return Err(diagnostics);
            }
            Ok(Err(error)) => {
                let mut diagnostics = stack.declared.diagnostics;
                diagnostics.extend(error.into_diagnostics());
                return Err(diagnostics);
            }
            Ok(Ok(())) => {}
        }
        let config = stack.config_values().clone();
        Self::freeze(stack.declared, config)
    }

    /// Provider configurations, the implied ones included.
    pub fn providers(&self) -> &[ProviderConfig] {
        &self.providers
    }

    /// Resource and data resource instances, in the order of declaration.
    pub fn resources(&self) -> &[ResourceInstance] {
        &self.resources
    }

    /// Published values, in the order of declaration.
    pub fn exports(&self) -> &[Export] {
        &self.exports
    }

    /// Every expression of it: the arguments of providers and resources, and exports.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let providers = self.providers.iter().map(|provider| &provider.arguments);
        let resources = self.resources.iter().map(|resource| &resource.arguments);
        let exports = self.exports.iter().map(|export| &export.value);
        providers.chain(resources).chain(exports)
    }

    /// The configuration that it was made with.
    pub fn config(&self) -> &ConfigValues {
        &self.config
    }

    /// Whether objects get a tag by which they can be found (see [`Stack::owner_tags`]).
    pub fn owner_tags(&self) -> bool {
        self.owner_tags
    }

    /// The index of an instance in [`resources`](Self::resources).
    pub fn position(&self, address: &InstanceAddr) -> Option<usize> {
        self.index.get(address).copied()
    }

    /// Adds the provider that is part of every tool, so that what an earlier program declared of it can be removed by this one. It costs
    /// nothing while no object needs it.
    pub fn add_builtin_provider(&mut self) {
        let address = ProviderConfigAddr::default_of(ProviderSource::builtin());
        if self.providers.iter().all(|known| known.address != address) {
            self.providers.push(ProviderConfig::implied(address, None));
        }
    }

    /// Points every provider at an emulator of its cloud, as far as its bindings know how and the program did not say otherwise.
    pub fn redirect(&mut self, endpoint_url: &str) {
        for provider in &mut self.providers {
            let Some(redirect) = provider.binding.and_then(|binding| binding.redirect) else {
                continue;
            };
            if let Expr::Map(arguments) = &provider.arguments {
                let arguments = BlockArguments::from_arguments((**arguments).clone());
                provider.arguments = redirect(arguments, endpoint_url).into_expr();
            }
        }
    }

    fn freeze(declared: Declared, config: Arc<ConfigValues>) -> Result<Self, Diagnostics> {
        let Declared {
            providers: declared_providers,
            resources: declared_resources,
            exports,
            owner_tags,
            mut diagnostics,
        } = declared;
        let index = index_resources(&declared_resources, &mut diagnostics);
        let resolver = Resolver { index: &index };

        let mut providers: Vec<ProviderConfig> = Vec::new();
        let mut provider_index: HashMap<ProviderConfigAddr, usize> = HashMap::new();
        for provider in declared_providers {
            if let Some(&first) = provider_index.get(&provider.address) {
                let mut diagnostic =
                    Diagnostic::error(format!("{} is configured twice", provider.address))
                        .location(provider.location)
                        .hint("give one of them an `alias`");
                if let Some(location) = providers[first].location {
                    diagnostic = diagnostic.detail(format!("first configured at {location}"));
                }
                diagnostics.push(diagnostic);
                continue;
            }
            let arguments = Expr::map(provider.arguments);
            let dependencies = resolver.references(&arguments, &provider.address, &mut diagnostics);
            provider_index.insert(provider.address.clone(), providers.len());
            providers.push(ProviderConfig {
                address: provider.address,
                binding: provider.binding,
                arguments,
                dependencies,
                passed_env: provider.passed_env,
                location: Some(provider.location),
            });
        }

        let mut resources = Vec::with_capacity(declared_resources.len());
        for resource in declared_resources {
            let provider = match provider_index.get(&resource.provider) {
                Some(&provider) => provider,
                None if resource.provider.alias.is_none() => {
                    provider_index.insert(resource.provider.clone(), providers.len());
                    let address = resource.provider.clone();
                    providers.push(ProviderConfig::implied(address, resource.binding));
                    providers.len() - 1
                }
                None => {
                    diagnostics.push(
                        Diagnostic::error(format!("{} is not configured", resource.provider))
                            .address(&resource.address)
                            .location(resource.location)
                            .hint("its handle comes from another stack; call `stack.provider` in this one"),
                    );
                    continue;
                }
            };
            if providers[provider].binding.is_none() {
                providers[provider].binding = resource.binding;
            }
            let arguments = Expr::map(resource.arguments);
            let mut dependencies =
                resolver.references(&arguments, &resource.address, &mut diagnostics);
            let mut depends_on = Vec::new();
            for (address, location) in &resource.depends_on {
                depends_on.extend(resolver.resolve(
                    address,
                    *location,
                    &resource.address,
                    &mut diagnostics,
                ));
            }
            for trigger in &resource.lifecycle.replace_triggered_by {
                dependencies.extend(resolver.resolve(
                    &trigger.address,
                    resource.location,
                    &resource.address,
                    &mut diagnostics,
                ));
            }
            dependencies.extend(&depends_on);
            dependencies.sort_unstable();
            dependencies.dedup();
            resources.push(ResourceInstance {
                address: resource.address,
                provider,
                arguments,
                dependencies,
                depends_on,
                lifecycle: resource.lifecycle,
                location: resource.location,
            });
        }
        check_exports(&exports, &resolver, &mut diagnostics);
        // Without that the indexes above may be off, and a cycle report would only confuse.
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        if let Some(cycle) = find_cycle(&resources, &providers) {
            return Err(cycle.into());
        }
        Ok(Self {
            providers,
            resources,
            exports,
            owner_tags,
            index,
            config,
        })
    }
}

fn index_resources(
    resources: &[crate::stack::DeclaredResource],
    diagnostics: &mut Diagnostics,
) -> HashMap<Arc<InstanceAddr>, usize> {
    let mut index: HashMap<Arc<InstanceAddr>, usize> = HashMap::with_capacity(resources.len());
    for (position, resource) in resources.iter().enumerate() {
        if let Some(&first) = index.get(&resource.address) {
            let first = resources[first].location;
            let mut detail = format!("first declared at {first}");
            if !resource.address.to_string().is_ascii() {
                detail.push_str("; keys are compared in Unicode normal form C");
            }
            diagnostics.push(
                Diagnostic::error(format!("{} is declared twice", resource.address))
                    .detail(detail)
                    .address(&resource.address)
                    .location(resource.location)
                    .hint("give each a name of its own, or an `instance_key`"),
            );
            continue;
        }
        index.insert(resource.address.clone(), position);
    }
    index
}

fn check_exports(exports: &[Export], resolver: &Resolver<'_>, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, Location> = HashMap::new();
    for export in exports {
        if let Some(first) = seen.insert(&export.name, export.location) {
            diagnostics.push(
                Diagnostic::error(format!("`{}` is exported twice", export.name))
                    .detail(format!("first exported at {first}"))
                    .location(export.location),
            );
        }
        resolver.references(
            &export.value,
            &format_args!("export {}", export.name),
            diagnostics,
        );
    }
}

/// Turns addresses into indexes and reports those that lead nowhere.
struct Resolver<'a> {
    index: &'a HashMap<Arc<InstanceAddr>, usize>,
}

impl Resolver<'_> {
    fn references(
        &self,
        expr: &Expr,
        from: &dyn std::fmt::Display,
        diagnostics: &mut Diagnostics,
    ) -> Vec<usize> {
        let mut found = Vec::new();
        let mut reported = HashSet::new();
        expr.for_each_reference(&mut |reference| match self.index.get(&reference.address) {
            Some(&position) => found.push(position),
            None if reported.insert(&reference.address) => {
                diagnostics.push(undeclared(&reference.address, reference.location, from));
            }
            None => {}
        });
        found.sort_unstable();
        found.dedup();
        check_constants(expr, from, diagnostics);
        found
    }

    fn resolve(
        &self,
        address: &InstanceAddr,
        location: Location,
        from: &dyn std::fmt::Display,
        diagnostics: &mut Diagnostics,
    ) -> Option<usize> {
        let position = self.index.get(address).copied();
        if position.is_none() {
            diagnostics.push(undeclared(address, location, from));
        }
        position
    }
}

/// Computes what depends on no resource, so that a failure there is known before anything is asked of a provider.
fn check_constants(expr: &Expr, from: &dyn std::fmt::Display, diagnostics: &mut Diagnostics) {
    struct Nothing;
    impl Scope for Nothing {
        fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
            None
        }
    }
    expr.for_each_constant(&mut |constant| {
        if let Err(error) = constant.evaluate(&Nothing) {
            let location = error.location();
            let summary = match error {
                EvalError::Map { reason, .. } => reason,
                other => other.to_string(),
            };
            diagnostics.push(Diagnostic::error(summary).address(from).location(location));
        }
    });
}

fn undeclared(
    address: &InstanceAddr,
    location: Location,
    from: &dyn std::fmt::Display,
) -> Diagnostic {
    Diagnostic::error(format!(
        "{address} is referred to but not declared in this stack"
    ))
    .address(from)
    .location(location)
    .hint("declare it, or read it as a data resource")
}

/// Looks for a dependency cycle, in time linear in nodes and edges and without recursion (chains can be very long).
fn find_cycle(resources: &[ResourceInstance], providers: &[ProviderConfig]) -> Option<Diagnostic> {
    // Nodes are resources, then providers. A resource depends on its provider, a provider on what its arguments refer to.
    let count = resources.len() + providers.len();
    let dependencies = |node: usize| -> (&[usize], Option<usize>) {
        match resources.get(node) {
            Some(resource) => (
                &resource.dependencies,
                Some(resources.len() + resource.provider),
            ),
            None => (&providers[node - resources.len()].dependencies, None),
        }
    };
    let next = |node: usize, edge: usize| -> Option<usize> {
        let (direct, provider) = dependencies(node);
        direct
            .get(edge)
            .copied()
            .or(if edge == direct.len() { provider } else { None })
    };
    // 0: not seen; 1: on the current path; 2: done.
    let mut colour = vec![0_u8; count];
    for start in 0..count {
        if colour[start] != 0 {
            continue;
        }
        let mut path = vec![(start, 0)];
        colour[start] = 1;
        while let Some((node, edge)) = path.last_mut() {
            let Some(target) = next(*node, *edge) else {
                colour[*node] = 2;
                path.pop();
                continue;
            };
            *edge += 1;
            match colour[target] {
                0 => {
                    colour[target] = 1;
                    path.push((target, 0));
                }
                1 => {
                    let from = path.iter().position(|(node, _)| *node == target)?;
                    let cycle: Vec<usize> = path[from..].iter().map(|(node, _)| *node).collect();
                    return Some(describe_cycle(&cycle, resources, providers));
                }
                _ => {}
            }
        }
    }
    None
}

fn describe_cycle(
    cycle: &[usize],
    resources: &[ResourceInstance],
    providers: &[ProviderConfig],
) -> Diagnostic {
    let name = |node: usize| match resources.get(node) {
        Some(resource) => format!("{} ({})", resource.address, resource.location),
        None => providers[node - resources.len()].address.to_string(),
    };
    let mut steps: Vec<String> = cycle.iter().map(|&node| name(node)).collect();
    steps.push(name(cycle[0]));
    let mut diagnostic = Diagnostic::error("the declarations depend on each other in a cycle")
        .detail(steps.join(" → "))
        .hint("an arrow reads `needs`; take one of these references away");
    if let Some(resource) = cycle.iter().find_map(|&node| resources.get(node)) {
        diagnostic = diagnostic
            .address(&resource.address)
            .location(resource.location);
    }
    diagnostic
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceKey;
    use crate::{Lifecycle, Output, Resource, all};

    fn program(function: impl FnOnce(&mut Stack) -> Result<()>) -> Result<Program, String> {
        Program::from_fn(function, ConfigValues::default()).map_err(|d| d.to_string())
    }

    #[test]
    fn references_become_dependencies_and_modules_become_prefixes() {
        let program = program(|stack| {
            let vpc = Resource::dynamic("t_vpc", "main")
                .set("cidr", "10.0.0.0/16")
                .declare(stack);
            let id: Output<String> = vpc.attribute("id");
            let subnet = stack.module("network", |stack| {
                Resource::dynamic("t_subnet", "private")
                    .instance_key("a")
                    .set(
                        "name",
                        all((id.clone(), id.clone())).map(|(a, b)| format!("{a}-{b}")),
                    )
                    .declare(stack)
            });
            Resource::dynamic("t_x", "y")
                .depends_on(&subnet)
                .declare(stack);
            stack.export("vpc", id);
            Ok(())
        })
        .expect("a program");
        let shown: Vec<_> = program
            .resources()
            .iter()
            .map(|resource| format!("{} {:?}", resource.address, resource.dependencies))
            .collect();
        let expected = [
            "t_vpc.main []",
            "module.network.t_subnet.private[\"a\"] [0]",
            "t_x.y [1]",
        ];
        assert_eq!(shown, expected);
        assert_eq!(program.providers().len(), 1);
    }

    #[test]
    fn a_second_declaration_of_an_address_names_both_lines() {
        let error = program(|stack| {
            Resource::dynamic("t_x", "a").declare(stack);
            Resource::dynamic("t_x", "a").declare(stack);
            Ok(())
        })
        .expect_err("a duplicate");
        assert!(
            error.contains("t_x.a is declared twice: first declared at "),
            "{error}"
        );
        assert!(error.contains("declared   src/core/program.rs:"), "{error}");
    }

    #[test]
    fn keys_that_are_one_in_normal_form_are_a_second_declaration() {
        let error = program(|stack| {
            for key in ["e\u{301}", "\u{e9}"] {
                stack.module_instance("m", key, |stack| {
                    Resource::dynamic("t_x", "a")
                        .instance_key(key)
                        .declare(stack);
                });
            }
            Ok(())
        })
        .expect_err("a duplicate");
        assert!(
            error.contains("module.m[\"\u{e9}\"].t_x.a[\"\u{e9}\"] is declared twice"),
            "{error}"
        );
        assert!(
            error.contains("keys are compared in Unicode normal form C"),
            "{error}"
        );
    }

    #[test]
    fn what_is_wrong_with_a_module_or_a_key_is_reported_at_its_line() {
        let mut lines = Vec::new();
        let error = program(|stack| {
            lines.push(line!() + 1);
            stack.module("not a name", |_| ());
            lines.push(line!() + 1);
            stack.module_instance("m", 7_227_701_560_655_103_598_u64, |_| ());
            let resource = Resource::dynamic("t_x", "a").instance_key(InstanceKey::MAX_INT + 1);
            lines.push(line!() + 1);
            resource.declare(stack);
            Resource::dynamic("t_x", "b")
                .instance_key(InstanceKey::MAX_INT)
                .declare(stack);
            Ok(())
        })
        .expect_err("refused");
        assert_eq!(error.matches("error: ").count(), 3, "{error}");
        for line in lines {
            assert!(
                error.contains(&format!("src/core/program.rs:{line}")),
                "{line} {error}"
            );
        }
        assert!(
            error.contains("the instance key [7227701560655103598] is too large"),
            "{error}"
        );
        assert!(
            error.contains("because Terraform reads it as a float"),
            "{error}"
        );
    }

    #[test]
    fn a_reference_to_something_undeclared_is_reported_at_its_line() {
        let error = program(|stack| {
            let other = stack.resource("t_x.missing")?;
            Resource::dynamic("t_x", "a")
                .set("id", other.attribute::<String>("id"))
                .declare(stack);
            Ok(())
        })
        .expect_err("undeclared");
        assert!(
            error.contains("t_x.missing is referred to but not declared"),
            "{error}"
        );
    }

    #[test]
    fn a_constant_that_cannot_be_computed_is_reported_before_any_provider_call() {
        let error = program(|stack| {
            let location = Location::caller();
            let name = crate::Input::<String>::new(Expr::invalid("no such thing", location));
            Resource::dynamic("t_x", "a")
                .set("name", name)
                .declare(stack);
            Ok(())
        })
        .expect_err("invalid");
        assert!(
            error.starts_with("error: no such thing\n  resource   t_x.a"),
            "{error}"
        );
    }

    #[test]
    fn a_cycle_is_shown_as_a_chain() {
        let error = program(|stack| {
            let second = stack.resource("t_x.b")?;
            let first = Resource::dynamic("t_x", "a")
                .depends_on(&second)
                .declare(stack);
            Resource::dynamic("t_x", "b")
                .depends_on(&first)
                .declare(stack);
            Ok(())
        })
        .expect_err("a cycle");
        assert!(
            error.contains("in a cycle: t_x.a (src/core/program.rs:"),
            "{error}"
        );
    }

    #[test]
    fn a_chain_of_fifty_thousand_resources_is_no_problem() {
        let program = program(|stack| {
            let mut last: Option<Resource> = None;
            for place in 0..50_000_u32 {
                let mut next = Resource::dynamic("t_x", "a").instance_key(place);
                if let Some(last) = &last {
                    next = next.set("input", last.attribute::<String>("id"));
                }
                last = Some(next.declare(stack));
            }
            Ok(())
        });
        assert_eq!(program.expect("a program").resources().len(), 50_000);
    }

    #[test]
    fn a_panic_or_an_error_of_the_function_yields_no_program() {
        let panicked = program(|_| panic!("boom")).expect_err("no program");
        assert!(
            panicked.contains("the stack function panicked"),
            "{panicked}"
        );
        let failed = program(|_| {
            "x".parse::<u8>()?;
            Ok(())
        });
        assert!(
            failed
                .expect_err("no program")
                .contains("invalid digit found in string")
        );
    }

    #[test]
    fn bad_names_and_bad_paths_are_reported() {
        let error = program(|stack| {
            Resource::dynamic("t_x", "a b")
                .lifecycle(Lifecycle::new().ignore_changes(["a..b"]))
                .declare(stack);
            Ok(())
        })
        .expect_err("bad names");
        assert!(
            error.contains("`a b` is not a valid resource name"),
            "{error}"
        );
        assert!(error.contains("`a..b` in ignore_changes"), "{error}");
    }
}
