//! Random types and values of them, for the property tests of this crate.

use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::{Number, ObjectType, Type, Value};

/// Any type of a few levels.
pub(crate) fn types() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        3 => Just(Type::String),
        2 => Just(Type::Number),
        1 => Just(Type::Bool),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            vec(inner.clone(), 0..4).prop_map(|types| Type::Tuple(types.into())),
            btree_map("[a-c]{1,2}", inner, 0..4).prop_map(|attributes| {
                let attributes = attributes.into_iter();
                Type::Object(Arc::new(ObjectType {
                    attributes: attributes.map(|(name, ty)| (name.into(), ty)).collect(),
                    ..ObjectType::default()
                }))
            }),
            Just(Type::Dynamic),
        ]
    })
}

/// Known values of that type, null among them.
pub(crate) fn values(ty: &Type) -> BoxedStrategy<Value> {
    prop_oneof![1 => Just(Value::Null), 8 => present(ty)].boxed()
}

/// A type and a value of it.
pub(crate) fn typed() -> impl Strategy<Value = (Type, Value)> {
    types().prop_flat_map(|ty| values(&ty).prop_map(move |value| (ty.clone(), value)))
}

fn present(ty: &Type) -> BoxedStrategy<Value> {
    match ty {
        Type::String => prop_oneof!["[a-z<&\\n\"\\\\\u{2028}]{0,4}", any::<String>()]
            .prop_map(Value::from)
            .boxed(),
        Type::Number => numbers().prop_map(Value::Number).boxed(),
        Type::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Type::Dynamic => types()
            .prop_filter("a value of any type says which", |ty| *ty != Type::Dynamic)
            .prop_flat_map(|ty| {
                present(&ty).prop_map(move |value| Value::Dynamic(Arc::new((ty.clone(), value))))
            })
            .boxed(),
        Type::List(element) => vec(values(element), 0..4).prop_map(Value::list).boxed(),
        Type::Set(element) => {
            let ty = element.clone();
            vec(values(element), 0..5)
                .prop_map(move |values| Value::set(values, &ty))
                .boxed()
        }
        Type::Map(element) => btree_map("[a-d.]{0,3}", values(element), 0..4)
            .prop_map(Value::map)
            .boxed(),
        Type::Tuple(types) => {
            let elements: Vec<_> = types.iter().map(values).collect();
            elements.prop_map(Value::list).boxed()
        }
        Type::Object(object) => {
            let members = object.attributes.iter();
            let members: Vec<_> = members
                .map(|(name, ty)| (Just(name.clone()), values(ty)))
                .collect();
            members.prop_map(Value::map).boxed()
        }
    }
}

fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        (-100_i64..100).prop_map(Number::from),
        "-?[1-9][0-9]{0,40}(\\.[0-9]{0,20}[1-9])?(e-?[0-9]{1,2})?"
            .prop_map(|text| text.parse().expect("a number")),
    ]
}
