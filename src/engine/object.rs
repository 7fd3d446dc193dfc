//! Objects between the state, where they are stored text, and the engine, where they are values.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use terrane_core::addr::{ConfigAddr, InstanceAddr, Mode, ProviderSource};
use terrane_core::schema::{IdentitySchema, Schema};
use terrane_core::{
    DeclaredMeta, Diagnostic, Diagnostics, Location, Marked, Path, PathStep, Type, Value,
};
use terrane_provider::{
    Deferred, Identity, Provider, RawState, ReadResource, UpgradeResourceIdentity,
    UpgradeResourceState,
};
use terrane_state::model::{self, Attributes};
use terrane_state::{Object, ObjectStatus, RawJson};

use crate::diff::normalise_legacy;
use crate::event::EventSink;
use crate::running::call_failed;
use crate::write_only::AnswerOf;

/// A stored object as a value of the current schema.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) value: Value,
    pub(crate) private: Bytes,
    pub(crate) identity: Option<Identity>,
    /// Sensitive paths that the state recorded.
    pub(crate) sensitive: Arc<BTreeSet<Path>>,
    pub(crate) status: ObjectStatus,
    pub(crate) dependencies: Arc<[ConfigAddr]>,
    pub(crate) create_before_destroy: bool,
    /// The stored form, as long as it says the same; so that an unchanged object is not encoded again.
    stored: Option<Arc<Object>>,
}

/// Everything a call about one instance needs.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) provider: &'a dyn Provider,
    /// The provider by name, for messages.
    pub(crate) source: &'a ProviderSource,
    pub(crate) schema: &'a Schema,
    pub(crate) address: &'a InstanceAddr,
    pub(crate) location: Option<Location>,
    /// Where a plan learns that the provider defers what it was asked; elsewhere that is an error alone.
    pub(crate) deferred: Option<&'a Cell<Option<Deferred>>>,
    /// What its module says about itself.
    pub(crate) meta: Option<&'a DeclaredMeta>,
    /// Where warnings go; they survive success.
    pub(crate) warnings: &'a RefCell<Diagnostics>,
    /// Receives every sensitive value, so that it can be hidden.
    pub(crate) events: &'a dyn EventSink,
}

impl Subject<'_> {
    /// `value` if the provider reported no error; its warnings are kept.
    pub(crate) fn accept<T>(&self, diagnostics: Diagnostics, value: T) -> Result<T, Diagnostics> {
        let (value, warnings) = self.about(diagnostics).into_result(value)?;
        self.warnings.borrow_mut().extend(warnings);
        Ok(value)
    }

    pub(crate) fn type_name(&self) -> &str {
        &self.address.resource.type_name
    }

    /// Says which instance diagnostics are about, and where it is declared.
    pub(crate) fn about(&self, diagnostics: Diagnostics) -> Diagnostics {
        diagnostics
            .into_iter()
            .map(|mut diagnostic| {
                diagnostic
                    .address
                    .get_or_insert_with(|| self.address.to_string());
                diagnostic.location = diagnostic.location.or(self.location);
                diagnostic
            })
            .collect()
    }

    pub(crate) fn error(&self, summary: impl Into<String>) -> Diagnostic {
        let diagnostic = Diagnostic::error(summary).address(self.address);
        match self.location {
            Some(location) => diagnostic.location(location),
            None => diagnostic,
        }
    }

    pub(crate) fn warning(&self, summary: impl Into<String>) -> Diagnostic {
        let diagnostic = Diagnostic::warning(summary).address(self.address);
        match self.location {
            Some(location) => diagnostic.location(location),
            None => diagnostic,
        }
    }

    pub(crate) fn call_failed(&self, error: &terrane_provider::CallError) -> Diagnostics {
        self.about(call_failed(error, self.address))
    }

    /// Marks an object: the sensitive paths of the schema and those of `marks`, where there is a value.
    pub(crate) fn marked(&self, value: Value, marks: &BTreeSet<Path>) -> Marked {
        let mut sensitive = self.schema.block.sensitive_paths(&value);
        for mark in marks {
            let mark = fit_mark(self.schema.ty(), mark);
            if value.at(&mark).is_some_and(|value| !value.is_null()) {
                sensitive.insert(mark);
            }
        }
        let marked = Marked { value, sensitive };
        if marked.is_sensitive() {
            self.events.conceal(&marked);
        }
        marked
    }

    /// Reads a stored object: upgrades it to the provider's current schema. Due whenever an object is loaded.
    pub(crate) async fn load(&self, object: &Arc<Object>) -> Result<Loaded, Diagnostics> {
        if object.schema_version > self.schema.version {
            return Err(self
                .error(format!(
                    "the state has schema version {} of {}, the provider knows only {}",
                    object.schema_version,
                    self.type_name(),
                    self.schema.version
                ))
                .hint("a newer version of the provider wrote it; use that version or a later one")
                .into());
        }
        // An upgrade that fails may repeat its input.
        if !object.sensitive_attributes.paths.is_empty() {
            let json = object.attributes.raw().as_str().as_bytes();
            self.events.conceal(&Marked {
                value: Value::from_json_stored(json).unwrap_or_default(),
                sensitive: (*object.sensitive_attributes.paths).clone(),
            });
        }
        let flatmap: BTreeMap<String, String>;
        let raw_state = match &object.attributes {
            Attributes::Json(raw) => RawState::Json(raw.as_str().as_bytes()),
            Attributes::Flat(raw) => {
                let value = Value::from_json_untyped(raw.as_str().as_bytes())
                    .map_err(|error| self.error(format!("unreadable flat attributes: {error}")))?;
                flatmap = value
                    .members()
                    .into_iter()
                    .flatten()
                    .filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned())))
                    .collect();
                RawState::Flatmap(&flatmap)
            }
        };
        let response = self
            .provider
            .upgrade_resource_state(UpgradeResourceState {
                type_name: self.type_name(),
                version: object.schema_version,
                raw_state,
            })
            .await
            .map_err(|error| self.call_failed(&error))?;
        let value = self.accept(response.diagnostics, response.upgraded_state)?;
        let value = self.without_write_only(AnswerOf::Upgrade, value)?;
        let value = self.known("an upgrade", value)?;
        let current = object.schema_version == self.schema.version
            && matches!(object.attributes, Attributes::Json(_))
            && !self.stores_write_only(object);
        Ok(Loaded {
            value,
            private: object.private.clone(),
            identity: self.load_identity(object).await?,
            sensitive: object.sensitive_attributes.paths.clone(),
            status: object.status,
            dependencies: object.dependencies.clone(),
            create_before_destroy: object.create_before_destroy,
            stored: current.then(|| object.clone()),
        })
    }

    /// Whether an object was stored by a version of its provider whose schema of the type was another one.
    pub(crate) fn is_of_another_schema(&self, object: &Object) -> bool {
        let block = &self.schema.block;
        let stored = match &object.attributes {
            Attributes::Json(raw) => Value::from_json_untyped(raw.as_str().as_bytes()),
            Attributes::Flat(_) => return true,
        };
        let is_alike = stored.is_ok_and(|stored| {
            let names = stored.members().into_iter().flatten();
            let mut now: Vec<_> = block.attributes.keys().chain(block.blocks.keys()).collect();
            now.sort_unstable();
            names.map(|(name, _)| name).eq(now)
        });
        object.schema_version != self.schema.version || !is_alike
    }

    /// An error if the provider defers what it was asked.
    pub(crate) fn not_deferred(&self, deferred: Option<Deferred>) -> Result<(), Diagnostics> {
        let Some(why) = deferred else {
            return Ok(());
        };
        if let Some(told) = self.deferred {
            told.set(Some(why));
        }
        Err(self
            .error(format!("{} defers what it was asked", self.source))
            .detail(why.to_string())
            .hint("leave the object out of this run with `--exclude`, and run again without")
            .into())
    }

    /// `value` as the provider returned it from `call`, if nothing of it is unknown.
    fn known(&self, call: &str, value: Value) -> Result<Value, Diagnostics> {
        if value.is_wholly_known() {
            return Ok(value);
        }
        Err(self
            .error(format!("the provider returned unknown values from {call}"))
            .hint("this is a bug in the provider; report it to its developers")
            .into())
    }

    /// Whether the stored text holds a value that has become write-only since; then it is not kept.
    fn stores_write_only(&self, object: &Object) -> bool {
        let block = &self.schema.block;
        if !block.has_write_only() {
            return false;
        }
        let json = object.attributes.raw().as_str().as_bytes();
        Value::from_json_untyped(json)
            .is_ok_and(|stored| !block.write_only_values(&stored).is_empty())
    }

    /// A stored object without its provider, where it has the form of the current schema: as the provider gave it back when nothing was
    /// upgraded.
    pub(crate) async fn decoded(&self, object: &Arc<Object>) -> Option<Loaded> {
        let identity_schema = self.provider.identity_schema(self.type_name()).ok()?;
        let has_current_identity = match (&object.identity, identity_schema) {
            (Some(stored), Some(schema)) => stored.schema_version == schema.version,
            _ => true,
        };
        let Attributes::Json(raw) = &object.attributes else {
            return None;
        };
        if object.schema_version != self.schema.version || !has_current_identity {
            return None;
        }
        let value = Value::from_json(raw.as_str().as_bytes(), self.schema.ty()).ok()?;
        Some(Loaded {
            value,
            private: object.private.clone(),
            identity: self.load_identity(object).await.ok()?,
            sensitive: object.sensitive_attributes.paths.clone(),
            status: object.status,
            dependencies: object.dependencies.clone(),
            create_before_destroy: object.create_before_destroy,
            stored: Some(object.clone()),
        })
    }

    async fn load_identity(&self, object: &Object) -> Result<Option<Identity>, Diagnostics> {
        let Some(stored) = &object.identity else {
            return Ok(None);
        };
        let schema = self.provider.identity_schema(self.type_name());
        let Some(schema) = schema.map_err(|error| self.call_failed(&error))? else {
            return Ok(None);
        };
        let json = stored.json.as_str().as_bytes();
        if stored.schema_version > schema.version {
            return Err(self
                .error("the state has an identity of a newer version than the provider knows")
                .hint("use the version of the provider that wrote it, or a later one")
                .into());
        }
        if stored.schema_version == schema.version {
            let value = Value::from_json(json, schema.ty()).map_err(|error| {
                self.error(format!("unreadable identity in the state: {error}"))
            })?;
            return Ok((!IdentitySchema::is_nothing(&value)).then_some(Identity {
                schema_version: schema.version,
                value,
            }));
        }
        let response = self
            .provider
            .upgrade_resource_identity(UpgradeResourceIdentity {
                type_name: self.type_name(),
                version: stored.schema_version,
                raw_identity: json,
            })
            .await
            .map_err(|error| self.call_failed(&error))?;
        self.accept(response.diagnostics, response.upgraded_identity)
    }

    /// The object as stored, around a value that is known already; for keeping it when its destroy fails.
    pub(crate) fn stored_as(&self, object: &Arc<Object>, value: Value) -> Loaded {
        Loaded {
            private: object.private.clone(),
            sensitive: object.sensitive_attributes.paths.clone(),
            status: object.status,
            dependencies: object.dependencies.clone(),
            create_before_destroy: object.create_before_destroy,
            stored: Some(object.clone()),
            ..Loaded::new(value, Bytes::new(), None)
        }
    }

    /// Reads the object; `None` when it is gone.
    pub(crate) async fn read(&self, loaded: &Loaded) -> Result<Option<Loaded>, Diagnostics> {
        let meta = self.provider_meta()?;
        let response = self
            .provider
            .read_resource(ReadResource {
                provider_meta: meta.as_ref(),
                type_name: self.type_name(),
                current_state: &loaded.value,
                private: &loaded.private,
                current_identity: loaded.identity.as_ref(),
            })
            .await
            .map_err(|error| self.call_failed(&error))?;
        let value = self.accept(response.diagnostics, response.new_state)?;
        self.not_deferred(response.deferred)?;
        if value.is_null() {
            return Ok(None);
        }
        let value = self.without_write_only(AnswerOf::Read, value)?;
        let value = normalise_legacy(&self.schema.block, value);
        let value = self.known("a read", value)?;
        let same = value == loaded.value
            && response.private == loaded.private
            && response.new_identity == loaded.identity;
        Ok(Some(Loaded {
            value,
            private: response.private,
            identity: response.new_identity,
            stored: loaded.stored.clone().filter(|_| same),
            ..loaded.clone()
        }))
    }

    /// The stored form of an object.
    pub(crate) fn store(&self, loaded: &Loaded) -> Result<Arc<Object>, Diagnostics> {
        if let Some(stored) = &loaded.stored
            && stored.dependencies == loaded.dependencies
            && stored.create_before_destroy == loaded.create_before_destroy
            && stored.status == loaded.status
        {
            return Ok(stored.clone());
        }
        let unstorable = |error: terrane_core::value::JsonError| {
            Diagnostics::from(self.error(format!("the object cannot be stored: {error}")))
        };
        let value = self.schema.block.write_only_to_null(&loaded.value);
        let attributes = raw_json(&value, self.schema.ty()).map_err(unstorable)?;
        let mut object = Object::new(self.schema.version, attributes);
        object.status = loaded.status;
        let marked = self.marked(value, &loaded.sensitive);
        object.sensitive_attributes = marked.sensitive.into_iter().collect();
        object.private = loaded.private.clone();
        object.dependencies = loaded.dependencies.clone();
        object.create_before_destroy = loaded.create_before_destroy;
        let identity = loaded.identity.as_ref();
        if let Some(identity) = identity.filter(|it| !IdentitySchema::is_nothing(&it.value)) {
            let schema = self.provider.identity_schema(self.type_name());
            if let Some(schema) = schema.map_err(|error| self.call_failed(&error))? {
                let json = raw_json(&identity.value, schema.ty()).map_err(unstorable)?;
                object.identity = Some(model::Identity {
                    json,
                    schema_version: identity.schema_version,
                });
            }
        }
        Ok(Arc::new(object))
    }
}

impl Loaded {
    /// The stored form, as long as it says the same.
    pub(crate) fn stored_form(&self) -> Option<&Arc<Object>> {
        self.stored.as_ref()
    }

    /// Makes the next [`Subject::store`] encode the object again.
    pub(crate) fn forget_stored_form(&mut self) {
        self.stored = None;
    }

    /// A new object, not stored yet.
    pub(crate) fn new(value: Value, private: Bytes, identity: Option<Identity>) -> Self {
        Self {
            value,
            private,
            identity,
            sensitive: Arc::default(),
            status: ObjectStatus::Ready,
            dependencies: Arc::default(),
            create_before_destroy: false,
            stored: None,
        }
    }
}

/// The schema of an instance's type.
pub(crate) fn schema_of(
    provider: &dyn Provider,
    address: &InstanceAddr,
    source: &ProviderSource,
    location: Option<Location>,
) -> Result<Arc<Schema>, Diagnostics> {
    let type_name = &address.resource.type_name;
    let (schema, kind) = match address.resource.mode {
        Mode::Managed => (provider.resource_schema(type_name), "resource type"),
        Mode::Data => (provider.data_source_schema(type_name), "data source"),
        Mode::Ephemeral => (
            provider.ephemeral_resource_schema(type_name),
            "ephemeral resource type",
        ),
    };
    schema
        .map_err(|error| call_failed(&error, address))?
        .ok_or_else(|| {
            let diagnostic = Diagnostic::error(format!("{source} has no {kind} `{type_name}`"));
            let diagnostic = Diagnostic {
                location,
                ..diagnostic
            };
            let diagnostic = diagnostic.address(address);
            match location {
                Some(_) if source.is_builtin() && type_name.as_ref() == "terraform_remote_state" => {
                    diagnostic.hint(
                        "what another stack exports: read its `output --json` before the run, and give it as configuration (`--var-file`)",
                    )
                }
                Some(_) => diagnostic.hint("check the name and the installed version of the provider"),
                // Only the state names it: the provider had the type once.
                None => diagnostic
                    .hint("install a version of the provider that still has the type; it can then be planned, and destroyed")
                    .hint(format!(
                        "`state rm {}` forgets the object, which stays where it is",
                        address.in_shell()
                    )),
            }
            .into()
        })
}

/// The schema of a data source that is not declared, asked on behalf of an instance.
pub(crate) fn schema_of_data(
    provider: &dyn Provider,
    address: &InstanceAddr,
    data_source: &str,
) -> Result<Arc<Schema>, Diagnostics> {
    let schema = provider.data_source_schema(data_source);
    let schema = schema.map_err(|error| call_failed(&error, address))?;
    schema.ok_or_else(|| {
        Diagnostic::error(format!("the provider has no data source `{data_source}`"))
            .address(address)
            .into()
    })
}

fn raw_json(value: &Value, ty: &Type) -> Result<RawJson, terrane_core::value::JsonError> {
    let json = value.to_json(ty)?;
    Ok(RawJson::new(&json).expect("invariant: our own writer writes valid JSON"))
}

/// A mark in the form the schema has: what lies inside a set has no path, so the set is marked whole; the language writes map keys
/// as members.
pub(crate) fn fit_mark(ty: &Type, mark: &Path) -> Path {
    let mut fitted = Path::root();
    let mut ty = ty;
    for step in mark.steps() {
        let (step, inner) = match (ty, step) {
            (Type::Set(_), _) => break,
            (Type::Map(inner), PathStep::Attribute(key) | PathStep::Key(key)) => {
                (PathStep::Key(key.clone()), &**inner)
            }
            (Type::Object(object), PathStep::Attribute(name)) => (
                step.clone(),
                object.attributes.get(name).unwrap_or(&Type::Dynamic),
            ),
            (Type::List(inner), _) => (step.clone(), &**inner),
            _ => (step.clone(), &Type::Dynamic),
        };
        fitted.push(step);
        ty = inner;
    }
    fitted
}
