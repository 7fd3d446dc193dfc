//! What Terraform's functions take and give, for arguments of which no more is known than the type.

use std::collections::BTreeMap;

use terrane_core::Type;

use super::shape::{self, Shape, element_of, is_single};
use super::{Dyn, Inner};

/// The values that a place of a function takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Takes {
    Anything,
    /// A text, or what converts to one.
    Text,
    /// A text and nothing else.
    OnlyText,
    /// A number, or a text that may say one.
    Number,
    /// A truth value, or a text that may say one.
    Truth,
    /// A list, a set or a tuple.
    Sequence,
    /// A map or an object.
    Keyed,
    /// What has a length.
    Counted,
}

impl Takes {
    /// Whether values of that type may be taken.
    fn fits(self, ty: &Type) -> bool {
        *ty == Type::Dynamic
            || match self {
                Self::Anything => true,
                Self::Text => is_single(ty),
                Self::OnlyText => *ty == Type::String,
                Self::Number => matches!(ty, Type::Number | Type::String),
                Self::Truth => matches!(ty, Type::Bool | Type::String),
                Self::Sequence => shape::is_sequence(ty),
                Self::Keyed => matches!(ty, Type::Map(_) | Type::Object(_)),
                Self::Counted => !matches!(ty, Type::Number | Type::Bool),
            }
    }

    /// The fault of a value that is not known and will not be taken either.
    pub(super) fn check(self, argument: &Dyn) -> Result<(), String> {
        let is_open = matches!(
            argument.unwrapped().0,
            Inner::Deferred(_) | Inner::Unknown(_)
        );
        if !is_open {
            return Ok(());
        }
        let ty = argument.ty();
        match self.fits(&ty) {
            true => Ok(()),
            false => Err(format!("does not take a {ty}")),
        }
    }
}

/// What the place of a function takes. A function looks at the type of a second list only if it knows the first.
fn takes(name: &str, place: usize) -> Takes {
    match (name, place) {
        (
            "abs" | "ceil" | "floor" | "log" | "max" | "min" | "pow" | "range" | "signum"
            | "tonumber",
            _,
        )
        | ("indent", 0)
        | (
            "chunklist" | "cidrhost" | "cidrsubnet" | "cidrsubnets" | "element" | "parseint"
            | "slice" | "substr",
            1..,
        ) => Takes::Number,
        ("parseint", _) => Takes::OnlyText,
        ("tobool", _) => Takes::Truth,
        (
            "alltrue" | "anytrue" | "chunklist" | "compact" | "distinct" | "element" | "matchkeys"
            | "one" | "reverse" | "setintersection" | "setproduct" | "setsubtract" | "setunion"
            | "slice" | "sort" | "tolist" | "toset" | "zipmap",
            _,
        )
        | ("concat", 0)
        | ("join", 1..) => Takes::Sequence,
        ("keys" | "merge" | "tomap" | "transpose" | "values", _) | ("lookup", 0) => Takes::Keyed,
        ("length", _) => Takes::Counted,
        (
            "coalescelist"
            | "concat"
            | "contains"
            | "ephemeralasnull"
            | "flatten"
            | "index"
            | "issensitive"
            | "jsonencode"
            | "nonsensitive"
            | "sensitive"
            | "sum"
            | "type"
            | "yamlencode"
            | super::calls::GROUPS,
            _,
        )
        | ("format" | "formatlist", 1..) => Takes::Anything,
        _ => Takes::Text,
    }
}

/// The fault of the first argument whose type the function does not take.
pub(super) fn check(name: &str, arguments: &[Dyn]) -> Result<(), String> {
    let mut places = arguments.iter().enumerate();
    places.try_for_each(|(place, argument)| takes(name, place).check(argument))
}

/// The functions whose result may be null.
const MAYBE_NULL: &[&str] = &[
    "element",
    "lookup",
    "one",
    "strcontains",
    "timeadd",
    "tobool",
    "tolist",
    "tomap",
    "tonumber",
    "toset",
    "tostring",
    "yamlencode",
];

/// What a function gives of arguments that are not all known.
pub(super) fn result(name: &str, arguments: &[Dyn]) -> Shape {
    if let ("sensitive" | "nonsensitive" | "ephemeralasnull", [one]) = (name, arguments) {
        let is_null = one.nullness();
        return Shape {
            ty: one.ty(),
            is_null,
        };
    }
    let ty = result_type(name, arguments);
    match ty == Type::Dynamic || MAYBE_NULL.contains(&name) {
        true => Shape::of(ty),
        false => Shape::never_null(ty),
    }
}

fn result_type(name: &str, arguments: &[Dyn]) -> Type {
    let first = || arguments.first().map_or(Type::Dynamic, Dyn::ty);
    let element = || element_of(&first());
    let all = || Shape::of_one(&arguments.iter().collect::<Vec<_>>()).ty;
    match name {
        "abs" | "ceil" | "floor" | "index" | "length" | "log" | "max" | "min" | "parseint"
        | "pow" | "signum" | "sum" | "timecmp" | "tonumber" => Type::Number,
        "alltrue" | "anytrue" | "can" | "contains" | "endswith" | "fileexists" | "issensitive"
        | "startswith" | "strcontains" | "tobool" => Type::Bool,
        "cidrsubnets" | "compact" | "formatlist" | "keys" | "sort" | "split" => {
            Type::list(Type::String)
        }
        "range" => Type::list(Type::Number),
        "regexall" | "setproduct" => Type::list(Type::Dynamic),
        "distinct" | "matchkeys" | "reverse" | "slice" | "tolist" | "values" => {
            Type::list(element())
        }
        "chunklist" => Type::list(Type::list(element())),
        "fileset" => Type::set(Type::String),
        "setintersection" | "setsubtract" | "setunion" | "toset" => Type::set(element()),
        "tomap" => Type::map(element()),
        "transpose" => Type::map(Type::list(Type::String)),
        // Which element of a tuple it is says the place, which may be unknown.
        "element" | "lookup" | "one" => match first() {
            Type::Tuple(_) | Type::Object(_) => Type::Dynamic,
            many => element_of(&many),
        },
        // A list beside a tuple is a tuple of an unknown length.
        "concat" => match all() {
            list @ Type::List(_) if arguments.iter().all(|it| it.ty() == list) => list,
            _ => Type::Dynamic,
        },
        "merge" => merged(arguments),
        "zipmap" => match arguments.get(1).map(Dyn::ty) {
            Some(Type::List(of)) => Type::Map(of),
            _ => Type::Dynamic,
        },
        "coalesce" => all(),
        "coalescelist"
        | "csvdecode"
        | "flatten"
        | "jsondecode"
        | "regex"
        | "try"
        | "yamldecode"
        | super::calls::GROUPS => Type::Dynamic,
        _ => Type::String,
    }
}

fn merged(maps: &[Dyn]) -> Type {
    let types: Vec<Type> = maps.iter().map(Dyn::ty).collect();
    let mut attributes = BTreeMap::new();
    for ty in &types {
        match ty {
            Type::Object(object) => attributes.extend(object.attributes.clone()),
            map @ Type::Map(_) if types.iter().all(|it| it == map) => return map.clone(),
            _ => return Type::Dynamic,
        }
    }
    Type::object(attributes)
}
