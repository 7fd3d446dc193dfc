//! Reads the objects of a saved plan once more, and reports those that have changed since it was made.
//!
//! All of them before the first operation, so that a plan is refused whole or not at all; each once, with the usual number at once.
//! Terraform applies without looking: an update then writes back what somebody has changed meanwhile, ignored attributes too
//! (terraform#38892).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use terrane_core::addr::Mode;
use terrane_core::{
    Diagnostic, Diagnostics, Marked, Path, PathStep, Program, ProviderId, Type, Value,
};
use terrane_provider::Provider;

use crate::change::{Action, ResourceChange};
use crate::diff::{equivalent, shown};
use crate::event::EventSink;
use crate::meta::meta_for;
use crate::object::{Subject, fit_mark};
use crate::opener::Opener;
use crate::plan::Plan;
use crate::plan::inputs::serving_change;
use crate::running::RunningProviders;
use crate::scope::Objects;

/// More paths are counted instead of named.
const NAMED: usize = 10;

/// One error for each object that is not as the plan has it. An object whose provider can only be configured on the way is left out:
/// it cannot be read before.
pub(crate) async fn moved(
    program: &Program,
    plan: &Plan,
    running: &RunningProviders<'_>,
    events: &dyn EventSink,
    parallelism: usize,
) -> Result<Diagnostics, Diagnostics> {
    let touched = plan.changes.iter().filter(|change| {
        let acts = !matches!(change.action, Action::NoOp | Action::Read | Action::Forget);
        acts && change.address.resource.mode == Mode::Managed && !change.before.value.is_null()
    });
    let objects = Objects::with(program, plan.objects.clone());
    let mut providers: BTreeMap<ProviderId, Option<Arc<dyn Provider>>> = BTreeMap::new();
    let mut readable: Vec<(&ResourceChange, Arc<dyn Provider>)> = Vec::new();
    for change in touched {
        let Some(position) = serving_change(program, change) else {
            continue;
        };
        let provider = match providers.entry(position) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(vacant) => {
                vacant.insert(standing(program, plan, position, running, &objects).await?)
            }
        };
        if let Some(provider) = provider {
            readable.push((change, provider.clone()));
        }
    }
    let reads = stream::iter(readable).map(|(change, provider)| async move {
        look(program, plan, change, &*provider, events).await
    });
    let mut reads = reads.buffered(parallelism.max(1));
    let mut moved = Diagnostics::new();
    while let Some(found) = reads.next().await {
        moved.extend(found?);
    }
    Ok(moved)
}

/// A provider whose configuration is known and changes by nothing that the plan does.
async fn standing(
    program: &Program,
    plan: &Plan,
    position: ProviderId,
    running: &RunningProviders<'_>,
    objects: &Objects<'_>,
) -> Result<Option<Arc<dyn Provider>>, Diagnostics> {
    let config = &program.providers()[position];
    let rests_on = |change: &ResourceChange| {
        let declared = program.position(&change.address);
        change.action != Action::NoOp
            && declared.is_some_and(|at| config.dependencies.contains(&at))
    };
    if !config.dependencies.is_empty() && plan.changes.iter().any(rests_on) {
        return Ok(None);
    }
    let warnings = RefCell::default();
    let opener = Opener {
        program,
        running,
        objects,
        warnings: &warnings,
    };
    opener.needed(&config.dependencies).await?;
    let configured = running.configure_as_declared(config, objects).await?;
    Ok(Some(configured.provider))
}

async fn look(
    program: &Program,
    plan: &Plan,
    change: &ResourceChange,
    provider: &dyn Provider,
    events: &dyn EventSink,
) -> Result<Option<Diagnostic>, Diagnostics> {
    let instance = plan.refreshed().instance(&change.address);
    let object = instance.and_then(|instance| match &change.deposed {
        None => instance.current.as_ref(),
        Some(key) => instance.deposed.get(key),
    });
    let Some(object) = object else {
        return Ok(None);
    };
    let warnings = RefCell::default();
    let subject = Subject {
        provider,
        source: &change.provider.source,
        schema: &change.schema,
        address: &change.address,
        location: change.location,
        warnings: &warnings,
        deferred: None,
        meta: meta_for(program, &change.address, &change.provider.source),
        events,
    };
    let loaded = subject.load(object).await?;
    let now = subject.read(&loaded).await?.map(|now| now.value);
    let now = now.unwrap_or(Value::Null);
    if equivalent(&loaded.value, &now) {
        return Ok(None);
    }
    let error = subject.error(format!(
        "{} has changed since the plan was made",
        change.address
    ));
    if now.is_null() {
        return Ok(Some(error.detail("it is gone")));
    }
    let before = subject.marked(loaded.value, &loaded.sensitive);
    let now = subject.marked(now, &loaded.sensitive);
    Ok(Some(error.detail(differences(
        change.schema.ty(),
        &before,
        &now,
    ))))
}

/// The paths at which two objects differ, with the values there, as far as they may be shown.
fn differences(ty: &Type, before: &Marked, now: &Marked) -> String {
    let mut found = Vec::new();
    collect(&before.value, &now.value, &mut Path::root(), &mut found);
    for (path, ..) in &mut found {
        *path = fit_mark(ty, path);
    }
    let secret = |path: &Path| {
        let covers = |mark: &Path| mark.contains(path) || path.contains(mark);
        before.sensitive.iter().chain(&now.sensitive).any(covers)
    };
    let mut texts: Vec<String> = found
        .iter()
        .take(NAMED)
        .map(|(path, before, now)| match secret(path) {
            true => format!("{path} (sensitive)"),
            false => format!(
                "{path} was {} and is {}",
                shown(before, false),
                shown(now, false)
            ),
        })
        .collect();
    if found.len() > NAMED {
        texts.push(format!("and {} more", found.len() - NAMED));
    }
    texts.join(", ")
}

fn collect<'v>(
    before: &'v Value,
    now: &'v Value,
    here: &mut Path,
    found: &mut Vec<(Path, &'v Value, &'v Value)>,
) {
    if equivalent(before, now) {
        return;
    }
    match (before, now) {
        (Value::Map(a), Value::Map(b)) => {
            let names = a
                .keys()
                .chain(b.keys().filter(|name| !a.contains_key(*name)));
            for name in names {
                here.push(PathStep::Attribute(name.clone()));
                let part =
                    |object: &'v terrane_core::value::Map| object.get(name).unwrap_or(&Value::Null);
                collect(part(a), part(b), here, found);
                here.pop();
            }
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b.iter()).enumerate() {
                here.push(PathStep::Index(index));
                collect(a, b, here, found);
                here.pop();
            }
        }
        _ => found.push((here.clone(), before, now)),
    }
}
