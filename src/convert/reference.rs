//! References with types: to variables, locals, resources and parts of them, splats and `for` expressions.

use terrane_codegen::BoundKind;
use terrane_core::schema::Nesting;

use crate::ast::{For, Kind, Node, Step};
use crate::expr::{can_be_element, mentions, of_schema, str_of};
use crate::scope::{Scope, string};
use crate::ty::{Code, Form, Ty};

/// A step from a value to a part of it.
enum Way<'a> {
    Name(&'a str),
    Key(&'a Node),
}

impl Scope<'_> {
    pub(crate) fn reference(&self, node: &Node) -> Option<Code> {
        let mut ways = Vec::new();
        let mut start = node;
        loop {
            match &start.kind {
                Kind::Attribute(of, name) => {
                    ways.push(Way::Name(name));
                    start = of;
                }
                Kind::Index(of, key) => {
                    ways.push(Way::Key(key));
                    start = of;
                }
                _ => break,
            }
        }
        ways.reverse();
        let (mut code, used) = match &start.kind {
            Kind::Variable(name) => self.root(name, &ways)?,
            _ => (self.typed(start)?, 0),
        };
        for way in &ways[used..] {
            code = self.step(&code, way)?;
        }
        Some(code)
    }

    /// What a reference begins with, and how many of its steps that took.
    fn root(&self, name: &str, ways: &[Way<'_>]) -> Option<(Code, usize)> {
        let word = |place: usize| match ways.get(place) {
            Some(Way::Name(name)) => Some(*name),
            _ => None,
        };
        if let Some(inner) = word(0)
            && let Some(code) = self.bound_code(&format!("{name}.{inner}"))
        {
            return Some((code, 1));
        }
        if let Some(code) = self.bound_code(name) {
            return Some((code, 0));
        }
        // An output of a module that is declared later.
        if name == "module"
            && let (Some(call), Some(output)) = (word(0), word(1))
            && let Some(code) = self.known.get(&format!("module.{call}.{output}"))
        {
            return Some((code.clone(), 2));
        }
        let (key, used) = match name {
            "var" | "local" | "module" | "path" | "terraform" | "each" | "count" => {
                (format!("{name}.{}", word(0)?), 1)
            }
            "data" | "ephemeral" => (format!("{name}.{}.{}", word(0)?, word(1)?), 2),
            "resource" => (format!("{}.{}", word(0)?, word(1)?), 2),
            "self" => ("self".to_owned(), 0),
            name => (format!("{name}.{}", word(0)?), 1),
        };
        Some((self.known.get(&key)?.clone(), used))
    }

    fn step(&self, code: &Code, way: &Way<'_>) -> Option<Code> {
        let key = match way {
            Way::Name(name) => return self.attribute(code, name),
            Way::Key(key) => key,
        };
        let may_be_missing = matches!(
            code.ty,
            Ty::List(_)
                | Ty::Map(_)
                | Ty::Handles(_)
                | Ty::HandleMap(_)
                | Ty::Modules(_)
                | Ty::ModuleMap(_)
                | Ty::Output(_)
                | Ty::NestedList(..)
        );
        if may_be_missing && self.careful.get() {
            return None;
        }
        match &code.ty {
            Ty::List(of) => match code.form {
                Form::Place | Form::Reference => self.element(code, key, (**of).clone()),
                _ => None,
            },
            Ty::Map(of) => match code.form {
                Form::Place | Form::Reference => self.at_key(code, key, (**of).clone()),
                _ => None,
            },
            Ty::Struct(_) | Ty::Handle(_) | Ty::Nested(..) | Ty::Module(_) => {
                self.attribute(code, key.text()?)
            }
            Ty::Handles(of) => self.element(code, key, Ty::Handle(*of)),
            Ty::Modules(of) => self.element(code, key, Ty::Module(*of)),
            Ty::HandleMap(of) => self.at_key(code, key, Ty::Handle(*of)),
            Ty::ModuleMap(of) => self.at_key(code, key, Ty::Module(*of)),
            Ty::NestedList(bound, object) => {
                let place = self.place_of(key)?;
                Some(Code::owned(
                    format!("{}.index({place})", code.text),
                    Ty::Nested(*bound, *object),
                ))
            }
            Ty::Output(of) => match &**of {
                Ty::List(of) => {
                    let place = self.place_of(key)?;
                    Some(Code::owned(
                        format!("{}.index({place})", code.atomic()),
                        Ty::output((**of).clone()),
                    ))
                }
                Ty::Map(of) => {
                    let key = self.typed(key).filter(|key| key.ty == Ty::Text)?;
                    Some(Code::owned(
                        format!("{}.key({})", code.atomic(), str_of(&key)),
                        Ty::output((**of).clone()),
                    ))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// An index as Rust's `usize`.
    fn place_of(&self, key: &Node) -> Option<String> {
        let index = self.typed(key)?;
        match (&index.ty, index.form) {
            (Ty::Int, Form::Literal) if !index.text.starts_with('-') => Some(index.text),
            (Ty::Size, _) => Some(self.value(&index)),
            _ => None,
        }
    }

    /// The element of a list; the program reports a missing one with its place, and does not panic.
    fn element(&self, list: &Code, key: &Node, ty: Ty) -> Option<Code> {
        let place = self.place_of(key)?;
        let is_there = self.lengths.get(&list.text).is_some_and(|length| {
            let place = place.parse::<usize>();
            place.is_ok_and(|place| place < *length)
        });
        match is_there {
            true => Some(Code::place(format!("{}[{place}]", list.text), ty)),
            false => self.found("at", list, &place, ty),
        }
    }

    /// The member of a map by a key of the program.
    fn at_key(&self, map: &Code, key: &Node, ty: Ty) -> Option<Code> {
        let key = self.typed(key).filter(|key| key.ty == Ty::Text)?;
        let key = match key.form {
            Form::Reference => key.text,
            _ => key.borrowed(),
        };
        self.found("member", map, &key, ty)
    }

    fn found(&self, function: &str, collection: &Code, key: &str, ty: Ty) -> Option<Code> {
        if self.in_closure.get() > 0 {
            return None;
        }
        let text = format!(
            "terrane_functions::{function}({}, {key})?",
            collection.borrowed()
        );
        Some(Code::reference(text, ty))
    }

    pub(crate) fn attribute(&self, code: &Code, name: &str) -> Option<Code> {
        let may_be_missing = matches!(
            code.ty,
            Ty::Map(_) | Ty::HandleMap(_) | Ty::ModuleMap(_) | Ty::Output(_)
        );
        if may_be_missing && self.careful.get() {
            return None;
        }
        match &code.ty {
            Ty::Struct(of) => {
                let field = of.fields.iter().find(|field| field.name == name)?;
                Some(Code::place(
                    format!("{}.{}", code.text, field.ident),
                    field.ty.clone(),
                ))
            }
            Ty::Map(of) if matches!(code.form, Form::Place | Form::Reference) => {
                self.found("member", code, &string(name), (**of).clone())
            }
            Ty::Output(of) => match &**of {
                Ty::Map(of) => Some(Code::owned(
                    format!("{}.key({})", code.atomic(), string(name)),
                    Ty::output((**of).clone()),
                )),
                _ => None,
            },
            Ty::Handle(bound) => self.member(code, *bound, 0, name),
            Ty::Nested(bound, object) => self.member(code, *bound, *object, name),
            Ty::Module(module) => {
                let (field, ty) = self.outputs.get(module)?.fields.get(name)?;
                Some(Code::place(format!("{}.{field}", code.text), ty.clone()))
            }
            Ty::HandleMap(of) => self.found("member", code, &string(name), Ty::Handle(*of)),
            Ty::ModuleMap(of) => self.found("member", code, &string(name), Ty::Module(*of)),
            _ => None,
        }
    }

    pub(crate) fn member(
        &self,
        code: &Code,
        bound: usize,
        object: usize,
        name: &str,
    ) -> Option<Code> {
        let one = &self.bindings.types[bound];
        if one.names.is_none() || one.mode == crate::model::Mode::Ephemeral {
            return None;
        }
        let member = one
            .member(object, name)
            .filter(|member| member.readable && !member.deprecated)?;
        let text = format!("{}.{}()", code.atomic(), member.method);
        match &member.kind {
            BoundKind::Value(ty) => Some(Code::owned(text, Ty::output(of_schema(ty)?))),
            BoundKind::Objects {
                object,
                nesting,
                reachable: true,
            } => match nesting {
                Nesting::List => Some(Code::owned(text, Ty::NestedList(bound, *object))),
                Nesting::Single | Nesting::Group => {
                    Some(Code::owned(text, Ty::Nested(bound, *object)))
                }
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn splat(&self, of: &Node, steps: &[Step]) -> Option<Code> {
        let code = self.typed(of)?;
        let (iterator, element) = match &code.ty {
            Ty::Handles(of) => (
                format!("{}.iter()", code.text),
                Code::reference("one", Ty::Handle(*of)),
            ),
            Ty::Modules(of) => (
                format!("{}.iter()", code.text),
                Code::reference("one", Ty::Module(*of)),
            ),
            Ty::List(of) => (
                format!("{}.iter()", code.text),
                Code::reference("one", (**of).clone()),
            ),
            _ => return None,
        };
        if code.form != Form::Place {
            return None;
        }
        if steps.is_empty() {
            return matches!(code.ty, Ty::List(_)).then_some(code);
        }
        let part = self.closure(|| {
            steps.iter().try_fold(element, |part, step| match step {
                Step::Attribute(name) => self.attribute(&part, name),
                Step::Index(key) => self.step(&part, &Way::Key(key)),
                Step::Splat(_) => None,
            })
        })?;
        if !can_be_element(&part.ty) {
            return None;
        }
        let text = format!("{iterator}.map(|one| {}).collect::<Vec<_>>()", part.kept());
        Some(Code::owned(text, Ty::list(part.ty)))
    }

    pub(crate) fn comprehension(&self, one: &For) -> Option<Code> {
        let of = self.typed(&one.of)?;
        if one.groups {
            return None;
        }
        let value_name = self.fresh(&one.value);
        let key_name = one.key.as_ref().map(|key| self.fresh(key));
        // `(key, value)` of maps, places and elements of lists.
        let (iterator, bound) = match (&of.ty, &key_name) {
            (Ty::List(element), None) if of.form != Form::Literal => (
                format!("{}.iter()", of.atomic()),
                vec![(
                    one.value.clone(),
                    Code::reference(&value_name, (**element).clone()),
                )],
            ),
            (Ty::Set(element), None) if of.form == Form::Place => (
                format!("{}.iter()", of.text),
                vec![(
                    one.value.clone(),
                    Code::reference(&value_name, (**element).clone()),
                )],
            ),
            (Ty::List(element), Some(key)) if of.form != Form::Literal => (
                format!("{}.iter().enumerate()", of.atomic()),
                vec![
                    (one.key.clone()?, Code::owned(key, Ty::Size)),
                    (
                        one.value.clone(),
                        Code::reference(&value_name, (**element).clone()),
                    ),
                ],
            ),
            (Ty::Map(element), Some(key)) if of.form == Form::Place => (
                format!("{}.iter()", of.text),
                vec![
                    (one.key.clone()?, Code::reference(key, Ty::Text)),
                    (
                        one.value.clone(),
                        Code::reference(&value_name, (**element).clone()),
                    ),
                ],
            ),
            (Ty::HandleMap(of_type), Some(key)) => (
                format!("{}.iter()", of.text),
                vec![
                    (one.key.clone()?, Code::reference(key, Ty::Text)),
                    (
                        one.value.clone(),
                        Code::reference(&value_name, Ty::Handle(*of_type)),
                    ),
                ],
            ),
            (Ty::HandleMap(of_type), None) => (
                format!("{}.values()", of.text),
                vec![(
                    one.value.clone(),
                    Code::reference(&value_name, Ty::Handle(*of_type)),
                )],
            ),
            (Ty::Handles(of_type), None) => (
                format!("{}.iter()", of.text),
                vec![(
                    one.value.clone(),
                    Code::reference(&value_name, Ty::Handle(*of_type)),
                )],
            ),
            _ => return None,
        };
        self.binding(bound, || {
            self.closure(|| {
                let mut iterator = iterator;
                if let Some(condition) = &one.condition {
                    let condition = self.typed(condition).filter(|code| code.ty == Ty::Bool)?;
                    let condition = self.value(&condition);
                    let shown = |name| {
                        if mentions(&condition, name) {
                            name
                        } else {
                            "_"
                        }
                    };
                    // The closure of `filter` gets a reference to what the other one gets.
                    let pattern = match (key_name.as_deref().map(shown), shown(&value_name)) {
                        (Some("_") | None, "_") => "_".to_owned(),
                        (Some(key), value) => format!("&({key}, {value})"),
                        (None, value) => format!("&{value}"),
                    };
                    iterator = format!("{iterator}.filter(|{pattern}| {condition})");
                }
                let body = self.typed(&one.body)?;
                if !can_be_element(&body.ty) {
                    return None;
                }
                let is_map = matches!(of.ty, Ty::Map(_) | Ty::HandleMap(_));
                // Of a whole map only what is used: its values, its keys, or both.
                let looped = |text: &str| {
                    let shown = |name| if mentions(text, name) { name } else { "_" };
                    let value = shown(&value_name);
                    let Some(key) = key_name.as_deref().map(shown) else {
                        return format!("{iterator}.map(|{value}|");
                    };
                    let map = iterator.strip_suffix(".iter()").filter(|_| is_map);
                    match (map, key, value) {
                        (Some(map), "_", value) => format!("{map}.values().map(|{value}|"),
                        (Some(map), key, "_") => format!("{map}.keys().map(|{key}|"),
                        _ => format!("{iterator}.map(|({key}, {value})|"),
                    }
                };
                match &one.member {
                    None => {
                        let kept = self.moved(&body);
                        let text = format!("{} {kept}).collect::<Vec<_>>()", looped(&kept));
                        Some(Code::owned(text, Ty::list(body.ty)))
                    }
                    Some(member) => {
                        let key = self.typed(member).filter(|code| code.ty == Ty::Text)?;
                        let pair = format!("({}, {})", self.moved(&key), self.moved(&body));
                        let text = format!("{} {pair}).collect::<BTreeMap<_, _>>()", looped(&pair));
                        Some(Code::owned(text, Ty::map(body.ty)))
                    }
                }
            })
        })
    }
}
