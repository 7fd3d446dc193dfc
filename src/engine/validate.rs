//! Checks a program against its providers' schemas, without state and without credentials.

use std::cell::RefCell;
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode};
use terrane_core::{
    DeclaredAction, Diagnostics, Marked, Program, ProviderId, ResourceId, Scope, Value,
};

use crate::actions;
use crate::config;
use crate::graph::Graph;
use crate::meta::meta_for;
use crate::newer;
use crate::object::{Subject, schema_of};
use crate::running::{RunningProviders, call_failed};
use crate::walk::{Resting, Visit, walk};

/// Every reference is unknown.
pub(crate) struct AllUnknown;

impl Scope for AllUnknown {
    fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
        Some(Arc::new(Marked::plain(Value::UNKNOWN)))
    }
}

/// A declaration.
#[derive(Clone, Copy)]
enum Node {
    Declaration(ResourceId),
    Provider(ProviderId),
    /// By its place in the program.
    Action(usize),
}

/// Validates every declaration; the warnings if nothing is wrong.
pub(crate) async fn validate(
    program: &Program,
    running: &RunningProviders<'_>,
    parallelism: usize,
) -> Result<Diagnostics, Diagnostics> {
    let diagnostics = RefCell::new(Diagnostics::new());
    let found = &diagnostics;
    let mut graph = Graph::default();
    for position in program.resources().ids() {
        graph.add(Node::Declaration(position));
    }
    for position in program.providers().ids() {
        graph.add(Node::Provider(position));
    }
    for index in 0..program.actions().len() {
        graph.add(Node::Action(index));
    }
    // One after the other: they share the processes that are being started.
    for provider in program.providers() {
        if let Err(errors) = running.unconfigured(&provider.address.source).await {
            found.borrow_mut().extend(errors);
        }
    }
    let ((), warnings) = diagnostics.take().into_result(())?;
    *diagnostics.borrow_mut() = warnings;
    let run = |node| async move {
        let result = match node {
            Node::Declaration(position) => declaration(program, position, running, found).await,
            Node::Provider(position) => provider(program, position, running, found).await,
            Node::Action(index) => action(program, &program.actions()[index], running, found).await,
        };
        if let Err(errors) = result {
            found.borrow_mut().extend(errors);
        }
        Visit::Done
    };
    walk(&graph, parallelism, &Resting::default(), run, |_| {}).await;
    let diagnostics = diagnostics.into_inner();
    diagnostics.into_result(()).map(|((), warnings)| warnings)
}

async fn provider(
    program: &Program,
    position: ProviderId,
    running: &RunningProviders<'_>,
    found: &RefCell<Diagnostics>,
) -> Result<(), Diagnostics> {
    let declared = &program.providers()[position];
    let address = &declared.address;
    let provider = running.unconfigured(&address.source).await?;
    let failed = |error| call_failed(&error, address);
    let schema = provider.config_schema().map_err(failed)?;
    let arguments = &declared.arguments;
    let config = config::evaluate(
        arguments,
        &schema,
        &AllUnknown,
        address,
        declared.location,
        running,
    )
    .await
    .map_err(|errors| newer::explained_configuration(errors, declared, &schema))?;
    if declared.location.is_some() {
        let diagnostics = provider
            .validate_provider_config(&config.value)
            .await
            .map_err(failed)?;
        found.borrow_mut().extend(diagnostics);
    }
    Ok(())
}

async fn action(
    program: &Program,
    action: &DeclaredAction,
    running: &RunningProviders<'_>,
    found: &RefCell<Diagnostics>,
) -> Result<(), Diagnostics> {
    let source = &program.providers()[action.provider].address.source;
    let provider = running.unconfigured(source).await?;
    let schema = actions::schema_of(&*provider, action)?;
    let (arguments, location) = (&action.arguments, Some(action.location));
    let config = config::evaluate(
        arguments,
        &schema,
        &AllUnknown,
        &action.address,
        location,
        running,
    )
    .await?;
    let warnings = actions::validate(&*provider, action, &config).await?;
    found.borrow_mut().extend(warnings);
    Ok(())
}

async fn declaration(
    program: &Program,
    position: ResourceId,
    running: &RunningProviders<'_>,
    warnings: &RefCell<Diagnostics>,
) -> Result<(), Diagnostics> {
    let resource = &program.resources()[position];
    let source = &program.providers()[resource.provider].address.source;
    let provider = running.unconfigured(source).await?;
    let (address, location) = (&resource.address, Some(resource.location));
    let provider = &*provider;
    let explained = |errors| newer::explained(errors, program, position, provider);
    let schema = schema_of(provider, address, source, location).map_err(explained)?;
    let subject = Subject {
        provider,
        source,
        schema: &schema,
        address,
        location,
        warnings,
        deferred: None,
        meta: meta_for(program, address, source),
        events: running.events(),
    };
    let config = config::evaluate(
        &resource.arguments,
        &schema,
        &AllUnknown,
        address,
        location,
        running,
    )
    .await
    .map_err(explained)?;
    if resource.mode() != Mode::Ephemeral {
        let arguments = &resource.arguments;
        config::refuse_stored_ephemerals(arguments, &schema, address, resource.location)?;
    }
    match resource.mode() {
        Mode::Managed => subject.validate(&config).await,
        Mode::Data => subject.validate_data(&config).await,
        Mode::Ephemeral => {
            let said = provider
                .validate_ephemeral_resource_config(subject.type_name(), &config.value)
                .await
                .map_err(|error| subject.call_failed(&error))?;
            subject.accept(said, ())
        }
    }
}
