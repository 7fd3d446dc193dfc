//! What the fake provider has beside resources: functions, an ephemeral resource, lists, an action.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use terrane_core::schema::{Function, Parameter, Schema};
use terrane_core::{Diagnostics, Type, Value};
use terrane_provider::{
    CallError, CallFunction, CallFunctionResponse, FunctionError, InvokeAction, ListResource,
    ListedResource, OpenEphemeralResource, OpenEphemeralResourceResponse, OpenedEphemeralResource,
    Progress, RenewEphemeralResourceResponse,
};

use crate::cloud::{name_of, with_member};
use crate::fields::Fields;
use crate::process::{Process, error, identity_of};

/// `join(separator, parts…)`, `shout(text)`, which refuses an empty text, and `default(value, fallback)`, which takes null.
pub(crate) fn function(name: &str) -> Option<Arc<Function>> {
    let text = |name: &str| Parameter {
        name: name.into(),
        ty: Type::String,
        allows_null: false,
        allows_unknown: false,
    };
    let (parameters, variadic) = match name {
        "join" => (vec![text("separator")], Some(text("parts"))),
        "shout" => (vec![text("text")], None),
        "default" => {
            let value = Parameter {
                allows_null: true,
                ..text("value")
            };
            (vec![value, text("fallback")], None)
        }
        _ => return None,
    };
    Some(Arc::new(Function {
        parameters,
        variadic,
        result: Type::String,
        deprecation: String::new(),
    }))
}

pub(crate) const FUNCTIONS: [&str; 3] = ["default", "join", "shout"];

/// `test_secret`: its `value` is another one each time it is opened; `renew` makes it due for renewal at once.
pub(crate) fn ephemeral(name: &str) -> Option<Arc<Schema>> {
    let secret = Fields::new()
        .string("name", "required")
        .attribute("renew", Type::Bool, "optional")
        .string("fails", "optional")
        .string("value", "computed sensitive");
    (name == "test_secret").then(|| Arc::new(secret.schema()))
}

/// `test_note`: writes a line into the ledger. `refused` is the error of its plan, `fails` the one of its invocation, and with `crashes`
/// the process dies in the middle.
pub(crate) fn action(name: &str) -> Option<Arc<Schema>> {
    let note = Fields::new()
        .string("text", "required")
        .string("refused", "optional")
        .string("fails", "optional")
        .attribute("crashes", Type::Bool, "optional");
    (name == "test_note").then(|| Arc::new(note.schema()))
}

/// The configuration by which `test_thing`s are listed: those whose names begin with `prefix`.
pub(crate) fn list(name: &str) -> Option<Arc<Schema>> {
    let things = Fields::new().string("prefix", "optional");
    (name == "test_thing").then(|| Arc::new(things.schema()))
}

fn text<'a>(config: &'a Value, name: &str) -> Option<&'a str> {
    config.get(name).and_then(Value::as_str)
}

impl Process {
    pub(crate) fn answer_function(&self, request: CallFunction<'_>) -> CallFunctionResponse {
        let arguments: Vec<_> = request.arguments.iter().map(Value::as_str).collect();
        self.note(format!("call {}{:?}", request.name, request.arguments));
        let refused = |text: &str| FunctionError {
            text: text.to_owned(),
            argument: Some(0),
        };
        match (request.name, arguments.as_slice()) {
            ("join", [Some(separator), parts @ ..]) => {
                let parts: Vec<&str> = parts.iter().copied().flatten().collect();
                Ok(parts.join(separator).into())
            }
            ("shout", [Some("")]) => Err(refused("there is nothing to shout")),
            ("shout", [Some(text)]) => Ok(text.to_uppercase().into()),
            ("default", [value, Some(fallback)]) => Ok(value.unwrap_or(fallback).into()),
            other => panic!("protocol: no such call: {other:?}"),
        }
    }

    pub(crate) fn answer_open(
        &self,
        request: OpenEphemeralResource<'_>,
    ) -> OpenEphemeralResourceResponse {
        let name = name_of(request.config);
        assert!(request.config.is_wholly_known(), "protocol: unknown config");
        self.note(format!("open {name}"));
        let mut contents = self.provider.cloud.lock();
        contents.counter += 1;
        let value = format!("{name}-secret-{}", contents.counter);
        let renew = request.config.get("renew").and_then(Value::as_bool) == Some(true);
        let diagnostics = match text(request.config, "fails") {
            Some(why) => error(why),
            None => Diagnostics::new(),
        };
        OpenEphemeralResourceResponse {
            result: with_member(request.config, "value", value.into()),
            private: Some(Bytes::from(name.to_owned())),
            renew_at: renew.then_some(SystemTime::UNIX_EPOCH),
            deferred: None,
            diagnostics,
        }
    }

    pub(crate) fn answer_renew(
        &self,
        request: OpenedEphemeralResource<'_>,
    ) -> RenewEphemeralResourceResponse {
        let private = request.private.expect("protocol: private bytes");
        let name = String::from_utf8_lossy(private);
        self.note(format!("renew {name}"));
        RenewEphemeralResourceResponse {
            private: Some(Bytes::from(format!("{name} (renewed)"))),
            renew_at: None,
            diagnostics: Diagnostics::new(),
        }
    }

    pub(crate) fn answer_close(&self, request: OpenedEphemeralResource<'_>) -> Diagnostics {
        let private = request.private.expect("protocol: private bytes");
        self.note(format!("close {}", String::from_utf8_lossy(private)));
        Diagnostics::new()
    }

    pub(crate) fn answer_list(&self, request: ListResource<'_>) -> Vec<ListedResource> {
        let prefix = text(request.config, "prefix").unwrap_or_default();
        let contents = self.provider.cloud.lock();
        let mut found: Vec<_> = contents
            .objects
            .values()
            .filter(|object| {
                object.type_name == request.type_name && object.name().starts_with(prefix)
            })
            .collect();
        found.truncate(request.limit as usize);
        let listed = found.into_iter().map(|object| ListedResource {
            identity: Some(identity_of(&object.id)),
            display_name: object.name().to_owned(),
            object: request
                .include_resource_object
                .then(|| object.value.clone()),
            diagnostics: Diagnostics::new(),
        });
        listed.collect()
    }

    pub(crate) fn answer_invoke(
        &self,
        request: InvokeAction<'_>,
        progress: Progress<'_>,
    ) -> Result<Diagnostics, CallError> {
        let note = text(request.config, "text").unwrap_or_default();
        self.note(format!("note {note}"));
        progress(format!("noting {note}"));
        if request.config.get("crashes").and_then(Value::as_bool) == Some(true) {
            return Err(self.die("InvokeAction"));
        }
        Ok(complaint(request.config, "fails"))
    }
}

/// The error that an argument asks for.
pub(crate) fn complaint(config: &Value, argument: &str) -> Diagnostics {
    text(config, argument).map_or_else(Diagnostics::new, error)
}
