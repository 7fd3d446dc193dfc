//! Values that a program uses before the line that says what they are.

use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use crate::diagnostics::{Diagnostic, Location};
use crate::expr::{Expr, Reference};
use crate::input::IntoInput;
use crate::output::Output;
use crate::stack::{Declared, Stack};
use crate::value::{Path, PathStep};

/// A value that is used before it is said: made by [`Stack::forward`], said by [`set`](Self::set).
///
/// Two components may need each other's outputs although no resource needs itself. One of them then takes a forward reference, and gets the
/// value after the other was declared:
///
/// ```
/// # use terrane_core::{NoConfig, Output, Program, Resource, Result, Stack, interpolate};
/// struct Queue {
///     arn: Output<String>,
/// }
///
/// /// A queue that keeps its failures in another, or those of others.
/// fn queue(stack: &mut Stack, name: &str, policy: Output<String>) -> Queue {
///     stack.module(name, |stack| {
///         let queue = Resource::dynamic("test_queue", "main").declare(stack);
///         let arn: Output<String> = queue.attribute("arn");
///         Resource::dynamic("test_policy", "main").set("queue", &arn).set("policy", policy).declare(stack);
///         Queue { arn }
///     })
/// }
///
/// # fn platform(stack: &mut Stack) -> Result<()> {
/// let letters_arn = stack.forward::<String>();
/// let orders = queue(stack, "orders", interpolate!("send to {}", letters_arn.output()));
/// let letters = queue(stack, "letters", interpolate!("take from {}", orders.arn));
/// letters_arn.set(&letters.arn);
/// # Ok(())
/// # }
/// # assert_eq!(Program::from_fn(platform, NoConfig).expect("a program").resources().len(), 4);
/// ```
///
/// The program holds the value itself in place of the reference, so resources depend on what they use and on nothing else. A cycle among
/// resources is an error as ever, and so is a forward reference whose value nobody says.
#[must_use = "a forward reference needs a value: `forward.set(…)`"]
#[derive(Debug)]
pub struct Forward<T> {
    value: Arc<ForwardValue>,
    marker: PhantomData<fn() -> T>,
}

/// The value of a forward reference, once it was said.
#[derive(Debug)]
pub struct ForwardValue {
    value: OnceLock<Expr>,
    location: Location,
}

impl Stack {
    /// A value of type `T` for components that are declared before it is known; see [`Forward`].
    ///
    /// It is an [`Output`] and cannot decide what a component declares: what `if` and `for` look at has to be declared first.
    #[track_caller]
    pub fn forward<T>(&mut self) -> Forward<T> {
        let value = Arc::new(ForwardValue::hole());
        self.declared.forwards.push(value.clone());
        Forward {
            value,
            marker: PhantomData,
        }
    }
}

impl<T> Forward<T> {
    /// The value, to be used as any other.
    pub fn output(&self) -> Output<T> {
        Output::new(Expr::Forward(self.value.clone()))
    }

    /// Says what the value is.
    #[track_caller]
    pub fn set(self, value: impl IntoInput<T>) {
        let location = Location::caller();
        let mut expr = value.into_input().into_expr();
        let mut needs_itself = false;
        expr.for_each_forward(&mut |one| needs_itself |= std::ptr::eq(one, &raw const *self.value));
        if needs_itself {
            expr = Expr::invalid(
                "the value of a forward reference depends on itself",
                location,
            );
        }
        let first = self.value.value.set(expr);
        first.expect("invariant: `set` takes the only `Forward`");
    }
}

impl ForwardValue {
    /// A place in the body of a loop that every round fills for itself.
    #[track_caller]
    pub(crate) fn hole() -> Self {
        Self {
            value: OnceLock::new(),
            location: Location::caller(),
        }
    }

    /// What was said.
    pub fn value(&self) -> Option<&Expr> {
        self.value.get()
    }

    /// The report of a value that nobody said.
    pub(crate) fn missing(&self) -> Option<Diagnostic> {
        let missing = Diagnostic::error("the forward reference has no value")
            .location(self.location)
            .hint("give it one with `forward.set(…)` in the same stack function");
        self.value.get().is_none().then_some(missing)
    }
}

impl Declared {
    /// Puts values in place of forward references, and reports those that have none.
    pub(crate) fn settle_forwards(&mut self) {
        if self.forwards.is_empty() {
            return;
        }
        for forward in &self.forwards {
            self.diagnostics.extend(forward.missing());
        }
        self.settle_said_forwards();
        self.forwards.clear();
    }

    /// Puts values in place of those forward references that have one.
    pub(crate) fn settle_said_forwards(&mut self) {
        let providers = self.providers.iter_mut();
        let providers = providers.flat_map(|one| one.arguments.values_mut());
        let resources = self.resources.iter_mut().flat_map(|one| {
            let triggering = one.lifecycle.triggering.iter_mut();
            one.arguments.values_mut().chain(triggering)
        });
        let actions = self.actions.iter_mut();
        let actions = actions.flat_map(|(_, one, _)| one.arguments.values_mut());
        let modules = self.value_modules.iter_mut().map(|one| &mut one.needs);
        let exports = self.exports.iter_mut().map(|one| &mut one.value);
        let exprs = providers.chain(resources).chain(actions);
        for expr in exprs.chain(modules).chain(exports) {
            if let Some(settled) = expr.without_forwards() {
                *expr = settled;
            }
        }
    }
}

impl Expr {
    /// The same with values in place of forward references; `None` where it has none.
    pub(crate) fn without_forwards(&self) -> Option<Self> {
        self.rewritten(&|expr| match expr {
            Self::Forward(forward) => {
                let value = forward.value()?;
                Some(value.without_forwards().unwrap_or_else(|| value.clone()))
            }
            Self::At(at) => {
                let (whole, path, location) = &**at;
                Some(whole.inner(path, *location))
            }
            _ => None,
        })
    }

    /// The part at that path, without its neighbours where it stands among them.
    fn inner(&self, path: &Path, location: Location) -> Self {
        let Some((step, rest)) = path.steps().split_first() else {
            return self.clone();
        };
        let part = match (self, step) {
            (Self::Reference(reference), _) => {
                return Self::Reference(Arc::new(Reference {
                    path: reference.path.clone().join(path),
                    ..(**reference).clone()
                }));
            }
            (Self::Sensitive(whole), _) => {
                return Self::Sensitive(Arc::new(whole.inner(path, location)));
            }
            (Self::Map(members), PathStep::Attribute(name) | PathStep::Key(name)) => {
                members.get(name)
            }
            (Self::List(elements), PathStep::Index(index)) => elements.get(*index),
            _ => None,
        };
        match part {
            Some(part) => part.inner(&rest.iter().cloned().collect(), location),
            None => Self::At(Arc::new((self.clone(), path.clone(), location))),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Input, Lifecycle, NoConfig, Output, Program, Resource, Result, Stack, Value, all,
        interpolate,
    };

    fn program(function: impl FnOnce(&mut Stack) -> Result<()>) -> Result<Program, String> {
        Program::from_fn(function, NoConfig).map_err(|faults| faults.to_string())
    }

    /// Each resource with those that it needs.
    fn needs(program: &Program) -> Vec<String> {
        let named = program.resources().iter().map(|resource| {
            let needed = resource.dependencies.iter();
            let needed: Vec<String> = needed
                .map(|&id| program.resources()[id].address.to_string())
                .collect();
            format!("{} [{}]", resource.address, needed.join(", "))
        });
        named.collect()
    }

    #[test]
    fn a_value_may_be_used_before_it_is_said() {
        let program = program(|stack| {
            let id = stack.forward::<String>();
            Resource::dynamic("t_x", "early")
                .set("plain", id.output())
                .set("text", interpolate!("id {}", id.output()))
                .declare(stack);
            stack.export("id", id.output().sensitive());
            let late = Resource::dynamic("t_x", "late").declare(stack);
            id.set(late.attribute::<String>("id"));
            Ok(())
        });
        let program = program.expect("a program");
        assert_eq!(needs(&program), ["t_x.early [t_x.late]", "t_x.late []"]);
        assert_eq!(format!("{:?}", program.exports()[0].value), "t_x.late.id");
        // What reads expressions meets values only.
        let mut forwards = 0;
        for expr in program.expressions() {
            expr.for_each_forward(&mut |_| forwards += 1);
        }
        assert_eq!(forwards, 0);
    }

    #[test]
    fn a_part_of_a_value_depends_on_nothing_beside_it() {
        let program = program(|stack| {
            let both = stack.forward::<Value>();
            let part: Output<String> = both.output().index(0).attribute("id");
            let a = Resource::dynamic("t_x", "a")
                .set("peer", part)
                .declare(stack);
            let b = Resource::dynamic("t_x", "b")
                .set("peer", a.attribute::<String>("id"))
                .declare(stack);
            let c = Resource::dynamic("t_x", "c").declare(stack);
            let whole = |one: &Resource| one.at::<Value>(crate::Path::root());
            both.set(Input::new(all(vec![whole(&c), whole(&b)]).into_expr()));
            Ok(())
        });
        let needed = needs(&program.expect("a program"));
        assert_eq!(needed, ["t_x.a [t_x.c]", "t_x.b [t_x.a]", "t_x.c []"]);
    }

    #[test]
    fn a_value_that_nobody_says_is_reported_at_the_line_that_wants_it() {
        let error = program(|stack| {
            let id = stack.forward::<String>();
            let used = Resource::dynamic("t_x", "a").set("peer", id.output());
            used.declare(stack);
            Ok(())
        });
        let line = line!() - 5;
        let error = error.expect_err("it has no value");
        assert!(
            error.contains("the forward reference has no value"),
            "{error}"
        );
        assert!(
            error.contains(&format!("src/core/forward.rs:{line}")),
            "{error}"
        );
    }

    #[test]
    fn a_cycle_of_resources_stays_one() {
        let error = program(|stack| {
            let id = stack.forward::<String>();
            let a = Resource::dynamic("t_x", "a")
                .set("peer", id.output())
                .declare(stack);
            let b = Resource::dynamic("t_x", "b")
                .set("peer", a.attribute::<String>("id"))
                .declare(stack);
            id.set(b.attribute::<String>("id"));
            Ok(())
        });
        let error = error.expect_err("a cycle");
        assert!(
            error.contains("in a cycle: t_x.a (src/core/forward.rs:"),
            "{error}"
        );
    }

    #[test]
    fn a_value_that_needs_itself_is_an_error() {
        let error = program(|stack| {
            let (a, b) = (stack.forward::<String>(), stack.forward::<String>());
            Resource::dynamic("t_x", "a")
                .set("peer", a.output())
                .declare(stack);
            let (of_a, of_b) = (a.output(), b.output());
            a.set(interpolate!("-{}", of_b));
            b.set(of_a);
            Ok(())
        });
        let error = error.expect_err("no value");
        assert!(error.contains("depends on itself"), "{error}");
    }

    #[test]
    fn a_trigger_may_be_said_later() {
        let program = program(|stack| {
            let id = stack.forward::<String>();
            Resource::dynamic("t_x", "a")
                .lifecycle(Lifecycle::new().replace_triggered_by_attribute(&id.output()))
                .declare(stack);
            let b = Resource::dynamic("t_x", "b").declare(stack);
            id.set(b.attribute::<String>("id"));
            Ok(())
        });
        let program = program.expect("a program");
        assert_eq!(needs(&program), ["t_x.a [t_x.b]", "t_x.b []"]);
        let first = program.resources().iter().next().expect("two");
        assert_eq!(
            first.lifecycle.replace_triggered_by[0].path.to_string(),
            "id"
        );
    }

    #[test]
    fn a_module_may_wait_for_a_value_that_is_said_later() {
        let program = program(|stack| {
            let zones = stack.forward::<Vec<String>>();
            stack.module_when_known("subnets", zones.output(), |stack, zones| {
                for zone in zones {
                    Resource::dynamic("t_x", "a")
                        .instance_key(zone)
                        .declare(stack);
                }
                Ok(())
            })?;
            let b = Resource::dynamic("t_x", "b").declare(stack);
            zones.set(b.attribute::<Vec<String>>("zones"));
            Ok(())
        });
        let program = program.expect("a program");
        let module = &program.value_modules()[0];
        assert!(module.is_waiting());
        assert_eq!(module.dependencies.len(), 1);
    }
}
