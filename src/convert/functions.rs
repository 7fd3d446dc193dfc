//! Calls of functions with types, and `jsonencode` as `json!`.

use std::fmt::Write as _;

use crate::ast::{Kind, Node, Part};
use crate::expr::{is_constant, one_literal, str_of};
use crate::scope::{Scope, escaped, string};
use crate::ty::{Code, Form, Ty};

impl Scope<'_> {
    pub(crate) fn call(&self, name: &str, arguments: &[Node]) -> Option<Code> {
        let one = || self.typed(arguments.first()?);
        let plain_text = |place: usize| {
            self.typed(arguments.get(place)?)
                .filter(|code| code.ty == Ty::Text)
        };
        match name {
            "length" => {
                let code = one()?;
                match (&code.ty, code.form) {
                    (Ty::List(_) | Ty::Set(_) | Ty::Map(_), Form::Literal) => None,
                    (Ty::List(_) | Ty::Set(_) | Ty::Map(_), _)
                    | (Ty::Handles(_) | Ty::HandleMap(_), _) => {
                        Some(Code::owned(format!("{}.len()", code.atomic()), Ty::Size))
                    }
                    _ => None,
                }
            }
            "tostring" => match one()? {
                code if code.ty == Ty::Text => Some(code),
                code if matches!(code.ty, Ty::Int | Ty::Size | Ty::Bool)
                    && code.form != Form::Literal =>
                {
                    Some(Code::owned(
                        format!("{}.to_string()", code.atomic()),
                        Ty::Text,
                    ))
                }
                _ => None,
            },
            "toset" => {
                let code = one()?;
                match &code.ty {
                    Ty::Set(_) => Some(code),
                    Ty::List(of) if **of == Ty::Text && code.form != Form::Literal => {
                        let text = match code.form {
                            Form::Owned => {
                                format!("{}.into_iter().collect::<BTreeSet<_>>()", code.atomic())
                            }
                            _ => format!("{}.iter().cloned().collect::<BTreeSet<_>>()", code.text),
                        };
                        Some(Code::owned(text, Ty::Set(of.clone())))
                    }
                    Ty::List(of) if **of == Ty::Text => Some(Code {
                        ty: Ty::Set(of.clone()),
                        ..code
                    }),
                    _ => None,
                }
            }
            "tolist" => one().filter(|code| matches!(code.ty, Ty::List(_))),
            "join" => {
                let (between, list) = (plain_text(0)?, self.typed(arguments.get(1)?)?);
                match (&list.ty, arguments.len()) {
                    (Ty::List(of), 2) if **of == Ty::Text => Some(Code::owned(
                        format!("{}.join({})", list.atomic(), str_of(&between)),
                        Ty::Text,
                    )),
                    _ => None,
                }
            }
            "lower" | "upper" | "title" | "strrev" => {
                let code = one().filter(|code| code.ty == Ty::Text)?;
                Some(Code::owned(
                    format!("terrane_functions::{name}({})", code.borrowed()),
                    Ty::Text,
                ))
            }
            "trimspace" => {
                let code = one().filter(|code| code.ty == Ty::Text)?;
                Some(Code::owned(
                    format!("{}.trim().to_owned()", code.atomic()),
                    Ty::Text,
                ))
            }
            "replace" => {
                let (it, old, new) = (plain_text(0)?, arguments.get(1)?.text()?, plain_text(2)?);
                if old.starts_with('/') {
                    return None;
                }
                Some(Code::owned(
                    format!("{}.replace({}, {})", it.atomic(), string(old), str_of(&new)),
                    Ty::Text,
                ))
            }
            "startswith" | "endswith" | "strcontains" => {
                let (it, part) = (plain_text(0)?, plain_text(1)?);
                let method = match name {
                    "startswith" => "starts_with",
                    "endswith" => "ends_with",
                    _ => "contains",
                };
                Some(Code::owned(
                    format!("{}.{method}({})", it.atomic(), str_of(&part)),
                    Ty::Bool,
                ))
            }
            "contains" => {
                let (list, it) = (one()?, self.typed(arguments.get(1)?)?);
                match (&list.ty, &it.ty) {
                    (Ty::List(of), Ty::Text) if **of == Ty::Text && list.form == Form::Literal => {
                        let needle = match it.form {
                            Form::Literal => format!("&{}", it.text),
                            _ => format!("&{}.as_str()", it.atomic()),
                        };
                        Some(Code::owned(
                            format!("{}.contains({needle})", list.text),
                            Ty::Bool,
                        ))
                    }
                    _ => None,
                }
            }
            "cidrsubnet" => {
                let (prefix, more, place) = (
                    plain_text(0)?,
                    one_literal(arguments.get(1)?)?,
                    self.typed(arguments.get(2)?)?,
                );
                let place = match (&place.ty, place.form) {
                    (Ty::Int, Form::Literal) if !place.text.starts_with('-') => place.text,
                    (Ty::Size, _) => format!("{} as u128", place.atomic()),
                    _ => return None,
                };
                self.fallible(
                    "cidrsubnet",
                    &format!("{}, {more}, {place}", prefix.borrowed()),
                )
            }
            "cidrhost" => {
                let (prefix, host) = (plain_text(0)?, one_literal(arguments.get(1)?)?);
                self.fallible("cidrhost", &format!("{}, {host}", prefix.borrowed()))
            }
            "jsonencode" => self.json_call(arguments),
            "file" | "templatefile" => self.file_call(name, arguments),
            "concat" => {
                let codes: Option<Vec<Code>> =
                    arguments.iter().map(|one| self.typed(one)).collect();
                let (ty, codes) = self.alike(codes?)?;
                if !matches!(&ty, Ty::List(_)) {
                    return None;
                }
                let lists: Vec<String> = codes.iter().map(|code| self.moved(code)).collect();
                Some(Code::owned(format!("[{}].concat()", lists.join(", ")), ty))
                    .filter(|code| code.ty.is_plain())
            }
            "merge" => {
                let codes: Option<Vec<Code>> =
                    arguments.iter().map(|one| self.typed(one)).collect();
                let codes = codes?;
                let ty = codes.first()?.ty.clone();
                let all_maps = codes.iter().all(|code| code.ty == ty)
                    && matches!(&ty, Ty::Map(of) if **of == Ty::Text);
                if !all_maps || codes.len() < 2 {
                    return None;
                }
                let mut maps = codes.iter().map(|code| self.moved(code));
                let first = maps.next()?;
                let chained: String = maps.map(|map| format!(".chain({map})")).collect();
                Some(Code::owned(
                    format!("{first}.into_iter(){chained}.collect::<BTreeMap<_, _>>()"),
                    ty,
                ))
            }
            _ => None,
        }
    }

    fn fallible(&self, name: &'static str, arguments: &str) -> Option<Code> {
        if self.in_closure.get() > 0 {
            return None;
        }
        Some(Code::owned(format!("{name}({arguments})?"), Ty::Text))
    }

    /// `jsonencode` of a document whose parts the program or the cloud knows.
    fn json_call(&self, arguments: &[Node]) -> Option<Code> {
        let mut outputs = Vec::new();
        let json = self.json(arguments.first()?, &mut outputs)?;
        if !matches!(arguments.first()?.kind, Kind::Object(_) | Kind::List(_)) {
            return None;
        }
        let document = format!("jsonencode(&json!({json}))");
        match outputs.as_slice() {
            [] => self.in_function(&format!("{document}?"), Ty::Text),
            [(name, output)] => {
                let text = format!("{output}.try_map(move |{name}: String| {document})");
                Some(Code::owned(text, Ty::output(Ty::Text)))
            }
            many if many.len() <= 8 => {
                let names: Vec<&str> = many.iter().map(|(name, _)| name.as_str()).collect();
                let values: Vec<&str> = many.iter().map(|(_, output)| output.as_str()).collect();
                let text = format!(
                    "all(({})).try_map(move |({}): ({})| {document})",
                    values.join(", "),
                    names.join(", "),
                    vec!["String"; names.len()].join(", "),
                );
                Some(Code::owned(text, Ty::output(Ty::Text)))
            }
            _ => None,
        }
    }

    fn in_function(&self, text: &str, ty: Ty) -> Option<Code> {
        (self.in_closure.get() == 0).then(|| Code::owned(text, ty))
    }

    /// The inside of `json!`; what the cloud decides gets a variable in `outputs`.
    pub(crate) fn json(&self, node: &Node, outputs: &mut Vec<(String, String)>) -> Option<String> {
        match &node.kind {
            Kind::Object(members) => {
                let mut text = Vec::new();
                for (key, value) in members {
                    text.push(format!(
                        "{}: {}",
                        string(key.text()?),
                        self.json(value, outputs)?
                    ));
                }
                Some(format!("{{{}}}", text.join(", ")))
            }
            Kind::List(all) => {
                let all: Option<Vec<String>> =
                    all.iter().map(|one| self.json(one, outputs)).collect();
                Some(format!("[{}]", all?.join(", ")))
            }
            Kind::Null => Some("null".to_owned()),
            Kind::Template(parts) => {
                // Outputs become variables, so that the text is made by `format!`.
                if let Some(code) = self.typed(node).filter(|code| code.ty == Ty::Text) {
                    return (outputs.is_empty()
                        || code.form == Form::Literal
                        || is_constant(parts))
                    .then_some(code.text);
                }
                let mut format = String::new();
                for part in parts {
                    match part {
                        Part::Text(text) => {
                            format.push_str(&escaped(&text.replace('{', "{{").replace('}', "}}")));
                        }
                        Part::Value(node) => {
                            let name = self.json_output(node, outputs)?;
                            let _ = write!(format, "{{{name}}}");
                        }
                        _ => return None,
                    }
                }
                Some(format!("format!(\"{format}\")"))
            }
            _ => {
                let code = self.typed(node)?;
                match &code.ty {
                    Ty::Output(_) => self.json_output(node, outputs),
                    Ty::Text | Ty::Int | Ty::Bool if code.form == Form::Literal => Some(code.text),
                    _ => None,
                }
            }
        }
    }

    fn json_output(&self, node: &Node, outputs: &mut Vec<(String, String)>) -> Option<String> {
        let code = self.typed(node)?;
        if code.ty != Ty::output(Ty::Text) {
            return None;
        }
        let text = code.atomic();
        if let Some((name, _)) = outputs.iter().find(|(_, output)| *output == text) {
            return Some(name.clone());
        }
        let wanted = match &node.kind {
            Kind::Attribute(_, name) => name.as_str(),
            _ => "value",
        };
        let mut name = self.fresh(wanted);
        let mut number = 2;
        while outputs.iter().any(|(taken, _)| *taken == name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        outputs.push((name.clone(), text));
        Some(name)
    }
}
