//! Blocks as builders: the arguments of resources, data sources, providers, and what is nested in them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use terrane_codegen::{BoundKind, BoundMember, BoundObject};
use terrane_core::schema::Nesting;

use crate::ast::{Attribute, Block, Body, Kind, Node};
use crate::expr::mentions;
use crate::scope::{Scope, string};
use crate::ty::{Code, Form, Ty};

/// The typed builder cannot say it; untyped arguments can.
pub(crate) struct Untypable;

/// A builder: a chain of calls, and statements that go on with it.
#[derive(Default)]
pub(crate) struct Chain {
    pub(crate) calls: String,
    /// Statements on the variable named by [`HERE`].
    pub(crate) statements: Vec<String>,
    /// The blocks that statements add.
    looped: BTreeSet<String>,
}

/// What adds blocks to a builder.
enum Adding {
    /// A call of the chain.
    Call(String),
    /// Statements with calls inside.
    Loop(String),
}

/// Stands for the builder's variable.
pub(crate) const HERE: &str = "\u{2}";

impl Adding {
    /// It as a statement: rustfmt leaves a whole chain as it is for one link that is too long.
    fn apart(self) -> Self {
        Self::Loop(self.statement())
    }

    fn statement(self) -> String {
        match self {
            Self::Call(call) => format!("{HERE} = {HERE}{call};"),
            Self::Loop(statement) => statement,
        }
    }
}

impl Chain {
    /// Adds blocks of that name behind those that are there.
    fn add(&mut self, name: &str, said: &str, adding: Adding) {
        match adding {
            Adding::Call(call) if !self.looped.contains(name) => {
                let _ = write!(self.calls, "\n{said}{call}");
            }
            adding => {
                self.statements
                    .push(format!("{said}{}", adding.statement()));
                self.looped.insert(name.to_owned());
            }
        }
    }

    /// The whole as one expression.
    pub(crate) fn expression(&self, start: &str) -> String {
        if self.statements.is_empty() {
            return format!("{start}{}", self.calls);
        }
        let statements = self.statements.join("\n").replace(HERE, "block");
        format!(
            "{{ let mut block = {start}{}; {statements} block }}",
            self.calls
        )
    }
}

/// Lines of comments before something.
pub(crate) fn comment_lines(comments: &[String]) -> String {
    let lines = comments.iter().flat_map(|it| it.lines());
    lines.map(|line| format!("// {line}\n")).collect()
}

impl Scope<'_> {
    /// The calls that set what a body says, but for the arguments that `skipped` names.
    pub(crate) fn typed_chain(
        &self,
        objects: &[BoundObject],
        object: usize,
        path: &dyn Fn(usize) -> String,
        body: &Body,
        skipped: &[&str],
    ) -> Result<Chain, Untypable> {
        let shape = &objects[object];
        let mut chain = Chain::default();
        let mut given: Vec<&str> = Vec::new();
        for attribute in &body.attributes {
            if skipped.contains(&&*attribute.name) {
                continue;
            }
            let said = comment_lines(&attribute.comments);
            let Some(member) = member(shape, &attribute.name) else {
                let reason = format!("the schema has no argument `{}`", attribute.name);
                chain
                    .statements
                    .push(format!("{};", self.untranslated(attribute.place, &reason)));
                continue;
            };
            // Providers take a null for what only they decide.
            if member.deprecated || !member.settable {
                return Err(Untypable);
            }
            match &member.kind {
                BoundKind::Value(ty) => {
                    if let Some(argument) = self.argument(&attribute.value, ty) {
                        let _ = write!(chain.calls, "\n{said}.{}({argument})", member.method);
                        given.push(&attribute.name);
                    } else if member.required {
                        return Err(Untypable);
                    }
                }
                BoundKind::Untyped => {
                    if !attribute.value.is_null() {
                        let argument = self.untyped_argument(&attribute.value);
                        let _ = write!(chain.calls, "\n{said}.{}({argument})", member.method);
                        given.push(&attribute.name);
                    }
                }
                BoundKind::Map { .. } => return Err(Untypable),
                BoundKind::Objects {
                    object, nesting, ..
                } => {
                    if attribute.value.is_null() {
                        continue;
                    }
                    let bodies = bodies(&attribute.value).ok_or(Untypable)?;
                    if bodies.is_empty() && (!member.is_block || member.required)
                        || *nesting == Nesting::Map
                    {
                        return Err(Untypable);
                    }
                    chain.calls.push_str(&said);
                    for body in bodies {
                        // Nothing may be remembered of these expressions: they are copies that go.
                        let inner = self.binding(Vec::new(), || {
                            self.typed_chain(objects, *object, path, &body, &[])
                        })?;
                        let inner = inner.expression(&format!("{}::builder()", path(*object)));
                        let _ = write!(chain.calls, "\n.{}({inner})", member.method);
                    }
                    given.push(&attribute.name);
                }
            }
        }
        for block in &body.blocks {
            if skipped.contains(&&*block.kind) {
                continue;
            }
            let (name, dynamic) = match (&*block.kind, block.labels.first()) {
                ("dynamic", Some(label)) => (&**label, true),
                (name, _) => (name, false),
            };
            let Some(member) = member(shape, name).filter(|it| it.settable) else {
                let reason = format!("the schema has no block `{name}`");
                chain
                    .statements
                    .push(format!("{};", self.untranslated(block.place, &reason)));
                continue;
            };
            if member.deprecated {
                return Err(Untypable);
            }
            let said = comment_lines(&block.comments);
            match (&member.kind, dynamic) {
                (
                    BoundKind::Objects {
                        nesting: Nesting::Map,
                        ..
                    }
                    | BoundKind::Untyped
                    | BoundKind::Value(_),
                    _,
                ) => {
                    return Err(Untypable);
                }
                (BoundKind::Objects { object, .. }, false) => {
                    let inner = self.typed_chain(objects, *object, path, &block.body, &[])?;
                    let inner = inner.expression(&format!("{}::builder()", path(*object)));
                    let call = format!(".{}({inner})", member.method);
                    chain.add(name, &said, Adding::Call(call));
                    given.push(name);
                }
                (BoundKind::Map { attribute, ty }, false) => {
                    let value = block
                        .body
                        .value(attribute)
                        .and_then(|node| self.argument(node, ty));
                    if let Some(value) = value {
                        let _ = write!(chain.calls, "\n{said}.{}({value})", member.method);
                        given.push(name);
                    }
                }
                (BoundKind::Objects { object, .. }, true) => {
                    let add = |blocks: &str| format!(".{}({blocks})", member.method);
                    let adding = self.dynamic_block(block, member.required, &add, |body| {
                        let inner = self.typed_chain(objects, *object, path, body, &[])?;
                        Ok(inner.expression(&format!("{}::builder()", path(*object))))
                    })?;
                    let adding = match (member.required, adding) {
                        (true, Adding::Loop(_)) => return Err(Untypable),
                        // It is another type with the blocks than without.
                        (true, call) => call,
                        (false, adding) => adding.apart(),
                    };
                    chain.add(name, &said, adding);
                    given.push(name);
                }
                _ => return Err(Untypable),
            }
        }
        let lacks = |member: &&BoundMember| member.required && !given.contains(&&*member.name);
        if shape.members.iter().any(|member| lacks(&member)) {
            return Err(Untypable);
        }
        Ok(chain)
    }

    /// What a `dynamic` block adds by the call `add`, which has to be a link of the chain where it changes the builder's type: `content` is
    /// the builder of one round.
    fn dynamic_block(
        &self,
        block: &Block,
        is_link: bool,
        add: &dyn Fn(&str) -> String,
        content: impl Fn(&Body) -> Result<String, Untypable>,
    ) -> Result<Adding, Untypable> {
        let (Some(each), Some(body)) = (
            block.body.value("for_each"),
            block.body.blocks_of("content").next(),
        ) else {
            let reason = "a `dynamic` block needs `for_each` and `content`";
            let said = self.untranslated(block.place, reason);
            return Ok(Adding::Loop(format!("{said};")));
        };
        let round = || self.content(|| content(&body.body));
        let statement = |builder: &str| format!("{HERE} = {HERE}{};", add(builder));
        let label = block.labels.first().map_or("block", |it| it.as_str());
        let iterator = block
            .body
            .value("iterator")
            .and_then(|it| it.names())
            .map(|it| it[0].to_owned());
        let iterator = iterator.unwrap_or_else(|| label.to_owned());
        // `var.x ? [1] : []` is a condition.
        if let Kind::Choose(all) = &each.kind
            && let (Kind::List(then), Kind::List(otherwise)) = (&all[1].kind, &all[2].kind)
            && then.len() + otherwise.len() == 1
            && let Some(condition) = self.typed(&all[0]).filter(|it| it.ty == Ty::Bool)
        {
            let only = then.iter().chain(otherwise).next().ok_or(Untypable)?;
            let condition = match then.is_empty() {
                true => format!("!({})", condition.text),
                false => condition.text,
            };
            let value = self.code(only);
            let uses_value = format!("{iterator}.");
            let bound = vec![
                (format!("{uses_value}value"), value),
                (format!("{uses_value}key"), Code::literal("0", Ty::Int)),
            ];
            let added = statement(&self.binding(bound, round)?);
            return Ok(Adding::Loop(format!("if {condition} {{ {added} }}")));
        }
        if let Some((head, bound)) = self.rounds(each, &iterator) {
            let added = statement(&self.binding(bound.codes, round)?);
            let head = head(&added, &bound.key, &bound.value);
            return Ok(Adding::Loop(format!("{head} {{ {added} }}")));
        }
        let collection = self.receiver(each);
        let (key, value) = (self.fresh("key"), self.fresh(&iterator));
        let bound = vec![
            (format!("{iterator}.key"), Code::place(&key, Ty::Dyn)),
            (format!("{iterator}.value"), Code::place(&value, Ty::Dyn)),
        ];
        let builder = self.binding(bound, || self.closure(round))?;
        let [key, value] = [key, value].map(|name| match mentions(&builder, &name) {
            true => name,
            false => "_".to_owned(),
        });
        let blocks = format!("{collection}.blocks(|{key}, {value}| {builder})");
        if is_link || !builder.starts_with('{') {
            return Ok(Adding::Call(add(&blocks)));
        }
        // rustfmt takes ever longer over closures inside of the calls of closures.
        let variable = self.fresh(&format!("{label}_blocks"));
        let added = format!("{HERE} = {HERE}{};", add(&variable));
        Ok(Adding::Loop(format!("let {variable} = {blocks};\n{added}")))
    }

    /// The head of a loop over a typed collection, and what its variables are.
    fn rounds(&self, each: &Node, iterator: &str) -> Option<(Head, Rounds)> {
        let value_name = self.fresh(iterator);
        let key_name = self.fresh("key");
        let shown = |name: &str, text: &str| match mentions(text, name) {
            true => name.to_owned(),
            false => "_".to_owned(),
        };
        let names = |key: Code, value: Code| Rounds {
            codes: vec![
                (format!("{iterator}.key"), key),
                (format!("{iterator}.value"), value),
            ],
            key: key_name.clone(),
            value: value_name.clone(),
        };
        let code = self.typed(each)?;
        let over = match code.form {
            Form::Place => format!("&{}", code.text),
            _ => code.text.clone(),
        };
        match &code.ty {
            Ty::List(of) | Ty::Set(of) if code.form != Form::Reference => {
                let element = element(&code, of, &value_name);
                let is_set = matches!(code.ty, Ty::Set(_));
                let key = match is_set {
                    true => element.clone(),
                    false => Code::owned(&key_name, Ty::Size),
                };
                let head = move |text: &str, key: &str, value: &str| match !is_set
                    && mentions(text, key)
                {
                    true => {
                        let over = match over.strip_prefix('&') {
                            Some(place) => format!("{place}.iter()"),
                            None => format!("{over}.into_iter()"),
                        };
                        format!("for ({key}, {}) in {over}.enumerate()", shown(value, text))
                    }
                    false => format!("for {} in {over}", shown(value, text)),
                };
                Some((Box::new(head), names(key, element)))
            }
            Ty::Map(of) if code.form != Form::Reference => {
                let key = element(&code, &Ty::Text, &key_name);
                let value = element(&code, of, &value_name);
                let head = move |text: &str, key: &str, value: &str| {
                    let one_side = |side: &str| match over.strip_prefix('&') {
                        Some(place) => format!("{place}.{side}()"),
                        None => format!("{over}.into_{side}()"),
                    };
                    match (mentions(text, key), mentions(text, value)) {
                        (true, true) => format!("for ({key}, {value}) in {over}"),
                        (true, false) => format!("for {key} in {}", one_side("keys")),
                        (false, true) => format!("for {value} in {}", one_side("values")),
                        (false, false) => format!("for _ in {}", one_side("keys")),
                    }
                };
                Some((Box::new(head), names(key, value)))
            }
            _ => None,
        }
    }

    /// The calls that set a body's arguments without types.
    pub(crate) fn untyped_chain(
        &self,
        objects: Option<(&[BoundObject], usize)>,
        body: &Body,
        skipped: &[&str],
    ) -> Chain {
        let mut chain = Chain::default();
        let member_of =
            |name: &str| objects.and_then(|(all, object)| Some((all, member(&all[object], name)?)));
        let inner_of = |name: &str| match member_of(name) {
            Some((
                all,
                BoundMember {
                    kind: BoundKind::Objects { object, .. },
                    ..
                },
            )) => Some((all, *object)),
            _ => None,
        };
        for attribute in &body.attributes {
            if skipped.contains(&&*attribute.name) || attribute.value.is_null() {
                continue;
            }
            if objects.is_some() && member_of(&attribute.name).is_none() {
                let reason = format!("the schema has no argument `{}`", attribute.name);
                chain
                    .statements
                    .push(format!("{};", self.untranslated(attribute.place, &reason)));
                continue;
            }
            let value = self.untyped_argument(&attribute.value);
            let said = comment_lines(&attribute.comments);
            let _ = write!(
                chain.calls,
                "\n{said}.set({}, {value})",
                string(&attribute.name)
            );
        }
        for block in &body.blocks {
            if skipped.contains(&&*block.kind) {
                continue;
            }
            let said = comment_lines(&block.comments);
            let name = match (&*block.kind, block.labels.first()) {
                ("dynamic", Some(label)) => label.as_str(),
                (name, _) => name,
            };
            if objects.is_some() && member_of(name).is_none() {
                let reason = format!("the schema has no block `{name}`");
                chain
                    .statements
                    .push(format!("{};", self.untranslated(block.place, &reason)));
                continue;
            }
            let is_single = matches!(
                member_of(name),
                Some((
                    _,
                    BoundMember {
                        kind: BoundKind::Objects {
                            nesting: Nesting::Single | Nesting::Group,
                            ..
                        },
                        ..
                    }
                ))
            );
            let content = |body: &Body| {
                let inner = self.untyped_chain(inner_of(name), body, &[]);
                self.short_block(name, inner.expression("BlockArguments::new()"))
            };
            let add = |blocks: &str| {
                let method = if is_single { "set_block" } else { "push_block" };
                format!(".{method}({}, {blocks})", string(name))
            };
            let adding = match block.kind == "dynamic" {
                false => Ok(Adding::Call(add(&content(&block.body)))),
                true => {
                    let adding = self.dynamic_block(block, false, &add, |body| Ok(content(body)));
                    adding.map(Adding::apart)
                }
            };
            if let Ok(adding) = adding {
                chain.add(name, &said, adding);
            }
        }
        chain
    }
}

/// Makes the head of a loop: of its body, and the names of its variables.
type Head = Box<dyn Fn(&str, &str, &str) -> String>;

struct Rounds {
    codes: Vec<(String, Code)>,
    key: String,
    value: String,
}

/// The variable of a loop over a collection.
fn element(collection: &Code, of: &Ty, name: &str) -> Code {
    match collection.form {
        Form::Literal if *of == Ty::Text => Code::literal(name, of.clone()),
        Form::Place => Code::reference(name, of.clone()),
        _ => Code::place(name, of.clone()),
    }
}

fn member<'a>(shape: &'a BoundObject, name: &str) -> Option<&'a BoundMember> {
    shape.members.iter().find(|one| *one.name == *name)
}

/// The objects that an argument gives where blocks are meant.
fn bodies(node: &Node) -> Option<Vec<Body>> {
    match &node.kind {
        Kind::Object(members) => {
            let attributes = members.iter().map(|(key, value)| {
                Some(Attribute {
                    name: key.text()?.to_owned(),
                    value: value.clone(),
                    comments: Vec::new(),
                    place: value.place,
                })
            });
            Some(vec![Body {
                attributes: attributes.collect::<Option<_>>()?,
                blocks: Vec::new(),
            }])
        }
        Kind::List(all) => {
            let all: Option<Vec<Vec<Body>>> = all
                .iter()
                .map(|one| match one.kind {
                    Kind::Object(_) => bodies(one),
                    _ => None,
                })
                .collect();
            Some(all?.into_iter().flatten().collect())
        }
        _ => None,
    }
}
