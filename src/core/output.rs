//! Deferred values: typed handles on expressions.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use crate::expr::Expr;
use crate::text::nfc;
use crate::typed::{FromValue, IntoValue};
use crate::value::{PathStep, Value};

/// A value of type `T` that the cloud decides, usable as an argument right away.
///
/// It is symbolic: cheap to clone, and impossible to print or compare, for there may be nothing to print yet. Compute with it by
/// [`map`](Self::map) and [`all`]. Sensitivity goes along with the value.
///
/// ```compile_fail
/// # fn f(endpoint: terrane_core::Output<String>) {
/// println!("{endpoint}"); // does not compile: the value is not known yet
/// # }
/// ```
pub struct Output<T> {
    expr: Expr,
    marker: PhantomData<fn() -> T>,
}

impl<T> Output<T> {
    /// A typed handle on an expression; for generated bindings.
    pub fn new(expr: Expr) -> Self {
        Self {
            expr,
            marker: PhantomData,
        }
    }

    /// The expression behind the handle.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// The expression itself.
    pub fn into_expr(self) -> Expr {
        self.expr
    }

    /// The same value, never shown: in diffs, tables, logs and errors it reads `(sensitive)`.
    #[must_use]
    pub fn sensitive(self) -> Self {
        Self::new(Expr::Sensitive(self.expr.into()))
    }

    /// The same expression as another type; the value is checked when it is used.
    pub fn cast<U>(self) -> Output<U> {
        Output::new(self.expr)
    }
}

impl<T: FromValue + 'static> Output<T> {
    /// A value computed from this one, once it is known.
    ///
    /// The closure must be pure: it runs when the input is known at plan, and again at apply. It cannot declare anything;
    /// [`Stack::module_when_known`](crate::Stack::module_when_known) does that with a value.
    ///
    /// ```compile_fail
    /// # use terrane_core::{Output, Resource, Stack};
    /// # fn f(stack: &mut Stack, zones: Output<Vec<String>>) {
    /// zones.map(|zones| {
    ///     for zone in zones {
    ///         Resource::dynamic("test_thing", "subnet").instance_key(zone).declare(stack); // does not compile
    ///     }
    /// });
    /// # }
    /// ```
    #[track_caller]
    pub fn map<U: IntoValue>(
        &self,
        function: impl Fn(T) -> U + Send + Sync + 'static,
    ) -> Output<U> {
        Output::new(self.expr.clone().apply(move |value| {
            let input = T::from_value(value).map_err(|mismatch| mismatch.to_string())?;
            Ok(function(input).into_value())
        }))
    }

    /// Like [`map`](Self::map), for a computation that can fail; the failure is an error at this line.
    #[track_caller]
    pub fn try_map<U: IntoValue, E: fmt::Display>(
        &self,
        function: impl Fn(T) -> Result<U, E> + Send + Sync + 'static,
    ) -> Output<U> {
        Output::new(self.expr.clone().apply(move |value| {
            let input = T::from_value(value).map_err(|mismatch| mismatch.to_string())?;
            function(input)
                .map(IntoValue::into_value)
                .map_err(|error| error.to_string())
        }))
    }
}

impl<T> Output<Vec<T>> {
    /// The element at that place, from 0.
    #[track_caller]
    pub fn index(&self, index: usize) -> Output<T> {
        Output::new(self.expr.at(PathStep::Index(index)))
    }
}

impl<T> Output<BTreeMap<String, T>> {
    /// The value of that key.
    #[track_caller]
    pub fn key(&self, key: &str) -> Output<T> {
        Output::new(self.expr.at(PathStep::key(key)))
    }
}

impl Output<Value> {
    /// The element at that place of a list whose type the bindings do not know, from 0.
    #[track_caller]
    pub fn index(&self, index: usize) -> Self {
        Self::new(self.expr.at(PathStep::Index(index)))
    }

    /// The value of that key in a map whose type the bindings do not know.
    #[track_caller]
    pub fn key(&self, key: &str) -> Self {
        Self::new(self.expr.at(PathStep::key(key)))
    }

    /// A member of an object whose type the bindings do not know.
    #[track_caller]
    pub fn attribute<T>(&self, name: &str) -> Output<T> {
        Output::new(self.expr.at(PathStep::Attribute(nfc(name))))
    }
}

impl<T> Clone for Output<T> {
    fn clone(&self) -> Self {
        Self::new(self.expr.clone())
    }
}

impl<T> fmt::Debug for Output<T> {
    /// Shows where the value comes from, never the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Output({:?})", self.expr)
    }
}

/// A trait without implementations: it lets the compiler say why an output cannot be printed.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an `Output` cannot be printed: its value may not be known yet",
    label = "the cloud decides this value",
    note = "compute with it by `output.map(|value| …)` or `interpolate!(\"https://{{}}\", output)`; publish it by `stack.export(\"name\", output)`"
)]
pub trait Printable {}

/// The content of an output while the program runs. The bound below is on this and not on the output itself, for then the compiler
/// would fall back on its own words for a missing `Display`.
#[doc(hidden)]
pub struct NotKnownYet<T>(PhantomData<fn() -> T>);

impl<T> fmt::Display for Output<T>
where
    NotKnownYet<T>: Printable,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Several outputs as one: a tuple of up to eight, or a list of one type.
pub trait Outputs {
    /// The type that a `map` on the result receives.
    type Values;

    /// The combined expression.
    fn into_expr(self) -> Expr;
}

/// Waits for several values: `all((bucket.arn(), cluster.name())).map(|(arn, name)| …)`.
pub fn all<O: Outputs>(outputs: O) -> Output<O::Values> {
    Output::new(outputs.into_expr())
}

impl<T> Outputs for Vec<Output<T>> {
    type Values = Vec<T>;

    fn into_expr(self) -> Expr {
        Expr::list(self.into_iter().map(Output::into_expr).collect())
    }
}

macro_rules! output_tuples {
    ($(($($name:ident $place:tt),+)),* $(,)?) => {
        $(impl<$($name),+> Outputs for ($(Output<$name>,)+) {
            type Values = ($($name,)+);

            fn into_expr(self) -> Expr {
                Expr::list(vec![$(self.$place.into_expr()),+])
            }
        })*
    };
}
output_tuples!(
    (A 0, B 1),
    (A 0, B 1, C 2),
    (A 0, B 1, C 2, D 3),
    (A 0, B 1, C 2, D 3, E 4),
    (A 0, B 1, C 2, D 3, E 4, F 5),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7),
);
