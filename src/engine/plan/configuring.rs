//! What configures the providers that a run needs: how it is now, and whether a provider's "it is gone" can be believed.
//!
//! Only a provider that is configured with what holds now looks where the objects are. One that is configured with an old answer, or with
//! values that this run still has to make, finds nothing there, and an object would be forgotten while it exists.

use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode, ProviderConfigAddr};
use terrane_core::{Diagnostics, Marked, Program, Scope, Value};
use terrane_provider::Provider;

use super::planner::{Planner, serving};
use crate::change::Action;
use crate::object::{Loaded, Subject, schema_of};
use crate::options::{PlanMode, RefreshPolicy};
use crate::running::{Configured, configuration};

/// Which declared instances, and which providers, a run needs for the configuration of providers.
#[derive(Debug, Default)]
pub(crate) struct Configuring {
    /// By position in the program.
    pub(crate) instances: Vec<bool>,
    /// By position in the program; those that were asked for are among them.
    pub(crate) providers: Vec<bool>,
}

impl Configuring {
    /// Follows the configurations of those providers: a data source is read by a provider, and from arguments; the object of a
    /// resource is read by a provider.
    pub(crate) fn new(program: &Program, mut providers: Vec<bool>) -> Self {
        let mut instances = vec![false; program.resources().len()];
        let needed = |provider: usize| program.providers()[provider].dependencies.iter().copied();
        let mut open: Vec<usize> = (0..providers.len())
            .filter(|&provider| providers[provider])
            .flat_map(needed)
            .collect();
        while let Some(position) = open.pop() {
            if std::mem::replace(&mut instances[position], true) {
                continue;
            }
            let resource = &program.resources()[position];
            if !std::mem::replace(&mut providers[resource.provider], true) {
                open.extend(needed(resource.provider));
            }
            if resource.mode() == Mode::Data {
                open.extend(&resource.dependencies);
            }
        }
        Self {
            instances,
            providers,
        }
    }
}

/// The declared instances as they are while the plan is made, not as they will be.
struct Present<'a, 'b>(&'a Planner<'b>);

impl Scope for Present<'_, '_> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        let planner = self.0;
        let position = planner.program.position(address)?;
        let changes = planner.declared_changes.borrow();
        match &changes[position] {
            Some(change) if change.action == Action::Update || change.action.is_replace() => {
                Some(change.before.clone())
            }
            _ => planner.objects.get(position),
        }
    }
}

impl Planner<'_> {
    /// Reads a declared instance, for the configuration of providers alone: nothing is planned for it.
    pub(super) async fn present(
        &self,
        position: usize,
        provider: &dyn Provider,
    ) -> Result<(), Diagnostics> {
        let resource = &self.program.resources()[position];
        if resource.mode() == Mode::Data {
            return self.data(position, provider).await;
        }
        let address = &resource.address;
        let location = Some(resource.location);
        let source = &self.provider_addresses[resource.provider].source;
        let schema = schema_of(provider, address, source, location)?;
        let subject = Subject {
            provider,
            source,
            schema: &schema,
            address,
            location,
            warnings: &self.diagnostics,
            events: self.events,
        };
        let stored = self.prior.instance(address);
        let Some(stored) = stored.and_then(|instance| instance.current.as_ref()) else {
            self.unmade(position);
            return Ok(());
        };
        let loaded = subject.load(stored).await?;
        let read = match self.options.refresh {
            RefreshPolicy::All => subject.read(&loaded).await?,
            RefreshPolicy::Nothing => Some(loaded.clone()),
        };
        match read {
            Some(read) => {
                let marked = subject.marked(read.value, &read.sensitive);
                self.objects.set(position, Arc::new(marked));
            }
            None => self.last_known(position, &subject, &loaded),
        }
        Ok(())
    }

    /// An instance that has no object.
    pub(super) fn unmade(&self, position: usize) {
        self.objects
            .set(position, Arc::new(Marked::plain(Value::UNKNOWN)));
        let address = &self.program.resources()[position].address;
        self.doubt(position, format!("`{address}` does not exist"));
    }

    /// An instance whose object is gone: a provider is configured with what it was, for without that many act somewhere else.
    pub(super) fn last_known(&self, position: usize, subject: &Subject<'_>, last: &Loaded) {
        let marked = subject.marked(last.value.clone(), &last.sensitive);
        self.objects.set(position, Arc::new(marked));
        self.doubt(position, format!("`{}` is gone", subject.address));
    }

    /// Remembers why what an instance says may not hold now.
    pub(super) fn doubt(&self, position: usize, why: String) {
        self.doubts.borrow_mut()[position] = Some(why.into());
    }

    /// Why the answers of that provider may not be about what holds now.
    pub(super) fn provider_doubt(&self, provider: usize) -> Option<Arc<str>> {
        self.provider_doubts.borrow()[provider].clone()
    }

    /// The first reason to doubt any of those instances.
    pub(super) fn doubt_among(&self, positions: &[usize]) -> Option<Arc<str>> {
        let doubts = self.doubts.borrow();
        positions
            .iter()
            .find_map(|&position| doubts[position].clone())
    }

    /// Judges a configuration as it has just been made.
    pub(super) fn judge(
        &self,
        position: usize,
        configured: &Configured,
    ) -> Result<(), Diagnostics> {
        let declared = &self.program.providers()[position];
        if declared.dependencies.is_empty() {
            return Ok(());
        }
        let mut doubt = self.doubt_among(&declared.dependencies);
        if doubt.is_none() {
            let now = configuration(declared, &*configured.provider, &Present(self), self.events)?;
            if now.value != configured.config.value || !now.value.is_wholly_known() {
                doubt = Some("its configuration is only known after apply".into());
            }
        }
        self.provider_doubts.borrow_mut()[position] = doubt;
        Ok(())
    }

    /// The provider that the state names for an object, where the program has another one for it now.
    pub(super) fn moved_from(
        &self,
        subject: &Subject<'_>,
        provider: usize,
    ) -> Option<&ProviderConfigAddr> {
        let stored = &self.prior.instance(subject.address)?.provider;
        (serving(self.program, stored) != Some(provider)).then_some(stored)
    }

    /// Whether an object stays as the state has it, though it reads as gone: its provider may look in the wrong place.
    ///
    /// # Errors
    /// Where it could not stay: a destroy would forget it, and under another provider it would be made a second time.
    pub(super) fn is_unbelieved(
        &self,
        subject: &Subject<'_>,
        provider: usize,
    ) -> Result<bool, Diagnostics> {
        let address = subject.address;
        let configured = &self.program.providers()[provider].address;
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
        let Some(doubt) = self.provider_doubt(provider) else {
            return Ok(false);
        };
        if self.options.mode == PlanMode::Destroy {
            return Err(error(&doubt)
                .hint("run again when what configures that provider can be read")
                .hint(forget)
                .into());
        }
        let kept = subject.warning("it cannot be told whether the object still exists");
        self.diagnostics.borrow_mut().push(kept.detail(format!(
            "{configured} finds no such object, but {doubt}; it is kept as the state has it"
        )));
        Ok(true)
    }
}
