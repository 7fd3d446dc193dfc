//! Writes the parts that resources and nested objects share: getters of handles, setters of builders.

use std::fmt::Write;

use terrane_core::schema::Nesting;

use super::shape::{Kind, Member, Shape};
use crate::names::{letter, pascal};

/// The foundation of a builder.
pub(super) struct Builder<'a> {
    /// The field that collects the arguments.
    pub(super) field: &'a str,
    /// The field's type.
    pub(super) inner: &'a str,
    /// The first line of its documentation.
    pub(super) about: &'a str,
}

/// The type parameters of a builder, one a required argument.
pub(super) struct Params {
    /// `<A, B>`.
    pub(super) declared: String,
    /// `<Set, Set>`.
    pub(super) complete: String,
}

/// The members that a builder must be given.
pub(super) fn required(shape: &Shape) -> impl Iterator<Item = &Member> {
    shape.members.iter().filter(|member| member.required)
}

/// The type parameters of the required members, those for which `open` says no being `Set`.
pub(super) fn params(shape: &Shape, open: impl Fn(&str) -> bool) -> Params {
    let mut declared = Vec::new();
    let mut complete = Vec::new();
    for (place, member) in required(shape).enumerate() {
        declared.push(if open(&member.name) {
            letter(place)
        } else {
            "tr::Set".to_owned()
        });
        complete.push("tr::Set".to_owned());
    }
    let list = |names: Vec<String>| {
        if names.is_empty() {
            String::new()
        } else {
            format!("<{}>", names.join(", "))
        }
    };
    Params {
        declared: list(declared),
        complete: list(complete),
    }
}

/// The type of a builder that was given nothing. The markers are no defaults of the type parameters, for the compiler leaves
/// those out of its messages, and the message shall name the missing argument.
pub(super) fn empty_builder(shape: &Shape) -> String {
    let markers: Vec<String> = required(shape)
        .map(|member| format!("missing::Missing{}", pascal(&member.name)))
        .collect();
    if markers.is_empty() {
        format!("{}Builder", shape.name)
    } else {
        format!("{}Builder<{}>", shape.name, markers.join(", "))
    }
}

/// The getters of a handle, whose values are `Output` or `Ephemeral`.
pub(super) fn handle(shape: &Shape, all: &[Shape], output: &str, body: &mut String) {
    for member in shape.members.iter().filter(|member| member.readable) {
        let name = &member.name;
        let (ty, get) = getter(member, all, output);
        let deprecated = if member.deprecated {
            "#[deprecated]\n"
        } else {
            ""
        };
        let _ = write!(
            body,
            "\n/// The {} `{name}`. {}\n{deprecated}#[track_caller]\npub fn {}(&self) -> {ty} {{\n{get}\n}}\n",
            member.noun(),
            member.presence(),
            member.method
        );
    }
}

fn getter(member: &Member, all: &[Shape], output: &str) -> (String, String) {
    let name = &member.name;
    let plain = format!("self.0.attribute(\"{name}\")");
    match &member.kind {
        Kind::Value(ty) | Kind::Flat { ty, .. } => (format!("tr::{output}<{ty}>"), plain),
        Kind::Any { read } => (format!("tr::{output}<{read}>"), plain),
        Kind::Objects { shape, nesting } => {
            let reachable = all.iter().any(|one| one.name == *shape && one.reachable);
            match nesting {
                Nesting::Single | Nesting::Group if reachable => {
                    (shape.clone(), format!("tr::Nested::from_output({plain})"))
                }
                Nesting::List if reachable => {
                    let list = match member.items {
                        Some((_, 1)) => "NestedOnly",
                        _ => "NestedList",
                    };
                    (
                        format!("tr::{list}<{shape}>"),
                        format!("self.0.attribute::<Vec<tr::Value>>(\"{name}\").into()"),
                    )
                }
                Nesting::Map => (
                    format!("tr::{output}<::std::collections::BTreeMap<String, tr::Value>>"),
                    plain,
                ),
                Nesting::Single | Nesting::Group => (format!("tr::{output}<tr::Value>"), plain),
                Nesting::List | Nesting::Set => (format!("tr::{output}<Vec<tr::Value>>"), plain),
            }
        }
    }
}

/// The builder and its setters.
pub(super) fn builder(builder: &Builder<'_>, shape: &Shape, all: &[Shape], body: &mut String) {
    let (name, field, inner) = (&shape.name, builder.field, builder.inner);
    let count = required(shape).count();
    let letters: Vec<String> = (0..count).map(letter).collect();
    let _ = write!(
        body,
        "\n/// {}\n#[derive(Debug)]\n#[must_use]\npub struct {name}Builder",
        builder.about
    );
    if letters.is_empty() {
        let _ = write!(body, " {{\npub(crate) {field}: {inner},\n}}\n");
    } else {
        let tuple = match letters.as_slice() {
            [one] => one.clone(),
            more => format!("({})", more.join(", ")),
        };
        let _ = write!(
            body,
            "<{}> {{\npub(crate) {field}: {inner},\nrequired: ::std::marker::PhantomData<{tuple}>,\n}}\n",
            letters.join(", ")
        );
    }
    let declared = params(shape, |_| true).declared;
    if !shape.members.iter().any(|member| member.settable) {
        return;
    }
    let _ = write!(body, "\nimpl{declared} {name}Builder{declared} {{\n");
    for (place, member) in shape.members.iter().filter(|m| m.settable).enumerate() {
        if place > 0 {
            body.push('\n');
        }
        setter(builder, shape, member, all, body);
    }
    body.push_str("}\n");
}

fn setter(builder: &Builder<'_>, shape: &Shape, member: &Member, all: &[Shape], body: &mut String) {
    let field = builder.field;
    // Nothing of it is stored.
    let builder_is_ephemeral = builder.inner == "tr::EphemeralDeclaration";
    let name = &member.name;
    let method = &member.method;
    let complete = |inner: &String| {
        let inner = all.iter().find(|one| one.name == *inner);
        inner.map_or(String::new(), |inner| params(inner, |_| true).complete)
    };
    let (generics, argument, call, adds) = match &member.kind {
        Kind::Value(ty) if builder_is_ephemeral => (
            "",
            format!("value: impl tr::IntoWriteOnly<{ty}>"),
            format!("set(\"{name}\", tr::IntoWriteOnly::<{ty}>::into_write_only(value))"),
            false,
        ),
        Kind::Any { .. } if builder_is_ephemeral => (
            "",
            "value: impl tr::IntoEphemeralExpr".to_owned(),
            format!("set(\"{name}\", value)"),
            false,
        ),
        Kind::Value(ty) if member.write_only => (
            "",
            format!("value: impl tr::IntoWriteOnly<{ty}>"),
            format!("set_write_only(\"{name}\", tr::IntoWriteOnly::into_write_only(value))"),
            false,
        ),
        Kind::Any { .. } if member.write_only => (
            "",
            "value: impl tr::IntoEphemeralExpr".to_owned(),
            format!("set_write_only(\"{name}\", value)"),
            false,
        ),
        Kind::Value(ty) => (
            "",
            format!("value: impl tr::IntoInput<{ty}>"),
            format!("set(\"{name}\", tr::IntoInput::into_input(value))"),
            false,
        ),
        Kind::Any { .. } => (
            "",
            "value: impl tr::IntoExpr".to_owned(),
            format!("set(\"{name}\", value)"),
            false,
        ),
        Kind::Flat { attribute, ty } => (
            "",
            format!("value: impl tr::IntoInput<{ty}>"),
            format!(
                "push_block(\"{name}\", tr::BlockArguments::new().set(\"{attribute}\", tr::IntoInput::into_input(value)))"
            ),
            false,
        ),
        Kind::Objects { shape, nesting } => match nesting {
            Nesting::Single | Nesting::Group => (
                "",
                format!(
                    "block: impl tr::IntoBlocks<{shape}Builder{}>",
                    complete(shape)
                ),
                format!("set_block(\"{name}\", block)"),
                false,
            ),
            Nesting::List | Nesting::Set => (
                "",
                format!(
                    "block: impl tr::IntoBlocks<{shape}Builder{}>",
                    complete(shape)
                ),
                format!("push_block(\"{name}\", block)"),
                true,
            ),
            Nesting::Map => (
                "<K: Into<::std::sync::Arc<str>>>",
                format!(
                    "blocks: impl IntoIterator<Item = (K, {shape}Builder{})>",
                    complete(shape)
                ),
                format!(
                    "set(\"{name}\", blocks.into_iter().map(|(key, block)| (key.into(), block.arguments)).collect::<::std::collections::BTreeMap<::std::sync::Arc<str>, _>>())"
                ),
                false,
            ),
        },
    };
    let verb = if adds { "Adds one" } else { "Sets" };
    let stored = match member.write_only {
        true => " Sent to the provider, and stored nowhere.",
        false => "",
    };
    let doc = format!("{verb} `{name}`. {}{stored}", member.presence());
    let deprecated = if member.deprecated {
        "#[deprecated]\n"
    } else {
        ""
    };
    if member.required {
        let to = params(shape, |other| other != name).declared;
        let builder = format!("{}Builder", shape.name);
        let _ = write!(
            body,
            "/// {doc}\n{deprecated}pub fn {method}{generics}(self, {argument}) -> {builder}{to} {{\n\
             {builder} {{ {field}: self.{field}.{call}, required: ::std::marker::PhantomData }}\n}}\n"
        );
    } else {
        let _ = write!(
            body,
            "/// {doc}\n{deprecated}pub fn {method}{generics}(mut self, {argument}) -> Self {{\n\
             self.{field} = self.{field}.{call};\nself\n}}\n"
        );
    }
}
