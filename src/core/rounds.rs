//! What a loop makes of the elements of a collection, once the engine knows them.

use std::sync::Arc;

use crate::addr::InstanceAddr;
use crate::call::Call;
use crate::expr::{EvalError, Expr, Scope};
use crate::forward::ForwardValue;
use crate::marks::Marked;
use crate::typed::plain;
use crate::value::{Path, PathStep, Value};

/// The body of a loop, written once with holes for the key and the value of a round.
struct Body {
    written: Expr,
    /// Forward references that get a value in each round and never before.
    holes: [Arc<ForwardValue>; 2],
    /// What the body takes from outside of the loop.
    outer: Vec<Expr>,
}

impl Expr {
    /// The list of what `body` makes of each key and value of this collection; unknown as long as the collection is.
    ///
    /// Where the collection is sensitive as a whole, so is every member of an object that a round makes, as in Terraform.
    #[track_caller]
    pub(crate) fn rounds(self, body: impl FnOnce(Self, Self) -> Self) -> Self {
        let body = Body::new(body);
        let inputs = [self].into_iter().chain(body.outer.iter().cloned());
        Self::list(inputs.collect()).apply_marked(move |inputs| {
            let mut inputs = inputs.parts().unwrap_or_default().into_iter();
            let Some(collection) = inputs.next().filter(|it| !it.value.is_unknown()) else {
                return Ok(Marked::plain(Value::UNKNOWN));
            };
            let outer: Vec<Marked> = inputs.collect();
            let is_sensitive = collection.sensitive.contains(&Path::root());
            let rounds = pairs(&collection)?.into_iter().map(|round| {
                let mut made = body.round(&round, &outer)?;
                if is_sensitive {
                    made.mark_members();
                }
                Ok(made)
            });
            rounds.collect::<Result<Marked, String>>()
        })
    }
}

impl Body {
    fn new(body: impl FnOnce(Expr, Expr) -> Expr) -> Self {
        let holes = [(); 2].map(|()| Arc::new(ForwardValue::hole()));
        let [key, value] = holes.clone().map(Expr::Forward);
        let written = body(key, value);
        let mut outer: Vec<Expr> = Vec::new();
        written.for_each(&mut |part| {
            let is_hole = holes
                .iter()
                .any(|hole| is_one(part, &Expr::Forward(hole.clone())));
            if is_source(part) && !is_hole && !outer.iter().any(|known| is_one(known, part)) {
                outer.push(part.clone());
            }
        });
        Self {
            written,
            holes,
            outer,
        }
    }

    fn round(&self, round: &[Marked; 2], outer: &[Marked]) -> Result<Marked, String> {
        let holes = self.holes.iter().cloned().map(Expr::Forward).zip(round);
        let known: Vec<(Expr, &Marked)> =
            holes.chain(self.outer.iter().cloned().zip(outer)).collect();
        let filled = self.written.rewritten(&|part| {
            let (_, now) = known.iter().find(|(source, _)| is_one(source, part))?;
            Some(constant(Marked::clone(now)))
        });
        let filled = filled.as_ref().unwrap_or(&self.written);
        filled.evaluate(&Filled).map_err(|error| error.to_string())
    }
}

/// Whether only the engine knows its value.
fn is_source(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Reference(_) | Expr::Export(_) | Expr::Secret(_) | Expr::Forward(_)
    )
}

/// Whether two such are the very same.
fn is_one(a: &Expr, b: &Expr) -> bool {
    match (a, b) {
        (Expr::Reference(a), Expr::Reference(b)) => Arc::ptr_eq(a, b),
        (Expr::Export(a), Expr::Export(b)) => Arc::ptr_eq(a, b),
        (Expr::Secret(a), Expr::Secret(b)) => Arc::ptr_eq(a, b),
        (Expr::Forward(a), Expr::Forward(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

fn constant(now: Marked) -> Expr {
    match now.is_sensitive() {
        true => Expr::Literal(Value::Null).apply_marked(move |_| Ok(now.clone())),
        false => Expr::Literal(now.value),
    }
}

/// The keys and values of a collection.
fn pairs(collection: &Marked) -> Result<Vec<[Marked; 2]>, String> {
    let value = plain(&collection.value);
    if let Some(members) = value.members() {
        let members = members.keys().filter_map(|name| {
            let member = collection.part(PathStep::Attribute(name.clone()))?;
            Some([Marked::plain(Value::from(&**name)), member])
        });
        return Ok(members.collect());
    }
    let Some(elements) = collection.parts() else {
        let found = value.kind();
        return Err(format!("needs a list, a set or a map, found {found}"));
    };
    let is_set = matches!(value, Value::Set(_));
    let elements = elements.into_iter().enumerate();
    let pairs = elements.map(|(place, element)| match is_set {
        true => [element.clone(), element],
        false => [Marked::plain(Value::Number(place.into())), element],
    });
    Ok(pairs.collect())
}

/// Where nothing is left that is known outside.
struct Filled;

impl Scope for Filled {
    fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
        None
    }

    fn call(&self, call: &Call, _: &[Value]) -> Result<Value, EvalError> {
        Err(EvalError::Call {
            function: format!("{}::{}", call.provider, call.function),
            reason: "no provider is asked in a round of a loop".to_owned(),
            location: call.location,
        })
    }
}
