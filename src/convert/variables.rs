//! Variables: their types, defaults and conditions.

use std::fmt::Write as _;
use std::rc::Rc;

use terrane_codegen::ident;

use crate::ast::{Attribute, Block, Kind, Node};
use crate::names::{Names, snake};
use crate::program::is_not_nullable;
use crate::scope::string;
use crate::ty::{Field, Struct, Ty};

/// A type constraint as it is written.
#[derive(Debug, Clone)]
pub(crate) enum Constraint {
    Any,
    Text,
    Number,
    Bool,
    List(Box<Self>),
    Set(Box<Self>),
    Map(Box<Self>),
    Tuple(Vec<Self>),
    Object(Vec<Member>),
}

/// A member of an object's constraint.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) constraint: Constraint,
    pub(crate) is_optional: bool,
    pub(crate) default: Option<Node>,
}

impl Constraint {
    /// Reads a constraint; none of what is no type.
    pub(crate) fn read(node: &Node) -> Option<Self> {
        match &node.kind {
            Kind::Variable(name) | Kind::Text(name) => Some(match &**name {
                "string" => Self::Text,
                "number" => Self::Number,
                "bool" => Self::Bool,
                "any" => Self::Any,
                "list" => Self::List(Self::Any.into()),
                "set" => Self::Set(Self::Any.into()),
                "map" => Self::Map(Self::Any.into()),
                _ => return None,
            }),
            Kind::Call {
                name, arguments, ..
            } => {
                let first = arguments.first()?;
                Some(match &**name {
                    "list" => Self::List(Self::read(first)?.into()),
                    "set" => Self::Set(Self::read(first)?.into()),
                    "map" => Self::Map(Self::read(first)?.into()),
                    "tuple" => match &first.kind {
                        Kind::List(all) => {
                            Self::Tuple(all.iter().map(Self::read).collect::<Option<_>>()?)
                        }
                        _ => return None,
                    },
                    "object" => match &first.kind {
                        Kind::Object(members) => {
                            let members = members
                                .iter()
                                .map(|(key, ty)| Member::read(key.text()?, ty));
                            Self::Object(members.collect::<Option<_>>()?)
                        }
                        _ => return None,
                    },
                    _ => return None,
                })
            }
            _ => None,
        }
    }

    /// Whether a value of it may be of any type somewhere.
    fn is_open(&self) -> bool {
        match self {
            Self::Any | Self::Tuple(_) => true,
            Self::Text | Self::Number | Self::Bool => false,
            Self::List(of) | Self::Set(of) | Self::Map(of) => of.is_open(),
            Self::Object(members) => members.iter().any(|member| member.constraint.is_open()),
        }
    }

    /// The constraint as the program writes it, for values without a type; none where it converts nothing.
    pub(crate) fn rust(&self, value: &dyn Fn(&Node) -> String) -> Option<String> {
        match self {
            Self::Any => None,
            _ => Some(self.text(value)),
        }
    }

    fn text(&self, value: &dyn Fn(&Node) -> String) -> String {
        match self {
            Self::Any => "Constraint::Any".to_owned(),
            Self::Text => "Constraint::String".to_owned(),
            Self::Number => "Constraint::Number".to_owned(),
            Self::Bool => "Constraint::Bool".to_owned(),
            Self::List(of) => format!("{}.list()", of.text(value)),
            Self::Set(of) => format!("{}.set()", of.text(value)),
            Self::Map(of) => format!("{}.map()", of.text(value)),
            Self::Tuple(all) => {
                let all: Vec<String> = all.iter().map(|one| one.text(value)).collect();
                format!("Constraint::Tuple(vec![{}])", all.join(", "))
            }
            Self::Object(members) => {
                let members = members.iter().map(|member| {
                    let ty = member.constraint.text(value);
                    let ty = match (&member.default, member.is_optional) {
                        (Some(default), _) => format!("{ty}.optional({})", value(default)),
                        (None, true) => format!("{ty}.optional(Dyn::NULL)"),
                        (None, false) => ty,
                    };
                    format!("({}, {ty})", string(&member.name))
                });
                format!(
                    "Constraint::Object(vec![{}])",
                    members.collect::<Vec<_>>().join(", ")
                )
            }
        }
    }

    /// Makes the members optional that are null in one of the values: TOML has no null, so they are left out.
    fn leave_out_nulls(&mut self, samples: &[&Node]) {
        match self {
            Self::Any | Self::Text | Self::Number | Self::Bool => {}
            Self::List(of) | Self::Set(of) | Self::Map(of) => {
                of.leave_out_nulls(&elements(samples));
            }
            Self::Tuple(all) => {
                for (place, of) in all.iter_mut().enumerate() {
                    let at = samples.iter().filter_map(|node| match &node.kind {
                        Kind::List(all) => all.get(place),
                        _ => None,
                    });
                    of.leave_out_nulls(&at.collect::<Vec<_>>());
                }
            }
            Self::Object(members) => {
                for member in members {
                    let inside = samples.iter().filter_map(|node| inside(node, &member.name));
                    let inside: Vec<&Node> = inside.collect();
                    member.is_optional |= inside.iter().any(|it| it.is_null());
                    member.constraint.leave_out_nulls(&inside);
                }
            }
        }
    }

    /// The Rust type, with the structs that it needs; `samples` are values that it has to hold.
    pub(crate) fn ty(
        &self,
        name: &str,
        samples: &[&Node],
        names: &mut Names,
        structs: &mut Vec<Rc<Struct>>,
    ) -> Ty {
        if self.is_open() {
            return Ty::Dyn;
        }
        match self {
            Self::Text => Ty::Text,
            Self::Bool => Ty::Bool,
            Self::Number => {
                let is_broken = samples.iter().any(|node| match &node.kind {
                    Kind::Number(number) => crate::expr::literal_number(number).ty == Ty::Float,
                    _ => false,
                });
                if is_broken { Ty::Float } else { Ty::Int }
            }
            Self::List(of) => Ty::list(of.ty(name, &elements(samples), names, structs)),
            Self::Set(of) => match of.ty(name, &elements(samples), names, structs) {
                // Structs and fractions have no order.
                ty @ (Ty::Struct(_) | Ty::Float) => Ty::list(ty),
                ty => Ty::set(ty),
            },
            Self::Map(of) => Ty::map(of.ty(name, &elements(samples), names, structs)),
            Self::Any | Self::Tuple(_) => Ty::Dyn,
            Self::Object(members) => {
                let singular = name.strip_suffix("ies").map(|it| format!("{it}y"));
                let singular = singular.unwrap_or_else(|| match name.ends_with("ss") {
                    true => name.to_owned(),
                    false => name.strip_suffix('s').unwrap_or(name).to_owned(),
                });
                let rust = names.take_type(&[&singular, &format!("{singular}_options")]);
                let mut idents = Names::default();
                let fields = members.iter().map(|member| {
                    let inside: Vec<&Node> = samples
                        .iter()
                        .filter_map(|node| inside(node, &member.name))
                        .collect();
                    let mut inside = inside;
                    inside.extend(&member.default);
                    let inner = format!("{singular}_{}", member.name);
                    let mut ty = member.constraint.ty(&inner, &inside, names, structs);
                    let default = member.default.as_ref().filter(|it| !it.is_null());
                    let default = default.and_then(|it| constant(it, &ty));
                    if member.is_optional && default.is_none() {
                        ty = Ty::option(ty);
                    }
                    Field {
                        ident: idents.take(&[&member.name]),
                        name: member.name.clone(),
                        ty,
                        default,
                    }
                });
                let fields = fields.collect();
                let of = Rc::new(Struct { name: rust, fields });
                structs.push(of.clone());
                Ty::Struct(of)
            }
        }
    }
}

fn elements<'a>(samples: &[&'a Node]) -> Vec<&'a Node> {
    let of = |node: &&'a Node| -> Vec<&'a Node> {
        match &node.kind {
            Kind::List(all) => all.iter().collect(),
            Kind::Object(members) => members.iter().map(|(_, one)| one).collect(),
            _ => Vec::new(),
        }
    };
    samples.iter().flat_map(of).collect()
}

fn inside<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    match &node.kind {
        Kind::Object(members) => members
            .iter()
            .find(|(key, _)| key.text() == Some(name))
            .map(|(_, one)| one),
        _ => None,
    }
}

impl Member {
    fn read(name: &str, node: &Node) -> Option<Self> {
        let (inner, is_optional, default) = match &node.kind {
            Kind::Call {
                name, arguments, ..
            } if name == "optional" => (arguments.first()?, true, arguments.get(1).cloned()),
            _ => (node, false, None),
        };
        Some(Self {
            name: name.to_owned(),
            constraint: Constraint::read(inner)?,
            is_optional,
            default,
        })
    }
}

/// A variable of a module.
#[derive(Debug)]
pub(crate) struct Variable<'a> {
    pub(crate) name: String,
    pub(crate) block: &'a Block,
    pub(crate) constraint: Constraint,
    pub(crate) default: Option<&'a Node>,
    pub(crate) is_secret: bool,
    pub(crate) about: Vec<String>,
}

impl<'a> Variable<'a> {
    pub(crate) fn of(block: &'a Block) -> Option<Self> {
        let constraint = match block.body.value("type") {
            Some(node) => Constraint::read(node)?,
            None => Constraint::Any,
        };
        let default = block.body.value("default");
        // Without a type the default says it, where it is a simple one.
        let constraint = match (
            constraint,
            default.map(|it| &it.kind),
            block.body.value("type"),
        ) {
            (Constraint::Any, Some(Kind::Text(_)), None) => Constraint::Text,
            (Constraint::Any, Some(Kind::Bool(_)), None) => Constraint::Bool,
            (Constraint::Any, Some(Kind::Number(_)), None) => Constraint::Number,
            (other, ..) => other,
        };
        let is = |name: &str| {
            matches!(
                block.body.value(name).map(|it| &it.kind),
                Some(Kind::Bool(true))
            )
        };
        let mut about = block.comments.clone();
        let said = block.body.value("description").and_then(Node::text);
        about.extend(said.map(|text| {
            text.lines()
                .map(|it| it.trim().to_owned())
                .filter(|it| !it.is_empty())
                .collect::<Vec<_>>()
                .join("\n")
        }));
        Some(Self {
            name: block.labels[0].clone(),
            block,
            constraint,
            default,
            is_secret: is("sensitive") || is("ephemeral"),
            about,
        })
    }

    /// The values that are set, the default among them.
    pub(crate) fn samples(&self, values: &'a [Attribute]) -> Vec<&'a Node> {
        let set = values
            .iter()
            .filter(|it| it.name == self.name)
            .map(|it| &it.value);
        self.default.into_iter().chain(set).collect()
    }

    /// The variable as one of a TOML file, which has no null: what is null there is left out.
    pub(crate) fn configured(mut self, values: &'a [Attribute]) -> Self {
        self.constraint.leave_out_nulls(&self.samples(values));
        let set = values.iter().rfind(|it| it.name == self.name);
        let null = set.map(|it| &it.value).filter(|it| it.is_null());
        if null.is_some() && !is_not_nullable(self.block) {
            self.default = null;
        }
        self
    }

    /// The function that converts a value without a type, if any does.
    pub(crate) fn conversion(&self, ty: &Ty) -> Option<String> {
        match ty {
            Ty::Dyn => self.constraint.rust(&constant_dyn),
            _ => None,
        }
    }
}

/// A constant of that type in Rust; none of what does not convert into it.
pub(crate) fn constant(node: &Node, ty: &Ty) -> Option<String> {
    Some(match (&node.kind, ty) {
        (Kind::Null, Ty::Option(_)) => "None".to_owned(),
        (_, Ty::Option(of)) => format!("Some({})", constant(node, of)?),
        (Kind::Text(text), Ty::Text) => match text.is_empty() {
            true => "String::new()".to_owned(),
            false => format!("{}.to_owned()", string(text)),
        },
        (Kind::Number(number), Ty::Text) => format!("\"{number}\".to_owned()"),
        (Kind::Bool(truth), Ty::Text) => format!("\"{truth}\".to_owned()"),
        (Kind::Number(number), Ty::Int) => {
            let code = crate::expr::literal_number(number);
            (code.ty == Ty::Int).then_some(code.text)?
        }
        (Kind::Text(number), Ty::Int) => number.parse::<i64>().ok()?.to_string(),
        (Kind::Number(number), Ty::Float) => format!("{:?}", number.parse::<f64>().ok()?),
        (Kind::Bool(truth), Ty::Bool) => truth.to_string(),
        (Kind::Text(truth), Ty::Bool) => truth.parse::<bool>().ok()?.to_string(),
        (Kind::List(all), Ty::List(of) | Ty::Set(of)) => {
            let inner: Option<Vec<String>> = all.iter().map(|one| constant(one, of)).collect();
            let inner = inner?.join(", ");
            match (ty, all.is_empty()) {
                (Ty::List(_), true) => "Vec::new()".to_owned(),
                (Ty::List(_), false) => format!("vec![{inner}]"),
                (_, true) => "BTreeSet::new()".to_owned(),
                (_, false) => format!("BTreeSet::from([{inner}])"),
            }
        }
        (Kind::Object(members), Ty::Map(of)) => {
            let inner = members.iter().map(|(key, one)| {
                Some(format!(
                    "({}.to_owned(), {})",
                    string(key.text()?),
                    constant(one, of)?
                ))
            });
            let inner = inner.collect::<Option<Vec<_>>>()?;
            match inner.is_empty() {
                true => "BTreeMap::new()".to_owned(),
                false => format!("BTreeMap::from([{}])", inner.join(", ")),
            }
        }
        (Kind::Object(_), Ty::Struct(of)) => {
            let fields = of.fields.iter().map(|field| {
                let value = match (inside(node, &field.name), &field.default, &field.ty) {
                    (Some(node), Some(default), _) if node.is_null() => default.clone(),
                    (Some(node), ..) => constant(node, &field.ty)?,
                    (None, Some(default), _) => default.clone(),
                    (None, None, Ty::Option(_)) => "None".to_owned(),
                    _ => return None,
                };
                Some(format!("{}: {value}", field.ident))
            });
            format!(
                "{} {{ {} }}",
                of.name,
                fields.collect::<Option<Vec<_>>>()?.join(", ")
            )
        }
        _ => return None,
    })
}

/// A constant without a type.
pub(crate) fn constant_dyn(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "Dyn::NULL".to_owned(),
        Kind::List(all) if all.is_empty() => "Dyn::empty_list()".to_owned(),
        Kind::List(all) => format!(
            "Dyn::list([{}])",
            all.iter().map(constant_dyn).collect::<Vec<_>>().join(", ")
        ),
        Kind::Object(members) if members.is_empty() => "Dyn::empty_object()".to_owned(),
        Kind::Object(members) => {
            let members = members.iter().map(|(key, one)| {
                format!(
                    "({}, {})",
                    string(key.text().unwrap_or_default()),
                    constant_dyn(one)
                )
            });
            format!("Dyn::object([{}])", members.collect::<Vec<_>>().join(", "))
        }
        Kind::Text(text) => format!("Dyn::from({})", string(text)),
        Kind::Bool(truth) => format!("Dyn::from({truth})"),
        Kind::Number(number) => format!("Dyn::from({})", crate::expr::literal_number(number).text),
        Kind::Minus(of) => format!("-{}", constant_dyn(of)),
        _ => "Dyn::NULL".to_owned(),
    }
}

/// The definitions of structs, with what serde needs to read them.
pub(crate) fn struct_text(of: &Struct, about: &str) -> String {
    let mut text = format!(
        "\n/// {about}\n#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]\npub struct {} {{\n",
        of.name
    );
    let mut defaults = String::new();
    for field in &of.fields {
        let ty = field.ty.rust();
        if terrane_codegen::ident(field.ident.trim_start_matches("r#")) != field.name
            && field.ident.trim_start_matches("r#") != field.name
        {
            let _ = writeln!(text, "#[serde(rename = {})]", string(&field.name));
        }
        match &field.default {
            Some(default) => {
                let function = format!("{}_{}", snake(&of.name), snake(&field.name));
                let _ = writeln!(text, "#[serde(default = \"{function}\")]");
                let _ = writeln!(defaults, "\nfn {function}() -> {ty} {{\n{default}\n}}");
            }
            None if matches!(field.ty, Ty::Option(_)) => text.push_str("#[serde(default)]\n"),
            None => {}
        }
        let _ = writeln!(text, "pub {}: {ty},", field.ident);
    }
    text.push_str("}\n");
    text + &defaults
}

/// A value of that type as TOML writes it.
pub(crate) fn toml(node: &Node, constraint: &Constraint) -> Option<toml::Value> {
    Some(match (&node.kind, constraint) {
        (Kind::Bool(truth), Constraint::Text) => toml::Value::String(truth.to_string()),
        (Kind::Number(number), Constraint::Text) => toml::Value::String(number.clone()),
        (Kind::Text(truth), Constraint::Bool) => toml::Value::Boolean(truth.parse().ok()?),
        (Kind::Text(number), Constraint::Number) => toml_number(number)?,
        (Kind::Text(text), _) => toml::Value::String(text.clone()),
        (Kind::Bool(truth), _) => toml::Value::Boolean(*truth),
        (Kind::Number(number), _) => toml_number(number)?,
        (Kind::List(all), constraint) => {
            let of = |place: usize| match constraint {
                Constraint::List(of) | Constraint::Set(of) => of,
                Constraint::Tuple(all) => all.get(place).unwrap_or(&Constraint::Any),
                _ => &Constraint::Any,
            };
            let all = all.iter().enumerate();
            let all = all.map(|(place, one)| toml(one, of(place)));
            toml::Value::Array(all.collect::<Option<_>>()?)
        }
        (Kind::Object(members), constraint) => {
            let of = |name: &str| match constraint {
                Constraint::Map(of) => of,
                Constraint::Object(all) => {
                    let member = all.iter().find(|it| it.name == name);
                    member.map_or(&Constraint::Any, |it| &it.constraint)
                }
                _ => &Constraint::Any,
            };
            let members = members.iter().filter(|(_, one)| !one.is_null());
            let members = members.map(|(key, one)| {
                let key = key.text()?;
                Some((key.to_owned(), toml(one, of(key))?))
            });
            toml::Value::Table(members.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn toml_number(number: &str) -> Option<toml::Value> {
    Some(match number.parse() {
        Ok(whole) => toml::Value::Integer(whole),
        Err(_) => toml::Value::Float(number.parse().ok()?),
    })
}

/// The field of a variable.
pub(crate) fn field(name: &str) -> String {
    ident(&snake(name))
}
