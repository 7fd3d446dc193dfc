//! Takes objects in that existed before: those that the program imports, and those that were of another type.

use std::sync::Arc;

use terrane_core::{Adoption, Diagnostics, ImportBy, LookupRules, ProviderId, Value};
use terrane_provider::{Identity, MoveResourceState, RawState};
use terrane_state::model::Attributes;
use terrane_state::{Instance, Object};

use super::moves::Origin;
use super::visitor::{Finding, Visitor};
use crate::evidence::{OWNER_TAG, OwnerTags};
use crate::object::{Loaded, Subject};
use crate::write_only::AnswerOf;

impl Visitor<'_> {
    /// The object that the program imports.
    pub(super) async fn adopted(
        &self,
        subject: &Subject<'_>,
        provider: ProviderId,
        adoption: &Adoption,
        finding: &mut Finding,
        config: &Value,
    ) -> Result<Loaded, Diagnostics> {
        let binding = self.inputs.program.providers()[provider].binding;
        let rules = binding.map_or(&LookupRules::NONE, |binding| &binding.lookup);
        let place = rules.place_in(config);
        let at = |errors: Diagnostics| {
            let at = |error: terrane_core::Diagnostic| error.location(adoption.location);
            errors.into_iter().map(at).collect::<Diagnostics>()
        };
        let found = match &adoption.by {
            ImportBy::Id(id) => subject
                .look_up(&rules.id_at(id, place), None)
                .await
                .map_err(at)?,
            ImportBy::Identity(attributes) => {
                let given = Value::map(attributes.clone());
                let identity = subject.identity(&given).map_err(at)?;
                subject.look_up("", Some(&identity)).await.map_err(at)?
            }
        };
        let by = match &adoption.by {
            ImportBy::Id(id) => format!("id `{id}`"),
            ImportBy::Identity(attributes) => {
                let names = attributes.keys().map(|name| format!("`{name}`"));
                let names: Vec<String> = names.collect();
                format!("identity ({})", names.join(", "))
            }
        };
        let Some(loaded) = found else {
            let error = subject.error(format!(
                "there is no {} with that {by}",
                subject.type_name()
            ));
            return Err(error
                .location(adoption.location)
                .detail("nothing was changed")
                .hint("what an id looks like is in the provider's documentation of the type, under \"Import\"")
                .into());
        };
        self.take_in(subject, provider, &loaded, by, finding)?;
        Ok(loaded)
    }

    /// The object that exists already under the name that the configuration gives; `None` where there is none.
    pub(super) async fn adopted_by_name(
        &self,
        subject: &Subject<'_>,
        provider: ProviderId,
        finding: &mut Finding,
        config: &Value,
    ) -> Result<Option<Loaded>, Diagnostics> {
        let declared = &self.inputs.program.providers()[provider];
        let rules = declared.binding.map(|binding| &binding.lookup);
        let rules = rules.unwrap_or(&LookupRules::NONE);
        let Some(rule) = rules.for_type(subject.type_name()) else {
            let error = subject.error(format!(
                "`adopt_if_exists` cannot find objects of type `{}`",
                subject.type_name()
            ));
            return Err(error
                .detail(
                    "the bindings know of no name that tells one from another before it is made",
                )
                .hint("take one in by its id: `stack.import(&resource, \"ID\")`")
                .into());
        };
        // A name that only an apply makes known belongs to an object that this run makes.
        let Some(id) = rule.id(config) else {
            return Ok(None);
        };
        let id = rules.id_at(&id, rules.place_in(config));
        let Some(loaded) = subject.look_up(&id, None).await? else {
            return Ok(None);
        };
        let tags = OwnerTags::of_provider(declared);
        if tags.is_some_and(|tags| tags.of(&loaded.value).is_some()) {
            let address = subject.address.in_shell();
            let error = subject.error(format!("`{id}` exists already, and is another stack's"));
            return Err(error
                .detail(format!(
                    "it has the tag `{OWNER_TAG}`, by which a stack knows its own objects, so it was not taken in"
                ))
                .hint(format!(
                    "if it is yours all the same, take it over with `import {address} '{id}'`; else choose another name"
                ))
                .into());
        }
        let by = format!("its name `{id}` (`adopt_if_exists`)");
        self.take_in(subject, provider, &loaded, by, finding)?;
        Ok(Some(loaded))
    }

    /// Notes that an object is the stack's from now on, and by what it was found.
    fn take_in(
        &self,
        subject: &Subject<'_>,
        provider: ProviderId,
        loaded: &Loaded,
        by: String,
        finding: &mut Finding,
    ) -> Result<(), Diagnostics> {
        let stored = subject.store(loaded)?;
        let provider = self.inputs.provider_addresses[provider].clone();
        finding.instance = Some(Arc::new(Instance::with_current(provider, stored)));
        finding.adopted = Some(by);
        Ok(())
    }

    /// A stored object of another type, turned into one of this type by its provider.
    pub(super) async fn retyped(
        &self,
        subject: &Subject<'_>,
        origin: &Origin,
        stored: &Arc<Object>,
        finding: &mut Finding,
    ) -> Result<Arc<Object>, Diagnostics> {
        let refused = |why: String| {
            subject
                .error(format!(
                    "the object cannot become one of type `{}`",
                    subject.type_name()
                ))
                .detail(format!("it is of type `{}`: {why}", origin.type_name))
                .hint("take the `moved` line away, and destroy or forget the old object")
        };
        if !subject.provider.capabilities().move_resource_state {
            let source = subject.source;
            return Err(refused(format!(
                "{source} does not turn objects of one type into another"
            ))
            .into());
        }
        let Attributes::Json(raw) = &stored.attributes else {
            return Err(refused("its stored form is too old".to_owned()).into());
        };
        let identity = stored.identity.as_ref();
        let request = MoveResourceState {
            source_provider: &origin.provider,
            source_type_name: &origin.type_name,
            source_schema_version: stored.schema_version,
            source_state: RawState::Json(raw.as_str().as_bytes()),
            source_private: &stored.private,
            source_identity: identity
                .map(|identity| (identity.json.as_str().as_bytes(), identity.schema_version)),
            target_type_name: subject.type_name(),
        };
        let response = subject.provider.move_resource_state(request).await;
        let response = response.map_err(|error| subject.call_failed(&error))?;
        let value = subject.accept(response.diagnostics, response.target_state)?;
        if value.is_null() || !value.is_wholly_known() {
            return Err(refused("the provider returned no complete object".to_owned()).into());
        }
        let value = subject.without_write_only(AnswerOf::Upgrade, value)?;
        let before = subject.stored_as(stored, Value::Null);
        let mut loaded = Loaded::new(value, response.target_private, response.target_identity);
        loaded.status = before.status;
        loaded.dependencies = before.dependencies;
        loaded.create_before_destroy = before.create_before_destroy;
        finding.record(subject, Some(&loaded))?;
        subject.store(&loaded)
    }
}

impl Subject<'_> {
    /// An identity of this type from some of its attributes.
    fn identity(&self, given: &Value) -> Result<Identity, Diagnostics> {
        let schema = self.provider.identity_schema(self.type_name());
        let schema = schema.map_err(|error| self.call_failed(&error))?;
        let Some(schema) = schema else {
            let error = self.error(format!("`{}` has no identity", self.type_name()));
            return Err(error.hint("import it by its id").into());
        };
        let members = given.members().cloned().unwrap_or_default();
        let mut problems = Diagnostics::new();
        let known: Vec<&str> = schema.attributes.iter().map(|one| &*one.name).collect();
        for name in members.keys().filter(|name| !known.contains(&&***name)) {
            let error = self.error(format!("the identity has no attribute `{name}`"));
            problems.push(error.hint(format!("it has {}", known.join(", "))));
        }
        let mut value = Vec::with_capacity(known.len());
        for attribute in &schema.attributes {
            let given = members.get(&attribute.name).unwrap_or(&Value::Null);
            if given.is_null() && attribute.required_for_import {
                let name = &attribute.name;
                problems.push(self.error(format!("an import needs `{name}` of the identity")));
            }
            match given.convert(&attribute.ty) {
                Ok(converted) => value.push((attribute.name.clone(), converted)),
                Err(error) => {
                    let name = &attribute.name;
                    problems.push(self.error(format!("`{name}` of the identity: {error}")));
                }
            }
        }
        let identity = Identity {
            schema_version: schema.version,
            value: Value::map(value),
        };
        problems.into_result(identity).map(|(identity, _)| identity)
    }
}
