//! Calls a provider's functions.

use terrane_core::Value;

use super::{Client, put, read};
use crate::function::{CallFunction, CallFunctionResponse, FunctionError};
use crate::provider::CallError;
use crate::wire::Rpc;
use crate::wire::tfplugin6 as proto;

impl Client {
    pub(super) async fn call_function(
        &self,
        request: CallFunction<'_>,
    ) -> Result<CallFunctionResponse, CallError> {
        let rpc = Rpc::CallFunction;
        let unsendable = |reason: String| CallError::Unsendable {
            rpc: rpc.name(),
            reason,
        };
        let name = request.name;
        let function = self.schemas.function(name)?;
        let function =
            function.ok_or_else(|| unsendable(format!("the provider has no function `{name}`")))?;
        let argument = |(place, value): (usize, &Value)| {
            let parameter = function.parameter(place);
            let parameter = parameter
                .ok_or_else(|| unsendable(format!("`{name}` takes no argument {}", place + 1)))?;
            put(rpc, value, &parameter.ty).map(Option::unwrap_or_default)
        };
        let arguments = request.arguments.iter().enumerate().map(argument);
        let request = proto::call_function::Request {
            name: name.to_owned(),
            arguments: arguments.collect::<Result<_, _>>()?,
        };
        let response: proto::call_function::Response = self.call(rpc, request).await?;
        if let Some(error) = response.error {
            return Ok(Err(FunctionError {
                text: error.text,
                argument: error
                    .function_argument
                    .and_then(|place| place.try_into().ok()),
            }));
        }
        read(rpc, response.result.as_ref(), &function.result).map(Ok)
    }
}
