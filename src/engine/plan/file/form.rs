//! The parts of a plan as they lie in its file.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use terrane_core::addr::{InstanceAddr, Mode, ModuleAddr, ProviderConfigAddr};
use terrane_core::schema::{FactsKind, Schema, from_facts_line, to_facts_line};
use terrane_core::{Diagnostic, Location, Marked, Path, PathStep, Program, Severity, Unfinished};
use terrane_provider::Identity;
use terrane_state::{Change, DeposedKey, Timestamp};

use super::codec::{self, Text};
use super::error::PlanFileError;
use super::origin::Origin;
use crate::change::{Action, Drift, OutputChange, Reason, ResourceChange};
use crate::options::PlanMode;
use crate::plan::{DeferralReason, DeferredChange, DeferredModule, Unread};
use terrane_core::value::saved::SavedValue;

/// Everything in a plan file but the state that the plan was made from, which follows it in the form of state files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedForm {
    pub(super) origin: Origin,
    pub(super) mode: PlanMode,
    /// The differences between the stored and the read objects.
    pub(super) learnt: Vec<Change>,
    /// Schemas as facts; changes and drift name them by their place.
    pub(super) schemas: Vec<String>,
    pub(super) changes: Vec<SavedChange>,
    pub(super) drift: Vec<SavedDrift>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) deferred: Vec<SavedDeferred>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) deferred_modules: Vec<SavedDeferredModule>,
    pub(super) outputs: Vec<SavedOutput>,
    /// Old and new addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) moves: Vec<(Text<InstanceAddr>, Text<InstanceAddr>)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) adoptions: Vec<(Text<InstanceAddr>, String)>,
    pub(super) objects: Vec<SavedObject>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unread: Option<SavedUnread>,
    pub(super) diagnostics: Vec<SavedDiagnostic>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedChange {
    address: Text<InstanceAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<Text<DeposedKey>>,
    provider: Text<ProviderConfigAddr>,
    action: Action,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    before: SavedMarked,
    /// Missing where it is as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<SavedMarked>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replace_paths: Vec<SavedPath>,
    schema: usize,
    #[serde(
        with = "codec::base64_text",
        default,
        skip_serializing_if = "Bytes::is_empty"
    )]
    private: Bytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before_identity: Option<SavedIdentity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    planned_identity: Option<SavedIdentity>,
    create_before_destroy: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    declared: Option<SavedLocation>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedDrift {
    address: Text<InstanceAddr>,
    provider: Text<ProviderConfigAddr>,
    before: SavedMarked,
    after: SavedMarked,
    schema: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    declared: Option<SavedLocation>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedDeferred {
    address: Text<InstanceAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<Text<DeposedKey>>,
    action: Action,
    provider: Text<ProviderConfigAddr>,
    reason: SavedDeferralReason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forced: Option<Reason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    declared: Option<SavedLocation>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedDeferredModule {
    address: Text<ModuleAddr>,
    action: Action,
    reason: SavedDeferralReason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    declared: Option<SavedLocation>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedDeferralReason {
    ProviderConfigUnknown(Text<InstanceAddr>, SavedPath),
    ByProvider(SavedProviderReason),
    DependencyDeferred(Text<InstanceAddr>),
    DependentDeferred(Text<InstanceAddr>),
    ValueUnknown(Text<InstanceAddr>, SavedPath),
    ExportUnknown(Arc<str>),
    ModuleDeferred(Text<ModuleAddr>),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "terrane_provider::Deferred", rename_all = "snake_case")]
enum ProviderReason {
    Unknown,
    ResourceConfigUnknown,
    ProviderConfigUnknown,
    AbsentPrerequisite,
}

#[derive(Serialize, Deserialize)]
struct SavedProviderReason(#[serde(with = "ProviderReason")] terrane_provider::Deferred);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedOutput {
    pub(super) name: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<SavedMarked>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<SavedMarked>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    declared: Option<SavedLocation>,
}

/// The planned object of a declared instance.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SavedObject {
    /// It has no object.
    Nothing,
    /// The object after the change at that place.
    After(usize),
    /// That.
    Value(SavedMarked),
}

/// Objects that were not read: how many, and since when.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedUnread(usize, Option<Text<Timestamp>>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedDiagnostic {
    error: bool,
    summary: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attribute: Option<SavedPath>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    declared: Option<SavedLocation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedMarked {
    value: SavedValue,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sensitive: Vec<SavedPath>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedIdentity {
    schema_version: u64,
    value: SavedValue,
}

/// A path by its steps: as text, a name with a dot in it would be two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedPath(Vec<SavedStep>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum SavedStep {
    Attribute(Arc<str>),
    Index(usize),
    Key { key: Arc<str> },
}

/// File, line and column.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct SavedLocation(String, u32, u32);

/// The schemas of a plan that is being written, each once.
#[derive(Default)]
pub(super) struct SchemaTable {
    places: HashMap<*const Schema, usize>,
    pub(super) lines: Vec<String>,
}

impl SchemaTable {
    fn place(&mut self, address: &InstanceAddr, schema: &Arc<Schema>) -> usize {
        *self.places.entry(Arc::as_ptr(schema)).or_insert_with(|| {
            let resource = &address.resource;
            let kind = match resource.mode {
                Mode::Managed => FactsKind::Resource,
                Mode::Data => FactsKind::DataSource,
                // A plan has no changes of what is ephemeral.
                Mode::Ephemeral => FactsKind::Ephemeral,
            };
            self.lines
                .push(to_facts_line(kind, &resource.type_name, schema));
            self.lines.len() - 1
        })
    }
}

/// The schemas of a plan that was read.
pub(super) struct Schemas(Vec<Arc<Schema>>);

impl Schemas {
    pub(super) fn read(lines: &[String]) -> Result<Self, PlanFileError> {
        let schemas = lines.iter().map(|line| match from_facts_line(line) {
            Ok((.., schema)) => Ok(Arc::new(schema)),
            Err(_) => Err(PlanFileError::damaged("a schema in it cannot be read")),
        });
        Ok(Self(schemas.collect::<Result<_, _>>()?))
    }

    fn get(&self, place: usize) -> Result<Arc<Schema>, PlanFileError> {
        let schema = self.0.get(place).cloned();
        schema.ok_or_else(|| PlanFileError::damaged(format_args!("there is no schema {place}")))
    }
}

/// The lines of a program by their text, by which stored locations find them again.
pub(super) struct Locations(HashMap<SavedLocation, Location>);

impl Locations {
    pub(super) fn of(program: &Program) -> Self {
        let mut known = HashMap::new();
        let mut add = |location: Location| {
            known.insert(SavedLocation::from(location), location);
        };
        for provider in program.providers() {
            provider.location.into_iter().for_each(&mut add);
            provider
                .arguments
                .for_each_reference(&mut |reference| add(reference.location));
        }
        for resource in program.resources() {
            add(resource.location);
            resource
                .arguments
                .for_each_reference(&mut |reference| add(reference.location));
        }
        for module in program.value_modules() {
            add(module.location);
        }
        for export in program.exports() {
            add(export.location);
            export
                .value
                .for_each_reference(&mut |reference| add(reference.location));
        }
        program.moved().iter().for_each(|moved| add(moved.location));
        let ended_at = program.unfinished().and_then(Unfinished::location);
        ended_at.into_iter().for_each(&mut add);
        Self(known)
    }

    pub(super) fn find(&self, saved: Option<&SavedLocation>) -> Option<Location> {
        self.0.get(saved?).copied()
    }
}

/// Something that was read, with the line of the program that it names.
pub(super) struct Read<T> {
    pub(super) part: T,
    pub(super) declared: Option<SavedLocation>,
}

impl SavedChange {
    pub(super) fn new(change: &ResourceChange, schemas: &mut SchemaTable) -> Self {
        let same = change.after == change.before;
        Self {
            address: Text(change.address.as_ref().clone()),
            deposed: change.deposed.map(Text),
            provider: Text(change.provider.clone()),
            action: change.action,
            reason: change.reason,
            before: (&*change.before).into(),
            after: (!same).then(|| (&*change.after).into()),
            replace_paths: change.replace_paths.iter().map(Into::into).collect(),
            schema: schemas.place(&change.address, &change.schema),
            private: change.private.clone(),
            before_identity: change.before_identity.as_ref().map(Into::into),
            planned_identity: change.planned_identity.as_ref().map(Into::into),
            create_before_destroy: change.create_before_destroy,
            declared: change.location.map(Into::into),
        }
    }

    pub(super) fn read(self, schemas: &Schemas) -> Result<Read<ResourceChange>, PlanFileError> {
        let before: Arc<Marked> = Arc::new(self.before.into());
        let part = ResourceChange {
            address: Arc::new(self.address.0),
            deposed: self.deposed.map(|key| key.0),
            provider: self.provider.0,
            action: self.action,
            reason: self.reason,
            after: self
                .after
                .map_or_else(|| before.clone(), |after| Arc::new(after.into())),
            before,
            replace_paths: self.replace_paths.into_iter().map(Into::into).collect(),
            schema: schemas.get(self.schema)?,
            private: self.private,
            before_identity: self.before_identity.map(Into::into),
            planned_identity: self.planned_identity.map(Into::into),
            create_before_destroy: self.create_before_destroy,
            location: None,
        };
        Ok(Read {
            part,
            declared: self.declared,
        })
    }
}

impl SavedDrift {
    pub(super) fn new(drift: &Drift, schemas: &mut SchemaTable) -> Self {
        Self {
            address: Text(drift.address.as_ref().clone()),
            provider: Text(drift.provider.clone()),
            before: (&*drift.before).into(),
            after: (&*drift.after).into(),
            schema: schemas.place(&drift.address, &drift.schema),
            declared: drift.location.map(Into::into),
        }
    }

    pub(super) fn read(self, schemas: &Schemas) -> Result<Read<Drift>, PlanFileError> {
        let part = Drift {
            address: Arc::new(self.address.0),
            provider: self.provider.0,
            before: Arc::new(self.before.into()),
            after: Arc::new(self.after.into()),
            schema: schemas.get(self.schema)?,
            location: None,
        };
        Ok(Read {
            part,
            declared: self.declared,
        })
    }
}

impl From<&DeferredChange> for SavedDeferred {
    fn from(deferred: &DeferredChange) -> Self {
        Self {
            address: Text(deferred.address.as_ref().clone()),
            deposed: deferred.deposed.map(Text),
            action: deferred.action,
            provider: Text(deferred.provider.clone()),
            reason: (&deferred.reason).into(),
            forced: deferred.forced,
            declared: deferred.location.map(Into::into),
        }
    }
}

impl From<SavedDeferred> for Read<DeferredChange> {
    fn from(saved: SavedDeferred) -> Self {
        let part = DeferredChange {
            address: Arc::new(saved.address.0),
            deposed: saved.deposed.map(|key| key.0),
            action: saved.action,
            provider: saved.provider.0,
            reason: saved.reason.into(),
            forced: saved.forced,
            location: None,
        };
        Self {
            part,
            declared: saved.declared,
        }
    }
}

impl From<&DeferralReason> for SavedDeferralReason {
    fn from(reason: &DeferralReason) -> Self {
        let text = |address: &InstanceAddr| Text(address.clone());
        match reason {
            DeferralReason::ProviderConfigUnknown { needs, path } => {
                Self::ProviderConfigUnknown(text(needs), path.into())
            }
            DeferralReason::ByProvider(why) => Self::ByProvider(SavedProviderReason(*why)),
            DeferralReason::DependencyDeferred { on } => Self::DependencyDeferred(text(on)),
            DeferralReason::DependentDeferred { by } => Self::DependentDeferred(text(by)),
            DeferralReason::ValueUnknown { needs, path } => {
                Self::ValueUnknown(text(needs), path.into())
            }
            DeferralReason::ExportUnknown { export } => Self::ExportUnknown(export.clone()),
            DeferralReason::ModuleDeferred { module } => Self::ModuleDeferred(Text(module.clone())),
        }
    }
}

impl From<SavedDeferralReason> for DeferralReason {
    fn from(saved: SavedDeferralReason) -> Self {
        use SavedDeferralReason as Saved;
        let address = |text: Text<InstanceAddr>| Arc::new(text.0);
        match saved {
            Saved::ProviderConfigUnknown(needs, path) => Self::ProviderConfigUnknown {
                needs: address(needs),
                path: path.into(),
            },
            Saved::ByProvider(why) => Self::ByProvider(why.0),
            Saved::DependencyDeferred(on) => Self::DependencyDeferred { on: address(on) },
            Saved::DependentDeferred(by) => Self::DependentDeferred { by: address(by) },
            Saved::ValueUnknown(needs, path) => Self::ValueUnknown {
                needs: address(needs),
                path: path.into(),
            },
            Saved::ExportUnknown(export) => Self::ExportUnknown { export },
            Saved::ModuleDeferred(module) => Self::ModuleDeferred { module: module.0 },
        }
    }
}

impl From<&DeferredModule> for SavedDeferredModule {
    fn from(module: &DeferredModule) -> Self {
        Self {
            address: Text(module.address.clone()),
            action: module.action,
            reason: (&module.reason).into(),
            declared: module.location.map(Into::into),
        }
    }
}

impl From<SavedDeferredModule> for Read<DeferredModule> {
    fn from(saved: SavedDeferredModule) -> Self {
        let part = DeferredModule {
            address: saved.address.0,
            action: saved.action,
            reason: saved.reason.into(),
            location: None,
        };
        Self {
            part,
            declared: saved.declared,
        }
    }
}

impl From<&OutputChange> for SavedOutput {
    fn from(output: &OutputChange) -> Self {
        Self {
            name: output.name.clone(),
            before: output.before.as_ref().map(Into::into),
            after: output.after.as_ref().map(Into::into),
            declared: output.location.map(Into::into),
        }
    }
}

impl From<SavedOutput> for Read<OutputChange> {
    fn from(saved: SavedOutput) -> Self {
        let part = OutputChange {
            name: saved.name,
            before: saved.before.map(Into::into),
            after: saved.after.map(Into::into),
            location: None,
        };
        Self {
            part,
            declared: saved.declared,
        }
    }
}

impl From<Unread> for SavedUnread {
    fn from(Unread { objects, since }: Unread) -> Self {
        Self(objects, since.map(Text))
    }
}

impl From<SavedUnread> for Unread {
    fn from(SavedUnread(objects, since): SavedUnread) -> Self {
        let since = since.map(|since| since.0);
        Self { objects, since }
    }
}

impl From<&Diagnostic> for SavedDiagnostic {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            error: diagnostic.is_error(),
            summary: diagnostic.summary.clone(),
            detail: diagnostic.detail.clone(),
            address: diagnostic.address.clone(),
            attribute: diagnostic.attribute.as_ref().map(Into::into),
            declared: diagnostic.location.map(Into::into),
            hints: diagnostic.hints.clone(),
        }
    }
}

impl From<SavedDiagnostic> for Read<Diagnostic> {
    fn from(saved: SavedDiagnostic) -> Self {
        let part = Diagnostic {
            severity: match saved.error {
                true => Severity::Error,
                false => Severity::Warning,
            },
            summary: saved.summary,
            detail: saved.detail,
            address: saved.address,
            attribute: saved.attribute.map(Into::into),
            location: None,
            hints: saved.hints,
        };
        Self {
            part,
            declared: saved.declared,
        }
    }
}

impl From<&Marked> for SavedMarked {
    fn from(marked: &Marked) -> Self {
        Self {
            value: SavedValue(marked.value.clone()),
            sensitive: marked.sensitive.iter().map(Into::into).collect(),
        }
    }
}

impl From<SavedMarked> for Marked {
    fn from(saved: SavedMarked) -> Self {
        Self {
            value: saved.value.0,
            sensitive: saved.sensitive.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<&Identity> for SavedIdentity {
    fn from(identity: &Identity) -> Self {
        Self {
            schema_version: identity.schema_version,
            value: SavedValue(identity.value.clone()),
        }
    }
}

impl From<SavedIdentity> for Identity {
    fn from(saved: SavedIdentity) -> Self {
        Self {
            schema_version: saved.schema_version,
            value: saved.value.0,
        }
    }
}

impl From<&Path> for SavedPath {
    fn from(path: &Path) -> Self {
        let steps = path.steps().iter().map(|step| match step {
            PathStep::Attribute(name) => SavedStep::Attribute(name.clone()),
            PathStep::Key(key) => SavedStep::Key { key: key.clone() },
            PathStep::Index(index) => SavedStep::Index(*index),
        });
        Self(steps.collect())
    }
}

impl From<SavedPath> for Path {
    fn from(saved: SavedPath) -> Self {
        let steps = saved.0.into_iter().map(|step| match step {
            SavedStep::Attribute(name) => PathStep::Attribute(name),
            SavedStep::Key { key } => PathStep::Key(key),
            SavedStep::Index(index) => PathStep::Index(index),
        });
        steps.collect()
    }
}

impl From<Location> for SavedLocation {
    fn from(location: Location) -> Self {
        Self(location.file.to_owned(), location.line, location.column)
    }
}
