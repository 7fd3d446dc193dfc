//! Values for arguments whose type the bindings do not know.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::expr::Expr;
use crate::input::Input;
use crate::output::Output;
use crate::typed::IntoValue;
use crate::value::{Number, Value};

/// Anything that can be given as an argument of a dynamic resource, exported, or put into a policy document.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given as an argument",
    label = "not a literal, an `Output`, or a collection of these"
)]
pub trait IntoExpr {
    /// The expression.
    fn into_expr(self) -> Expr;
}

impl IntoExpr for Expr {
    fn into_expr(self) -> Expr {
        self
    }
}

impl<T> IntoExpr for Output<T> {
    fn into_expr(self) -> Expr {
        Self::into_expr(self)
    }
}

impl<T> IntoExpr for Input<T> {
    fn into_expr(self) -> Expr {
        Self::into_expr(self)
    }
}

/// Expressions, strings and values are shared, so that a copy of one is cheap.
impl<X: IntoExpr + Clone> IntoExpr for &X {
    fn into_expr(self) -> Expr {
        self.clone().into_expr()
    }
}

macro_rules! literals {
    ($($literal:ty),* $(,)?) => {
        $(impl IntoExpr for $literal {
            fn into_expr(self) -> Expr {
                Expr::Literal(self.into_value())
            }
        })*
    };
}
literals!(
    &str, String, bool, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f64, Number, Value,
);

impl IntoExpr for serde_json::Value {
    fn into_expr(self) -> Expr {
        Expr::Literal(self.into())
    }
}

impl<X: IntoExpr> IntoExpr for Option<X> {
    /// `None` is null: for an argument the same as leaving it out.
    fn into_expr(self) -> Expr {
        self.map_or(Expr::Literal(Value::Null), IntoExpr::into_expr)
    }
}

fn list<X: IntoExpr>(elements: impl IntoIterator<Item = X>) -> Expr {
    Expr::list(elements.into_iter().map(IntoExpr::into_expr).collect())
}

impl<X: IntoExpr> IntoExpr for Vec<X> {
    fn into_expr(self) -> Expr {
        list(self)
    }
}

impl<X: IntoExpr, const N: usize> IntoExpr for [X; N] {
    fn into_expr(self) -> Expr {
        list(self)
    }
}

impl<'a, X> IntoExpr for &'a [X]
where
    &'a X: IntoExpr,
{
    fn into_expr(self) -> Expr {
        list(self)
    }
}

impl<A: IntoExpr, B: IntoExpr> IntoExpr for (A, B) {
    /// A list of two, whose elements may differ in type.
    fn into_expr(self) -> Expr {
        Expr::list(vec![self.0.into_expr(), self.1.into_expr()])
    }
}

fn map<K: Into<Arc<str>>, X: IntoExpr>(members: impl IntoIterator<Item = (K, X)>) -> Expr {
    let members = members
        .into_iter()
        .map(|(key, member)| (key.into(), member.into_expr()));
    Expr::map(members.collect())
}

impl<K: Into<Arc<str>>, X: IntoExpr> IntoExpr for BTreeMap<K, X> {
    fn into_expr(self) -> Expr {
        map(self)
    }
}

impl<K: Into<Arc<str>>, X: IntoExpr, S> IntoExpr for HashMap<K, X, S> {
    fn into_expr(self) -> Expr {
        map(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceAddr;
    use crate::{Marked, Scope};

    struct Nothing;

    impl Scope for Nothing {
        fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
            None
        }
    }

    fn shown(literal: impl IntoExpr) -> String {
        let marked = literal.into_expr().evaluate(&Nothing).expect("literals");
        format!("{marked:?}")
    }

    #[test]
    fn what_rust_has_at_hand_is_an_argument() {
        let name = String::from("a");
        assert_eq!(shown(&name), r#""a""#);
        assert_eq!(shown(Some(&name)), r#""a""#);
        assert_eq!(shown(None::<String>), "null");
        assert_eq!(shown([1_usize, 2].as_slice()), "[1, 2]");
        let names = vec![name];
        assert_eq!(shown(&names), r#"["a"]"#);
        assert_eq!(shown(names), r#"["a"]"#);
        assert_eq!(shown(("a", 1)), r#"["a", 1]"#);
        assert_eq!(
            shown(HashMap::from([("b", 2), ("a", 1)])),
            r#"{"a": 1, "b": 2}"#
        );
        assert_eq!(
            shown(serde_json::json!({"a": [null, 1.5]})),
            r#"{"a": [null, 1.5]}"#
        );
    }
}
