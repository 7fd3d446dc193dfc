//! Calls of modules, and what they hand over.

use std::fmt::Write as _;
use terrane_codegen::ident;

use crate::ast::{Kind, Node};
use crate::blocks::comment_lines;
use crate::expr::literal_as_text;
use crate::model::{Call, Module};
use crate::names::snake;
use crate::order::key_of;
use crate::program::{Inputs, World, is_not_nullable, variable_of};
use crate::scope::Scope;
use crate::sources::ConvertError;
use crate::ty::{Code, Form, Ty};
use crate::variables::{Constraint, Variable, constant};

impl World<'_> {
    /// Whether a call in the module hands that configuration over.
    pub(crate) fn hands_over(&self, module: &Module, key: &str) -> bool {
        module.calls.iter().any(|call| {
            self.names[call.module]
                .providers
                .iter()
                .any(|inner| handed(call, inner) == key)
        })
    }

    /// The call of a module's function.
    pub(crate) fn invocation(
        &self,
        call: &Call,
        scope: &Scope<'_>,
        inputs: Option<&Inputs>,
        request: &mut Inputs,
    ) -> Result<String, ConvertError> {
        let child = &self.configuration.modules[call.module];
        let name = &self.names[call.module];
        let sources = &self.configuration.sources;
        const META: [&str; 6] = [
            "source",
            "version",
            "providers",
            "count",
            "for_each",
            "depends_on",
        ];
        for attribute in &call.block.body.attributes {
            let is_known = child
                .variables
                .iter()
                .any(|it| it.labels[0] == attribute.name);
            if !is_known && !META.contains(&&*attribute.name) {
                let reason = format!(
                    "module `{}` has no variable `{}`",
                    call.name, attribute.name
                );
                return Err(ConvertError::at(sources, attribute.place, reason));
            }
        }
        let mut fields = String::new();
        for block in &child.variables {
            let variable = variable_of(self.configuration, block)?;
            let given = call.block.body.attribute(&variable.name);
            let Some(value) = given.map(|it| &it.value).or(variable.default) else {
                let reason = format!(
                    "module `{}` lacks its variable `{}`",
                    call.name, variable.name
                );
                return Err(ConvertError::at(sources, call.block.place, reason));
            };
            if given.is_some() {
                let value = match (value.is_null(), is_not_nullable(block), variable.default) {
                    (true, true, Some(default)) => default,
                    _ => value,
                };
                let asked = asked(&variable.constraint, &scope.code(value));
                let asked = match (asked, is_not_nullable(block)) {
                    (Ty::Option(_), true) => Ty::Dyn,
                    (asked, _) => asked,
                };
                request.insert(variable.name.clone(), asked);
            }
            let Some(ty) = inputs.and_then(|it| it.get(&variable.name)) else {
                continue;
            };
            let field = crate::variables::field(&variable.name);
            let said = given
                .map(|it| comment_lines(&it.comments))
                .unwrap_or_default();
            let value = match (
                value.is_null() && given.is_some(),
                is_not_nullable(block),
                variable.default,
            ) {
                (true, true, Some(default)) => default,
                _ => value,
            };
            let _ = writeln!(fields, "{said}{field}: {},", as_input(scope, value, ty));
        }
        let mut arguments = String::new();
        if !name.providers.is_empty() {
            let handles: Result<Vec<String>, ConvertError> = name
                .providers
                .iter()
                .map(|inner| {
                    let outer = handed(call, inner);
                    let handle = scope.handles.get(&outer).ok_or_else(|| {
                        ConvertError::at(sources, call.block.place, format!("module `{}` needs the provider `{inner}`, and nothing declares `{outer}`", call.name))
                    })?;
                    Ok(format!("{}: {handle}.clone()", ident(&snake(inner))))
                })
                .collect();
            let _ = write!(
                arguments,
                ", &{}::{}Providers {{ {} }}",
                name.file,
                name.ty,
                handles?.join(", ")
            );
        }
        if name.after {
            let mut all: Vec<String> = Vec::new();
            if scope.after {
                all.push("after.to_vec()".to_owned());
            }
            if let Some(Kind::List(named)) = call.block.body.value("depends_on").map(|it| &it.kind)
            {
                for one in named {
                    let key = key_of(
                        &one.names()
                            .unwrap_or_default()
                            .iter()
                            .map(ToString::to_string)
                            .collect::<Vec<_>>(),
                    );
                    let known = key.and_then(|key| scope.known.get(&key));
                    all.push(match known.map(|code| (&code.text, &code.ty)) {
                        Some((text, Ty::Handle(_))) => format!("vec![{text}.as_ref()]"),
                        Some((text, Ty::Module(_))) => format!("{text}.declared.iter().collect()"),
                        other => match other.and_then(|(text, ty)| resources_of(text, ty)) {
                            Some(all) => format!("{all}.collect()"),
                            // Whatever the value comes from.
                            None => {
                                format!("Resource::all_in({}).iter().collect()", scope.dynamic(one))
                            }
                        },
                    });
                }
            }
            let argument = match all.as_slice() {
                [] => ", &[]".to_owned(),
                [only] if only == "after.to_vec()" => ", after".to_owned(),
                all => {
                    let all: Vec<String> = all
                        .iter()
                        .map(|it| it.replace(".collect()", ".collect::<Vec<&Resource>>()"))
                        .collect();
                    format!(", &[{}].concat()", all.join(", "))
                }
            };
            arguments.push_str(&argument);
        }
        let inputs = match fields.is_empty() {
            true => String::new(),
            false => format!(", {}::{}Inputs {{ {fields} }}", name.file, name.ty),
        };
        Ok(format!(
            "{}::{}::declare(stack{inputs}{arguments})",
            name.file, name.ty
        ))
    }
}

/// An iterator over the resources of a name that stands for several instances.
pub(crate) fn resources_of(text: &str, ty: &Ty) -> Option<String> {
    Some(match ty {
        Ty::Handles(_) => format!("{text}.iter().map(AsRef::as_ref)"),
        Ty::HandleMap(_) => format!("{text}.values().map(AsRef::as_ref)"),
        Ty::Modules(_) => format!("{text}.iter().flat_map(|it| &it.declared)"),
        Ty::ModuleMap(_) => format!("{text}.values().flat_map(|it| &it.declared)"),
        _ => return None,
    })
}

/// The configuration that a call hands over for that name.
pub(crate) fn handed(call: &Call, inner: &str) -> String {
    if let Some(Kind::Object(members)) = call.block.body.value("providers").map(|it| &it.kind) {
        for (key, value) in members {
            let key = match key.text() {
                Some(key) => key.to_owned(),
                None => key.names().unwrap_or_default().join("."),
            };
            if key == inner {
                return value.names().map_or_else(
                    || value.text().unwrap_or_default().to_owned(),
                    |it| it.join("."),
                );
            }
        }
    }
    inner.to_owned()
}

/// The type that a call asks of a variable, by the value that it gives.
pub(crate) fn asked(constraint: &Constraint, code: &Code) -> Ty {
    let text_like = |ty: &Ty| {
        matches!(ty, Ty::Text) || matches!(ty, Ty::Int | Ty::Bool) && code.form == Form::Literal
    };
    match (constraint, &code.ty) {
        (Constraint::Text, ty) if text_like(ty) => Ty::Text,
        (Constraint::Text, Ty::Output(of)) if matches!(**of, Ty::Text) => code.ty.clone(),
        (Constraint::Bool, Ty::Bool) => Ty::Bool,
        (Constraint::Number, Ty::Int) => Ty::Int,
        (Constraint::List(of), Ty::List(element)) if matches!(**of, Constraint::Text) => {
            match &**element {
                Ty::Text => code.ty.clone(),
                Ty::Output(inner) if **inner == Ty::Text => code.ty.clone(),
                _ => Ty::Dyn,
            }
        }
        (Constraint::List(of), Ty::Output(list))
            if matches!(**of, Constraint::Text) && **list == Ty::list(Ty::Text) =>
        {
            code.ty.clone()
        }
        (Constraint::Set(of), Ty::Set(element))
            if matches!(**of, Constraint::Text) && **element == Ty::Text =>
        {
            code.ty.clone()
        }
        (Constraint::Map(of), Ty::Map(member)) if matches!(**of, Constraint::Text) => {
            match &**member {
                Ty::Text => code.ty.clone(),
                _ => Ty::Dyn,
            }
        }
        (constraint, Ty::Option(of)) => match asked(
            constraint,
            &Code {
                ty: (**of).clone(),
                ..code.clone()
            },
        ) {
            Ty::Dyn => Ty::Dyn,
            ty => Ty::option(ty),
        },
        _ => Ty::Dyn,
    }
}

/// One type for what two calls ask.
pub(crate) fn joined(a: &Ty, b: &Ty) -> Ty {
    match (a, b) {
        (a, b) if a == b => a.clone(),
        (Ty::Text, Ty::Output(of)) | (Ty::Output(of), Ty::Text) if **of == Ty::Text => {
            Ty::output(Ty::Text)
        }
        (Ty::Option(of), other) | (other, Ty::Option(of)) if **of == *other => {
            Ty::option(other.clone())
        }
        _ => Ty::Dyn,
    }
}

/// A value as a field of that type.
fn as_input(scope: &Scope<'_>, value: &Node, ty: &Ty) -> String {
    if let Some(code) = scope.typed(value) {
        match (&code.ty, ty) {
            (Ty::Int | Ty::Bool, Ty::Text) if code.form == Form::Literal => {
                return format!("{}.to_owned()", literal_as_text(&code));
            }
            (a, b) if a == b && *b != Ty::Dyn => return scope.moved(&code),
            (Ty::Text, Ty::Output(_)) => return format!("Output::known({})", code.borrowed()),
            (Ty::Null, Ty::Option(_)) => return "None".to_owned(),
            (a, Ty::Option(b)) if *a == **b => return format!("Some({})", scope.moved(&code)),
            _ => {}
        }
    }
    match ty {
        Ty::Dyn => scope.dynamic(value),
        ty => match constant(value, ty) {
            Some(text) => text,
            None => scope.untranslated(
                value.place,
                "the value does not have the type of the variable",
            ),
        },
    }
}

/// The type and the value of a default that no call replaces.
pub(crate) fn default_of(
    variable: &Variable<'_>,
    default: &Node,
    scope: &Scope<'_>,
    convert: Option<String>,
) -> (Ty, String) {
    let simple = match &variable.constraint {
        Constraint::Text => Some(Ty::Text),
        Constraint::Bool => Some(Ty::Bool),
        Constraint::Number => Some(Ty::Int),
        Constraint::List(of) if matches!(**of, Constraint::Text) => Some(Ty::list(Ty::Text)),
        Constraint::Set(of) if matches!(**of, Constraint::Text) => Some(Ty::set(Ty::Text)),
        Constraint::Map(of) if matches!(**of, Constraint::Text) => Some(Ty::map(Ty::Text)),
        _ => None,
    };
    if let Some(ty) = simple {
        let ty = match default.is_null() {
            true => Ty::option(ty),
            false => ty,
        };
        if let Some(text) = constant(default, &ty) {
            return (ty, text);
        }
    }
    let value = scope.dynamic(default);
    match convert {
        Some(convert) => (Ty::Dyn, format!("{convert}.of({value})")),
        None => (Ty::Dyn, value),
    }
}
