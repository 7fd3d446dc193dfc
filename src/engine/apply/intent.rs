//! The content of an intent: enough for a later run to find out the outcome.

use std::collections::BTreeSet;
use std::time::Duration;

use terrane_core::addr::{ConfigAddr, Mode};
use terrane_core::{Diagnostics, LookupRules, Marked, NameLookup, Path, Standing, Value};
use terrane_provider::Identity;
use terrane_state::{DeposedKey, Intent, IntentAction, OperationId, RawJson, Timestamp};

use super::visitor::Visitor;
use crate::change::{Action, ResourceChange};
use crate::config::Config;
use crate::evidence::{OwnerTags, USUAL_TIMEOUT, fingerprint, place_fingerprint};
use crate::object::{Loaded, Subject};
use crate::plan::inputs::serving_change;
use crate::plan::instance::PlannedInstance;

impl Visitor<'_> {
    /// An intent with the facts that every operation has. `before` is the object that it is about, where there is one.
    pub(super) fn intent(
        &self,
        action: IntentAction,
        change: &ResourceChange,
        deposed: Option<DeposedKey>,
        subject: &Subject<'_>,
        before: Option<&Loaded>,
        config: &Value,
    ) -> Intent {
        let now = self.inputs.host.clock.now();
        let verb = match action {
            IntentAction::Create | IntentAction::Import => "create",
            IntentAction::Update => "update",
            IntentAction::Delete => "delete",
        };
        let timeout = config
            .get("timeouts")
            .and_then(|timeouts| timeouts.get(verb)?.as_str());
        let timeout = timeout.and_then(duration).unwrap_or(USUAL_TIMEOUT);
        let op = OperationId::random(self.inputs.host.random);
        Intent {
            provider_hmac: self.provider_hmac(op, change),
            deposed,
            generation: self.inputs.plan.prior.serial,
            prior_id: before.and_then(|before| id_of(subject, before)),
            deadline: Some(now.after(timeout)),
            provider_pid: subject.provider.pid(),
            ..Intent::new(
                op,
                subject.address.clone(),
                action,
                change.provider.clone(),
                now,
            )
        }
    }

    /// The intent of a creation: by what its object could be found again, and that it is not there yet.
    pub(super) async fn creation_intent(
        &self,
        change: &ResourceChange,
        subject: &Subject<'_>,
        config: &Config,
        planned: &PlannedInstance,
    ) -> Result<Intent, Diagnostics> {
        let planned_id = self.planned_id(subject, &planned.after, config);
        // The look-up comes first: the proof must be older than the intent.
        let absent_proof = match &planned_id {
            Some(id) if self.inputs.program.owner_tags() => {
                self.proof(change, subject, &planned.after, id).await?
            }
            _ => None,
        };
        let intent = self.intent(
            IntentAction::Create,
            change,
            None,
            subject,
            None,
            &config.value,
        );
        let block = &subject.schema.block;
        let tags = self.tags(subject);
        Ok(Intent {
            planned_identity: planned
                .identity
                .as_ref()
                .and_then(|i| identity_json(subject, i)),
            planned_id,
            place: self.place(subject, config),
            absent_proof,
            owner_tag: tags
                .and_then(|tags| tags.of(&config.value))
                .map(str::to_owned),
            planned_hmac: Some(fingerprint(
                intent.op,
                block,
                &planned.after,
                &config.sensitive,
            )),
            dependencies: Some(self.referred(subject)),
            sensitive_paths: Some(config.sensitive.iter().map(Path::to_string).collect()),
            ..intent
        })
    }

    /// The configurations that an instance refers to, by itself and through its provider.
    fn referred(&self, subject: &Subject<'_>) -> Vec<ConfigAddr> {
        let Some(position) = self.inputs.program.position(subject.address) else {
            return Vec::new();
        };
        let resources = self.inputs.program.resources();
        let mut referred = BTreeSet::new();
        let mut open = vec![position];
        while let Some(position) = open.pop() {
            let provider = &self.inputs.program.providers()[resources[position].provider];
            let needed = resources[position].dependencies.iter();
            for &needed in needed.chain(&provider.dependencies) {
                // No state knows what is ephemeral; what that stands on counts.
                match resources[needed].mode() {
                    Mode::Ephemeral => open.push(needed),
                    _ => drop(referred.insert(resources[needed].address.resource.config())),
                }
            }
        }
        referred.into_iter().collect()
    }

    fn provider_hmac(&self, op: OperationId, change: &ResourceChange) -> Option<String> {
        let position = serving_change(self.inputs.program, change)?;
        let address = &self.inputs.program.providers()[position].address;
        let place = self.inputs.running.place(address)?;
        Some(place_fingerprint(op, &place))
    }

    /// The lookup rules of an instance's provider.
    pub(super) fn recovery(&self, subject: &Subject<'_>) -> Option<&'static LookupRules> {
        let resource =
            &self.inputs.program.resources()[self.inputs.program.position(subject.address)?];
        let binding = self.inputs.program.providers()[resource.provider].binding?;
        Some(&binding.lookup)
    }

    /// How the objects of an instance's provider hold tags.
    pub(super) fn tags(&self, subject: &Subject<'_>) -> Option<OwnerTags> {
        let resource =
            &self.inputs.program.resources()[self.inputs.program.position(subject.address)?];
        OwnerTags::of_provider(&self.inputs.program.providers()[resource.provider])
    }

    /// The lookup by name of an instance's type.
    pub(super) fn named(&self, subject: &Subject<'_>) -> Option<&'static NameLookup> {
        self.recovery(subject)?.for_type(subject.type_name())
    }

    /// The id that the object will have by its configuration, unless it is a secret.
    fn planned_id(
        &self,
        subject: &Subject<'_>,
        planned: &Value,
        config: &Config,
    ) -> Option<String> {
        let named = self.named(subject)?;
        let marked = subject.marked(planned.clone(), &config.sensitive);
        let mut arguments = named.arguments(planned).into_iter();
        if arguments.any(|argument| is_secret(&marked, argument)) {
            return None;
        }
        let (rules, id) = (self.recovery(subject)?, named.id(planned)?);
        match rules.place_in(&config.value) {
            None => Some(id),
            Some(_) => Some(rules.id_at(&id, Some(&self.place(subject, config)?))),
        }
    }

    /// The place that the configuration names for the object, unless it is a secret.
    fn place(&self, subject: &Subject<'_>, config: &Config) -> Option<String> {
        let rules = self.recovery(subject)?;
        let place = rules.place_in(&config.value)?;
        let marked = subject.marked(config.value.clone(), &config.sensitive);
        (!is_secret(&marked, rules.place?.argument)).then(|| place.to_owned())
    }

    /// Looks whether the name is free; when that was seen, if it could be seen.
    async fn proof(
        &self,
        change: &ResourceChange,
        subject: &Subject<'_>,
        planned: &Value,
        id: &str,
    ) -> Result<Option<Timestamp>, Diagnostics> {
        let now = self.inputs.host.clock.now();
        let name = |object: &Value| self.named(subject)?.id(object);
        let place = |object| self.recovery(subject)?.place_in(object);
        let before = &change.before.value;
        let is_elsewhere =
            matches!((place(before), place(planned)), (Some(then), Some(now)) if then != now);
        let keeps_name = name(before).is_some_and(|before| name(planned) == Some(before));
        if change.action.is_replace() && keeps_name && !is_elsewhere {
            // The object that is replaced had the name. It is gone, or else this creation can only fail.
            return Ok((change.action == Action::DeleteThenCreate).then_some(now));
        }
        let standing = self.named(subject).map(|named| named.standing);
        if standing == Some(Standing::Setting) {
            return Ok(None);
        }
        match subject.look_up(id, None).await {
            Ok(None) => Ok(Some(now)),
            // A provider that cannot look will fail to create as well, and says why then.
            Err(_) => Ok(None),
            Ok(Some(_)) if standing == Some(Standing::Part) => Ok(None),
            Ok(Some(_)) => Err(subject
                .error(format!("`{id}` exists already"))
                .detail("it is not in the state, so nothing was made and nothing was changed")
                .hint(format!(
                    "if it is yours, take it over with `import {} '{id}'`; else choose another name",
                    subject.address.in_shell()
                ))
                .into()),
        }
    }
}

/// Whether an argument of an object is a secret, or has one in it.
fn is_secret(object: &Marked, argument: &str) -> bool {
    let path = Path::root().attribute(argument);
    let mut marks = object.sensitive.iter();
    marks.any(|mark| mark.contains(&path) || path.contains(mark))
}

/// The identity of an object, else its `id`.
fn id_of(subject: &Subject<'_>, object: &Loaded) -> Option<RawJson> {
    if let Some(identity) = &object.identity {
        return identity_json(subject, identity);
    }
    let id = object.value.get("id").filter(|id| id.as_str().is_some())?;
    RawJson::new(&id.to_json(&terrane_core::Type::String).ok()?).ok()
}

fn identity_json(subject: &Subject<'_>, identity: &Identity) -> Option<RawJson> {
    let schema = subject.provider.identity_schema(subject.type_name());
    let schema = schema.ok()??;
    let whole = identity.value.is_wholly_known();
    let json = identity.value.to_json(schema.ty()).ok().filter(|_| whole)?;
    RawJson::new(&json).ok()
}

/// A duration as providers read it in `timeouts`: `1h30m`, `90s`.
fn duration(text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit;
        rest = tail;
    }
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_providers_read_them() {
        for (text, seconds) in [
            ("30m", Some(1800.0)),
            ("1h30m", Some(5400.0)),
            ("90s", Some(90.0)),
            ("1.5h", Some(5400.0)),
            ("500ms", Some(0.5)),
            ("", None),
            ("30", None),
            ("5 minutes", None),
        ] {
            assert_eq!(duration(text).map(|d| d.as_secs_f64()), seconds, "{text}");
        }
    }
}
