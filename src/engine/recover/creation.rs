//! Unresolved creations: looked up by name or by owner tag, adopted with proof, made again when they are proved absent.

use std::sync::Arc;

use terrane_core::schema::IdentitySchema;
use terrane_core::{Diagnostic, Diagnostics, LookupRules, Value};
use terrane_provider::Identity;
use terrane_state::{
    DeposedKey, ErrorClass, Instance, Intent, Liveness, ObjectStatus, OpenIntent, Resolution,
    Resolve, Timestamp,
};

use super::remembered::Served;
use super::{Doubt, Recovery, Verdict, unchanged};
use crate::config::Config;
use crate::evidence::{Proof, SKEW, Unproved, deadline, fingerprint, prove};
use crate::object::{Loaded, Subject};
use crate::plan::instance::Wish;

impl Recovery<'_> {
    /// Looks for the object of a creation.
    pub(super) async fn creation(&self, open: &OpenIntent) -> Result<Verdict, Diagnostics> {
        let intent = &open.intent;
        if let Some(id) = elsewhere(open) {
            return Ok(Verdict::Open(Doubt::Displaced { id }));
        }
        if intent.provider.source.is_builtin() {
            let evidence = "its objects exist in the state alone";
            return Ok(Verdict::Known(Resolve {
                how: Resolution::Absent,
                ..unchanged(open, evidence, self.recorder)
            }));
        }
        let Some(served) = self.remembered.served(intent).await? else {
            let provider = intent.provider.clone();
            return Ok(Verdict::Open(Doubt::NoProvider { provider }));
        };
        let subject = self.subject(intent, &served);
        let identity = planned_identity(&subject, open);
        if let Some(id) = intent
            .planned_id
            .as_deref()
            .or(identity.is_some().then_some(""))
        {
            return match subject.look_up(id, identity.as_ref()).await? {
                Some(found) => self.adopt(open, &served, &subject, id, found).await,
                None => {
                    let evidence = "it was looked for by its name and is not there";
                    Ok(self.absent(open, &served, evidence))
                }
            };
        }
        let rules = served.recovery;
        let rules = rules.and_then(|rules| Some((rules, rules.by_tag?)));
        let (Some(tag), Some((rules, finder))) = (&intent.owner_tag, rules) else {
            return Ok(Verdict::Open(Doubt::NoLookUp));
        };
        let place = intent.place.as_deref();
        let mut found = subject.with_tag(rules, &finder, tag, place).await?;
        match found.len() {
            0 => Ok(self.absent(open, &served, "nothing has its owner tag")),
            1 => {
                let (id, object) = found.remove(0);
                self.adopt(open, &served, &subject, &id, object).await
            }
            _ => {
                let ids = found.into_iter().map(|(id, _)| id).collect();
                Ok(Verdict::Open(Doubt::Several { ids }))
            }
        }
    }

    /// No object was found. That proves something only if the provider looks where the creation was requested, and once no request can still arrive.
    fn absent(&self, open: &OpenIntent, served: &Served, evidence: &str) -> Verdict {
        if let Some(why) = served.doubt.clone() {
            return Verdict::Open(Doubt::Elsewhere { why });
        }
        let until = self.until(open);
        if self.host.clock.now() < until {
            return Verdict::Early(until);
        }
        Verdict::Known(Resolve {
            how: Resolution::Absent,
            ..unchanged(open, evidence, self.recorder)
        })
    }

    /// Until when the operation may still take effect. A provider that is gone sends nothing more, but what it sent last may still
    /// arrive; and the time of its end is not known, only that it is gone now.
    fn until(&self, open: &OpenIntent) -> Timestamp {
        let given_up = deadline(&open.intent).after(SKEW);
        match self.recorder.liveness(open) {
            Liveness::Dead => given_up.min(self.began.after(self.late)),
            Liveness::Alive | Liveness::Unknown => given_up,
        }
    }

    /// Takes an object into the state if it is ours beyond doubt.
    async fn adopt(
        &self,
        open: &OpenIntent,
        served: &Served,
        subject: &Subject<'_>,
        id: &str,
        found: Loaded,
    ) -> Result<Verdict, Diagnostics> {
        let intent = &open.intent;
        let named = served
            .recovery
            .and_then(|r| r.for_type(subject.type_name()));
        let proof = match prove(intent, named, served.tags, &found.value) {
            Ok(proof) => proof,
            Err(unproved) => {
                let id = id.to_owned();
                return Ok(Verdict::Open(match unproved {
                    Unproved::NameAlone => Doubt::NameAlone { id },
                    Unproved::OfAnother => Doubt::OfAnother { id },
                }));
            }
        };
        let config = match served.declared {
            None => None,
            Some(position) => Some(self.remembered.config(position, &served.schema).await),
        };
        let config = match proof {
            // Ours, however the program has changed: differences are planned, and an undeclared object is deleted.
            Proof::Tag => config.and_then(Result::ok),
            _ => {
                let config = config.transpose()?;
                if let Some(doubt) = self
                    .differs(open, served, subject, (id, &found), &proof, config.as_ref())
                    .await?
                {
                    return Ok(Verdict::Open(doubt));
                }
                config
            }
        };
        let mut object = found;
        let class = open
            .result
            .as_ref()
            .and_then(|result| result.error_class.as_ref());
        if class.is_some_and(ErrorClass::may_leave_incomplete) {
            object.status = ObjectStatus::Tainted;
        }
        let how = Resolution::Adopted {
            id: known_id(&object.value, id),
        };
        let instance = self.with_object(intent, served, subject, config.as_ref(), object)?;
        Ok(Verdict::Known(Resolve {
            how,
            changes_state: true,
            instance: Some(Arc::new(instance)),
            ..unchanged(open, proof.evidence(), self.recorder)
        }))
    }

    /// Why an object without an owner tag may not be the requested one: the declaration must still be the one of the request, or
    /// nothing can be compared.
    async fn differs(
        &self,
        open: &OpenIntent,
        served: &Served,
        subject: &Subject<'_>,
        (id, found): (&str, &Loaded),
        proof: &Proof,
        config: Option<&Config>,
    ) -> Result<Option<Doubt>, Diagnostics> {
        let intent = &open.intent;
        let id = id.to_owned();
        let (Some(position), Some(config)) = (served.declared, config) else {
            // A part of an object that was not there before and that nothing declares was made by nobody else.
            let is_ours = matches!(proof, Proof::Part);
            return Ok((!is_ours).then_some(Doubt::Undeclared { id }));
        };
        let mut config = config.clone();
        if let (Some(tag), Some(tags)) = (&intent.owner_tag, served.tags) {
            config.value = tags.tagged(&config.value, tag.as_str().into());
        }
        let wish = Wish {
            ignore: self.remembered.ignored(position),
            create_before_destroy: false,
            force: None,
            anew: None,
            planned_private: None,
        };
        if let Some(asked) = &intent.planned_hmac {
            let planned = subject.plan(None, &config, wish).await?;
            let now = fingerprint(
                intent.op,
                &subject.schema.block,
                &planned.after,
                &config.sensitive,
            );
            if now != *asked {
                return Ok(Some(Doubt::Changed { id }));
            }
        }
        // The attributes that cannot change in place are as requested exactly if the provider would not replace the object for them.
        let planned = subject.plan(Some(found), &config, wish).await?;
        Ok(planned
            .action
            .is_replace()
            .then_some(Doubt::Different { id }))
    }

    /// All that is at the address of `intent` once the object with that id has been taken in, and the object's own id.
    ///
    /// # Errors
    /// When no provider serves the address, when the provider cannot import, and when there is no such object.
    pub(crate) async fn named_by_a_person(
        &self,
        intent: &Intent,
        id: &str,
    ) -> Result<(Instance, String), Diagnostics> {
        let served = self.remembered.served(intent).await?;
        let served = served.ok_or_else(|| {
            let diagnostic =
                Diagnostic::error(format!("the program does not use {}", intent.provider));
            diagnostic.address(&intent.address)
        })?;
        let subject = self.subject(intent, &served);
        let config = match served.declared {
            Some(position) => Some(self.remembered.config(position, &served.schema).await?),
            None => None,
        };
        let rules = served.recovery.unwrap_or(&LookupRules::NONE);
        let place = config.as_ref().and_then(|it| rules.place_in(&it.value));
        let id = &*rules.id_at(id, place.or(intent.place.as_deref()));
        let Some(found) = subject.look_up(id, None).await? else {
            let missing = subject.error(format!("there is no {} `{id}`", subject.type_name()));
            let why = served.doubt.map(|doubt| format!("{doubt}; "));
            return Err(missing
                .detail(format!("{}nothing was changed", why.unwrap_or_default()))
                .hint("what an id looks like is in the provider's documentation of the type, under \"Import\"")
                .into());
        };
        let own = known_id(&found.value, id);
        let instance = self.with_object(intent, &served, &subject, config.as_ref(), found)?;
        Ok((instance, own))
    }

    /// All that is at the address once an object has been taken in. The object that was current till then is the one it replaces.
    fn with_object(
        &self,
        intent: &Intent,
        served: &Served,
        subject: &Subject<'_>,
        config: Option<&Config>,
        mut object: Loaded,
    ) -> Result<Instance, Diagnostics> {
        self.remembered
            .complete(intent, served.declared, config, &mut object);
        let provider = served.by.clone();
        let current = subject.store(&object)?;
        let Some(before) = self.recorder.instance(&intent.address) else {
            return Ok(Instance::with_current(provider, current));
        };
        let mut instance = before.as_ref().clone();
        if let Some(old) = instance.current.replace(current) {
            let key = loop {
                let key = DeposedKey::from_bits(self.host.random.bits());
                if !instance.deposed.contains_key(&key) {
                    break key;
                }
            };
            instance.deposed.insert(key, old);
        }
        if instance.deposed.is_empty() {
            instance.provider = provider;
        }
        Ok(instance)
    }
}

/// The id of an object that a creation did return, where another tool's state has something else at the address.
fn elsewhere(open: &OpenIntent) -> Option<String> {
    let current = open.result.as_ref()?.instance.as_ref()?.current.as_ref()?;
    let json = current.attributes.raw().as_str().as_bytes();
    let object = Value::from_json_untyped(json).ok()?;
    Some(known_id(&object, "without an id"))
}

/// The `id` of an object, else the one it was imported by.
fn known_id(object: &Value, imported: &str) -> String {
    let id = object.get("id").and_then(Value::as_str);
    id.unwrap_or(imported).to_owned()
}

/// The identity that the provider planned, where it still has such identities.
fn planned_identity(subject: &Subject<'_>, open: &OpenIntent) -> Option<Identity> {
    let stored = open.intent.planned_identity.as_ref()?;
    let schema = subject
        .provider
        .identity_schema(subject.type_name())
        .ok()??;
    let value = Value::from_json(stored.as_str().as_bytes(), schema.ty()).ok()?;
    (!IdentitySchema::is_nothing(&value)).then_some(Identity {
        schema_version: schema.version,
        value,
    })
}
