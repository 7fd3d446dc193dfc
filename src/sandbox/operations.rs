//! Create, read, update and delete: a planned object, the rules of its type, and the files of the cloud.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use terrane_core::value::Map;
use terrane_core::{Diagnostic, Value};

use crate::chance;
use crate::clock::Timestamp;
use crate::cloud::{Change, Cloud, CloudError, LedgerAction, Objects};
use crate::draft::Draft;
use crate::kind::{Kind, Kinds};
use crate::plan::{DefaultTags, merged_tags};
use crate::rules::{self, CloudView, Refusal, random_hex, uuid};

/// The settings of the provider configuration.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) region: String,
    pub(crate) default_tags: DefaultTags,
    /// The address of a Kubernetes cluster, where the provider works in one.
    pub(crate) cluster: String,
}

impl Settings {
    /// Those of a provider that is not configured.
    pub(crate) fn new(region: &str) -> Self {
        Self {
            region: region.to_owned(),
            default_tags: DefaultTags::new(),
            cluster: String::new(),
        }
    }
}

/// An operation that did not happen.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The cloud says no.
    Refused { doing: String, refusal: Refusal },
    /// The files cannot be used.
    Files(CloudError),
}

impl Failure {
    /// Whether the provider would try again for a while.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Refused { refusal, .. } if refusal.passing)
    }

    pub(crate) fn into_diagnostic(self) -> Diagnostic {
        match self {
            Self::Refused { doing, refusal } => {
                let Refusal { code, message, .. } = refusal;
                if code.is_empty() {
                    return Diagnostic::error(format!("{doing}: {message}"));
                }
                Diagnostic::error(format!("{doing}: {code}: {message}"))
                    .detail(format!("status code: 400, request id: {}", uuid()))
            }
            Self::Files(error) => {
                let reason = std::error::Error::source(&error).map(ToString::to_string);
                let said = Diagnostic::error(format!("the sandbox failed: {error}"));
                said.detail(reason.unwrap_or_default())
            }
        }
    }
}

impl From<CloudError> for Failure {
    fn from(error: CloudError) -> Self {
        Self::Files(error)
    }
}

/// The operations of one provider process.
pub(crate) struct Operations {
    pub(crate) kinds: Arc<Kinds>,
    pub(crate) cloud: Arc<Cloud>,
    sequence: AtomicU32,
}

impl Operations {
    pub(crate) fn new(kinds: impl Into<Arc<Kinds>>, cloud: impl Into<Arc<Cloud>>) -> Self {
        Self {
            kinds: kinds.into(),
            cloud: cloud.into(),
            sequence: AtomicU32::new(0),
        }
    }

    /// The cloud as an operation on that object sees it: in the object's own region, where it has one.
    fn view<'a>(
        &self,
        objects: &'a Objects,
        settings: &'a Settings,
        object: &'a Map,
    ) -> CloudView<'a> {
        let own = object.get("region").and_then(Value::as_str);
        CloudView {
            objects,
            region: own.unwrap_or(&settings.region),
            cluster: &settings.cluster,
            now: Timestamp::now(),
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }

    /// Lets `seen` look at the cloud, in the region of that object.
    pub(crate) fn look<T>(
        &self,
        settings: &Settings,
        object: &Map,
        seen: impl FnOnce(&CloudView<'_>) -> T,
    ) -> Result<T, Failure> {
        let mut answer = None;
        self.cloud.change(&self.kinds, |objects| {
            answer = Some(seen(&self.view(objects, settings, object)));
            None
        })?;
        Ok(answer.expect("invariant: a change that was decided has looked"))
    }

    /// Makes an object as planned; the object and its id.
    pub(crate) fn create(
        &self,
        kind: &Kind,
        planned: &Map,
        settings: &Settings,
    ) -> Result<(Map, String), Failure> {
        let rule = rules::of(&kind.name);
        let mut made = String::new();
        let object = self.decide(|objects| {
            let view = self.view(objects, settings, planned);
            let mut draft = Draft::new(&kind.name, planned.clone());
            tag(&mut draft, settings);
            let refused = |refusal| Failure::Refused {
                doing: format!("creating {}", title(kind)),
                refusal,
            };
            (rule.reach)(&view).map_err(refused)?;
            (rule.create)(&mut draft, &view).map_err(refused)?;
            made = match kind.shows_id() {
                true => {
                    draft.fill("id", new_id(kind, &draft));
                    draft.text("id").to_owned()
                }
                false => new_id(kind, &draft),
            };
            let object = draft.finish(kind, &view, None);
            Ok(self.change(kind, &view.key(&made), LedgerAction::Create, object))
        })?;
        Ok((object, made))
    }

    /// Changes an object as planned.
    pub(crate) fn update(
        &self,
        kind: &Kind,
        id: &str,
        prior: &Map,
        planned: &Map,
        settings: &Settings,
    ) -> Result<Map, Failure> {
        let rule = rules::of(&kind.name);
        let doing = || format!("updating {} ({id})", title(kind));
        let mut answer = Map::new();
        self.decide(|objects| {
            let view = self.view(objects, settings, planned);
            let key = view.key(id);
            let refused = |refusal| Failure::Refused {
                doing: doing(),
                refusal,
            };
            (rule.reach)(&view).map_err(refused)?;
            let stored = objects.get(&kind.name, &key);
            let stored = stored.ok_or_else(|| refused(not_found(id)))?;
            let mut draft = Draft::new(&kind.name, planned.clone());
            tag(&mut draft, settings);
            (rule.update)(&mut draft, prior, &view).map_err(refused)?;
            let mut object = draft.finish(kind, &view, Some(prior));
            // Parts that the object only shows of others are not its own and are not kept.
            let shown = self.shown(kind, stored, &view);
            for (name, value) in &mut object {
                if let (Some(own), Some(shown)) = (stored.get(name), shown.get(name))
                    && own != shown
                    && value == shown
                {
                    *value = own.clone();
                }
            }
            answer = self.shown(kind, &object, &view);
            Ok(self.change(kind, &key, LedgerAction::Update, object))
        })?;
        Ok(answer)
    }

    /// Looks at an object; `None` when it is gone. What AWS does not know of is as in `current`.
    pub(crate) fn read(
        &self,
        kind: &Kind,
        id: &str,
        current: &Map,
        settings: &Settings,
    ) -> Result<Option<Map>, Failure> {
        let mut found = None;
        let mut reached = Ok(());
        self.cloud.change(&self.kinds, |objects| {
            let view = self.view(objects, settings, current);
            reached = (rules::of(&kind.name).reach)(&view);
            reached.as_ref().ok()?;
            let stored = objects.get(&kind.name, &view.key(id))?;
            let mut object = self.shown(kind, stored, &view);
            for (name, value) in &mut object {
                let attribute = kind.schema.block.attributes.get(name);
                let ours_to_say = attribute.is_some_and(|attribute| !attribute.computed);
                let only_ours = ours_to_say && kind.behaviour().at(name).kept_as_written;
                if (only_ours || &**name == "timeouts")
                    && let Some(current) = current.get(name)
                {
                    *value = current.clone();
                }
            }
            found = Some(object);
            None
        })?;
        reached.map_err(|refusal| Failure::Refused {
            doing: format!("reading {} ({id})", title(kind)),
            refusal,
        })?;
        Ok(found)
    }

    /// The own id of the object that is imported by that one, which may end in `@` and its region; the same where there is none.
    pub(crate) fn imported_id(&self, kind: &Kind, id: &str) -> Result<String, Failure> {
        let imports = rules::of(&kind.name).imports;
        let id = match id.rsplit_once('@') {
            Some((id, _)) if kind.is_regional() => id,
            _ => id,
        };
        let mut own = id.to_owned();
        self.cloud.change(&self.kinds, |objects| {
            if objects.get(&kind.name, id).is_none() {
                let mut all = objects.of_type(&kind.name);
                if let Some((found, _)) = all.find(|(_, object)| imports(id, object)) {
                    found.clone_into(&mut own);
                }
            }
            None
        })?;
        Ok(own)
    }

    /// Deletes an object. One that is gone already is deleted.
    pub(crate) fn delete(
        &self,
        kind: &Kind,
        id: &str,
        prior: &Map,
        settings: &Settings,
    ) -> Result<(), Failure> {
        let rule = rules::of(&kind.name);
        let mut result = Ok(());
        self.cloud.change(&self.kinds, |objects| {
            let view = self.view(objects, settings, prior);
            let doing = || format!("deleting {} ({id})", title(kind));
            if let Err(refusal) = (rule.reach)(&view) {
                let doing = doing();
                result = Err(Failure::Refused { doing, refusal });
                return None;
            }
            let key = view.key(id);
            let stored = objects.get(&kind.name, &key)?;
            // Whether it is to be forced is said by the state alone.
            let mut object = stored.clone();
            for flag in ["force_destroy", "force_detach_policies", "force_delete"] {
                if let (Some(member), Some(said)) = (object.get_mut(flag), prior.get(flag)) {
                    *member = said.clone();
                }
            }
            if let Err(refusal) = (rule.delete)(&object, &view) {
                let doing = doing();
                result = Err(Failure::Refused { doing, refusal });
                return None;
            }
            Some(Change {
                action: LedgerAction::Delete,
                type_name: kind.name.to_string(),
                id: key,
                object: None,
            })
        })?;
        result
    }

    /// The object as the provider reads it: with what others did to it.
    fn shown(&self, kind: &Kind, object: &Map, view: &CloudView<'_>) -> Map {
        let mut draft = Draft::new(&kind.name, object.clone());
        (rules::of(&kind.name).read)(&mut draft, view);
        draft.into_members()
    }

    fn change(&self, kind: &Kind, key: &str, action: LedgerAction, object: Map) -> (Change, Map) {
        let change = Change {
            action,
            type_name: kind.name.to_string(),
            id: key.to_owned(),
            object: Some(Value::Map(std::sync::Arc::new(object.clone()))),
        };
        (change, object)
    }

    fn decide(
        &self,
        decide: impl FnOnce(&Objects) -> Result<(Change, Map), Failure>,
    ) -> Result<Map, Failure> {
        let mut result = Ok(Map::new());
        let seed = self.cloud.seed();
        self.cloud.change(&self.kinds, |objects| {
            match chance::seeded(seed, || decide(objects)) {
                Ok((change, object)) => {
                    result = Ok(object);
                    Some(change)
                }
                Err(failure) => {
                    result = Err(failure);
                    None
                }
            }
        })?;
        result
    }
}

fn title(kind: &Kind) -> String {
    match rules::of(&kind.name).title {
        "" => kind.name.to_string(),
        title => title.to_owned(),
    }
}

fn not_found(id: &str) -> Refusal {
    Refusal {
        code: "NotFound",
        message: format!("{id} does not exist"),
        passing: false,
    }
}

/// All tags of an object, its own and those of the provider configuration.
fn tag(draft: &mut Draft, settings: &Settings) {
    if let Some(all) = merged_tags(Some(draft.get("tags")), &settings.default_tags) {
        draft.put("tags_all", Value::Map(std::sync::Arc::new(all)));
    }
}

/// An id for an object whose type has no rule: its name, else one in the manner of EC2.
fn new_id(kind: &Kind, draft: &Draft) -> String {
    match draft.text("name") {
        "" => {
            let word = kind.name.rsplit('_').next().unwrap_or("object");
            format!("{word}-0{}", &random_hex()[..16])
        }
        name => name.to_owned(),
    }
}
