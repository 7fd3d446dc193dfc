//! Drafts the declaration of an object that exists: as few arguments as describe it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use terrane_core::addr::{InstanceAddr, ProviderConfigAddr};
use terrane_core::schema::{
    Attribute, AttributeType, Block, IdentitySchema, NestedAttribute, Nesting, Schema,
};
use terrane_core::value::Map;
use terrane_core::{
    Diagnostic, Diagnostics, IgnoreChanges, LookupRules, Path, PathStep, Program, ProviderId, Value,
};
use terrane_provider::Identity;
use terrane_state::{MemoryRecorder, State};

use crate::change::Action;
use crate::config::Config;
use crate::engine::Engine;
use crate::meta::meta_for;
use crate::object::{Loaded, Subject, schema_of};
use crate::plan::instance::{PlannedInstance, Wish};
use crate::recover::Remembered;

/// An object to draft the declaration of.
#[derive(Debug, Clone, PartialEq)]
pub struct Sought {
    /// The address that it shall have; the program does not declare it.
    pub address: InstanceAddr,
    /// The id by which its provider imports it; empty where it has an identity.
    pub id: String,
    /// Its identity, where a list told it.
    pub identity: Option<Value>,
}

/// The draft of an object's declaration.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What was sought.
    pub sought: Sought,
    /// The provider that has it.
    pub provider: ProviderConfigAddr,
    /// The schema of its type.
    pub schema: Arc<Schema>,
    /// The object as it is.
    pub object: Value,
    /// The arguments that describe it; everything else is null.
    pub arguments: Value,
    /// Sensitive arguments that the object has, and that the draft must not show.
    pub secrets: Vec<Path>,
    /// What a preview would change all the same.
    pub differences: Vec<Path>,
}

/// What a provider says to a configuration of an object that exists.
enum Verdict {
    /// It plans nothing.
    Same,
    /// It would change these.
    Differs(Vec<Path>),
    /// It refuses it, because of these.
    Refused(Vec<Path>),
}

/// An argument that may be left out: one attribute, or a nested block with everything in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Optional {
    path: Path,
    /// It says what objects have that say nothing.
    is_empty: bool,
    /// The provider chooses it where a program does not.
    is_computed: bool,
}

impl Engine<'_> {
    /// Drafts the declarations of objects: reads each, and asks its provider which arguments it takes to describe it.
    ///
    /// # Errors
    /// When no provider of the program serves a type, and when an object does not exist or cannot be read.
    pub async fn draft(
        &self,
        program: &Program,
        state: &State,
        sought: Vec<Sought>,
    ) -> Result<(Vec<Draft>, Diagnostics), Diagnostics> {
        let work = self.draft_now(program, state, sought);
        let drafts = self.running().renewing(work).await;
        let closed = self.running().close_ephemerals().await;
        let (drafts, mut warnings) = drafts?;
        warnings.extend(closed);
        Ok((drafts, warnings))
    }

    async fn draft_now(
        &self,
        program: &Program,
        state: &State,
        sought: Vec<Sought>,
    ) -> Result<(Vec<Draft>, Diagnostics), Diagnostics> {
        let recorder = MemoryRecorder::rehearsing(state.clone(), Vec::new());
        let remembered = Remembered::new(program, &recorder, self.running());
        let (mut drafts, mut failed) = (Vec::new(), Diagnostics::new());
        for one in sought {
            match self.draft_one(program, &remembered, one).await {
                Ok(draft) => drafts.push(draft),
                Err(errors) => failed.extend(errors),
            }
        }
        let warnings = remembered.into_warnings();
        match failed.is_empty() {
            true => Ok((drafts, warnings)),
            false => Err(failed),
        }
    }

    async fn draft_one(
        &self,
        program: &Program,
        remembered: &Remembered<'_>,
        sought: Sought,
    ) -> Result<Draft, Diagnostics> {
        let type_name = sought.address.resource.type_name.clone();
        let position = self.serving_type(program, &type_name).await?;
        let declared = &program.providers()[position];
        let provider = remembered.configured(position).await?;
        let source = &declared.address.source;
        let schema = schema_of(&*provider, &sought.address, source, None)?;
        // Its warnings are about arguments that are tried, not about those that are written.
        let quiet = RefCell::default();
        let subject = Subject {
            provider: &*provider,
            source,
            schema: &schema,
            address: &sought.address,
            location: None,
            warnings: &quiet,
            deferred: None,
            meta: meta_for(program, &sought.address, source),
            events: self.host.events,
        };
        let failed = |error| crate::running::call_failed(&error, &declared.address);
        let identified = provider.identity_schema(&type_name).map_err(failed)?;
        let identity = sought.identity.clone().map(|given| Identity {
            value: match &identified {
                Some(schema) => whole_identity(schema, &given),
                None => given,
            },
            schema_version: identified.as_ref().map_or(0, |schema| schema.version),
        });
        let rules = declared.binding.map(|binding| &binding.lookup);
        let id = rules.unwrap_or(&LookupRules::NONE).id_at(&sought.id, None);
        let found = subject.look_up(&id, identity.as_ref()).await?;
        let Some(found) = found else {
            let missing = subject.error(format!("there is no {type_name} `{}`", sought.id));
            let hint = "what an id looks like is in the provider's documentation of the type, under \"Import\"";
            return Err(missing.hint(hint).into());
        };
        let drafting = Drafting::new(&subject, &found);
        let (arguments, differences) = drafting.fewest().await?;
        Ok(Draft {
            provider: declared.address.clone(),
            secrets: (drafting.secrets.iter())
                .filter(|path| found.value.at(path).is_some_and(|value| !is_empty(value)))
                .cloned()
                .collect(),
            object: found.value.clone(),
            schema: schema.clone(),
            sought,
            arguments,
            differences,
        })
    }

    /// The first configuration of a provider that has the type.
    async fn serving_type(
        &self,
        program: &Program,
        type_name: &str,
    ) -> Result<ProviderId, Diagnostics> {
        for (position, config) in program.providers().entries() {
            let process = self.running().process_of(&config.address.source).await?;
            let failed = |error| crate::running::call_failed(&error, &config.address);
            if process
                .resource_schema(type_name)
                .map_err(failed)?
                .is_some()
            {
                return Ok(position);
            }
        }
        let error = format!("no provider of the program has the resource type `{type_name}`");
        Err(Diagnostic::error(error)
            .hint("declare the provider in the program, then run this again")
            .into())
    }
}

/// The search for the fewest arguments.
struct Drafting<'a> {
    subject: &'a Subject<'a>,
    found: &'a Loaded,
    /// All arguments that the object can be described by.
    full: Value,
    optional: Vec<Optional>,
    secrets: BTreeSet<Path>,
}

impl<'a> Drafting<'a> {
    fn new(subject: &'a Subject<'a>, found: &'a Loaded) -> Self {
        let block = &subject.schema.block;
        let full = arguments(block, &found.value);
        let secrets = block.sensitive_paths(&full);
        let mut optional = Vec::new();
        optional_in(block, &full, &Path::root(), &mut optional);
        optional.retain(|one| !secrets.iter().any(|secret| one.path.contains(secret)));
        Self {
            subject,
            found,
            full,
            optional,
            secrets,
        }
    }

    /// The fewest arguments, and what a preview would change all the same.
    async fn fewest(&self) -> Result<(Value, Vec<Path>), Diagnostics> {
        let mut given: BTreeSet<&Optional> = self.optional.iter().collect();
        given.retain(|one| !one.is_empty);
        // First arguments with which the provider changes nothing: some exclude each other, and some empty ones say something.
        for _ in 0..=2 * self.optional.len() {
            match self.ask(&given).await? {
                Verdict::Same => break,
                Verdict::Refused(paths) => {
                    let excluded = |one: &&&Optional| {
                        paths
                            .iter()
                            .any(|path| one.path.contains(path) || path.contains(&one.path))
                    };
                    let mut excluded: Vec<_> = given.iter().filter(excluded).copied().collect();
                    // What the provider chooses itself says least.
                    excluded.sort_by_key(|one| one.is_computed);
                    let Some(last) = excluded.pop() else { break };
                    given.remove(last);
                }
                Verdict::Differs(paths) => {
                    let missing = self.optional.iter().filter(|one| !given.contains(one));
                    let missing: Vec<_> = missing
                        .filter(|one| {
                            paths
                                .iter()
                                .any(|path| one.path.contains(path) || path.contains(&one.path))
                        })
                        .collect();
                    if missing.is_empty() {
                        break;
                    }
                    given.extend(missing);
                }
            }
        }
        // Then without each that is a default: the provider would make the same object without it.
        let before = match self.ask(&given).await? {
            Verdict::Same => Vec::new(),
            Verdict::Differs(paths) | Verdict::Refused(paths) => paths,
        };
        for one in self.optional.iter().rev() {
            if !given.remove(one) {
                continue;
            }
            if !self.is_default(&given, one, &before).await? {
                given.insert(one);
            }
        }
        Ok((self.with(&given), before))
    }

    /// Whether an object that is made without that argument has it all the same, and this one keeps it.
    async fn is_default(
        &self,
        given: &BTreeSet<&Optional>,
        one: &Optional,
        before: &[Path],
    ) -> Result<bool, Diagnostics> {
        let kept = match self.ask(given).await? {
            Verdict::Same => true,
            Verdict::Differs(paths) => paths.iter().all(|path| before.contains(path)),
            Verdict::Refused(_) => false,
        };
        if !kept {
            return Ok(false);
        }
        let Ok(made) = self.plan(None, given).await else {
            return Ok(false);
        };
        let (made, is) = (made.after.at(&one.path), self.found.value.at(&one.path));
        Ok(match (made, is) {
            (Some(made), Some(is)) => made.known_equal(is),
            _ => false,
        })
    }

    async fn ask(&self, given: &BTreeSet<&Optional>) -> Result<Verdict, Diagnostics> {
        match self.plan(Some(self.found), given).await {
            Ok(planned) if planned.action == Action::NoOp => Ok(Verdict::Same),
            Ok(planned) => {
                let mut paths = Vec::new();
                differences(&planned.before, &planned.after, Path::root(), &mut paths);
                paths.extend(planned.replace_paths);
                Ok(Verdict::Differs(paths))
            }
            Err(errors) => {
                let paths: Vec<Path> = errors
                    .iter()
                    .filter_map(|error| error.attribute.clone())
                    .collect();
                match paths.is_empty() {
                    true => Err(errors),
                    false => Ok(Verdict::Refused(paths)),
                }
            }
        }
    }

    async fn plan(
        &self,
        prior: Option<&Loaded>,
        given: &BTreeSet<&Optional>,
    ) -> Result<PlannedInstance, Diagnostics> {
        let config = Config {
            value: self.with(given),
            sensitive: BTreeSet::new(),
        };
        let wish = Wish {
            ignore: &IgnoreChanges::Nothing,
            create_before_destroy: false,
            force: None,
            anew: None,
            planned_private: None,
        };
        self.subject.plan(prior, &config, wish).await
    }

    /// The arguments that are required, with those that are given.
    fn with(&self, given: &BTreeSet<&Optional>) -> Value {
        let left_out = self.optional.iter().filter(|one| !given.contains(one));
        let mut left_out: Vec<&Path> = left_out.map(|one| &one.path).collect();
        left_out.extend(&self.secrets);
        // Blocks of a list from behind: the places of those before stay.
        left_out.sort();
        let mut value = self.full.clone();
        for path in left_out.into_iter().rev() {
            remove(&mut value, path.steps(), &self.subject.schema.block);
        }
        value
    }
}

/// An identity with all its attributes; those that are not given are null.
fn whole_identity(schema: &IdentitySchema, given: &Value) -> Value {
    let terrane_core::Type::Object(object) = schema.ty() else {
        return given.clone();
    };
    let names = object.attributes.keys();
    Value::map(names.map(|name| (name.clone(), given.get(name).cloned().unwrap_or_default())))
}

/// The arguments in an object: everything that a program may say, the rest null.
fn arguments(block: &Block, object: &Value) -> Value {
    let Some(members) = object.members() else {
        return object.clone();
    };
    let mut given = attributes(&block.attributes, members);
    for (name, nested) in &block.blocks {
        let value = members.get(name).cloned().unwrap_or_default();
        let value = each(&value, nested.nesting, |one| arguments(&nested.block, one));
        given.insert(name.clone(), value);
    }
    Value::Map(Arc::new(given))
}

fn attributes(schema: &std::collections::BTreeMap<Arc<str>, Attribute>, members: &Map) -> Map {
    let given = schema.iter().map(|(name, attribute)| {
        let value = members.get(name).cloned().unwrap_or_default();
        let settable = (attribute.required || attribute.optional) && !attribute.write_only;
        let value = match &attribute.ty {
            _ if !settable => Value::Null,
            AttributeType::Plain(_) => value,
            AttributeType::Nested(nested) => {
                each(&value, nested.nesting, |one| nested_arguments(nested, one))
            }
        };
        (name.clone(), value)
    });
    given.collect()
}

fn nested_arguments(nested: &NestedAttribute, object: &Value) -> Value {
    match object.members() {
        Some(members) => Value::Map(Arc::new(attributes(&nested.attributes, members))),
        None => object.clone(),
    }
}

/// Every object of a collection in another form.
fn each(value: &Value, nesting: Nesting, form: impl Fn(&Value) -> Value) -> Value {
    match (nesting, value) {
        (_, Value::Null | Value::Unknown(_)) => value.clone(),
        (Nesting::Single | Nesting::Group, _) => form(value),
        (_, Value::List(elements)) => Value::list(elements.iter().map(form).collect()),
        (_, Value::Set(elements)) => Value::Set(Arc::new(elements.iter().map(form).collect())),
        (_, Value::Map(members)) => {
            Value::map(members.iter().map(|(key, one)| (key.clone(), form(one))))
        }
        _ => value.clone(),
    }
}

/// The optional arguments in a block, and in the blocks that have places.
fn optional_in(block: &Block, given: &Value, at: &Path, found: &mut Vec<Optional>) {
    for (name, attribute) in &block.attributes {
        let Some(value) = given.get(name).filter(|value| !value.is_null()) else {
            continue;
        };
        if attribute.optional {
            found.push(Optional {
                path: at.clone().attribute(name.clone()),
                is_empty: is_empty(value) || attribute.deprecated,
                is_computed: attribute.computed,
            });
        }
    }
    for (name, nested) in &block.blocks {
        let Some(value) = given.get(name).filter(|value| !is_empty(value)) else {
            continue;
        };
        let path = at.clone().attribute(name.clone());
        match (nested.nesting, value) {
            (Nesting::Single | Nesting::Group, one) => {
                optional_in(&nested.block, one, &path, found);
            }
            (Nesting::List, Value::List(elements)) => {
                for (place, one) in elements.iter().enumerate() {
                    optional_in(&nested.block, one, &path.clone().index(place), found);
                }
            }
            _ => {}
        }
        if nested.min_items == 0 {
            found.push(Optional {
                path,
                is_empty: false,
                is_computed: nested.block.computed,
            });
        }
    }
}

/// Whether a value is what objects have that say nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::List(elements) | Value::Set(elements) => elements.is_empty(),
        Value::Map(members) => members.values().all(is_empty),
        Value::Bool(true) | Value::Unknown(_) | Value::Dynamic(_) => false,
    }
}

/// The paths at which two objects differ, as far as both have them.
fn differences(a: &Value, b: &Value, at: Path, found: &mut Vec<Path>) {
    if a.known_equal(b) {
        return;
    }
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => {
            let names: BTreeSet<&Arc<str>> = a.keys().chain(b.keys()).collect();
            for name in names {
                let null = Value::Null;
                let (a, b) = (a.get(name).unwrap_or(&null), b.get(name).unwrap_or(&null));
                differences(a, b, at.clone().attribute(name.clone()), found);
            }
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            for (place, (a, b)) in a.iter().zip(b.iter()).enumerate() {
                differences(a, b, at.clone().index(place), found);
            }
        }
        _ => found.push(at),
    }
}

/// Takes an argument out: an attribute becomes null, and blocks become none.
fn remove(value: &mut Value, steps: &[PathStep], block: &Block) {
    let Some((step, rest)) = steps.split_first() else {
        return;
    };
    match (value, step) {
        (Value::Map(members), PathStep::Attribute(name) | PathStep::Key(name)) => {
            let members = Arc::make_mut(members);
            let inner = block.blocks.get(name);
            match (members.get_mut(name), rest.is_empty()) {
                (Some(member), true) => {
                    *member = inner.map_or(Value::Null, |nested| nested.empty_value());
                }
                (Some(member), false) => {
                    remove(member, rest, inner.map_or(block, |nested| &nested.block));
                }
                (None, _) => {}
            }
        }
        (Value::List(elements), PathStep::Index(place)) => {
            let elements = Arc::make_mut(elements);
            if let Some(element) = elements.get_mut(*place) {
                remove(element, rest, block);
            }
        }
        _ => {}
    }
}
