//! What the engine knows as dynamic values, and dynamic values as what the engine takes.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrane_core::value::Map;
use terrane_core::{Marked, Path, PathStep, Type, Value};

use super::shape::{Nullness, Shape};
use super::{Dyn, Inner};

impl Dyn {
    /// A part of what lies at that place, with what of it is unknown and sensitive.
    pub(super) fn part_of(marked: &Marked, place: &Path, part: &Path) -> Self {
        let path = place.clone().join(part);
        let Some(value) = marked.value.at(&path) else {
            return Self::failed(format!("the value has no `{part}`"));
        };
        let marks = marked.sensitive.iter();
        let marks: Vec<&[PathStep]> = marks
            .filter_map(|mark| match mark.contains(&path) {
                true => Some(&[] as &[PathStep]),
                false => mark.steps().strip_prefix(path.steps()),
            })
            .collect();
        Self::with_marks(value, &marks)
    }

    fn with_marks(value: &Value, marks: &[&[PathStep]]) -> Self {
        let Some(first) = marks.first() else {
            return Self::partly_known(value);
        };
        // The elements of a set have no place of their own.
        let is_whole = matches!(value, Value::Set(_)) || marks.iter().any(|mark| mark.is_empty());
        if is_whole || first.is_empty() {
            let inner: Vec<&[PathStep]> = match value {
                Value::Set(_) => Vec::new(),
                _ => marks.iter().filter(|it| !it.is_empty()).copied().collect(),
            };
            return Self::with_marks(value, &inner).sensitive();
        }
        let below = |step: &dyn Fn(&PathStep) -> bool| {
            let inner = marks.iter().filter_map(|mark| match mark.split_first() {
                Some((first, rest)) if step(first) => Some(rest),
                _ => None,
            });
            inner.collect::<Vec<&[PathStep]>>()
        };
        match value {
            Value::List(elements) => {
                Self::list(elements.iter().enumerate().map(|(place, element)| {
                    let here = below(&|step| matches!(step, PathStep::Index(it) if *it == place));
                    Self::with_marks(element, &here)
                }))
            }
            Value::Map(members) => Self::from_members(
                members
                    .iter()
                    .map(|(name, member)| {
                        let here = below(&|step| match step {
                            PathStep::Attribute(it) | PathStep::Key(it) => it == name,
                            PathStep::Index(_) => false,
                        });
                        (name.clone(), Self::with_marks(member, &here))
                    })
                    .collect(),
            ),
            Value::Dynamic(dynamic) => Self::with_marks(&dynamic.1, marks),
            // A mark inside of something that has no parts now.
            Value::Unknown(_) => Self::partly_known(value).sensitive(),
            _ => Self::partly_known(value),
        }
    }

    fn partly_known(value: &Value) -> Self {
        match value {
            Value::Unknown(refinements) => Self(Inner::Unknown(Shape {
                ty: Type::Dynamic,
                is_null: Nullness::of(refinements.as_ref()),
            })),
            whole if whole.is_wholly_known() => Self(Inner::Known(whole.clone())),
            Value::List(elements) | Value::Set(elements) => {
                Self::list(elements.iter().map(Self::partly_known))
            }
            Value::Map(members) => {
                let members = members.iter();
                let members = members.map(|(name, one)| (name.clone(), Self::partly_known(one)));
                Self::from_members(members.collect())
            }
            Value::Dynamic(dynamic) => Self::partly_known(&dynamic.1),
            single => Self(Inner::Known(single.clone())),
        }
    }

    /// What of it is known now, with what must not be shown.
    pub(super) fn into_marked(self) -> Result<Marked, String> {
        let mut sensitive = BTreeSet::new();
        let value = self.take(&mut Path::root(), &mut sensitive)?;
        Ok(Marked { value, sensitive })
    }

    fn take(self, here: &mut Path, sensitive: &mut BTreeSet<Path>) -> Result<Value, String> {
        Ok(match self.0 {
            Inner::Known(value) => value,
            Inner::Unknown(_) => Value::UNKNOWN,
            Inner::Sensitive(of) => {
                sensitive.insert(here.clone());
                Arc::unwrap_or_clone(of).take(here, sensitive)?
            }
            Inner::List(elements) => {
                let mut values = Vec::with_capacity(elements.len());
                for (place, element) in Arc::unwrap_or_clone(elements).into_iter().enumerate() {
                    here.push(PathStep::Index(place));
                    values.push(element.take(here, sensitive)?);
                    here.pop();
                }
                Value::list(values)
            }
            Inner::Map(members) => {
                let mut values = Map::new();
                for (name, member) in Arc::unwrap_or_clone(members) {
                    here.push(PathStep::Attribute(name.clone()));
                    values.insert(name, member.take(here, sensitive)?);
                    here.pop();
                }
                Value::map(values)
            }
            Inner::Failed(reason) => return Err(reason.to_string()),
            Inner::Early(..) | Inner::Deferred(_) => {
                return Err("the value of a loop is not known here".to_owned());
            }
        })
    }
}
