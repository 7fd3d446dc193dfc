//! Values that are attributes of other objects, and the order in which no object comes before one that it needs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use terrane_core::schema::{AttributeType, Block};
use terrane_core::{Type, Value};

use super::{DeclaredObject, ExistingObject};

/// An object that is referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Target {
    /// One of those that are written.
    Object(usize),
    /// One that the program has already.
    Declared(usize),
}

/// Shorter texts tell nothing from anything else.
const SHORTEST: usize = 6;

/// Who has which value, and what is written in which order.
#[derive(Debug)]
pub(super) struct References {
    /// By value: the object and its attribute.
    owners: HashMap<String, (Target, String)>,
    /// References that would need an object before itself.
    cut: BTreeSet<(usize, usize)>,
    order: Vec<usize>,
    declared: BTreeSet<usize>,
}

impl References {
    pub(super) fn among(objects: &[ExistingObject], declared: &[DeclaredObject]) -> Self {
        let mut owners: HashMap<String, Option<(Target, String)>> = HashMap::new();
        // An id before an ARN before any other attribute, and in each of these only what one object has.
        for rank in 0..3 {
            let mut found: HashMap<String, Option<(Target, String)>> = HashMap::new();
            let mut add = |target: Target, name: &str, text: &str| {
                let entry = found.entry(text.to_owned());
                let entry = entry.or_insert_with(|| Some((target, name.to_owned())));
                if entry.as_ref().is_some_and(|(other, _)| *other != target) {
                    *entry = None;
                }
            };
            for (place, object) in objects.iter().enumerate() {
                each_text(&object.object, rank, Some(&object.block), |name, text| {
                    add(Target::Object(place), name, text);
                });
            }
            for (place, object) in declared.iter().enumerate() {
                each_text(&object.object, rank, None, |name, text| {
                    add(Target::Declared(place), name, text);
                });
            }
            for (text, owner) in found {
                owners.entry(text).or_insert(owner);
            }
        }
        let owners: HashMap<_, _> = owners
            .into_iter()
            .filter_map(|(text, owner)| Some((text, owner?)))
            .collect();
        let needs: Vec<Needs> = (objects.iter().enumerate())
            .map(|(place, object)| needs(place, object, &owners))
            .collect();
        let mut cut = BTreeSet::new();
        let order = loop {
            let mut search = Search {
                needs: &needs,
                state: vec![Visit::Not; objects.len()],
                order: Vec::new(),
                cut: &mut cut,
            };
            if (0..objects.len()).all(|place| search.visit(place)) {
                break search.order;
            }
        };
        let declared = needs
            .iter()
            .flat_map(BTreeMap::keys)
            .filter_map(|target| match target {
                Target::Declared(place) => Some(*place),
                Target::Object(_) => None,
            });
        Self {
            declared: declared.collect(),
            cut,
            order,
            owners,
        }
    }

    /// The objects, each after those that it refers to.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }

    /// The declared objects that are referred to.
    pub(super) fn used_declared(&self) -> impl Iterator<Item = usize> {
        self.declared.iter().copied()
    }

    /// The attribute that an object's value is, of which other one.
    pub(super) fn of(&self, place: usize, text: &str) -> Option<(Target, String)> {
        let (target, name) = self.owners.get(text)?;
        match target {
            Target::Object(other) if *other == place || self.cut.contains(&(place, *other)) => None,
            _ => Some((*target, name.clone())),
        }
    }
}

/// How much an object needs another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// Only for arguments that its provider sets, too, where nobody gives them: `network_interface` of an address that a gateway has.
    Loose,
    /// For others.
    Firm,
}

type Needs = BTreeMap<Target, Need>;

fn needs(
    place: usize,
    object: &ExistingObject,
    owners: &HashMap<String, (Target, String)>,
) -> Needs {
    let mut needs = Needs::new();
    for (name, argument) in object.arguments.members().into_iter().flatten() {
        let attribute = object.block.attributes.get(name);
        let need = match attribute.is_some_and(|it| it.computed) {
            true => Need::Loose,
            false => Need::Firm,
        };
        each_leaf(argument, &mut |text| {
            if let Some((target, _)) = owners.get(text) {
                let strongest = needs.entry(*target).or_insert(need);
                *strongest = need.max(*strongest);
            }
        });
    }
    needs.remove(&Target::Object(place));
    needs
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Not,
    Begun,
    Done,
}

/// A search for an order, without recursion: chains of objects may be long.
struct Search<'a> {
    needs: &'a [Needs],
    state: Vec<Visit>,
    order: Vec<usize>,
    cut: &'a mut BTreeSet<(usize, usize)>,
}

impl Search<'_> {
    /// Whether the order goes on. It does not where a loose need of a circle was cut in place of the one that closes it: another search follows.
    fn visit(&mut self, from: usize) -> bool {
        if self.state[from] != Visit::Not {
            return true;
        }
        let mut open = vec![(from, self.needed(from))];
        self.state[from] = Visit::Begun;
        while let Some((place, rest)) = open.last_mut() {
            let place = *place;
            match rest.pop() {
                None => {
                    self.state[place] = Visit::Done;
                    self.order.push(place);
                    open.pop();
                }
                Some(next) => match self.state[next] {
                    Visit::Done => {}
                    Visit::Begun => {
                        let circle = open.iter().map(|(place, _)| *place);
                        let circle: Vec<usize> = circle.skip_while(|it| *it != next).collect();
                        let mut around = circle.windows(2).map(|pair| (pair[0], pair[1]));
                        let loose = around.find(|pair| self.is_loose(*pair));
                        let closing = (place, next);
                        match loose.filter(|_| !self.is_loose(closing)) {
                            Some(loose) => {
                                self.cut.insert(loose);
                                return false;
                            }
                            None => {
                                self.cut.insert(closing);
                            }
                        }
                    }
                    Visit::Not => {
                        self.state[next] = Visit::Begun;
                        let needed = self.needed(next);
                        open.push((next, needed));
                    }
                },
            }
        }
        true
    }

    /// The objects that one needs, but for the needs that were cut.
    fn needed(&self, place: usize) -> Vec<usize> {
        let needs = self.needs[place].keys().filter_map(|target| match target {
            Target::Object(other) => Some(*other),
            Target::Declared(_) => None,
        });
        needs
            .filter(|other| !self.cut.contains(&(place, *other)))
            .collect()
    }

    fn is_loose(&self, (from, to): (usize, usize)) -> bool {
        self.needs[from].get(&Target::Object(to)) == Some(&Need::Loose)
    }
}

/// The texts of an object that name it: by rank its id, its ARN, and what only its provider can have chosen.
fn each_text(object: &Value, rank: u8, block: Option<&Block>, mut visit: impl FnMut(&str, &str)) {
    let computed = |name: &str| {
        let attribute = block?.attributes.get(name)?;
        let is_text = attribute.ty == AttributeType::Plain(Type::String);
        (attribute.computed && !attribute.optional && is_text).then_some(())
    };
    let members: BTreeMap<_, _> = object.members().into_iter().flatten().collect();
    for (name, value) in members {
        let fits = match rank {
            0 => &**name == "id",
            1 => &**name == "arn",
            _ => !matches!(&**name, "id" | "arn") && computed(name).is_some() && names_itself(name),
        };
        if let Some(text) = value.as_str().filter(|text| fits && text.len() >= SHORTEST) {
            visit(name, text);
        }
    }
}

/// Whether an attribute is one by which others refer to an object, and not something that it has in common with them.
fn names_itself(name: &str) -> bool {
    let common = ["owner_id", "account_id", "vpc_id", "region"];
    let last = name.rsplit('_').next().unwrap_or(name);
    matches!(last, "id" | "arn" | "name" | "url" | "endpoint") && !common.contains(&name)
}

fn each_leaf(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::List(elements) | Value::Set(elements) => {
            elements.iter().for_each(|one| each_leaf(one, visit));
        }
        Value::Map(members) => members.values().for_each(|one| each_leaf(one, visit)),
        Value::Dynamic(dynamic) => each_leaf(&dynamic.1, visit),
        Value::Null | Value::Unknown(_) | Value::Bool(_) | Value::Number(_) => {}
    }
}
