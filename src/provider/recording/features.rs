//! Functions, ephemeral resources, lists and actions as JSON: what they take, requests and responses.

use serde_json::{Value as Json, json};
use terrane_core::schema::{Block, Function, Parameter};
use terrane_core::{Diagnostics, Type, Value};

use super::exchange::{Response, deferred, plain, read_deferred};
use super::form::{
    diagnostics, identity, private, read_diagnostics, read_identity, read_private, read_value,
    value,
};
use crate::action::PlanActionResponse;
use crate::ephemeral::{
    OpenEphemeralResourceResponse, OpenedEphemeralResource, RenewEphemeralResourceResponse,
};
use crate::function::{CallFunction, CallFunctionResponse, FunctionError};
use crate::listing::{ListResource, ListedResource};

/// The signature of a function.
pub(super) fn signature(function: &Function) -> Json {
    let parameter = |one: &Parameter| {
        json!({
            "name": &*one.name,
            "type": one.ty.to_json(),
            "allows_null": one.allows_null,
            "allows_unknown": one.allows_unknown,
        })
    };
    let parameters: Vec<Json> = function.parameters.iter().map(parameter).collect();
    json!({
        "parameters": parameters,
        "variadic": function.variadic.as_ref().map(parameter),
        "result": function.result.to_json(),
        "deprecation": function.deprecation,
    })
}

/// The signature of such JSON.
pub(super) fn read_signature(json: &Json) -> Result<Function, String> {
    let ty = |json: &Json| {
        let text = json.as_str().unwrap_or_default();
        Type::from_json(text.as_bytes()).map_err(|error| error.to_string())
    };
    let parameter = |json: &Json| {
        Ok::<_, String>(Parameter {
            name: json["name"].as_str().unwrap_or_default().into(),
            ty: ty(&json["type"])?,
            allows_null: json["allows_null"].as_bool().unwrap_or_default(),
            allows_unknown: json["allows_unknown"].as_bool().unwrap_or_default(),
        })
    };
    let parameters = json["parameters"].as_array().into_iter().flatten();
    let variadic = json.get("variadic").filter(|json| !json.is_null());
    Ok(Function {
        parameters: parameters.map(parameter).collect::<Result<_, _>>()?,
        variadic: variadic.map(parameter).transpose()?,
        result: ty(&json["result"])?,
        deprecation: json["deprecation"].as_str().unwrap_or_default().to_owned(),
    })
}

/// The arguments of a call.
pub(super) fn arguments(request: &CallFunction<'_>) -> Json {
    let arguments: Vec<Json> = request.arguments.iter().map(value).collect();
    json!({ "arguments": arguments })
}

/// The request that renews or closes an ephemeral resource.
pub(super) fn opened(request: &OpenedEphemeralResource<'_>) -> Json {
    json!({ "private": request.private.map(private) })
}

/// The request for a list.
pub(super) fn list(block: Option<&Block>, request: &ListResource<'_>) -> Json {
    json!({
        "config": plain(block, request.config),
        "include_resource_object": request.include_resource_object,
        "limit": request.limit,
    })
}

impl Response for CallFunctionResponse {
    fn write(&self, _: Option<&Block>) -> Json {
        match self {
            Ok(result) => json!({ "result": value(result) }),
            Err(error) => json!({ "error": error.text, "argument": error.argument }),
        }
    }

    fn read(json: &Json) -> Result<Self, String> {
        let Some(text) = json["error"].as_str() else {
            return Ok(Ok(read_value(&json["result"])?));
        };
        let argument = json["argument"].as_u64();
        Ok(Err(FunctionError {
            text: text.to_owned(),
            argument: argument.and_then(|place| usize::try_from(place).ok()),
        }))
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut Value)) {
        if let Ok(result) = self {
            change(result);
        }
    }
}

impl Response for OpenEphemeralResourceResponse {
    /// All of the result is a secret. When it was to be renewed, a replay does not need to know.
    fn write(&self, _: Option<&Block>) -> Json {
        json!({
            "result": plain(None, &self.result),
            "private": self.private.as_ref().map(private),
            "deferred": deferred(self.deferred),
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        Ok(Self {
            result: read_value(&json["result"])?,
            private: json
                .get("private")
                .filter(|json| !json.is_null())
                .map(read_private),
            renew_at: None,
            deferred: read_deferred(&json["deferred"]),
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut Value)) {
        change(&mut self.result);
    }
}

impl Response for RenewEphemeralResourceResponse {
    fn write(&self, _: Option<&Block>) -> Json {
        json!({
            "private": self.private.as_ref().map(private),
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        Ok(Self {
            private: json
                .get("private")
                .filter(|json| !json.is_null())
                .map(read_private),
            renew_at: None,
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, _: &mut dyn FnMut(&mut Value)) {}
}

impl Response for Vec<ListedResource> {
    fn write(&self, block: Option<&Block>) -> Json {
        let listed = self.iter().map(|one| {
            json!({
                "identity": identity(one.identity.as_ref()),
                "display_name": one.display_name,
                "object": one.object.as_ref().map(|object| plain(block, object)),
                "diagnostics": diagnostics(&one.diagnostics),
            })
        });
        listed.collect()
    }

    fn read(json: &Json) -> Result<Self, String> {
        let listed = json.as_array().into_iter().flatten().map(|one| {
            let object = one.get("object").filter(|json| !json.is_null());
            Ok(ListedResource {
                identity: read_identity(&one["identity"])?,
                display_name: one["display_name"].as_str().unwrap_or_default().to_owned(),
                object: object.map(read_value).transpose()?,
                diagnostics: read_diagnostics(&one["diagnostics"]),
            })
        });
        listed.collect()
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut Value)) {
        self.iter_mut()
            .filter_map(|one| one.object.as_mut())
            .for_each(change);
    }
}

impl Response for PlanActionResponse {
    fn write(&self, _: Option<&Block>) -> Json {
        json!({
            "deferred": deferred(self.deferred),
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        Ok(Self {
            deferred: read_deferred(&json["deferred"]),
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, _: &mut dyn FnMut(&mut Value)) {}
}

/// What an invoked action said.
pub(super) struct Invoked {
    /// About its progress, in order.
    pub(super) progress: Vec<String>,
    /// At its end.
    pub(super) diagnostics: Diagnostics,
}

impl Response for Invoked {
    fn write(&self, _: Option<&Block>) -> Json {
        json!({
            "progress": self.progress,
            "diagnostics": diagnostics(&self.diagnostics),
        })
    }

    fn read(json: &Json) -> Result<Self, String> {
        let progress = json["progress"].as_array().into_iter().flatten();
        let text = |one: &Json| one.as_str().unwrap_or_default().to_owned();
        Ok(Self {
            progress: progress.map(text).collect(),
            diagnostics: read_diagnostics(&json["diagnostics"]),
        })
    }

    fn change(&mut self, _: &mut dyn FnMut(&mut Value)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_read_as_it_was_written() {
        let parameter = |name: &str, ty| Parameter {
            name: name.into(),
            ty,
            allows_null: true,
            allows_unknown: false,
        };
        let function = Function {
            parameters: vec![parameter("separator", Type::String)],
            variadic: Some(parameter("parts", Type::list(Type::Dynamic))),
            result: Type::object([("a", Type::Bool)]),
            deprecation: "use another".to_owned(),
        };
        let read = read_signature(&signature(&function)).expect("a signature");
        assert_eq!(read, function);
    }
}
