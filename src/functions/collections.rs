//! Lists, sets and maps.

use std::collections::BTreeMap;

use terrane_core::Value;

use crate::FunctionError;

/// The element at that place, counted on from the first one after the last. `None` of an empty list.
pub fn element<T>(list: &[T], place: usize) -> Option<&T> {
    list.get(place.checked_rem(list.len())?)
}

/// The element at that place, as `list[place]` has it in HCL: a missing one is an error, and no panic.
///
/// # Errors
/// When there is none.
pub fn at<T>(list: &[T], place: usize) -> Result<&T, FunctionError> {
    list.get(place).ok_or_else(|| {
        let reason = format!("finds no element {place} in a list of {}", list.len());
        FunctionError::new("at", reason)
    })
}

/// The member of that key, as `map[key]` has it in HCL: a missing one is an error, and no panic.
///
/// # Errors
/// When there is none.
pub fn member<'a, T>(map: &'a BTreeMap<String, T>, key: &str) -> Result<&'a T, FunctionError> {
    map.get(key).ok_or_else(|| {
        let reason = format!("finds no key {key:?} in a map of {}", map.len());
        FunctionError::new("member", reason)
    })
}

/// All elements of lists within lists, however deep, and of sets.
pub fn flatten<'a>(lists: impl IntoIterator<Item = &'a Value>) -> Vec<Value> {
    fn add(value: &Value, flat: &mut Vec<Value>) {
        match value {
            Value::List(elements) | Value::Set(elements) => {
                elements.iter().for_each(|element| add(element, flat));
            }
            Value::Dynamic(dynamic) => add(&dynamic.1, flat),
            single => flat.push(single.clone()),
        }
    }
    let mut flat = Vec::new();
    lists.into_iter().for_each(|value| add(value, &mut flat));
    flat
}

/// The only element of a collection, `None` of an empty one.
///
/// # Errors
/// When there are more.
pub fn one<T>(collection: impl IntoIterator<Item = T>) -> Result<Option<T>, FunctionError> {
    let mut elements = collection.into_iter();
    let only = elements.next();
    match elements.next() {
        None => Ok(only),
        Some(_) => {
            let reason = "needs a collection of at most one element";
            Err(FunctionError::new("one", reason))
        }
    }
}

/// All combinations of one element of each list, the last list turning fastest.
pub fn setproduct<T: Clone>(lists: &[Vec<T>]) -> Vec<Vec<T>> {
    if lists.is_empty() {
        return Vec::new();
    }
    lists.iter().fold(vec![Vec::new()], |rows, list| {
        let longer = |row: Vec<T>| {
            list.iter().map(move |element| {
                let mut row = row.clone();
                row.push(element.clone());
                row
            })
        };
        rows.into_iter().flat_map(longer).collect()
    })
}

/// A map of lists turned round: each element with the keys under which it stood.
pub fn transpose(map: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let mut turned: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, elements) in map {
        for element in elements {
            turned.entry(element.clone()).or_default().push(key.clone());
        }
    }
    turned
}
