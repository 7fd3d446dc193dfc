//! The instances that configure the providers of a run: their present values, and whether a provider's "it is gone" can be believed.
//!
//! Only a provider that is configured with present values looks where the objects are. One that is configured with an old answer, or with
//! values that this run still has to make, finds nothing there, and an object would be forgotten while it exists.

use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode, ProviderConfigAddr};
use terrane_core::{Diagnostics, IdVec, Marked, Program, ProviderId, ResourceId, Scope, Value};

use super::data::stored_answer;
use super::inputs::{Inputs, serving};
use super::visitor::{Finding, Known, Visitor};
use crate::change::Action;
use crate::meta::meta_for;
use crate::object::{Subject, schema_of};
use crate::options::{PlanMode, RefreshPolicy};
use crate::running::{Configured, RunningProvider, configuration};

/// Which declared instances, and which providers, a run needs for the configuration of providers.
#[derive(Debug, Default)]
pub(crate) struct Configuring {
    pub(crate) instances: IdVec<ResourceId, bool>,
    /// Those that were asked for are among them.
    pub(crate) providers: IdVec<ProviderId, bool>,
}

impl Configuring {
    /// Follows the configurations of those providers: a data source is read by a provider, and from arguments; the object of a
    /// resource is read by a provider.
    pub(crate) fn new(program: &Program, mut providers: IdVec<ProviderId, bool>) -> Self {
        let mut instances = IdVec::filled(false, program.resources());
        let needed = |provider| {
            let dependencies = &program.providers()[provider].dependencies;
            dependencies.iter().copied()
        };
        let mut open: Vec<ResourceId> = providers.set_ids().flat_map(needed).collect();
        while let Some(position) = open.pop() {
            if std::mem::replace(&mut instances[position], true) {
                continue;
            }
            let resource = &program.resources()[position];
            if !std::mem::replace(&mut providers[resource.provider], true) {
                open.extend(needed(resource.provider));
            }
            if resource.mode() != Mode::Managed {
                open.extend(&resource.dependencies);
            }
        }
        Self {
            instances,
            providers,
        }
    }
}

/// The declared instances as they are while the plan is made, not as they will be. A data source that is still to be read has its stored
/// answer.
pub(super) struct Present<'a> {
    inputs: &'a Inputs<'a>,
    known: &'a Known<'a>,
}

impl<'a> Present<'a> {
    pub(super) fn new(inputs: &'a Inputs<'a>, known: &'a Known<'a>) -> Self {
        Self { inputs, known }
    }
}

impl Scope for Present<'_> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        let known = self.known;
        let position = known.objects.position(address)?;
        match &known.changes()[position] {
            Some(change) if change.action == Action::Update || change.action.is_replace() => {
                Some(change.before.clone())
            }
            Some(change) if change.action == Action::Read => {
                let stored = self.inputs.prior.instance(address);
                let stored = stored.and_then(|stored| stored.current.as_ref());
                let answer = stored.and_then(|stored| stored_answer(stored, &change.schema));
                Some(Arc::new(Marked::plain(answer.unwrap_or(Value::UNKNOWN))))
            }
            _ => known.objects.get(position),
        }
    }
}

impl Visitor<'_> {
    /// Reads a declared instance, for the configuration of providers alone: nothing is planned for it.
    pub(super) async fn present(
        &self,
        position: ResourceId,
        running: RunningProvider,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let resource = &self.inputs.program.resources()[position];
        if resource.mode() == Mode::Data {
            return self.data(position, &running, finding).await;
        }
        if resource.mode() == Mode::Ephemeral {
            return self.ephemeral(position, running.provider, finding).await;
        }
        let provider = &*running.provider;
        let address = &resource.address;
        let location = Some(resource.location);
        let source = &self.inputs.provider_addresses[resource.provider].source;
        let schema = schema_of(provider, address, source, location)?;
        let subject = Subject {
            provider,
            source,
            schema: &schema,
            address,
            location,
            warnings: &self.warnings,
            deferred: None,
            meta: meta_for(self.inputs.program, address, source),
            events: self.inputs.events,
        };
        let stored = self.inputs.prior.instance(address);
        let Some(stored) = stored.and_then(|instance| instance.current.as_ref()) else {
            finding.unmade(address);
            return Ok(());
        };
        let loaded = subject.load(stored).await?;
        let read = match self.inputs.refresh(address) {
            RefreshPolicy::All | RefreshPolicy::Changed => subject.read(&loaded).await?,
            RefreshPolicy::Nothing => Some(loaded.clone()),
        };
        match read {
            Some(read) => {
                let marked = subject.marked(read.value, &read.sensitive);
                finding.object = Some(Arc::new(marked));
            }
            None => finding.last_known(&subject, &loaded),
        }
        Ok(())
    }

    /// Judges a configuration as it has just been made.
    pub(super) async fn judge(
        &self,
        position: ProviderId,
        configured: &Configured,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let declared = &self.inputs.program.providers()[position];
        if declared.dependencies.is_empty() {
            return Ok(());
        }
        let mut doubt = self.known.doubt_among(&declared.dependencies);
        if doubt.is_none() {
            let now = configuration(
                declared,
                &*configured.provider,
                &Present::new(self.inputs, self.known),
                self.inputs.running,
            )
            .await?;
            let mut needed = declared.dependencies.iter();
            if needed.any(|&needed| self.known.action(needed) == Action::Read)
                || now.value != configured.config.value
                || !now.value.is_wholly_known()
            {
                doubt = Some("its configuration is only known after apply".into());
            }
        }
        finding.doubt = doubt;
        Ok(())
    }

    /// The provider that the state names for an object, where the program has another one for it now.
    pub(super) fn moved_from(
        &self,
        subject: &Subject<'_>,
        provider: ProviderId,
    ) -> Option<&ProviderConfigAddr> {
        let stored = &self.inputs.prior.instance(subject.address)?.provider;
        (serving(self.inputs.program, stored) != Some(provider)).then_some(stored)
    }

    /// Whether an object stays as the state has it, though it reads as gone: its provider may look in the wrong place.
    ///
    /// # Errors
    /// Where it could not stay: a destroy would forget it, and under another provider it would be made a second time.
    pub(super) fn is_unbelieved(
        &self,
        subject: &Subject<'_>,
        provider: ProviderId,
    ) -> Result<bool, Diagnostics> {
        let address = subject.address;
        let configured = &self.inputs.program.providers()[provider].address;
        let forget = format!(
            "if the object is gone, forget it with `state rm {address}`; `--exclude {address}` leaves it out",
            address = address.in_shell()
        );
        let error = |why: &str| {
            let error = subject.error("it cannot be told whether the object still exists");
            error.detail(format!(
                "{configured} finds no such object, but {why}; nothing was changed"
            ))
        };
        if let Some(stored) = self.moved_from(subject, provider) {
            let error = error(&format!("the state names {stored} for it"));
            return Err(error
                .hint("declare it with that provider again; to move it, destroy it there first")
                .hint(forget)
                .into());
        }
        let Some(doubt) = self.known.provider_doubt(provider) else {
            return Ok(false);
        };
        if self.inputs.options.mode == PlanMode::Destroy {
            return Err(error(&doubt)
                .hint("run again when what configures that provider can be read")
                .hint(forget)
                .into());
        }
        let kept = subject.warning("it cannot be told whether the object still exists");
        self.warnings.borrow_mut().push(kept.detail(format!(
            "{configured} finds no such object, but {doubt}; it is kept as the state has it"
        )));
        Ok(true)
    }
}
