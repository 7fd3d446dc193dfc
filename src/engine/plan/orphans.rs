//! Plans the end of instances that the program no longer declares.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use terrane_core::addr::{InstanceAddr, InstanceKey, ModuleAddr, ProviderSource, ResourceAddr};
use terrane_core::schema::{Block, Schema};
use terrane_core::{Diagnostic, Diagnostics, Marked, Program, ProviderId, ResourceId, Value};
use terrane_state::Instance;

use super::deferred::{DeferralReason, Readiness};
use super::inputs::OrphanId;
use super::managed::prevented;
use super::visitor::{Finding, Visitor};
use crate::change::{Action, Reason, ResourceChange};
use crate::event::Event;
use crate::meta::meta_for;
use crate::object::{Subject, schema_of};
use crate::options::{PlanMode, RefreshPolicy};

impl Visitor<'_> {
    /// An instance that the state has and the program does not.
    pub(super) async fn orphan(
        &self,
        orphan: OrphanId,
        provider: Option<ProviderId>,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        if !self.inputs.selection.orphan(orphan) {
            return Ok(());
        }
        let address = &self.inputs.orphans[orphan];
        let instance = self
            .inputs
            .prior
            .instance(address)
            .expect("invariant: orphans come from the state")
            .clone();
        if self.inputs.removed.contains(&orphan) {
            finding.change = Some(self.forgotten(address, &instance, provider).await?);
            self.inputs.events.emit(Event::InstancePlanned {
                address: address.clone(),
                action: Action::Forget,
            });
            return Ok(());
        }
        if self.inputs.options.mode == PlanMode::Normal
            && let Some((module, is_selected)) = self.inputs.waiting.around(address)
        {
            if is_selected {
                self.defer_orphan(address, DeferralReason::ModuleDeferred { module }, finding);
            }
            return Ok(());
        }
        // A state alone must never cause a program to be started: whoever can write it would run code here.
        let Some(provider) = provider else {
            return Err(Diagnostic::error(format!(
                "{address} is in the state, but the program does not use {}",
                instance.provider
            ))
            .address(address)
            .hints(unserved(address, &instance.provider.source))
            .into());
        };
        if let Some(reason) = self.absent(provider) {
            self.defer_orphan(address, reason, finding);
            return Ok(());
        }
        let planned = self.leaving(address, &instance, provider, finding).await;
        let planned = self.defer_if_told(planned, finding, |reason, finding| {
            self.defer_orphan(address, reason, finding);
        });
        if finding.deferred.is_some() {
            return planned;
        }
        if let Readiness::Present(reason) = self.known.readiness(provider)
            && planned.is_err()
        {
            // It cannot be read now, and may be gone with the instance that its provider is configured with.
            finding.change = None;
            self.defer_orphan(address, reason, finding);
            return Ok(());
        }
        planned
    }

    /// The end of an instance whose provider can be asked.
    async fn leaving(
        &self,
        address: &Arc<InstanceAddr>,
        instance: &Arc<Instance>,
        provider: ProviderId,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let configured = &self.inputs.program.providers()[provider].address;
        let running = self
            .inputs
            .running
            .configured(configured)
            .await?
            .expect("invariant: a provider is configured before what it serves");
        let schema = schema_of(&*running.provider, address, &instance.provider.source, None)?;
        let warnings = &self.warnings;
        let subject = Subject {
            provider: &*running.provider,
            source: &instance.provider.source,
            schema: &schema,
            address,
            location: None,
            warnings,
            deferred: Some(&self.deferred),
            meta: meta_for(self.inputs.program, address, &instance.provider.source),
            events: self.inputs.events,
        };
        self.deposed(&subject, &schema, Some(instance), provider, finding)
            .await?;
        let current = self
            .refresh(
                &subject,
                &schema,
                instance.current.as_ref(),
                provider,
                self.inputs.refresh(address) != RefreshPolicy::Nothing,
                finding,
            )
            .await?;
        let Some(current) = current else {
            return Ok(());
        };
        if self.inputs.options.mode == PlanMode::RefreshOnly {
            return Ok(());
        }
        let (reason, sibling) = self.why_orphan(address);
        if sibling.is_some_and(|position| {
            self.inputs.program.resources()[position]
                .lifecycle
                .prevent_destroy
        }) {
            return Err(prevented(&subject));
        }
        let mut change = self
            .deletion(&subject, &schema, &current, &instance.provider, None)
            .await?;
        change.reason = (self.inputs.options.mode == PlanMode::Normal).then_some(reason);
        self.inputs.events.emit(Event::InstancePlanned {
            address: address.clone(),
            action: change.action,
        });
        finding.change = Some(change);
        Ok(())
    }

    /// An object that the program gives up. Its provider is asked nothing but to read the stored text, and that only where it runs anyway.
    async fn forgotten(
        &self,
        address: &Arc<InstanceAddr>,
        instance: &Instance,
        provider: Option<ProviderId>,
    ) -> Result<ResourceChange, Diagnostics> {
        let source = &instance.provider.source;
        let running = match provider {
            None => None,
            Some(provider) => {
                let config = &self.inputs.program.providers()[provider].address;
                self.inputs.running.configured(config).await?
            }
        };
        let schema = running
            .as_ref()
            .and_then(|running| schema_of(&*running.provider, address, source, None).ok());
        let mut before = Marked::plain(Value::Null);
        if let (Some(running), Some(schema), Some(stored)) = (&running, &schema, &instance.current)
        {
            let warnings = RefCell::default();
            let subject = Subject {
                provider: &*running.provider,
                source,
                schema,
                address,
                location: None,
                warnings: &warnings,
                deferred: None,
                meta: meta_for(self.inputs.program, address, source),
                events: self.inputs.events,
            };
            // An object that cannot be read can still be given up.
            if let Ok(loaded) = subject.load(stored).await {
                before = subject.marked(loaded.value, &loaded.sensitive);
            }
        }
        Ok(ResourceChange {
            address: address.clone(),
            deposed: None,
            provider: instance.provider.clone(),
            action: Action::Forget,
            reason: None,
            before: Arc::new(before),
            after: Arc::new(Marked::plain(Value::Null)),
            replace_paths: Vec::new(),
            schema: schema.unwrap_or_else(|| Arc::new(Schema::new(0, Block::default()))),
            private: Bytes::new(),
            before_identity: None,
            planned_identity: None,
            create_before_destroy: false,
            location: None,
        })
    }

    /// Why an instance is not declared any more, and another instance of the same resource if there is one.
    pub(super) fn why_orphan(&self, address: &InstanceAddr) -> (Reason, Option<ResourceId>) {
        let siblings = &self.inputs.siblings;
        if let Some(&sibling) = siblings.resources.get(&address.resource) {
            let declared = &self.inputs.program.resources()[sibling].address.key;
            let reason = match (&address.key, declared) {
                (Some(InstanceKey::Int(_)), Some(InstanceKey::Int(_))) => {
                    Reason::DeleteBecauseCountIndex
                }
                (Some(InstanceKey::String(_)), Some(InstanceKey::String(_))) => {
                    Reason::DeleteBecauseEachKey
                }
                _ => Reason::DeleteBecauseWrongRepetition,
            };
            return (reason, Some(sibling));
        }
        let module = &address.resource.module;
        let known = module.is_root() || siblings.modules.contains(module);
        let reason = if known {
            Reason::DeleteBecauseNoResourceConfig
        } else {
            Reason::DeleteBecauseNoModule
        };
        (reason, None)
    }
}

/// What to do about an object whose provider the program does not use.
fn unserved(address: &InstanceAddr, source: &ProviderSource) -> Vec<String> {
    let address = address.in_shell();
    let forget = format!("`state rm {address}` forgets the object, which stays where it is");
    if source.is_legacy() {
        let type_name = &source.type_name;
        return vec![
            format!(
                "Terraform 0.13 took it over from 0.12, which did not know who publishes a provider: `state replace-provider '{source}' 'hashicorp/{type_name}'` gives it the \
                 name that it has today, if it is one of HashiCorp's"
            ),
            forget,
        ];
    }
    vec![
        "declare that provider with `stack.provider(…)` until its last object is gone".to_owned(),
        forget,
    ]
}

/// The declarations of the program, by resource and by module: tells why an instance is no longer declared.
pub(super) struct Siblings<'a> {
    pub(super) resources: HashMap<&'a ResourceAddr, ResourceId>,
    modules: HashSet<&'a ModuleAddr>,
}

impl<'a> Siblings<'a> {
    pub(super) fn new(program: &'a Program) -> Self {
        let mut siblings = Self {
            resources: HashMap::new(),
            modules: HashSet::new(),
        };
        for (position, resource) in program.resources().entries() {
            let resource = &resource.address.resource;
            siblings.resources.entry(resource).or_insert(position);
            siblings.modules.insert(&resource.module);
        }
        siblings
    }
}
