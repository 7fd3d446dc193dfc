//! Modules whose content depends on a value that the cloud decides.
//!
//! The stack function runs again for them: once without the value, and once more for each plan in which the value is known. So a module's
//! function gets an ordinary value, may loop over it, and borrows whatever stands around it.

use std::sync::Arc;

use crate::addr::{InstanceAddr, ModuleAddr};
use crate::diagnostics::{Diagnostic, Diagnostics, Location};
use crate::error::{Error, Result};
use crate::expr::{Expr, Scope};
use crate::marks::Marked;
use crate::output::Output;
use crate::program::ResourceId;
use crate::stack::Stack;
use crate::typed::FromValue;
use crate::value::Value;

/// A module of [`Stack::module_when_known`].
#[derive(Debug)]
pub struct ValueModule {
    /// Its address.
    pub address: ModuleAddr,
    /// The value that its function takes.
    pub needs: Expr,
    /// The instances that the value comes from, with those of the modules around it; sorted, each once.
    pub dependencies: Vec<ResourceId>,
    /// The value that its function ran with; `None` where it did not run.
    pub value: Option<Value>,
    /// Where it was declared.
    pub location: Location,
}

impl ValueModule {
    /// Whether nothing in it is declared yet.
    pub fn is_waiting(&self) -> bool {
        self.value.is_none()
    }
}

/// The same before references are resolved.
pub(crate) struct DeclaredValueModule {
    pub(crate) address: ModuleAddr,
    pub(crate) needs: Expr,
    pub(crate) value: Option<Value>,
    pub(crate) location: Location,
    /// The place of the innermost one around it.
    pub(crate) outer: Option<usize>,
}

/// Whether the module at `inner` is the one at `outer`, or lies in it.
pub(crate) fn is_within(
    modules: &[DeclaredValueModule],
    inner: Option<usize>,
    outer: usize,
) -> bool {
    let mut around = inner;
    while let Some(place) = around {
        if place == outer {
            return true;
        }
        around = modules[place].outer;
    }
    false
}

impl Stack {
    /// Runs a component with a value that the cloud decides, once that value is known: everything declared inside has `module.<name>.`
    /// before its address.
    ///
    /// A component declares with ordinary values, so a loop over something that another resource makes belongs here:
    ///
    /// ```
    /// # use terrane_core::{NoConfig, Output, Program, Resource, Result, Stack};
    /// # fn platform(stack: &mut Stack) -> Result<()> {
    /// # let network = Resource::dynamic("test_thing", "network").declare(stack);
    /// let zones: Output<Vec<String>> = network.attribute("zones");
    /// stack.module_when_known("subnets", zones, |stack, zones| {
    ///     for zone in &zones {
    ///         Resource::dynamic("test_thing", "subnet")
    ///             .instance_key(zone.as_str())
    ///             .set("zone", zone)
    ///             .declare(stack);
    ///     }
    ///     Ok(())
    /// })
    /// # }
    /// # Program::from_fn(platform, NoConfig).expect("a program");
    /// ```
    ///
    /// While the value is unknown, a preview shows the module as deferred. `up` applies the rest, runs the module with the value, and shows
    /// and asks again in the same run. Objects that the module declared earlier stay until then. The component may run any number of times,
    /// and borrows what stands around it without changing it, so that nothing outside depends on whether it ran.
    ///
    /// ```compile_fail
    /// # use terrane_core::{Output, Resource, Result, Stack};
    /// # fn f(stack: &mut Stack, zones: Output<Vec<String>>) -> Result<()> {
    /// let mut subnets = Vec::new();
    /// stack.module_when_known("subnets", zones, |stack, zones| {
    ///     subnets.push(Resource::dynamic("test_thing", "subnet").declare(stack)); // does not compile
    ///     Ok(())
    /// })
    /// # }
    /// ```
    ///
    /// Everything inside depends on the resources that the value comes from.
    ///
    /// # Errors
    /// Those of the component; and when the value is not of the type that it takes.
    #[track_caller]
    pub fn module_when_known<T: FromValue>(
        &mut self,
        name: &str,
        value: Output<T>,
        component: impl Fn(&mut Self, T) -> Result<()>,
    ) -> Result<()> {
        let location = Location::caller();
        let needs = value.into_expr();
        let mut result = Ok(());
        self.module(name, |stack| {
            result = stack.run_when_known(needs, location, component);
        });
        result
    }

    fn run_when_known<T: FromValue>(
        &mut self,
        needs: Expr,
        location: Location,
        component: impl Fn(&mut Self, T) -> Result<()>,
    ) -> Result<()> {
        let address = self.current_module().clone();
        let value = match constant(&needs, location)? {
            Some(value) => Some(value),
            None => self.known_values().module(&address).cloned(),
        };
        let place = self.declared.value_modules.len();
        let outer = self.value_module.replace(place);
        self.declared.value_modules.push(DeclaredValueModule {
            address: address.clone(),
            needs,
            value: value.clone(),
            location,
            outer,
        });
        let result = match value {
            None => Ok(()),
            Some(value) => match T::from_value(&value) {
                Ok(value) => component(self, value),
                Err(mismatch) => Err(Error::from(
                    Diagnostic::error(format!("{address} cannot take its value: {mismatch}"))
                        .location(location),
                )),
            },
        };
        self.value_module = outer;
        result
    }
}

/// The value of an expression that depends on nothing.
pub(crate) fn constant(expr: &Expr, location: Location) -> Result<Option<Value>> {
    struct Nothing;
    impl Scope for Nothing {
        fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
            None
        }
    }
    let mut is_constant = true;
    expr.for_each_reference(&mut |_| is_constant = false);
    expr.for_each_call(&mut |_| is_constant = false);
    expr.for_each_export(&mut |_| is_constant = false);
    expr.for_each_forward(&mut |_| is_constant = false);
    if !is_constant {
        return Ok(None);
    }
    let failed = |error: crate::expr::EvalError| {
        Diagnostics::from(Diagnostic::error(error.to_string()).location(error.location()))
    };
    let marked = expr.evaluate(&Nothing).map_err(failed)?;
    if marked.is_sensitive() {
        return Err(sensitive(location).into());
    }
    Ok(Some(marked.value))
}

/// A value that must not be shown would show in addresses and in the number of objects.
fn sensitive(location: Location) -> Diagnostic {
    Diagnostic::error("a sensitive value cannot decide what a module declares")
        .detail("it would show in addresses, and in the number of resources")
        .location(location)
        .hint("give the module a value that may be shown, such as the names without their secrets")
}

impl ValueModule {
    /// The refusal of a sensitive value.
    pub fn refuse_sensitive(&self) -> Diagnostic {
        sensitive(self.location).address(&self.address)
    }
}
