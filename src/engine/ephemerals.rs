//! Ephemeral resources of a walk: opened when something needs them, renewed while the walk lasts, closed at its end however it ends.
//!
//! Each walk (planning, applying, recovery) opens its own: between two of them a person may think for an hour. The values live in memory
//! alone, and are marked as sensitive as a whole.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, join, select};
use terrane_core::addr::InstanceAddr;
use terrane_core::{Diagnostic, Diagnostics, Location, Marked, Path, ResourceId, Value};
use terrane_provider::{Deferred, OpenEphemeralResource, OpenedEphemeralResource, Provider};
use terrane_state::Timestamp;
use tokio::sync::{Notify, OnceCell};

use crate::config::Config;
use crate::running::{RunningProviders, call_failed};

/// The ephemeral resources that are open.
#[derive(Default)]
pub(crate) struct Ephemerals {
    /// The object of each; a cell that is empty is being opened.
    objects: RefCell<BTreeMap<ResourceId, Rc<OnceCell<Arc<Marked>>>>>,
    /// In the order of opening.
    opened: RefCell<Vec<Opened>>,
    /// Errors of renewals.
    failures: RefCell<Diagnostics>,
    changed: Notify,
}

/// One that is open.
struct Opened {
    provider: Arc<dyn Provider>,
    address: Arc<InstanceAddr>,
    location: Location,
    private: Option<Bytes>,
    renew_at: Option<Timestamp>,
}

/// Everything that opening one needs.
pub(crate) struct Opening<'a> {
    pub(crate) position: ResourceId,
    pub(crate) address: &'a Arc<InstanceAddr>,
    pub(crate) location: Location,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) config: &'a Config,
    /// Where a plan learns that the provider defers it; elsewhere that is an error alone.
    pub(crate) deferred: Option<&'a Cell<Option<Deferred>>>,
}

impl Opening<'_> {
    fn about(&self, diagnostics: Diagnostics) -> Diagnostics {
        about(self.address, self.location, diagnostics)
    }

    fn error(&self, summary: &str) -> Diagnostic {
        Diagnostic::error(summary)
            .address(self.address)
            .location(self.location)
    }
}

fn about(address: &InstanceAddr, location: Location, diagnostics: Diagnostics) -> Diagnostics {
    let about = |diagnostic: Diagnostic| {
        let location = diagnostic.location.unwrap_or(location);
        diagnostic.address(address).location(location)
    };
    diagnostics.into_iter().map(about).collect()
}

impl RunningProviders<'_> {
    /// The object of an ephemeral resource if it is open.
    pub(crate) fn opened(&self, position: ResourceId) -> Option<Arc<Marked>> {
        let objects = self.ephemerals().objects.borrow();
        objects.get(&position)?.get().cloned()
    }

    /// Opens an ephemeral resource, unless it is open; its object and the provider's warnings.
    ///
    /// # Errors
    /// When the provider does not open it.
    pub(crate) async fn open(
        &self,
        opening: Opening<'_>,
    ) -> Result<(Arc<Marked>, Diagnostics), Diagnostics> {
        let cell = {
            let mut objects = self.ephemerals().objects.borrow_mut();
            objects.entry(opening.position).or_default().clone()
        };
        let warnings = RefCell::default();
        let object = cell
            .get_or_try_init(|| self.open_now(&opening, &warnings))
            .await?
            .clone();
        Ok((object, warnings.into_inner()))
    }

    async fn open_now(
        &self,
        opening: &Opening<'_>,
        warnings: &RefCell<Diagnostics>,
    ) -> Result<Arc<Marked>, Diagnostics> {
        let type_name = &*opening.address.resource.type_name;
        let provider = &opening.provider;
        let failed = |error| opening.about(call_failed(&error, opening.address));
        let config = &opening.config.value;
        let said = provider
            .validate_ephemeral_resource_config(type_name, config)
            .await
            .map_err(failed)?;
        let ((), said) = opening.about(said).into_result(())?;
        warnings.borrow_mut().extend(said);
        let request = OpenEphemeralResource { type_name, config };
        let response = provider
            .open_ephemeral_resource(request)
            .await
            .map_err(failed)?;
        let said = opening.about(response.diagnostics);
        if said.has_errors() {
            return Err(said);
        }
        warnings.borrow_mut().extend(said);
        // From here on there is something to close.
        self.ephemerals().opened.borrow_mut().push(Opened {
            provider: provider.clone(),
            address: opening.address.clone(),
            location: opening.location,
            private: response.private,
            renew_at: response.renew_at.map(Timestamp::from),
        });
        self.ephemerals().changed.notify_one();
        if let Some(why) = response.deferred {
            if let Some(told) = opening.deferred {
                told.set(Some(why));
            }
            return Err(opening
                .error("the provider defers opening the ephemeral resource")
                .detail(why.to_string())
                .into());
        }
        let value = response.result;
        if value.is_null() || !value.is_wholly_known() {
            return Err(opening
                .error("the provider returned no complete object for the ephemeral resource")
                .hint("this is a bug in the provider; report it to its developers")
                .into());
        }
        let marked = Marked {
            value,
            sensitive: BTreeSet::from([Path::root()]),
        };
        self.events().conceal(&marked);
        Ok(Arc::new(marked))
    }

    /// Does `work`, renewing what is open when it is due.
    pub(crate) async fn renewing<T>(&self, work: impl Future<Output = T>) -> T {
        let finished = Cell::new(false);
        let changed = &self.ephemerals().changed;
        let work = async {
            let result = work.await;
            finished.set(true);
            changed.notify_one();
            result
        };
        let renewals = async {
            while !finished.get() {
                let Some(wait) = self.next_renewal() else {
                    changed.notified().await;
                    continue;
                };
                let sleep = std::pin::pin!(self.clock().sleep(wait));
                let changed = std::pin::pin!(changed.notified());
                if let Either::Left(_) = select(sleep, changed).await {
                    self.renew_due().await;
                }
            }
        };
        join(work, renewals).await.0
    }

    /// How long until something must be renewed.
    fn next_renewal(&self) -> Option<Duration> {
        let opened = self.ephemerals().opened.borrow();
        let due = opened.iter().filter_map(|opened| opened.renew_at).min()?;
        Some(due.since(self.clock().now()))
    }

    async fn renew_due(&self) {
        let now = self.clock().now();
        let due: Vec<usize> = {
            let opened = self.ephemerals().opened.borrow();
            let is_due = |opened: &Opened| opened.renew_at.is_some_and(|due| due <= now);
            (0..opened.len())
                .filter(|&at| is_due(&opened[at]))
                .collect()
        };
        for at in due {
            let (provider, address, location, private) = {
                let mut opened = self.ephemerals().opened.borrow_mut();
                let one = &mut opened[at];
                one.renew_at = None;
                let (provider, address) = (one.provider.clone(), one.address.clone());
                (provider, address, one.location, one.private.clone())
            };
            let request = OpenedEphemeralResource {
                type_name: &address.resource.type_name,
                private: private.as_ref(),
            };
            let said = match provider.renew_ephemeral_resource(request).await {
                Ok(response) => {
                    let mut opened = self.ephemerals().opened.borrow_mut();
                    opened[at].private = response.private;
                    opened[at].renew_at = response.renew_at.map(Timestamp::from);
                    response.diagnostics
                }
                Err(error) => call_failed(&error, &address),
            };
            let mut failures = self.ephemerals().failures.borrow_mut();
            failures.extend(about(&address, location, said));
        }
    }

    /// Closes everything that is open, the last opened first; what went wrong with it since it was opened. A value that could not be
    /// renewed is an error; one that could not be closed is a warning, for what it was needed for is done.
    pub(crate) async fn close_ephemerals(&self) -> Diagnostics {
        let ephemerals = self.ephemerals();
        ephemerals.objects.borrow_mut().clear();
        let opened = std::mem::take(&mut *ephemerals.opened.borrow_mut());
        let mut found = std::mem::take(&mut *ephemerals.failures.borrow_mut());
        for one in opened.into_iter().rev() {
            let request = OpenedEphemeralResource {
                type_name: &one.address.resource.type_name,
                private: one.private.as_ref(),
            };
            let why = match one.provider.close_ephemeral_resource(request).await {
                Ok(said) if !said.has_errors() => {
                    found.extend(about(&one.address, one.location, said));
                    continue;
                }
                Ok(said) => said.to_string(),
                Err(error) => error.to_string(),
            };
            let open = Diagnostic::warning("the ephemeral resource could not be closed");
            let open = open.detail(why).address(&one.address);
            found.push(open.location(one.location));
        }
        found
    }
}

/// The object of an ephemeral resource that is not open.
pub(crate) fn not_open() -> Arc<Marked> {
    Arc::new(Marked::plain(Value::UNKNOWN))
}
