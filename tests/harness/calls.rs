//! The argument of a hook of the fake provider: the request, and ways to answer it.

use bytes::Bytes;
use terrane_core::{Diagnostic, Diagnostics, Path, Value};
use terrane_provider::{
    ApplyResourceChange, ApplyResourceChangeResponse, CallError, GarbledState, ImportResourceState,
    ImportResourceStateResponse, PlanResourceChange, PlanResourceChangeResponse, ReadDataSource,
    ReadDataSourceResponse, ReadResource, ReadResourceResponse,
};

use crate::cloud::{name_of, with_member};
use crate::process::Process;

/// A `PlanResourceChange` that is not a destroy.
pub struct PlanCall<'a> {
    /// The request.
    pub request: PlanResourceChange<'a>,
    pub(crate) process: &'a Process,
}

/// An `ApplyResourceChange`.
pub struct ApplyCall<'a> {
    /// The request.
    pub request: ApplyResourceChange<'a>,
    pub(crate) process: &'a Process,
}

/// A `ReadResource`.
pub struct ReadCall<'a> {
    /// The request.
    pub request: ReadResource<'a>,
    pub(crate) process: &'a Process,
}

/// An `ImportResourceState`.
pub struct ImportCall<'a> {
    /// The request.
    pub request: ImportResourceState<'a>,
    pub(crate) process: &'a Process,
}

/// A `ReadDataSource`.
pub struct ReadDataCall<'a> {
    /// The request.
    pub request: ReadDataSource<'a>,
    pub(crate) process: &'a Process,
}

type Planned = Result<PlanResourceChangeResponse, CallError>;
type Applied = Result<ApplyResourceChangeResponse, CallError>;

impl PlanCall<'_> {
    /// As without a hook.
    pub fn proceed(&self) -> Planned {
        Ok(self.process.plan(&self.request))
    }

    /// As without a hook, but an attribute is planned to be that.
    pub fn planning(&self, attribute: &str, value: impl Into<Value>) -> Planned {
        let mut response = self.proceed()?;
        response.planned_state = with_member(&response.planned_state, attribute, value.into());
        Ok(response)
    }

    /// As without a hook, but these paths need a replacement.
    pub fn requiring(&self, paths: &[&str]) -> Planned {
        let mut response = self.proceed()?;
        response.requires_replace = paths.iter().map(|path| parse(path)).collect();
        Ok(response)
    }

    /// An error.
    pub fn refuse(&self, message: &str) -> Planned {
        let mut response = self.proceed()?;
        response.diagnostics.push(Diagnostic::error(message));
        Ok(response)
    }
}

impl ApplyCall<'_> {
    /// As without a hook.
    pub fn proceed(&self) -> Applied {
        Ok(self.process.apply(&self.request))
    }

    /// As without a hook, but an attribute of the answer is that.
    pub fn answering(&self, attribute: &str, value: impl Into<Value>) -> Applied {
        let mut response = self.proceed()?;
        if let Ok(state) = &mut response.new_state {
            *state = with_member(state, attribute, value.into());
        }
        Ok(response)
    }

    /// Does nothing and says why; answers as SDK v2 does: the prior object, no private bytes.
    pub fn refuse(&self, message: &str) -> Applied {
        self.process.note(format!(
            "{} {} refused",
            self.process.verb(&self.request),
            self.name()
        ));
        Ok(ApplyResourceChangeResponse {
            new_state: Ok(self.request.prior_state.clone()),
            private: Bytes::new(),
            new_identity: None,
            legacy_type_system: false,
            diagnostics: Diagnostic::error(message).into(),
        })
    }

    /// Does it, and then finds something to complain about.
    pub fn proceed_then_refuse(&self, message: &str) -> Applied {
        let mut response = self.proceed()?;
        response.diagnostics.push(Diagnostic::error(message));
        Ok(response)
    }

    /// The process dies before it has done anything.
    pub fn crash_before(&self) -> Applied {
        self.process.note(format!("crash before {}", self.name()));
        Err(self.process.die("ApplyResourceChange"))
    }

    /// The process does it, and dies before it can say so.
    pub fn crash_after(&self) -> Applied {
        let known = self.process.private_of(self.request.prior_state);
        drop(self.proceed()?);
        // The private bytes of a lost response were not given out.
        if let Some((id, private)) = known {
            self.process.set_private(&id, private);
        }
        Err(self.process.die("ApplyResourceChange"))
    }

    /// Does it and answers bytes that are no object.
    pub fn garble(&self) -> Applied {
        let mut response = self.proceed()?;
        response.new_state = Err(GarbledState {
            raw: Bytes::from_static(b"\xc1garbage"),
            reason: "not MessagePack".to_owned(),
        });
        Ok(response)
    }

    /// The name of the object.
    pub fn name(&self) -> &str {
        let request = &self.request;
        let object = if request.planned_state.is_null() {
            request.prior_state
        } else {
            request.planned_state
        };
        name_of(object)
    }
}

impl ImportCall<'_> {
    /// As without a hook.
    pub fn proceed(&self) -> Result<ImportResourceStateResponse, CallError> {
        Ok(self.process.import(&self.request))
    }

    /// An error.
    pub fn refuse(&self, message: &str) -> Result<ImportResourceStateResponse, CallError> {
        let mut response = self.proceed()?;
        response.diagnostics.push(Diagnostic::error(message));
        Ok(response)
    }
}

impl ReadCall<'_> {
    /// As without a hook.
    pub fn proceed(&self) -> Result<ReadResourceResponse, CallError> {
        Ok(self.process.read(&self.request))
    }

    /// An error.
    pub fn refuse(&self, message: &str) -> Result<ReadResourceResponse, CallError> {
        Ok(ReadResourceResponse {
            deferred: None,
            new_state: self.request.current_state.clone(),
            private: self.request.private.clone(),
            new_identity: self.request.current_identity.cloned(),
            diagnostics: Diagnostic::error(message).into(),
        })
    }
}

impl ReadDataCall<'_> {
    /// As without a hook, but without the object that was found.
    pub fn finding_nothing(&self) -> Result<ReadDataSourceResponse, CallError> {
        let mut response = self.proceed()?;
        response.state = with_member(&response.state, "found", Value::list(Vec::new()));
        Ok(response)
    }

    /// As without a hook.
    pub fn proceed(&self) -> Result<ReadDataSourceResponse, CallError> {
        Ok(self.process.read_data(&self.request))
    }

    /// An error.
    pub fn refuse(&self, message: &str) -> Result<ReadDataSourceResponse, CallError> {
        let mut response = self.proceed()?;
        response.diagnostics.push(Diagnostic::error(message));
        Ok(response)
    }

    /// That object, whatever the cloud says.
    pub fn answering(
        &self,
        attribute: &str,
        value: impl Into<Value>,
    ) -> Result<ReadDataSourceResponse, CallError> {
        Ok(ReadDataSourceResponse {
            deferred: None,
            state: with_member(
                &self.process.read_data(&self.request).state,
                attribute,
                value.into(),
            ),
            diagnostics: Diagnostics::new(),
        })
    }
}

fn parse(path: &str) -> Path {
    path.parse().expect("a path")
}
