//! The plan cache in a run: what is known from before, and what this run learns.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use terrane_core::Value;
use terrane_core::addr::{InstanceAddr, Mode, ProviderSource};
use terrane_core::schema::Schema;
use terrane_provider::{Provider, Providers};
use terrane_state::{Object, State, Timestamp};

use super::digest::{Digest, Parts, of_object};
use super::{KnownProvider, KnownType, PlanCache};
use crate::config::Config;

/// The rules by which plans are made here. Another version of terrane asks anew.
const RULES: &str = concat!("terrane ", env!("CARGO_PKG_VERSION"), ", rules 1");

/// A clock that is ahead by more than that wrote a reading that cannot be believed.
const AHEAD: u64 = 300;

/// More than that is not kept where a run has seen only a part of a stack.
const MOST: usize = 1 << 20;

/// What is known from before, and what this run learns.
pub(crate) struct Memory {
    known: PlanCache,
    learnt: RefCell<PlanCache>,
    builds: RefCell<HashMap<ProviderSource, Option<Arc<str>>>>,
    /// The managed objects of the state that the present plan is made from.
    objects: RefCell<OnceCell<Digest>>,
    /// When the present plan was begun; what it reads counts as read then.
    now: Cell<Timestamp>,
    /// A plan has looked at everything that there is, so what it did not find is not needed any more.
    is_whole: Cell<bool>,
}

/// A provider in a configuration.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Which provider.
    pub(crate) source: &'a ProviderSource,
    /// The hash of where it is configured to look.
    pub(crate) place: &'a str,
}

/// Everything that an answer about an instance rests on.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    /// Who is asked.
    pub(crate) asked: Asked<'a>,
    /// About which instance.
    pub(crate) address: &'a InstanceAddr,
    /// What is stored of it.
    pub(crate) stored: &'a Object,
    /// Its arguments.
    pub(crate) config: &'a Config,
    /// Its lifecycle, as far as it has a part in plans.
    pub(crate) lifecycle: &'a dyn std::fmt::Debug,
    /// What its module says about itself.
    pub(crate) meta: Option<&'a Value>,
}

impl Memory {
    pub(crate) fn new(known: PlanCache) -> Self {
        Self {
            known,
            learnt: RefCell::default(),
            builds: RefCell::default(),
            objects: RefCell::default(),
            now: Cell::new(Timestamp::new(0, 0)),
            is_whole: Cell::new(false),
        }
    }

    /// Another plan begins: finds out which builds of those providers would answer it.
    pub(crate) async fn begin(
        &self,
        providers: &dyn Providers,
        sources: impl Iterator<Item = &ProviderSource>,
        now: Timestamp,
    ) {
        self.objects.replace(OnceCell::new());
        self.now.set(now);
        for source in sources {
            if self.builds.borrow().contains_key(source) {
                continue;
            }
            let build = providers.build(source).await.map(Arc::from);
            self.builds.borrow_mut().insert(source.clone(), build);
        }
    }

    /// A plan was made that looked at everything.
    pub(crate) fn was_whole(&self) {
        self.is_whole.set(true);
    }

    fn build(&self, source: &ProviderSource) -> Option<Arc<str>> {
        self.builds.borrow().get(source).cloned().flatten()
    }

    /// The schemas of a provider, if the build that would be started had them before.
    pub(crate) fn provider(&self, source: &ProviderSource) -> Option<KnownProvider> {
        let build = self.build(source)?;
        let known = self.known.providers.get(source);
        known.filter(|known| known.build == build).cloned()
    }

    /// The name of a stored object as that provider reads it.
    fn object(
        &self,
        source: &ProviderSource,
        address: &InstanceAddr,
        stored: &Object,
    ) -> Option<Digest> {
        let build = self.build(source)?;
        let parts = Parts::of("read").text(RULES).text(&source.to_string());
        let parts = parts.text(&build).bytes(&of_object(address, stored));
        Some(parts.digest())
    }

    /// When a stored object was read by the provider as it is now; `None` if it never was, or too long ago.
    pub(crate) fn read_at(
        &self,
        source: &ProviderSource,
        (address, stored): (&InstanceAddr, &Object),
        max_age: Option<Duration>,
    ) -> Option<Timestamp> {
        let object = self.object(source, address, stored)?;
        self.is_young(&object, max_age)
    }

    fn is_young(&self, reading: &Digest, max_age: Option<Duration>) -> Option<Timestamp> {
        let now = self.now.get();
        let learnt = self.learnt.borrow().readings.get(reading).copied();
        let at = learnt.or_else(|| self.known.readings.get(reading).copied())?;
        let is_believable = at <= seconds(now).saturating_add(AHEAD);
        let read = Timestamp::new(at, 0);
        let is_young = max_age.is_none_or(|most| now.since(read) <= most);
        if !is_believable || !is_young {
            return None;
        }
        self.learnt.borrow_mut().readings.insert(*reading, at);
        Some(read)
    }

    /// A provider has just said what this object is.
    pub(crate) fn note_reading(
        &self,
        source: &ProviderSource,
        address: &InstanceAddr,
        object: &Object,
    ) {
        if let Some(object) = self.object(source, address, object) {
            let mut learnt = self.learnt.borrow_mut();
            learnt.readings.insert(object, seconds(self.now.get()));
        }
    }

    fn parts(&self, kind: &str, asked: Asked<'_>) -> Option<Parts> {
        let build = self.build(asked.source)?;
        let parts = Parts::of(kind).text(RULES).text(&asked.source.to_string());
        Some(parts.text(&build).text(asked.place))
    }

    fn question(&self, kind: &str, question: Question<'_>) -> Option<Parts> {
        let Question {
            asked,
            address,
            stored,
            config,
            lifecycle,
            meta,
        } = question;
        let parts = self.parts(kind, asked)?;
        let parts = parts
            .text(&address.resource.type_name)
            .bytes(&of_object(address, stored))
            .value(&config.value)
            .debug(&config.sensitive)
            .debug(&lifecycle);
        Some(match meta {
            None => parts.text("no meta"),
            Some(meta) => parts.value(meta),
        })
    }

    fn knows(&self, answer: Option<Digest>) -> bool {
        let Some(answer) = answer else { return false };
        let mut learnt = self.learnt.borrow_mut();
        let is_known = self.known.answers.contains(&answer) || learnt.answers.contains(&answer);
        is_known && {
            learnt.answers.insert(answer);
            true
        }
    }

    /// Whether a provider in that configuration was configured before without a word.
    pub(crate) fn knows_configuration(&self, asked: Asked<'_>) -> bool {
        let parts = self.parts("configured", asked);
        self.knows(parts.map(|parts| parts.digest()))
    }

    /// A provider was configured without a word.
    pub(crate) fn note_configuration(&self, asked: Asked<'_>, provider: &dyn Provider) {
        let (Some(parts), Some(build)) =
            (self.parts("configured", asked), self.build(asked.source))
        else {
            return;
        };
        let (Ok(config), Ok(meta)) = (provider.config_schema(), provider.provider_meta_schema())
        else {
            return;
        };
        let mut learnt = self.learnt.borrow_mut();
        learnt.answers.insert(parts.digest());
        let known = KnownProvider {
            build,
            config,
            meta,
            resources: Default::default(),
            data_sources: Default::default(),
        };
        let providers = &mut learnt.providers;
        providers.entry(asked.source.clone()).or_insert(known);
    }

    /// Whether nothing was planned for an instance when the same was asked before.
    pub(crate) fn plans_nothing(&self, question: Question<'_>) -> bool {
        let parts = self.question("nothing to do", question);
        self.knows(parts.map(|parts| parts.digest()))
    }

    /// Nothing is planned for an instance, and its provider said nothing about it.
    pub(crate) fn note_nothing(
        &self,
        question: Question<'_>,
        provider: &dyn Provider,
        schema: &Arc<Schema>,
    ) {
        let Some(parts) = self.question("nothing to do", question) else {
            return;
        };
        let type_name = &question.address.resource.type_name;
        let Ok(identity) = provider.identity_schema(type_name) else {
            return;
        };
        let mut learnt = self.learnt.borrow_mut();
        learnt.answers.insert(parts.digest());
        self.known_types(&mut learnt, question, |known| {
            let known_type = || KnownType {
                schema: schema.clone(),
                identity,
            };
            let resources = &mut known.resources;
            resources
                .entry(type_name.clone())
                .or_insert_with(known_type);
        });
    }

    /// When a data source gave the stored answer to the same question, while the objects of the state were what they are.
    pub(crate) fn answered_at(
        &self,
        question: Question<'_>,
        state: &State,
        max_age: Option<Duration>,
    ) -> Option<Timestamp> {
        let answer = self.data_answer(question, state)?;
        self.is_young(&answer, max_age)
    }

    /// A data source gives the stored answer again.
    pub(crate) fn note_answer(&self, question: Question<'_>, state: &State, schema: &Arc<Schema>) {
        let Some(answer) = self.data_answer(question, state) else {
            return;
        };
        let mut learnt = self.learnt.borrow_mut();
        learnt.readings.insert(answer, seconds(self.now.get()));
        self.known_types(&mut learnt, question, |known| {
            let type_name = question.address.resource.type_name.clone();
            known.data_sources.insert(type_name, schema.clone());
        });
    }

    /// What a data source reads may be an object of the stack itself, so an answer holds as long as nothing is applied.
    fn data_answer(&self, question: Question<'_>, state: &State) -> Option<Digest> {
        let objects = self.objects.borrow();
        let objects = objects.get_or_init(|| {
            let managed = state.resources.iter();
            let managed = managed.filter(|(address, _)| address.resource.mode == Mode::Managed);
            let current = managed
                .filter_map(|(address, instance)| Some((address, instance.current.as_ref()?)));
            let each = current.fold(Parts::of("objects"), |parts, (address, object)| {
                parts.bytes(&of_object(address, object))
            });
            each.digest()
        });
        let parts = self.question("read data", question)?;
        Some(parts.bytes(objects).digest())
    }

    /// Notes schemas of the provider that a question was asked.
    fn known_types(
        &self,
        learnt: &mut PlanCache,
        question: Question<'_>,
        note: impl FnOnce(&mut KnownProvider),
    ) {
        let source = question.asked.source;
        if let Some(known) = learnt.providers.get_mut(source) {
            note(known);
        } else if let Some(mut known) = self.provider(source) {
            note(&mut known);
            learnt.providers.insert(source.clone(), known);
        }
    }

    /// What is known now.
    pub(crate) fn cache(&self) -> PlanCache {
        let mut cache = self.learnt.borrow().clone();
        for (source, known) in &self.known.providers {
            let is_same = self.build(source).as_ref() == Some(&known.build);
            match cache.providers.get_mut(source) {
                None if is_same => {
                    cache.providers.insert(source.clone(), known.clone());
                }
                Some(learnt) if is_same => {
                    for (name, known) in &known.resources {
                        let entry = learnt.resources.entry(name.clone());
                        entry.or_insert_with(|| known.clone());
                    }
                    for (name, known) in &known.data_sources {
                        let entry = learnt.data_sources.entry(name.clone());
                        entry.or_insert_with(|| known.clone());
                    }
                }
                _ => {}
            }
        }
        let is_small = self.known.answers.len() + self.known.readings.len() <= MOST;
        if !self.is_whole.get() && is_small {
            cache.answers.extend(&self.known.answers);
            for (reading, at) in &self.known.readings {
                cache.readings.entry(*reading).or_insert(*at);
            }
        }
        cache
    }
}

fn seconds(at: Timestamp) -> u64 {
    at.since(Timestamp::new(0, 0)).as_secs()
}
