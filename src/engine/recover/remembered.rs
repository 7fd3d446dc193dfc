//! The state as values, as far as somebody refers to it: what recovery knows before anything is planned.

use std::cell::{OnceCell, RefCell};
use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, Mode, ProviderConfigAddr};
use terrane_core::schema::Schema;
use terrane_core::{Diagnostics, IgnoreChanges, Location, Marked, Program, Recovery, Value};
use terrane_provider::Provider;
use terrane_state::Recorder;

use crate::config::{self, Config};
use crate::object::{Loaded, Subject, schema_of};
use crate::plan::closure::Closures;
use crate::plan::planner::serving;
use crate::scope::Objects;
use crate::sessions::Sessions;

/// Loads stored objects and configures providers when they are asked for, each once.
pub(crate) struct Remembered<'a> {
    program: &'a Program,
    recorder: &'a dyn Recorder,
    sessions: &'a Sessions<'a>,
    objects: Objects<'a>,
    loaded: RefCell<HashSet<usize>>,
    closures: OnceCell<Closures>,
    warnings: RefCell<Diagnostics>,
}

/// Who serves an address.
pub(crate) struct Served {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) schema: Arc<Schema>,
    pub(crate) location: Option<Location>,
    /// Its position in the program.
    pub(crate) declared: Option<usize>,
    /// What the bindings know about finding objects.
    pub(crate) recovery: Option<&'static Recovery>,
}

type Promise<'a, T> = Pin<Box<dyn Future<Output = Result<T, Diagnostics>> + 'a>>;

impl<'a> Remembered<'a> {
    pub(crate) fn new(
        program: &'a Program,
        recorder: &'a dyn Recorder,
        sessions: &'a Sessions<'a>,
    ) -> Self {
        Self {
            program,
            recorder,
            sessions,
            objects: Objects::new(program),
            loaded: RefCell::default(),
            closures: OnceCell::new(),
            warnings: RefCell::default(),
        }
    }

    /// Where warnings go.
    pub(crate) fn warnings(&self) -> &RefCell<Diagnostics> {
        &self.warnings
    }

    pub(crate) fn into_warnings(self) -> Diagnostics {
        self.warnings.into_inner()
    }

    /// The provider and schema of an address: those that the program says, else those of `stored` as far as the program configures
    /// them. A state alone must never cause a program to be started: whoever can write it would run code here.
    pub(crate) async fn served(
        &self,
        address: &InstanceAddr,
        stored: &ProviderConfigAddr,
    ) -> Result<Option<Served>, Diagnostics> {
        let place = self.program.position(address);
        let declared = place.map(|position| &self.program.resources()[position]);
        let position = match declared {
            Some(resource) => Some(resource.provider),
            None => serving(self.program, stored),
        };
        let Some(position) = position else {
            return Ok(None);
        };
        let location = declared.map(|resource| resource.location);
        let provider = self.provider(position).await?;
        let config = &self.program.providers()[position];
        let schema = schema_of(&*provider, address, &config.address.source, location)?;
        Ok(Some(Served {
            provider,
            schema,
            location,
            declared: place,
            recovery: config.binding.map(|binding| &binding.recovery),
        }))
    }

    /// The configuration of a declared instance, as far as the state knows what it refers to.
    pub(crate) async fn config(
        &self,
        position: usize,
        schema: &Schema,
    ) -> Result<Config, Diagnostics> {
        let resource = &self.program.resources()[position];
        self.load(&resource.dependencies).await?;
        let location = Some(resource.location);
        config::evaluate(
            &resource.arguments,
            schema,
            &self.objects,
            &resource.address,
            location,
        )
    }

    /// What of a declared instance counts for nothing.
    pub(crate) fn ignored(&self, position: usize) -> &IgnoreChanges {
        &self.program.resources()[position].lifecycle.ignore_changes
    }

    /// Fills in what the state remembers beside an object.
    pub(crate) fn complete(&self, position: usize, config: &Config, object: &mut Loaded) {
        let closures = self.closures.get_or_init(|| Closures::new(self.program));
        object.dependencies = closures.dependencies(position, None);
        let lifecycle = &self.program.resources()[position].lifecycle;
        object.create_before_destroy = lifecycle.create_before_destroy;
        object.sensitive = Arc::new(config.sensitive.clone());
        object.forget_stored_form();
    }

    /// A configured provider. What its configuration refers to is loaded first; the program has no cycles, so that ends.
    fn provider(&self, position: usize) -> Promise<'_, Arc<dyn Provider>> {
        Box::pin(async move {
            let declared = &self.program.providers()[position];
            if let Some(provider) = self.sessions.configured(&declared.address) {
                return Ok(provider);
            }
            self.load(&declared.dependencies).await?;
            let configured = self.sessions.configure_as_declared(declared, &self.objects);
            let (provider, warnings) = configured.await?;
            self.warnings.borrow_mut().extend(warnings);
            Ok(provider)
        })
    }

    /// Loads what the state has at these positions of the program; what it does not have is not known.
    async fn load(&self, positions: &[usize]) -> Result<(), Diagnostics> {
        for &position in positions {
            if !self.loaded.borrow_mut().insert(position) {
                continue;
            }
            let object = self.object(position).await?;
            self.objects.set(position, Arc::new(object));
        }
        Ok(())
    }

    async fn object(&self, position: usize) -> Result<Marked, Diagnostics> {
        let resource = &self.program.resources()[position];
        let instance = self.recorder.instance(&resource.address);
        let Some(stored) = instance.as_ref().and_then(|i| i.current.as_ref()) else {
            return Ok(Marked::plain(Value::UNKNOWN));
        };
        let provider = self.provider(resource.provider).await?;
        let source = &self.program.providers()[resource.provider].address.source;
        let location = Some(resource.location);
        let schema = schema_of(&*provider, &resource.address, source, location)?;
        let subject = Subject {
            provider: &*provider,
            schema: &schema,
            address: &resource.address,
            location,
            warnings: &self.warnings,
        };
        if resource.mode() == Mode::Data {
            let json = stored.attributes.raw().as_str().as_bytes();
            let value = Value::from_json(json, schema.ty()).unwrap_or(Value::UNKNOWN);
            return Ok(subject.marked(value, &stored.sensitive_attributes.paths));
        }
        let loaded = subject.load(stored).await?;
        Ok(subject.marked(loaded.value, &loaded.sensitive))
    }
}
