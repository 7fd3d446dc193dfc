//! Opens ephemeral resources when something needs them, with everything that they need in turn.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use terrane_core::addr::Mode;
use terrane_core::{Diagnostic, Diagnostics, Marked, Program, ResourceId};

use crate::config;
use crate::ephemerals::Opening;
use crate::object::schema_of;
use crate::running::RunningProviders;
use crate::scope::Objects;

/// Opens for one walk, where the objects say what references mean.
#[derive(Clone, Copy)]
pub(crate) struct Opener<'a> {
    pub(crate) program: &'a Program,
    pub(crate) running: &'a RunningProviders<'a>,
    pub(crate) objects: &'a Objects<'a>,
    /// Where warnings go.
    pub(crate) warnings: &'a RefCell<Diagnostics>,
}

type Promise<'p> = Pin<Box<dyn Future<Output = Result<(), Diagnostics>> + 'p>>;

impl Opener<'_> {
    /// Opens those of these instances that are ephemeral; references to them then have their values.
    pub(crate) fn needed<'p>(&'p self, positions: &'p [ResourceId]) -> Promise<'p> {
        Box::pin(async move {
            for &position in positions {
                if self.program.resources()[position].mode() == Mode::Ephemeral {
                    let object = match self.running.opened(position) {
                        Some(object) => object,
                        None => self.open(position).await?,
                    };
                    self.objects.set(position, object);
                }
            }
            Ok(())
        })
    }

    async fn open(&self, position: ResourceId) -> Result<Arc<Marked>, Diagnostics> {
        let resource = &self.program.resources()[position];
        let (address, location) = (&resource.address, resource.location);
        self.needed(&resource.dependencies).await?;
        let declared = &self.program.providers()[resource.provider];
        self.needed(&declared.dependencies).await?;
        let configured = self
            .running
            .configure_as_declared(declared, self.objects)
            .await?;
        self.warnings.borrow_mut().extend(configured.warnings);
        let provider = configured.provider;
        let source = &declared.address.source;
        let schema = schema_of(&*provider, address, source, Some(location))?;
        let config = config::evaluate(
            &resource.arguments,
            &schema,
            self.objects,
            address,
            Some(location),
            self.running,
        )
        .await?;
        if !config.value.is_wholly_known() {
            return Err(Diagnostic::error(
                "the configuration still holds unknown values when it is to be opened",
            )
            .address(address)
            .location(location)
            .hint("something it refers to was not made in this run; run again")
            .into());
        }
        let opening = Opening {
            deferred: None,
            position,
            address,
            location,
            provider,
            config: &config,
        };
        let (object, warnings) = self.running.open(opening).await?;
        self.warnings.borrow_mut().extend(warnings);
        Ok(object)
    }
}
