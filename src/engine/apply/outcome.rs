//! The outcome of an `ApplyResourceChange`, answered or not: which object exists now, and how sure that is.

use bytes::Bytes;
use terrane_core::value::Map;
use terrane_core::{Diagnostics, Path, PathStep, Value};
use terrane_provider::{ApplyResourceChangeResponse, CallError, GarbledState};
use terrane_state::{ErrorClass, ObjectStatus, OperationOutcome};

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diff::incompatibilities;
use crate::object::{Loaded, Subject};
use crate::write_only::AnswerOf;

/// The requested operation.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    Create {
        planned: &'a Value,
        secret: &'a BTreeSet<Path>,
    },
    Update {
        planned: &'a Value,
        secret: &'a BTreeSet<Path>,
    },
    Delete,
}

/// How an operation ended.
pub(super) struct ApplyOutcome {
    /// The object that is there now, as far as is known.
    pub(super) object: Option<Loaded>,
    pub(super) outcome: OperationOutcome,
    pub(super) undecoded: Option<Bytes>,
    pub(super) error_class: Option<ErrorClass>,
    pub(super) diagnostics: Diagnostics,
}

impl Subject<'_> {
    /// Reads the answer. `before` is the object before the operation.
    pub(super) fn apply_outcome(
        &self,
        asked: Asked<'_>,
        before: Option<&Loaded>,
        reply: Result<ApplyResourceChangeResponse, CallError>,
    ) -> ApplyOutcome {
        let mut response = match reply {
            Ok(response) => response,
            Err(error) => {
                let class = match &error {
                    CallError::Gone { .. } => ErrorClass::ProviderGone,
                    CallError::Cancelled { .. } => ErrorClass::Cancelled,
                    CallError::Garbled { .. } => ErrorClass::Garbled,
                    _ => ErrorClass::CallFailed,
                };
                return self.unknown(asked, before, self.call_failed(&error), None, class);
            }
        };
        let mut diagnostics = self.about(response.diagnostics);
        let value = match response.new_state {
            Ok(value) => value,
            Err(GarbledState { raw, reason }) => {
                diagnostics.push(
                    self.error(format!(
                        "the provider returned an object that cannot be read: {reason}"
                    ))
                    .hint("this is a bug in the provider; its answer is kept in the journal"),
                );
                let class = ErrorClass::Garbled;
                return self.unknown(asked, before, diagnostics, Some(raw), class);
            }
        };
        let mut value = self.without_unknowns(value, &mut diagnostics);
        let returned = self.returned_write_only(AnswerOf::Apply, &value);
        if returned.has_errors() {
            diagnostics.extend(returned);
            value = self.schema.block.write_only_to_null(&value);
            // A value that is in the object may be in these bytes as well.
            response.private = Bytes::new();
        }
        let failed = diagnostics.has_errors();
        match (asked, value.is_null()) {
            (Asked::Delete, true) if !failed => ApplyOutcome {
                object: None,
                outcome: OperationOutcome::Ok,
                undecoded: None,
                error_class: None,
                diagnostics,
            },
            (Asked::Delete, false) if !failed => {
                diagnostics.push(
                    self.error("the provider returned an object from a destroy")
                        .hint("this is a bug in the provider; the object is kept in the state"),
                );
                self.kept(before, diagnostics)
            }
            (Asked::Delete | Asked::Update { .. }, true) => {
                if !failed {
                    diagnostics.push(
                        self.error("the provider returned nothing from an update")
                            .hint("this is a bug in the provider; the object is kept in the state"),
                    );
                }
                self.kept(before, diagnostics)
            }
            (Asked::Create { .. }, true) => {
                if !failed {
                    diagnostics.push(
                        self.error("the provider returned nothing from a creation")
                            .hint("this is a bug in the provider; look for the object before running again"),
                    );
                }
                ApplyOutcome {
                    object: None,
                    outcome: OperationOutcome::FailedAssumed,
                    undecoded: None,
                    error_class: Some(ErrorClass::Reported),
                    diagnostics,
                }
            }
            (_, false) => {
                if let (
                    Asked::Create { planned, secret } | Asked::Update { planned, secret },
                    false,
                ) = (asked, failed)
                    && !response.legacy_type_system
                {
                    let problems = incompatibilities(&self.schema.block, planned, &value);
                    if let Err(found) =
                        self.provider_bug("an inconsistent result after apply", problems, secret)
                    {
                        diagnostics.extend(found);
                    }
                }
                let failed = diagnostics.has_errors();
                let mut object = Loaded::new(value, response.private, response.new_identity);
                if let Some(before) = before {
                    object.status = before.status;
                    object.dependencies = before.dependencies.clone();
                    object.create_before_destroy = before.create_before_destroy;
                    object.sensitive = before.sensitive.clone();
                    // SDK v2's early failure paths return no private bytes; the old ones still hold.
                    if failed && object.private.is_empty() {
                        object.private = before.private.clone();
                    }
                    if failed && object.identity.is_none() {
                        object.identity = before.identity.clone();
                    }
                }
                if failed && matches!(asked, Asked::Create { .. }) {
                    object.status = ObjectStatus::Tainted;
                }
                ApplyOutcome {
                    object: Some(object),
                    outcome: if failed {
                        OperationOutcome::Partial
                    } else {
                        OperationOutcome::Ok
                    },
                    undecoded: None,
                    error_class: failed.then_some(ErrorClass::Reported),
                    diagnostics,
                }
            }
        }
    }

    /// The object is as it was.
    fn kept(&self, before: Option<&Loaded>, diagnostics: Diagnostics) -> ApplyOutcome {
        ApplyOutcome {
            object: before.cloned(),
            outcome: OperationOutcome::FailedAssumed,
            undecoded: None,
            error_class: Some(ErrorClass::Reported),
            diagnostics,
        }
    }

    /// The outcome is unknown. Never called "failed", for an object may exist that no state names.
    fn unknown(
        &self,
        asked: Asked<'_>,
        before: Option<&Loaded>,
        diagnostics: Diagnostics,
        undecoded: Option<Bytes>,
        class: ErrorClass,
    ) -> ApplyOutcome {
        let what = match asked {
            Asked::Create { .. } => "the object may or may not have been created",
            Asked::Update { .. } => "the object may or may not have been changed",
            Asked::Delete => "the object may or may not have been destroyed",
        };
        let diagnostics = diagnostics
            .into_iter()
            .map(|diagnostic| {
                if diagnostic.is_error() {
                    diagnostic.hint(what)
                } else {
                    diagnostic
                }
            })
            .collect();
        ApplyOutcome {
            object: before.cloned(),
            outcome: OperationOutcome::Unknown,
            undecoded,
            error_class: Some(class),
            diagnostics,
        }
    }

    /// A value that can be stored: unknowns left in it are the provider's mistake and become null.
    fn without_unknowns(&self, value: Value, diagnostics: &mut Diagnostics) -> Value {
        if value.is_wholly_known() {
            return value;
        }
        let mut found = Vec::new();
        let value = replace_unknowns(&value, &mut Path::root(), &mut found);
        diagnostics.extend(found.into_iter().map(|path| {
            self.error("the provider returned an unknown value after apply")
                .attribute(path)
                .hint(
                    "this is a bug in the provider; everything else of the object is in the state",
                )
        }));
        value
    }
}

fn replace_unknowns(value: &Value, here: &mut Path, found: &mut Vec<Path>) -> Value {
    match value {
        Value::Unknown(_) => {
            found.push(here.clone());
            Value::Null
        }
        Value::List(elements) => {
            let mut known = Vec::with_capacity(elements.len());
            for (index, element) in elements.iter().enumerate() {
                here.push(PathStep::Index(index));
                known.push(replace_unknowns(element, here, found));
                here.pop();
            }
            Value::list(known)
        }
        Value::Set(elements) => {
            // Elements of sets have no path of their own.
            let known = elements.iter().map(|element| {
                if !element.is_wholly_known() {
                    found.push(here.clone());
                }
                replace_unknowns(element, &mut Path::root(), &mut Vec::new())
            });
            Value::Set(Arc::new(known.collect()))
        }
        Value::Map(members) => {
            let mut known = Map::new();
            for (name, member) in members.iter() {
                here.push(PathStep::Attribute(name.clone()));
                known.insert(name.clone(), replace_unknowns(member, here, found));
                here.pop();
            }
            Value::Map(Arc::new(known))
        }
        Value::Dynamic(dynamic) => {
            let inner = replace_unknowns(&dynamic.1, here, found);
            Value::Dynamic(Arc::new((dynamic.0.clone(), inner)))
        }
        known => known.clone(),
    }
}
