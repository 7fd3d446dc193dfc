//! The functions of providers: each is called once for the same arguments in a run, as soon as they are known.
//!
//! Evaluating an expression is synchronous and calling a function is not. So an evaluation notes the calls whose results it lacks and takes
//! them for unknown; those calls are made, and the expression is evaluated again, until nothing is missing.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::join_all;
use terrane_core::addr::{InstanceAddr, ProviderSource};
use terrane_core::{Call, Diagnostic, Diagnostics, EvalError, Expr, Marked, Scope, Value, closest};
use terrane_provider::{CallFunction, Provider};
use tokio::sync::OnceCell;

use crate::running::{RunningProviders, call_failed};

/// Which call: the provider, the function, and the arguments as text.
type Key = (ProviderSource, Arc<str>, String);

/// The results of a run's calls; for a function without one, why it has none.
#[derive(Default)]
pub(crate) struct Calls(RefCell<HashMap<Key, Rc<OnceCell<Answer>>>>);

/// The result of a function; else why it has none.
type Answer = Result<Value, String>;

impl Calls {
    /// The result of a call, if it has been made.
    fn result(&self, key: &Key) -> Option<Answer> {
        self.0.borrow().get(key)?.get().cloned()
    }
}

fn key(call: &Call, arguments: &[Value]) -> Key {
    let arguments = format!("{arguments:?}");
    (call.provider.clone(), call.function.clone(), arguments)
}

/// A scope in which the functions that have been called have their results.
struct Calling<'s, S> {
    scope: &'s S,
    calls: &'s Calls,
    missing: RefCell<Vec<(Call, Vec<Value>)>>,
}

impl<S: Scope> Scope for Calling<'_, S> {
    fn object(&self, address: &InstanceAddr) -> Option<Arc<Marked>> {
        self.scope.object(address)
    }

    fn call(&self, call: &Call, arguments: &[Value]) -> Result<Value, EvalError> {
        match self.calls.result(&key(call, arguments)) {
            Some(Ok(result)) => Ok(result),
            Some(Err(reason)) => Err(EvalError::Call {
                function: call.to_string(),
                reason,
                location: call.location,
            }),
            None => {
                let missing = (call.clone(), arguments.to_vec());
                self.missing.borrow_mut().push(missing);
                Ok(Value::UNKNOWN)
            }
        }
    }
}

impl RunningProviders<'_> {
    /// The value of an expression now, after every call in it that can be made.
    ///
    /// # Errors
    /// What `blame` makes of a failing evaluation; and when a provider cannot be called.
    pub(crate) async fn evaluate(
        &self,
        expr: &Expr,
        scope: &impl Scope,
        blame: impl Fn(&EvalError) -> Diagnostic,
    ) -> Result<Marked, Diagnostics> {
        loop {
            let calling = Calling {
                scope,
                calls: self.calls(),
                missing: RefCell::default(),
            };
            let marked = expr.evaluate(&calling).map_err(|error| blame(&error))?;
            let missing = calling.missing.into_inner();
            if missing.is_empty() {
                return Ok(marked);
            }
            let answers = missing.iter().map(|(call, arguments)| async move {
                let cell = {
                    let mut calls = self.calls().0.borrow_mut();
                    calls.entry(key(call, arguments)).or_default().clone()
                };
                cell.get_or_try_init(|| self.call(call, arguments)).await?;
                Ok::<_, Diagnostics>(())
            });
            for answer in join_all(answers).await {
                answer?;
            }
        }
    }

    /// The result of a function; else why it has none.
    async fn call(&self, call: &Call, arguments: &[Value]) -> Result<Answer, Diagnostics> {
        let failed = |error| call_failed(&error, call);
        let located = |errors: Diagnostics| {
            let at = |error: Diagnostic| error.location(call.location);
            errors.into_iter().map(at).collect::<Diagnostics>()
        };
        let provider = self.process_of(&call.provider).await.map_err(located)?;
        let name = &*call.function;
        let function = provider.function(name).map_err(failed).map_err(located)?;
        let Some(function) = function else {
            return Ok(Err(no_such_function(&*provider, call)));
        };
        if !function.takes(arguments.len()) {
            let (takes, given) = (function.parameters.len(), arguments.len());
            let least = match function.variadic {
                Some(_) => "at least ",
                None => "",
            };
            let arguments = match takes {
                1 => "argument",
                _ => "arguments",
            };
            return Ok(Err(format!(
                "it takes {least}{takes} {arguments}, not {given}"
            )));
        }
        let place = |place: usize| match function.parameter(place) {
            Some(parameter) => format!("argument {} (`{}`)", place + 1, parameter.name),
            None => format!("argument {}", place + 1),
        };
        let mut sent = Vec::with_capacity(arguments.len());
        for (at, argument) in arguments.iter().enumerate() {
            let Some(parameter) = function.parameter(at) else {
                continue;
            };
            let argument = match argument.convert(&parameter.ty) {
                Ok(converted) => converted,
                Err(error) => return Ok(Err(format!("{}: {error}", place(at)))),
            };
            if argument.is_null() && !parameter.allows_null {
                return Ok(Err(format!("{} is null", place(at))));
            }
            if !argument.is_wholly_known() && !parameter.allows_unknown {
                return Ok(Ok(Value::UNKNOWN));
            }
            sent.push(argument);
        }
        let request = CallFunction {
            name,
            arguments: &sent,
        };
        let response = provider.call_function(request).await;
        Ok(match response.map_err(failed).map_err(located)? {
            Ok(result) => {
                let is_known = sent.iter().all(Value::is_wholly_known);
                if is_known && !result.is_wholly_known() {
                    Err("its result is unknown, though every argument is known; this is a bug in the provider".to_owned())
                } else {
                    Ok(result)
                }
            }
            Err(error) => Err(match error.argument {
                Some(at) => format!("{}: {}", place(at), error.text),
                None => error.text,
            }),
        })
    }
}

fn no_such_function(provider: &dyn Provider, call: &Call) -> String {
    let known = provider.functions();
    let close = closest(&call.function, known.iter().map(|name| &**name));
    let hint = match close {
        Some(close) => format!("; did you mean `{close}`?"),
        None if known.is_empty() => "; it has no functions".to_owned(),
        None => String::new(),
    };
    format!("{} has no function of that name{hint}", call.provider)
}
