//! Serves functions.

use terrane_core::schema::ProviderSchema;
use tonic::Status;

use super::Service;
use super::dispatch::{Answer, Dispatch, put, read};
use crate::function::CallFunction;
use crate::wire::tfplugin6 as proto;
use crate::wire::{LazySchema, encode_function};

/// The signatures as the wire has them.
pub(super) fn encoded(schema: &ProviderSchema) -> Vec<LazySchema> {
    let functions = schema.functions.iter();
    functions
        .map(|(name, function)| LazySchema {
            name: name.to_string(),
            schema: encode_function(function),
        })
        .collect()
}

impl<S: Service> Dispatch<S> {
    pub(super) async fn call_function(
        &self,
        q: proto::call_function::Request,
    ) -> Answer<proto::call_function::Response> {
        let name = q.name;
        let function = self.schema.functions.get(&*name);
        let function =
            function.ok_or_else(|| Status::invalid_argument(format!("no function `{name}`")))?;
        let arguments = q.arguments.into_iter().enumerate().map(|(place, value)| {
            let parameter = function.parameter(place);
            let parameter =
                parameter.ok_or_else(|| Status::invalid_argument("too many arguments"))?;
            read(Some(value), &parameter.ty)
        });
        let arguments: Vec<_> = arguments.collect::<Result<_, _>>()?;
        let request = CallFunction {
            name: &name,
            arguments: &arguments,
        };
        Ok(match self.service.call_function(request).await {
            Ok(result) => proto::call_function::Response {
                result: put(&result, &function.result)?,
                error: None,
            },
            Err(error) => proto::call_function::Response {
                result: None,
                error: Some(proto::FunctionError {
                    text: error.text,
                    function_argument: error.argument.and_then(|place| place.try_into().ok()),
                }),
            },
        })
    }
}
