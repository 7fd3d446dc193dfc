//! Calling the functions that providers offer.

use std::fmt;
use std::sync::Arc;

use crate::addr::ProviderSource;
use crate::diagnostics::Location;
use crate::expr::Expr;
use crate::into_expr::IntoExpr;
use crate::output::Output;
use crate::provider::{ProviderBinding, ProviderHandle};

/// A call of a provider's function; its value is the result.
#[derive(Clone)]
pub struct Call {
    /// The provider that offers the function.
    pub provider: ProviderSource,
    /// The function.
    pub function: Arc<str>,
    /// The arguments, by place.
    pub arguments: Vec<Expr>,
    /// Where the program calls it.
    pub location: Location,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.provider.type_name, self.function)
    }
}

/// The arguments of a function: a tuple of up to eight, an array or a list; `()` for none.
pub trait Arguments {
    /// The arguments by place.
    fn into_exprs(self) -> Vec<Expr>;
}

impl Arguments for () {
    fn into_exprs(self) -> Vec<Expr> {
        Vec::new()
    }
}

impl<X: IntoExpr> Arguments for Vec<X> {
    fn into_exprs(self) -> Vec<Expr> {
        self.into_iter().map(IntoExpr::into_expr).collect()
    }
}

impl<X: IntoExpr, const N: usize> Arguments for [X; N] {
    fn into_exprs(self) -> Vec<Expr> {
        self.into_iter().map(IntoExpr::into_expr).collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident $place:tt),+)),* $(,)?) => {
        $(impl<$($name: IntoExpr),+> Arguments for ($($name,)+) {
            fn into_exprs(self) -> Vec<Expr> {
                vec![$(self.$place.into_expr()),+]
            }
        })*
    };
}
tuples!(
    (A 0),
    (A 0, B 1),
    (A 0, B 1, C 2),
    (A 0, B 1, C 2, D 3),
    (A 0, B 1, C 2, D 3, E 4),
    (A 0, B 1, C 2, D 3, E 4, F 5),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7),
);

#[track_caller]
fn call<T>(provider: ProviderSource, function: &str, arguments: impl Arguments) -> Output<T> {
    Output::new(Expr::Call(Arc::new(Call {
        provider,
        function: function.into(),
        arguments: arguments.into_exprs(),
        location: Location::caller(),
    })))
}

impl ProviderHandle {
    /// The result of a function of this provider: `aws.function::<String>("trim_iam_role_path", (role.arn(),))`.
    ///
    /// It is called while planning if its arguments are known then, else as soon as they are. Functions are pure and need no
    /// credentials: the same arguments have one result in a run. A result that is not a `T` is an error where it is used.
    #[track_caller]
    pub fn function<T>(&self, name: &str, arguments: impl Arguments) -> Output<T> {
        call(self.source.clone(), name, arguments)
    }
}

impl ProviderBinding {
    /// The result of a function of this provider; for generated bindings.
    #[track_caller]
    pub fn function<T>(&self, name: &str, arguments: impl Arguments) -> Output<T> {
        call(self.address(), name, arguments)
    }
}
