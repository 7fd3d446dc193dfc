//! The state as values, and providers configured with present values: the knowledge of recovery before anything is planned.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use terrane_core::addr::{ConfigAddr, Mode, ProviderConfigAddr};
use terrane_core::schema::Schema;
use terrane_core::{
    DeclaredAction, Diagnostics, IgnoreChanges, Location, LookupRules, Marked, Path, Program,
    ProviderId, ResourceId, Value,
};
use terrane_provider::Provider;
use terrane_state::{Intent, Object, Recorder};

use crate::config::{self, Config};
use crate::ephemerals::{Opening, not_open};
use crate::evidence::{OwnerTags, place_fingerprint};
use crate::meta::meta_for;
use crate::object::{Loaded, Subject, schema_of};
use crate::plan::closure::{Closures, DependencyLists};
use crate::plan::data::stored_answer;
use crate::plan::inputs::serving;
use crate::running::RunningProviders;
use crate::scope::Objects;

/// Loads stored objects and configures providers when they are asked for, each once.
pub(crate) struct Remembered<'a> {
    program: &'a Program,
    recorder: &'a dyn Recorder,
    running: &'a RunningProviders<'a>,
    objects: Objects<'a>,
    loaded: RefCell<HashSet<ResourceId>>,
    /// Instances that providers are configured with, and why the known facts about them may not hold now.
    present: RefCell<HashMap<ResourceId, Option<String>>>,
    /// Providers, and why their answers may be about another place.
    providers: RefCell<HashMap<ProviderId, Ready>>,
    closures: OnceCell<Closures>,
    warnings: RefCell<Diagnostics>,
}

/// A configured provider.
#[derive(Clone)]
struct Ready {
    provider: Arc<dyn Provider>,
    /// The hash of where it looks.
    place: Rc<str>,
    doubt: Option<String>,
}

/// The provider that serves an address.
pub(crate) struct Served {
    pub(crate) provider: Arc<dyn Provider>,
    /// Its configuration.
    pub(crate) by: ProviderConfigAddr,
    pub(crate) schema: Arc<Schema>,
    pub(crate) location: Option<Location>,
    /// Its position in the program.
    pub(crate) declared: Option<ResourceId>,
    /// The lookup rules of its provider.
    pub(crate) recovery: Option<&'static LookupRules>,
    /// How its objects hold tags.
    pub(crate) tags: Option<OwnerTags>,
    /// Why it may look in another place than the one that was asked, so that "it is not there" proves nothing.
    pub(crate) doubt: Option<String>,
}

type Promise<'a, T> = Pin<Box<dyn Future<Output = Result<T, Diagnostics>> + 'a>>;

impl<'a> Remembered<'a> {
    pub(crate) fn new(
        program: &'a Program,
        recorder: &'a dyn Recorder,
        running: &'a RunningProviders<'a>,
    ) -> Self {
        Self {
            program,
            recorder,
            running,
            objects: Objects::new(program),
            loaded: RefCell::default(),
            present: RefCell::default(),
            providers: RefCell::default(),
            closures: OnceCell::new(),
            warnings: RefCell::default(),
        }
    }

    pub(crate) fn program(&self) -> &'a Program {
        self.program
    }

    /// Where warnings go.
    pub(crate) fn warnings(&self) -> &RefCell<Diagnostics> {
        &self.warnings
    }

    pub(crate) fn into_warnings(self) -> Diagnostics {
        self.warnings.into_inner()
    }

    /// The provider that was asked, as the program configures it; where it no longer does, the one that the program has for the address
    /// now. A state alone must never cause a program to be started: a person who can write it would run code here.
    pub(crate) async fn served(&self, intent: &Intent) -> Result<Option<Served>, Diagnostics> {
        let (address, asked) = (&intent.address, &intent.provider);
        let place = self.program.position(address);
        let declared = place.map(|position| &self.program.resources()[position]);
        let same = serving(self.program, asked);
        let Some(position) = same.or(declared.map(|resource| resource.provider)) else {
            return Ok(None);
        };
        let location = declared.map(|resource| resource.location);
        let ready = self.provider(position).await?;
        let config = &self.program.providers()[position];
        let schema = schema_of(&*ready.provider, address, &config.address.source, location)?;
        let doubt = match same {
            None => Some(format!(
                "{asked} was asked, which the program no longer configures"
            )),
            Some(_) => ready
                .doubt
                .clone()
                .map(|doubt| format!("{}: {doubt}", config.address))
                .or_else(|| self.moved(intent, &ready, &config.address)),
        };
        Ok(Some(Served {
            provider: ready.provider,
            by: match same {
                Some(_) => asked.clone(),
                None => config.address.clone(),
            },
            schema,
            location,
            declared: place,
            tags: OwnerTags::of_provider(config),
            recovery: config.binding.map(|binding| &binding.lookup),
            doubt,
        }))
    }

    /// Says so when a provider is configured in another way than when it was asked.
    fn moved(
        &self,
        intent: &Intent,
        ready: &Ready,
        address: &ProviderConfigAddr,
    ) -> Option<String> {
        let then = intent.provider_hmac.as_ref()?;
        let now = place_fingerprint(intent.op, &ready.place);
        (now != *then)
            .then(|| format!("{address} is configured differently than when it was asked"))
    }

    /// The configuration of a declared instance, as far as the state knows the objects that it refers to.
    pub(crate) async fn config(
        &self,
        position: ResourceId,
        schema: &Schema,
    ) -> Result<Config, Diagnostics> {
        let resource = &self.program.resources()[position];
        self.load(&resource.dependencies).await?;
        self.evaluate(position, schema).await
    }

    /// The configuration of an action, as far as the state knows the objects that it refers to.
    pub(crate) async fn action_config(
        &self,
        action: &DeclaredAction,
        schema: &Schema,
    ) -> Result<Config, Diagnostics> {
        self.load(&action.dependencies).await?;
        config::evaluate(
            &action.arguments,
            schema,
            &self.objects,
            &action.address,
            Some(action.location),
            self.running,
        )
        .await
    }

    async fn evaluate(&self, position: ResourceId, schema: &Schema) -> Result<Config, Diagnostics> {
        let resource = &self.program.resources()[position];
        let location = Some(resource.location);
        config::evaluate(
            &resource.arguments,
            schema,
            &self.objects,
            &resource.address,
            location,
            self.running,
        )
        .await
    }

    /// The ignored changes of a declared instance.
    pub(crate) fn ignored(&self, position: ResourceId) -> &IgnoreChanges {
        &self.program.resources()[position].lifecycle.ignore_changes
    }

    /// Fills in the facts that the state keeps beside a created object: those of the program now and, where the operation's
    /// intent has them, those of then.
    pub(crate) fn complete(
        &self,
        intent: &Intent,
        declared: Option<ResourceId>,
        config: Option<&Config>,
        object: &mut Loaded,
    ) {
        let mut sensitive = config.map_or_else(BTreeSet::new, |config| config.sensitive.clone());
        match &intent.sensitive_paths {
            Some(paths) => match paths.iter().map(|path| path.parse()).collect() {
                Ok(then) => sensitive.append(&mut { then }),
                Err::<BTreeSet<Path>, _>(_) => sensitive.extend(everything(&object.value)),
            },
            // The marks of the program at that time are unknown.
            None if config.is_none() => sensitive.extend(everything(&object.value)),
            None => {}
        }
        object.sensitive = Arc::new(sensitive);
        object.dependencies = match (&intent.dependencies, declared) {
            (Some(referred), _) => self.closure_of(intent, referred),
            (None, Some(position)) => {
                let closures = self.closures.get_or_init(|| Closures::new(self.program));
                DependencyLists::new(closures).dependencies(position, None)
            }
            (None, None) => Arc::default(),
        };
        if let Some(position) = declared {
            let lifecycle = &self.program.resources()[position].lifecycle;
            object.create_before_destroy = lifecycle.create_before_destroy;
        }
        object.forget_stored_form();
    }

    /// The dependencies of an object that referred to these: themselves, and their dependencies in the state.
    fn closure_of(&self, intent: &Intent, referred: &[ConfigAddr]) -> Arc<[ConfigAddr]> {
        let own = intent.address.resource.config();
        let mut closure: BTreeSet<ConfigAddr> = referred.iter().cloned().collect();
        for (address, instance) in &self.recorder.state().resources {
            if referred.contains(&address.resource.config())
                && let Some(current) = &instance.current
            {
                closure.extend(current.dependencies.iter().cloned());
            }
        }
        closure.remove(&own);
        closure.into_iter().collect()
    }

    /// A configured provider. What its configuration refers to is looked at first; the program has no cycles, so that ends.
    /// A provider as the program configures it, with the objects that the state has.
    pub(crate) async fn configured(
        &self,
        position: ProviderId,
    ) -> Result<Arc<dyn Provider>, Diagnostics> {
        Ok(self.provider(position).await?.provider)
    }

    fn provider(&self, position: ProviderId) -> Promise<'_, Ready> {
        Box::pin(async move {
            if let Some(ready) = self.providers.borrow().get(&position) {
                return Ok(ready.clone());
            }
            let declared = &self.program.providers()[position];
            let mut doubt = None;
            for &needed in &declared.dependencies {
                doubt = doubt.or(self.present(needed).await?);
            }
            let configured = self.running.configure_as_declared(declared, &self.objects);
            let configured = configured.await?;
            self.warnings.borrow_mut().extend(configured.warnings);
            if !configured.config.value.is_wholly_known() {
                doubt = doubt.or(Some("its configuration is not known".to_owned()));
            }
            let ready = Ready {
                provider: configured.provider,
                place: configured.place,
                doubt,
            };
            self.providers.borrow_mut().insert(position, ready.clone());
            Ok(ready)
        })
    }

    /// Reads an instance that a provider is configured with; why the result may not hold.
    fn present(&self, position: ResourceId) -> Promise<'_, Option<String>> {
        Box::pin(async move {
            if let Some(doubt) = self.present.borrow().get(&position) {
                return Ok(doubt.clone());
            }
            let resource = &self.program.resources()[position];
            let ready = self.provider(resource.provider).await?;
            let source = &self.program.providers()[resource.provider].address.source;
            let location = Some(resource.location);
            let schema = schema_of(&*ready.provider, &resource.address, source, location)?;
            let subject = Subject {
                provider: &*ready.provider,
                source,
                schema: &schema,
                address: &resource.address,
                location,
                warnings: &self.warnings,
                deferred: None,
                meta: meta_for(self.program, &resource.address, source),
                events: self.running.events(),
            };
            let instance = self.recorder.instance(&resource.address);
            let stored = instance.as_ref().and_then(|i| i.current.as_ref());
            let (object, doubt) = match resource.mode() {
                Mode::Data => self.answer(position, &subject, stored).await?,
                Mode::Managed => self.read(&subject, stored).await?,
                Mode::Ephemeral => {
                    let provider = ready.provider.clone();
                    self.opened(position, provider, &schema).await?
                }
            };
            let doubt = doubt.or(ready.doubt);
            self.objects.set(position, Arc::new(object));
            self.loaded.borrow_mut().insert(position);
            self.present.borrow_mut().insert(position, doubt.clone());
            Ok(doubt)
        })
    }

    /// A data source's current answer; else the one in the state.
    async fn answer(
        &self,
        position: ResourceId,
        subject: &Subject<'_>,
        stored: Option<&Arc<Object>>,
    ) -> Result<(Marked, Option<String>), Diagnostics> {
        let mut doubt = None;
        for &needed in &self.program.resources()[position].dependencies {
            doubt = doubt.or(self.present(needed).await?);
        }
        let config = self.evaluate(position, subject.schema).await?;
        if config.value.is_wholly_known()
            && let Ok(answer) = subject.read_data(&config).await
        {
            return Ok((answer, doubt));
        }
        let address = subject.address;
        let answer = stored.and_then(|stored| {
            let value = stored_answer(stored, subject.schema)?;
            Some(subject.marked(value, &stored.sensitive_attributes.paths))
        });
        Ok(match answer {
            Some(answer) => {
                let why = format!("it is configured with the stored answer of `{address}`");
                (answer, Some(why))
            }
            None => {
                let why = format!("`{address}` cannot be read, which configures it");
                (Marked::plain(Value::UNKNOWN), Some(why))
            }
        })
    }

    /// An ephemeral resource, opened if everything about it is known.
    async fn opened(
        &self,
        position: ResourceId,
        provider: Arc<dyn Provider>,
        schema: &Schema,
    ) -> Result<(Marked, Option<String>), Diagnostics> {
        let resource = &self.program.resources()[position];
        let mut doubt = None;
        for &needed in &resource.dependencies {
            doubt = doubt.or(self.present(needed).await?);
        }
        let config = self.evaluate(position, schema).await?;
        let address = &resource.address;
        if !config.value.is_wholly_known() {
            let why = format!("`{address}` cannot be opened, which configures it");
            return Ok((Marked::plain(Value::UNKNOWN), Some(why)));
        }
        let opening = Opening {
            deferred: None,
            position,
            address,
            location: resource.location,
            provider,
            config: &config,
        };
        let (object, warnings) = self.running.open(opening).await?;
        self.warnings.borrow_mut().extend(warnings);
        Ok((object.as_ref().clone(), doubt))
    }

    /// An object as it is now; else as it was last read.
    async fn read(
        &self,
        subject: &Subject<'_>,
        stored: Option<&Arc<Object>>,
    ) -> Result<(Marked, Option<String>), Diagnostics> {
        let address = subject.address;
        let Some(stored) = stored else {
            let why = format!("`{address}` does not exist, which configures it");
            return Ok((Marked::plain(Value::UNKNOWN), Some(why)));
        };
        let last = subject.load(stored).await?;
        let (object, doubt) = match subject.read(&last).await? {
            Some(read) => (read, None),
            None => {
                let why = format!("`{address}` is gone, which configures it");
                (last, Some(why))
            }
        };
        Ok((subject.marked(object.value, &object.sensitive), doubt))
    }

    /// Loads the objects of these positions of the program from the state; the others stay unknown.
    async fn load(&self, positions: &[ResourceId]) -> Result<(), Diagnostics> {
        for &position in positions {
            if !self.loaded.borrow_mut().insert(position) {
                continue;
            }
            let object = self.object(position).await?;
            self.objects.set(position, Arc::new(object));
        }
        Ok(())
    }

    async fn object(&self, position: ResourceId) -> Result<Marked, Diagnostics> {
        let resource = &self.program.resources()[position];
        if resource.mode() == Mode::Ephemeral {
            self.present(position).await?;
            let object = self.objects.get(position).unwrap_or_else(not_open);
            return Ok(object.as_ref().clone());
        }
        let instance = self.recorder.instance(&resource.address);
        let Some(stored) = instance.as_ref().and_then(|i| i.current.as_ref()) else {
            return Ok(Marked::plain(Value::UNKNOWN));
        };
        let provider = self.provider(resource.provider).await?.provider;
        let source = &self.program.providers()[resource.provider].address.source;
        let location = Some(resource.location);
        let schema = schema_of(&*provider, &resource.address, source, location)?;
        let subject = Subject {
            provider: &*provider,
            source,
            schema: &schema,
            address: &resource.address,
            location,
            warnings: &self.warnings,
            deferred: None,
            meta: meta_for(self.program, &resource.address, source),
            events: self.running.events(),
        };
        if resource.mode() == Mode::Data {
            let value = stored_answer(stored, &schema).unwrap_or(Value::UNKNOWN);
            return Ok(subject.marked(value, &stored.sensitive_attributes.paths));
        }
        let loaded = subject.load(stored).await?;
        Ok(subject.marked(loaded.value, &loaded.sensitive))
    }
}

/// The paths of all attributes.
fn everything(object: &Value) -> impl Iterator<Item = Path> {
    let names = object.members().into_iter().flatten();
    names.map(|(name, _)| Path::root().attribute(name.clone()))
}
