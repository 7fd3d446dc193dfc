//! Functions of lists, sets and maps, which need to know how many elements there are and not what they are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrane_core::value::Number;
use terrane_core::{Type, Value};

use super::calls::{Answer, Answered, GROUPS, at, is, later};
use super::conversions::{number, plain, text, truth, whole};
use super::operators::beside;
use super::shape::{Shape, is_sequence, is_single};
use super::{Dyn, Inner, exact};
use crate::encoding::json;

/// The answer of a function of this file.
pub(super) fn answer(name: &str, arguments: &[Dyn]) -> Option<Answered> {
    Some(match name {
        "length" => length(arguments),
        "concat" => concat(arguments),
        "merge" => merge(arguments),
        "flatten" => flatten(arguments),
        "element" => element(arguments),
        "slice" => slice(arguments),
        "reverse" => listed(arguments, |mut list| {
            list.reverse();
            Ok(Dyn::list(list))
        }),
        "one" => listed(arguments, |list| match list.as_slice() {
            [] => Ok(Dyn::NULL),
            [only] => Ok(only.clone()),
            _ => Err("needs a collection of at most one element".to_owned()),
        }),
        "chunklist" => chunklist(arguments),
        "keys" => keys(arguments),
        "values" => mapped(arguments, |entries| {
            Ok(Dyn::list(entries.into_iter().map(|(_, one)| one)))
        }),
        "lookup" => lookup(arguments),
        "zipmap" => zipmap(arguments),
        "coalesce" => coalesce(arguments),
        "coalescelist" => coalescelist(arguments),
        "compact" => listed(arguments, compact),
        "contains" => contains(arguments),
        "index" => position(arguments),
        "distinct" => known_list(arguments, |list| Ok(Dyn::list(distinct(of_one_type(list))))),
        "matchkeys" => matchkeys(arguments),
        "range" => range(arguments),
        "setproduct" => setproduct(arguments),
        "setunion" => sets(arguments, |sets| sets.concat()),
        "setintersection" => sets(arguments, |mut sets| {
            let first = sets.remove(0);
            let in_all = |one: &Value| sets.iter().all(|set| set.contains(one));
            first.into_iter().filter(in_all).collect()
        }),
        "setsubtract" => sets(arguments, |mut sets| {
            let first = sets.remove(0);
            let in_none = |one: &Value| !sets.iter().any(|set| set.contains(one));
            first.into_iter().filter(in_none).collect()
        }),
        "sort" => listed(arguments, |list| {
            let texts: Option<Vec<Value>> = list.iter().map(Dyn::as_known).collect();
            let Some(texts) = texts else {
                // As many as there are, in an order that is known later.
                return match list.iter().any(Dyn::is_deferred) {
                    true => Err(WAITS.to_owned()),
                    false => Ok(Dyn::list(list.iter().map(|_| Dyn::UNKNOWN))),
                };
            };
            let mut texts = texts.iter().map(text).collect::<Result<Vec<_>, _>>()?;
            texts.sort();
            Ok(Dyn::list(texts))
        }),
        "sum" => known_list(arguments, |list| {
            let zero = Dyn::from(0_i64);
            if list.is_empty() {
                return Err("needs a number".to_owned());
            }
            Ok(list.into_iter().fold(zero, |sum, one| sum + one))
        }),
        "alltrue" => listed(arguments, alltrue),
        "anytrue" => listed(arguments, anytrue),
        "transpose" => transpose(arguments),
        "tolist" => converted(arguments, &Type::list(Type::Dynamic)),
        "toset" => converted(arguments, &Type::set(Type::Dynamic)),
        "tomap" => converted(arguments, &Type::map(Type::Dynamic)),
        "formatlist" if arguments.iter().any(|one| one.as_known().is_none()) => {
            formatlist(arguments)
        }
        "ephemeralasnull" => at(arguments, 0).cloned().map(Answer::Is),
        GROUPS => groups(arguments),
        _ => return None,
    })
}

/// The truth value of an element; null is false.
fn truth_of(one: &Dyn) -> Result<bool, String> {
    match plain(&known(one)?) {
        Value::Null => Ok(false),
        one => truth(one),
    }
}

fn alltrue(list: Vec<Dyn>) -> Result<Dyn, String> {
    for one in &list {
        if !truth_of(one)? {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

/// Other than `alltrue`, it looks behind elements that are not known.
fn anytrue(list: Vec<Dyn>) -> Result<Dyn, String> {
    let truths: Vec<Result<bool, String>> = list.iter().map(truth_of).collect();
    match truths.iter().find(|one| !matches!(one, Ok(false))) {
        Some(Err(_)) if truths.contains(&Ok(true)) => Ok(true.into()),
        Some(first) => first.clone().map(Dyn::from),
        None => Ok(false.into()),
    }
}

/// Said by a function that has to look at its elements while they are unknown.
const WAITS: &str = "waits";

fn waiting(result: Result<Dyn, String>) -> Answered {
    match result {
        Ok(value) => Ok(Answer::Is(value)),
        Err(reason) if reason == WAITS => Ok(Answer::Waits),
        Err(reason) => Err(reason),
    }
}

/// The elements of an argument, or why there are none: it waits, or it is no list.
fn list(argument: &Dyn) -> Result<Vec<Dyn>, String> {
    match argument.elements() {
        Some(list) => Ok(list),
        None => match &argument.0 {
            Inner::Early(..) | Inner::Deferred(_) | Inner::Unknown(_) => Err(WAITS.to_owned()),
            Inner::Known(value) => Err(format!("needs a list, found {}", value.kind())),
            _ => Err("needs a list, found a map".to_owned()),
        },
    }
}

fn entries(argument: &Dyn) -> Result<Vec<(Arc<str>, Dyn)>, String> {
    match argument.entries() {
        Some(entries) => Ok(entries),
        None => match &argument.0 {
            Inner::Early(..) | Inner::Deferred(_) | Inner::Unknown(_) => Err(WAITS.to_owned()),
            Inner::Known(value) => Err(format!("needs a map, found {}", value.kind())),
            _ => Err("needs a map, found a list".to_owned()),
        },
    }
}

fn known(argument: &Dyn) -> Result<Value, String> {
    argument.as_known().ok_or_else(|| WAITS.to_owned())
}

fn listed(arguments: &[Dyn], function: impl Fn(Vec<Dyn>) -> Result<Dyn, String>) -> Answered {
    waiting(list(at(arguments, 0)?).and_then(function))
}

fn known_list(arguments: &[Dyn], function: impl Fn(Vec<Value>) -> Result<Dyn, String>) -> Answered {
    let values = list(at(arguments, 0)?).and_then(|list| list.iter().map(known).collect());
    waiting(values.and_then(function))
}

fn mapped(
    arguments: &[Dyn],
    function: impl Fn(Vec<(Arc<str>, Dyn)>) -> Result<Dyn, String>,
) -> Answered {
    waiting(entries(at(arguments, 0)?).and_then(function))
}

fn length(arguments: &[Dyn]) -> Answered {
    let argument = at(arguments, 0)?;
    if let Some(list) = argument.elements() {
        return Ok(Answer::Is(list.len().into()));
    }
    if let Some(entries) = argument.entries() {
        return Ok(Answer::Is(entries.len().into()));
    }
    use unicode_segmentation::UnicodeSegmentation as _;
    match argument.as_known() {
        Some(value) if value.is_null() => {
            Err("needs a collection or a text, found null".to_owned())
        }
        Some(value) => match plain(&value) {
            Value::String(text) => is(Value::Number(text.graphemes(true).count().into())),
            other => Err(format!(
                "needs a collection or a text, found {}",
                other.kind()
            )),
        },
        None => match argument.ty() {
            Type::Tuple(types) => Ok(Answer::Is(types.len().into())),
            Type::Object(object) => Ok(Answer::Is(object.attributes.len().into())),
            _ => Ok(Answer::Waits),
        },
    }
}

fn keys(arguments: &[Dyn]) -> Answered {
    let map = at(arguments, 0)?;
    match (map.entries(), map.ty()) {
        (None, Type::Object(object)) => {
            let names = object.attributes.keys();
            Ok(Answer::Is(Dyn::list(names.map(|name| Dyn::from(&**name)))))
        }
        _ => mapped(arguments, |entries| {
            let names = entries.iter().map(|(name, _)| Dyn::from(&**name));
            Ok(Dyn::list(names))
        }),
    }
}

fn concat(arguments: &[Dyn]) -> Answered {
    let lists: Result<Vec<Vec<Dyn>>, String> = arguments.iter().map(list).collect();
    waiting(lists.map(|lists| Dyn::list(lists.into_iter().flatten())))
}

fn merge(arguments: &[Dyn]) -> Answered {
    let is_null = |one: &Dyn| matches!(one.0, Inner::Known(Value::Null));
    let maps: Result<Vec<_>, String> = arguments
        .iter()
        .filter(|one| !is_null(one))
        .map(entries)
        .collect();
    waiting(
        maps.map(|maps| Dyn::from_members(maps.into_iter().flatten().collect::<BTreeMap<_, _>>())),
    )
}

fn flatten(arguments: &[Dyn]) -> Answered {
    /// What is flat so far.
    #[derive(Default)]
    struct Flat {
        elements: Vec<Dyn>,
        /// Whether one of the lists was sensitive.
        is_sensitive: bool,
        /// Whether an element may be a list as well.
        is_open: bool,
    }

    impl Flat {
        /// Adds the elements of lists inside of lists.
        fn add(&mut self, one: Dyn, depth: usize) -> Result<(), String> {
            let of = one.unwrapped();
            if let Some(list) = of.elements() {
                self.is_sensitive |= matches!(one.0, Inner::Sensitive(_));
                return list
                    .into_iter()
                    .try_for_each(|one| self.add(one, depth + 1));
            }
            if matches!(of.0, Inner::Deferred(_) | Inner::Unknown(_)) {
                match of.ty() {
                    // An attribute of an object is a text more often than a list. The engine knows.
                    Type::Dynamic
                        if depth == 0
                            && matches!(&of.0, Inner::Deferred(deferred) if deferred.is_plain()) =>
                    {
                        self.is_open = true;
                    }
                    ty if ty == Type::Dynamic || is_sequence(&ty) => return Err(WAITS.to_owned()),
                    _ => {}
                }
            }
            self.elements.push(one);
            Ok(())
        }
    }

    let deep = list(at(arguments, 0)?).and_then(|lists| {
        let mut flat = Flat::default();
        lists.into_iter().try_for_each(|one| flat.add(one, 0))?;
        let made = Dyn::list(flat.elements);
        let made = match flat.is_sensitive {
            true => made.sensitive(),
            false => made,
        };
        Ok(match flat.is_open {
            true => made.early_of(later("flatten", arguments)),
            false => made,
        })
    });
    waiting(deep)
}

/// The lists of several objects' members, by their names.
fn groups(arguments: &[Dyn]) -> Answered {
    let objects: Result<Vec<_>, String> = arguments.iter().map(entries).collect();
    waiting(objects.and_then(|objects| {
        let mut groups: BTreeMap<Arc<str>, Vec<Dyn>> = BTreeMap::new();
        for (key, members) in objects.into_iter().flatten() {
            groups.entry(key).or_default().extend(list(&members)?);
        }
        let groups = groups.into_iter();
        Ok(Dyn::object(
            groups.map(|(key, list)| (key, Dyn::list(list))),
        ))
    }))
}

/// `formatlist` of lists whose length is known, though not all that is in them.
fn formatlist(arguments: &[Dyn]) -> Answered {
    let (format, values) = (at(arguments, 0)?, &arguments[1..]);
    let is_counted =
        |one: &Dyn| one.elements().is_some() || one.as_known().is_some() || is_single(&one.ty());
    if format.as_known().is_none() || !values.iter().all(is_counted) {
        return Ok(Answer::Waits);
    }
    let lists: Vec<Option<Vec<Dyn>>> = values.iter().map(Dyn::elements).collect();
    let mut lengths = lists.iter().flatten().map(Vec::len);
    let length = lengths.next().unwrap_or(1);
    if lengths.any(|other| other != length) {
        return Err("needs lists of one length".to_owned());
    }
    let texts = (0..length).map(|place| {
        let row = values.iter().zip(&lists).map(|(single, list)| match list {
            Some(list) => list[place].clone(),
            None => single.clone(),
        });
        super::call("format", [format.clone()].into_iter().chain(row))
    });
    Ok(Answer::Is(Dyn::list(texts)))
}

fn element(arguments: &[Dyn]) -> Answered {
    let place = at(arguments, 1)?;
    let found = list(at(arguments, 0)?).and_then(|list| {
        let place = number(&known(place)?)?
            .as_i64()
            .ok_or("needs a whole number")?;
        let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
        if length == 0 {
            return Err("needs a list with an element".to_owned());
        }
        let place = usize::try_from(place.rem_euclid(length)).unwrap_or_default();
        Ok(list[place].clone())
    });
    waiting(found)
}

fn slice(arguments: &[Dyn]) -> Answered {
    let (whole_list, from, to) = (at(arguments, 0)?, at(arguments, 1)?, at(arguments, 2)?);
    let bounds = known(from).and_then(|from| Ok((whole(&from)?, whole(&known(to)?)?)));
    let (from, to) = match bounds {
        Ok(bounds) => bounds,
        Err(reason) => return waiting(Err(reason)),
    };
    if from > to {
        return Err(format!(
            "needs a start before its end, found {from} and {to}"
        ));
    }
    match (list(whole_list), &whole_list.0) {
        (Ok(list), _) => match list.get(from..to) {
            Some(part) => Ok(Answer::Is(Dyn::list(part))),
            None => Err(format!("finds no element {to} in a list of {}", list.len())),
        },
        // As many elements as were asked for, if there are as many; the engine knows.
        (Err(_), Inner::Deferred(_)) => {
            let elements = Dyn::list((from..to).map(|place| whole_list.index(place)));
            Ok(Answer::Is(elements.early_of(later("slice", arguments))))
        }
        (Err(reason), _) => waiting(Err(reason)),
    }
}

fn chunklist(arguments: &[Dyn]) -> Answered {
    let size = at(arguments, 1)?;
    let chunks = list(at(arguments, 0)?).and_then(|list| {
        Ok(match whole(&known(size)?)? {
            0 => Dyn::list([Dyn::list(list)]),
            size => Dyn::list(list.chunks(size).map(Dyn::list)),
        })
    });
    waiting(chunks)
}

fn lookup(arguments: &[Dyn]) -> Answered {
    let key = at(arguments, 1)?;
    let default = arguments.get(2);
    let found = entries(at(arguments, 0)?).and_then(|entries| {
        let key = text(&known(key)?)?;
        let found = entries.into_iter().find(|(name, _)| **name == *key);
        match (found, default) {
            (Some((_, found)), _) => Ok(found),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => Err(format!("finds no `{key}`")),
        }
    });
    waiting(found)
}

fn zipmap(arguments: &[Dyn]) -> Answered {
    let (keys, values) = (list(at(arguments, 0)?), list(at(arguments, 1)?));
    let zipped = keys.and_then(|keys| {
        let values = values?;
        if keys.len() != values.len() {
            return Err(format!(
                "needs as many keys as values, found {} and {}",
                keys.len(),
                values.len()
            ));
        }
        Ok(Dyn::object_of(keys.into_iter().zip(values)))
    });
    waiting(zipped)
}

fn coalesce(arguments: &[Dyn]) -> Answered {
    for argument in arguments {
        match &argument.0 {
            Inner::Known(Value::Null) => {}
            Inner::Known(value) if plain(value).as_str() == Some("") => {}
            Inner::Deferred(_) | Inner::Unknown(_) => return Ok(Answer::Waits),
            _ => {
                let all = Shape::of_one(&arguments.iter().collect::<Vec<_>>());
                return Ok(Answer::Is(beside(argument, &all.ty)));
            }
        }
    }
    Err("finds no value that is not null".to_owned())
}

fn coalescelist(arguments: &[Dyn]) -> Answered {
    for argument in arguments {
        match (argument.elements(), &argument.0) {
            (Some(list), _) if list.is_empty() => {}
            (_, Inner::Known(Value::Null)) => {}
            (None, Inner::Deferred(_) | Inner::Unknown(_)) => return Ok(Answer::Waits),
            _ => return Ok(Answer::Is(argument.clone())),
        }
    }
    Err("finds no list with an element".to_owned())
}

fn compact(list: Vec<Dyn>) -> Result<Dyn, String> {
    let mut full = Vec::new();
    for one in list {
        match &one.0 {
            Inner::Known(Value::Null) => {}
            Inner::Known(value) if plain(value).as_str() == Some("") => {}
            Inner::Known(value) => full.push(text(value)?),
            _ => return Err(WAITS.to_owned()),
        }
    }
    Ok(Dyn::list(full))
}

fn contains(arguments: &[Dyn]) -> Answered {
    let wanted = at(arguments, 1)?;
    let found = list(at(arguments, 0)?).and_then(|list| {
        let wanted = known(wanted)?;
        let known_ones: Vec<Value> = list.iter().filter_map(Dyn::as_known).collect();
        if known_ones.iter().any(|one| same(one, &wanted)) {
            return Ok(true.into());
        }
        match known_ones.len() == list.len() {
            true => Ok(false.into()),
            false => Err(WAITS.to_owned()),
        }
    });
    waiting(found)
}

/// Whether two values are one; a number is not its text.
fn same(a: &Value, b: &Value) -> bool {
    plain(a) == plain(b)
}

fn position(arguments: &[Dyn]) -> Answered {
    let wanted = at(arguments, 1)?;
    let found = list(at(arguments, 0)?).and_then(|list| {
        let wanted = known(wanted)?;
        for (place, one) in list.iter().enumerate() {
            if same(&known(one)?, &wanted) {
                return Ok(place.into());
            }
        }
        Err("does not find the value".to_owned())
    });
    waiting(found)
}

fn distinct(list: Vec<Value>) -> Vec<Dyn> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    // Elements of one type are the same if their JSON is.
    let is_new = |one: &Value| {
        let text = json("distinct", one).ok();
        text.is_none_or(|text| seen.insert(text))
    };
    let new = list.into_iter().filter(is_new);
    new.map(|one| Dyn::from(&one)).collect()
}

/// The elements as those of a list: a number beside a text is a text.
fn of_one_type(list: Vec<Value>) -> Vec<Value> {
    let whole = Value::list(list);
    let converted = whole.convert(&Type::list(Type::Dynamic));
    let plain = plain_deep(&converted.unwrap_or(whole));
    plain.elements().unwrap_or_default().to_vec()
}

fn matchkeys(arguments: &[Dyn]) -> Answered {
    let (values, keys, wanted) = (at(arguments, 0)?, at(arguments, 1)?, at(arguments, 2)?);
    let matching = list(values).and_then(|values| {
        if !values
            .iter()
            .all(|it| it.is_wholly_known() || it.is_deferred())
        {
            return Err(WAITS.to_owned());
        }
        let [keys, wanted] = [keys, wanted].map(|it| {
            let elements = list(it)?.iter().map(known).collect::<Result<Vec<_>, _>>()?;
            Ok::<_, String>(elements)
        });
        let mut lists = [keys?, wanted?];
        unify(&mut lists);
        let [keys, wanted] = lists;
        let pairs = values.into_iter().zip(keys);
        let matching = pairs.filter(|(_, key)| wanted.iter().any(|one| same(one, key)));
        Ok(Dyn::list(matching.map(|(value, _)| value)))
    });
    waiting(matching)
}

fn range(arguments: &[Dyn]) -> Answered {
    const MOST: usize = 1024;
    let numbers: Result<Vec<Number>, String> =
        arguments.iter().map(|one| number(&known(one)?)).collect();
    let made = numbers.and_then(|numbers| {
        let zero = Number::from(0_i64);
        let (from, to) = match numbers.as_slice() {
            [to] => (&zero, to),
            [from, to] | [from, to, _] => (from, to),
            _ => return Err("needs a limit, or a start, a limit and a step".to_owned()),
        };
        let is_down = exact::order(to, from)?.is_lt();
        let step = match numbers.get(2) {
            Some(step) => step.clone(),
            None => Number::from(if is_down { -1_i64 } else { 1 }),
        };
        let direction = exact::order(&step, &zero)?;
        if direction.is_eq() || direction.is_lt() != is_down && from != to {
            return Err("needs a step towards its limit".to_owned());
        }
        let (mut next, mut all) = (from.clone(), Vec::new());
        while exact::order(&next, to)? == direction.reverse() {
            if all.len() == MOST {
                return Err(format!("makes at most {MOST} numbers"));
            }
            let following = exact::sum(&next, &step)?;
            all.push(Dyn::from(&Value::from(std::mem::replace(
                &mut next, following,
            ))));
        }
        Ok(Dyn::list(all))
    });
    waiting(made)
}

fn setproduct(arguments: &[Dyn]) -> Answered {
    let lists: Result<Vec<Vec<Dyn>>, String> = arguments.iter().map(list).collect();
    waiting(lists.map(|lists| {
        let rows = crate::setproduct(&lists);
        Dyn::list(rows.into_iter().map(Dyn::list))
    }))
}

fn sets(arguments: &[Dyn], function: impl Fn(Vec<Vec<Value>>) -> Vec<Value>) -> Answered {
    let sets: Result<Vec<Vec<Value>>, String> = arguments
        .iter()
        .map(|set| list(set)?.iter().map(known).collect())
        .collect();
    waiting(sets.and_then(|mut sets| {
        unify(&mut sets);
        if sets.is_empty() {
            return Err("lacks a set".to_owned());
        }
        let of = Type::set(Type::Dynamic);
        let made = Value::list(function(sets))
            .convert(&of)
            .map_err(|error| error.to_string())?;
        Ok(made.into())
    }))
}

/// The elements of several lists as those of one type: a number beside a text is a text.
fn unify(lists: &mut [Vec<Value>]) {
    let is_text = |one: &Value| matches!(plain(one), Value::String(_));
    if lists.iter().flatten().any(is_text) {
        for one in lists.iter_mut().flatten() {
            if let Ok(text) = text(one) {
                *one = text.into();
            }
        }
    }
}

fn transpose(arguments: &[Dyn]) -> Answered {
    let map = entries(at(arguments, 0)?).and_then(|entries| {
        let mut map = BTreeMap::new();
        for (key, one) in entries {
            let texts: Result<Vec<String>, String> =
                list(&one)?.iter().map(|one| text(&known(one)?)).collect();
            map.insert(key.to_string(), texts?);
        }
        Ok(Dyn::of(&crate::transpose(&map)))
    });
    waiting(map)
}

fn converted(arguments: &[Dyn], ty: &Type) -> Answered {
    let argument = at(arguments, 0)?;
    match &argument.0 {
        Inner::Known(value) => match plain(value).convert(ty) {
            Ok(value) => is(plain_deep(&value)),
            Err(error) => Err(format!("cannot convert its argument: {error}")),
        },
        // The structure stays; what is not known of it is converted where it is used.
        Inner::List(elements) => {
            let of = Shape::of_one(&elements.iter().collect::<Vec<_>>()).ty;
            let elements = elements.iter().map(|one| beside(one, &of));
            Ok(Answer::Is(Dyn::list(elements)))
        }
        Inner::Map(members) => {
            let of = Shape::of_one(&members.values().collect::<Vec<_>>()).ty;
            let members = members.iter();
            let members = members.map(|(name, one)| (name.clone(), beside(one, &of)));
            Ok(Answer::Is(Dyn::object(members)))
        }
        _ => Ok(Answer::Waits),
    }
}

/// The value without dynamic wrappers, which conversion puts around elements.
fn plain_deep(value: &Value) -> Value {
    match value {
        Value::Dynamic(dynamic) => plain_deep(&dynamic.1),
        Value::List(elements) => Value::list(elements.iter().map(plain_deep).collect()),
        Value::Set(elements) => {
            let elements: Vec<Value> = elements.iter().map(plain_deep).collect();
            let ty = elements.first().map_or(Type::String, Value::implied_type);
            Value::set(elements, &ty)
        }
        Value::Map(members) => Value::map(
            members
                .iter()
                .map(|(key, one)| (key.clone(), plain_deep(one))),
        ),
        single => single.clone(),
    }
}
