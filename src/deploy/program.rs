//! The program of a stack: its function run with its configuration, its declarations checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrane_config::ConfigValues;
use terrane_core::addr::ProviderSource;
use terrane_core::{
    Diagnostic, Diagnostics, KnownValues, ProducedValues, Producer, Program, Result, Stack,
};
use terrane_provider::{CliConfig, Environment};
use terrane_registry::LockFile;
use terrane_state::{Backends, Clock, State, read_exports};
use terrane_vault::Vault;

use crate::error::DeployError;
use crate::redactor::Redactor;

/// Runs a stack's function with that configuration and the known values of its modules, and checks its declarations. `endpoint` is the emulator
/// that everything is pointed at.
///
/// # Errors
/// Every fault of the program or its configuration.
pub fn declared(
    function: &dyn Fn(&mut Stack) -> Result<()>,
    config: ConfigValues,
    endpoint: Option<&str>,
    values: KnownValues,
    redactor: &Redactor,
) -> std::result::Result<Program, DeployError> {
    let declare = |stack: &mut Stack| {
        let declared = function(stack);
        // From here on a check may fail with a message that repeats a secret.
        redactor.learn_constants(stack.expressions());
        declared
    };
    let program = Program::with_values(declare, config.clone(), values);
    let mut program = program.map_err(|diagnostics| match config.was_refused() {
        true => DeployError::Misconfigured(diagnostics),
        false => DeployError::Failed(diagnostics),
    })?;
    if !config.was_read()
        && let Some((key, source)) = config.sources().next()
    {
        let unread = Diagnostic::error(format!("`{key}` is not a configuration key of this stack"))
            .detail(format!(
                "it is set by {source}, and the program reads no configuration"
            ));
        return Err(DeployError::Misconfigured(unread.into()));
    }
    program.add_builtin_provider();
    if let Some(url) = endpoint {
        program.redirect(url);
    }
    Ok(program)
}

/// The exports of other stacks of the same program, by the names of the stacks.
pub type Producers = BTreeMap<Arc<str>, ProducedValues>;

/// Gives a program what it uses of other stacks: of those of the same program from `producers`, of others from their states. From then on
/// their secrets are known.
///
/// # Errors
/// When a stack is not among the producers, a state cannot be read, or exports have another shape.
pub async fn read_references(
    program: &Program,
    producers: &Producers,
    backends: &Backends,
    clock: &Arc<dyn Clock>,
    redactor: &Redactor,
) -> std::result::Result<(), DeployError> {
    let mut wrong = Diagnostics::new();
    for reference in program.stack_references() {
        let Producer::Stack(name) = reference.producer() else {
            continue;
        };
        match producers.get(name) {
            Some(produced) => wrong.extend(reference.resolve(produced).err().into_iter().flatten()),
            None => {
                let missing = Diagnostic::error(format!("{name} is not a stack of this program"));
                wrong.push(
                    missing
                        .location(reference.location())
                        .hint("read its state instead: `stack.reads(backend)`"),
                );
            }
        }
    }
    wrong.into_result(())?;
    let read = read_exports(program, backends, clock).await;
    redactor.learn_constants(program.expressions());
    Ok(read?)
}

/// Reads the secrets that a program uses; in a sandbox, which has no account and no keys, stand-ins for all but variables and files. From
/// then on they are known.
///
/// # Errors
/// Every secret that cannot be read, with its place in the configuration.
pub async fn read_secrets(
    program: &Program,
    environment: &Environment,
    is_sandbox: bool,
    redactor: &Redactor,
) -> std::result::Result<(), Diagnostics> {
    let mut vault = Vault::new(environment.vars.clone());
    if is_sandbox {
        vault = vault.with_stand_ins();
    }
    let read = vault.read(program).await;
    redactor.learn_constants(program.expressions());
    read
}

/// Finds the registry of each provider that the program names without a host.
///
/// The one that the lock file names; without an entry the one that the state names, for objects stay with their provider; then the one
/// under which this machine has it. Only a provider that nothing names is the default registry's.
pub fn resolve_hosts(
    program: &mut Program,
    lock: &LockFile,
    state: Option<&State>,
    config: &CliConfig,
) {
    program.resolve_hosts(|source| {
        let stored = state.into_iter().flat_map(|state| state.resources.values());
        let stored = stored.map(|instance| &instance.provider.source);
        let known = locked_host(lock, source).or_else(|| host_among(source, stored));
        known.or_else(|| config.host_here(source))
    });
}

/// Gives a program the hosts that the same program had before it was declared again.
pub fn same_hosts(program: &mut Program, before: &Program) {
    let known = before.providers().iter().map(|one| &one.address.source);
    program.resolve_hosts(|source| host_among(source, known.clone()));
}

/// Whether only a state can tell the registry of a provider of this program.
pub fn needs_state_for_hosts(program: &Program, lock: &LockFile) -> bool {
    let mut sources = program.providers().iter().map(|one| &one.address.source);
    sources.any(|source| {
        *source.host == *ProviderSource::DEFAULT_HOST && locked_host(lock, source).is_none()
    })
}

fn locked_host(lock: &LockFile, source: &ProviderSource) -> Option<Arc<str>> {
    host_among(source, lock.providers().map(|(source, _)| source))
}

/// The host of that provider among those; its own if it is there, none if several others are.
pub fn host_among<'a>(
    source: &ProviderSource,
    among: impl Iterator<Item = &'a ProviderSource>,
) -> Option<Arc<str>> {
    let mut hosts: Vec<&Arc<str>> = among
        .filter(|other| other.namespace == source.namespace && other.type_name == source.type_name)
        .map(|other| &other.host)
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    match hosts[..] {
        [host] => Some(host.clone()),
        _ if hosts.contains(&&source.host) => Some(source.host.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_taken_over_only_where_it_is_the_only_one_named() {
        let source = |text: &str| text.parse::<ProviderSource>().expect("a source");
        let [ours, theirs, private] = [
            "registry.opentofu.org",
            "registry.terraform.io",
            "example.com",
        ]
        .map(|host| source(&format!("{host}/acme/net")));
        let other = source("registry.terraform.io/acme/other");
        let host = |among: &[&ProviderSource]| {
            host_among(&ours, among.iter().copied()).map(|host| host.to_string())
        };
        assert_eq!(host(&[&other]), None);
        assert_eq!(
            host(&[&theirs, &other, &theirs]).as_deref(),
            Some("registry.terraform.io")
        );
        assert_eq!(
            host(&[&theirs, &ours]).as_deref(),
            Some("registry.opentofu.org")
        );
        assert_eq!(host(&[&theirs, &private]), None);
    }
}
