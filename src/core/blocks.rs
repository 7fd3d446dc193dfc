//! Nested blocks: one, or one for each element of a collection that the cloud may decide.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::expr::Expr;
use crate::marks::Marked;
use crate::resource::BlockArguments;
use crate::value::Value;

/// A description of one nested block; generated bindings have one for each kind.
pub trait BlockBuilder {
    /// The arguments that it collected.
    fn into_block(self) -> BlockArguments;
}

impl BlockBuilder for BlockArguments {
    fn into_block(self) -> BlockArguments {
        self
    }
}

/// Nested blocks that `B` describes, as many as a collection has elements.
#[derive(Debug)]
pub struct Blocks<B> {
    list: Expr,
    marker: PhantomData<fn() -> B>,
}

impl<B: BlockBuilder> Blocks<B> {
    /// One block for each element of a list, set or map that the cloud decides: `block` describes it by a key and a value.
    ///
    /// A list's keys are its places, and the elements of a set are their own. As long as the collection is unknown, so are the blocks,
    /// and `block` is called once in any case.
    #[track_caller]
    pub fn of_each(collection: Expr, block: impl FnOnce(Expr, Expr) -> B) -> Self {
        let block = |key, value| Expr::map(block(key, value).into_block().into_arguments());
        let blocks = collection.rounds(block);
        Self::of_list(blocks.apply_marked(|blocks| Ok(or_null(blocks.clone()))))
    }
}

impl<B> Blocks<B> {
    fn of_list(list: Expr) -> Self {
        Self {
            list,
            marker: PhantomData,
        }
    }
}

impl<B: BlockBuilder> FromIterator<B> for Blocks<B> {
    fn from_iter<I: IntoIterator<Item = B>>(blocks: I) -> Self {
        let blocks = blocks.into_iter().map(B::into_block);
        let blocks = blocks.map(|one| Expr::map(one.into_arguments()));
        Self::of_list(Expr::list(blocks.collect()))
    }
}

/// Whatever gives nested blocks of one kind: a builder that describes one, or [`Blocks`] of a collection.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given where a block of `{B}` is expected",
    label = "not a complete `{B}`, nor `Blocks` of one",
    note = "a type named `Missing…` stands for a required argument that is not set: call its setter before the block is given"
)]
pub trait IntoBlocks<B> {
    /// The blocks.
    fn into_blocks(self) -> Blocks<B>;
}

#[diagnostic::do_not_recommend]
impl<B: BlockBuilder> IntoBlocks<B> for B {
    fn into_blocks(self) -> Blocks<B> {
        [self].into_iter().collect()
    }
}

impl<B> IntoBlocks<B> for Blocks<B> {
    fn into_blocks(self) -> Self {
        self
    }
}

/// No block is no argument, as in Terraform: an attribute that is written as blocks is then its provider's to choose.
fn or_null(blocks: Marked) -> Marked {
    match blocks.value.elements() {
        Some([]) => Marked {
            value: Value::Null,
            ..blocks
        },
        _ => blocks,
    }
}

fn is_none(blocks: &Expr) -> bool {
    matches!(blocks, Expr::List(list) if list.is_empty())
}

/// Adds blocks behind those of the same name.
pub(crate) fn push<B>(
    arguments: &mut BTreeMap<Arc<str>, Expr>,
    name: &str,
    blocks: impl IntoBlocks<B>,
) {
    let more = blocks.into_blocks().list;
    let Some(all) = arguments.get_mut(name) else {
        if !is_none(&more) {
            arguments.insert(name.into(), more);
        }
        return;
    };
    match (all, more) {
        (Expr::List(all), Expr::List(more)) => {
            Arc::make_mut(all).extend(more.iter().cloned());
        }
        (_, more) if is_none(&more) => {}
        (all, more) => *all = concatenated(all.clone(), more),
    }
}

/// Sets the only block of that name; none if there are none.
pub(crate) fn set_only<B>(
    arguments: &mut BTreeMap<Arc<str>, Expr>,
    name: &str,
    block: impl IntoBlocks<B>,
) {
    let only = match block.into_blocks().list {
        Expr::List(list) => match list.first() {
            Some(only) => only.clone(),
            None => return,
        },
        later => later.apply_marked(|blocks| match blocks.parts() {
            None => Ok(blocks.clone()),
            Some(blocks) if blocks.len() > 1 => {
                Err(format!("at most one block, found {}", blocks.len()))
            }
            Some(blocks) => {
                let only = blocks.into_iter().next();
                Ok(only.unwrap_or_else(|| Marked::plain(Value::Null)))
            }
        }),
    };
    arguments.insert(name.into(), only);
}

/// Lists of blocks as one; unknown as long as one of them is. A block that was set alone is a list of one.
fn concatenated(first: Expr, more: Expr) -> Expr {
    Expr::list(vec![first, more]).apply_marked(|lists| {
        let lists = lists.parts().unwrap_or_default();
        if lists.iter().any(|list| list.value.is_unknown()) {
            return Ok(Marked::plain(Value::UNKNOWN));
        }
        let blocks = lists.into_iter().flat_map(|list| match list.parts() {
            Some(blocks) => blocks,
            None if list.value.is_null() => Vec::new(),
            None => vec![list],
        });
        Ok(or_null(blocks.collect()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::InstanceAddr;
    use crate::output::Output;
    use crate::{Path, Resource, Scope, Stack};

    /// One object, as far as it is known.
    struct Known(Marked);

    impl Scope for Known {
        fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
            Some(Arc::new(self.0.clone()))
        }
    }

    /// A resource with a block for each element of another one's `zones`, which has `name` as well.
    fn zoned(stack: &mut Stack) -> Expr {
        let other = Resource::dynamic("t_other", "a").declare(stack);
        let zones = other.attribute::<Vec<Value>>("zones");
        let blocks = Blocks::of_each(zones.into_expr(), |key, value| {
            let zone = Output::<Value>::new(value);
            BlockArguments::new()
                .set("place", key)
                .set("id", zone.attribute::<String>("id"))
                .set("of", other.attribute::<String>("name"))
        });
        let first = BlockArguments::new().set("id", "own");
        let mut arguments = BTreeMap::new();
        push(&mut arguments, "zone", first);
        push(&mut arguments, "zone", blocks);
        push(&mut arguments, "zone", BlockArguments::new().set("id", "z"));
        arguments.remove("zone").expect("it was added")
    }

    fn program(zone: impl Fn(&mut Stack) -> Expr + 'static) -> crate::Program {
        let declare = move |stack: &mut Stack| {
            let zone = zone(stack);
            Resource::dynamic("t_thing", "b")
                .set("zone", zone)
                .declare(stack);
            Ok(())
        };
        crate::Program::from_fn(declare, crate::NoConfig).expect("a program")
    }

    fn zone_of(object: Marked) -> String {
        let program = program(zoned);
        let thing = program.resources().iter().last().expect("two resources");
        assert_eq!(
            thing.dependencies.len(),
            1,
            "the blocks depend on what they use"
        );
        match thing.arguments.evaluate(&Known(object)) {
            Ok(made) => {
                let sensitive: Vec<String> = made.sensitive.iter().map(Path::to_string).collect();
                format!("{:?} {sensitive:?}", made.value.get("zone"))
            }
            Err(error) => error.to_string(),
        }
    }

    fn object(zones: Value) -> Value {
        Value::map([("zones", zones), ("name", "n".into())])
    }

    fn zone(id: &str) -> Value {
        Value::map([("id", Value::from(id))])
    }

    #[test]
    fn blocks_of_a_collection_are_known_with_it() {
        let unknown = zone_of(object(Value::UNKNOWN).into());
        assert_eq!(unknown, "Some((unknown)) []");
        let two = object(Value::list(vec![zone("x"), Value::UNKNOWN]));
        assert_eq!(
            zone_of(two.into()),
            r#"Some([{"id": "own"}, {"id": "x", "of": "n", "place": 0}, {"id": (unknown), "of": "n", "place": 1}, {"id": "z"}]) []"#
        );
        let map = object(Value::map([("k", zone("x"))]));
        assert_eq!(
            zone_of(map.into()),
            r#"Some([{"id": "own"}, {"id": "x", "of": "n", "place": "k"}, {"id": "z"}]) []"#
        );
        let none = object(Value::list(Vec::new()));
        assert_eq!(
            zone_of(none.into()),
            r#"Some([{"id": "own"}, {"id": "z"}]) []"#
        );
        let text = zone_of(object("x".into()).into());
        assert!(
            text.contains("needs a list, a set or a map, found a string"),
            "{text}"
        );
    }

    #[test]
    fn no_block_is_no_argument() {
        let mut arguments = BTreeMap::new();
        push(
            &mut arguments,
            "zone",
            Blocks::<BlockArguments>::from_iter([]),
        );
        assert!(arguments.is_empty());
        let program = program(|stack| {
            let other = Resource::dynamic("t_other", "a").declare(stack);
            let zones = || other.attribute::<Vec<Value>>("zones").into_expr();
            let block = |_, value| BlockArguments::new().set("zone", value);
            let mut arguments = BTreeMap::new();
            push(&mut arguments, "zone", Blocks::of_each(zones(), block));
            push(
                &mut arguments,
                "zone",
                Blocks::<BlockArguments>::from_iter([]),
            );
            push(&mut arguments, "zone", Blocks::of_each(zones(), block));
            arguments.remove("zone").expect("it may be there")
        });
        let thing = program.resources().iter().last().expect("two resources");
        let none = object(Value::list(Vec::new()));
        let made = thing
            .arguments
            .evaluate(&Known(none.into()))
            .expect("a value");
        assert_eq!(made.value.get("zone"), Some(&Value::Null));
    }

    #[test]
    fn a_sensitive_collection_hides_all_that_its_blocks_say() {
        let zones = object(Value::list(vec![zone("x")]));
        let sensitive = |path: Path| Marked {
            value: zones.clone(),
            sensitive: [path].into(),
        };
        let whole = zone_of(sensitive(Path::root().attribute("zones")));
        let values = r#"Some([{"id": "own"}, {"id": "x", "of": "n", "place": 0}, {"id": "z"}])"#;
        assert_eq!(
            whole,
            format!(
                "{values} {:?}",
                ["zone[1].id", "zone[1].of", "zone[1].place"]
            )
        );
        let id = Path::root().attribute("zones").index(0).attribute("id");
        assert_eq!(
            zone_of(sensitive(id)),
            format!("{values} {:?}", ["zone[1].id"])
        );
    }

    #[test]
    fn a_block_that_stands_alone_is_the_only_one_of_its_collection() {
        let only = |count: usize| {
            let zones = Value::list(vec![zone("x"); count]);
            let program = program(|stack| {
                let other = Resource::dynamic("t_other", "a").declare(stack);
                let zones = other.attribute::<Vec<Value>>("zones").into_expr();
                let block = |_, value| BlockArguments::new().set("zone", value);
                let mut arguments = BTreeMap::new();
                set_only(&mut arguments, "zone", Blocks::of_each(zones, block));
                arguments.remove("zone").expect("it was set")
            });
            let thing = program.resources().iter().last().expect("two resources");
            match thing.arguments.evaluate(&Known(object(zones).into())) {
                Ok(made) => format!("{:?}", made.value.get("zone")),
                Err(error) => error.to_string(),
            }
        };
        assert_eq!(only(0), "Some(null)");
        assert_eq!(only(1), r#"Some({"zone": {"id": "x"}})"#);
        assert!(
            only(2).contains("at most one block, found 2"),
            "{}",
            only(2)
        );
        let mut none = BTreeMap::new();
        set_only(&mut none, "zone", Blocks::<BlockArguments>::from_iter([]));
        assert!(none.is_empty());
    }
}
