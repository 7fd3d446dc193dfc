//! Expressions without a type: every expression of HCL has this form. And how a typed one becomes an argument.

use std::fmt::Write as _;

use terrane_core::Type;

use crate::ast::{For, Kind, Node, Operator, Part, Step};
use crate::expr::{literal_as_text, mentions};
use crate::scope::{Scope, string};
use crate::ty::{Code, Form, Ty};

impl Scope<'_> {
    /// The expression as an owned `Dyn`.
    pub(crate) fn dynamic(&self, node: &Node) -> String {
        if let Some(code) = self.typed(node)
            && let Some(text) = self.as_dyn(&code)
        {
            return text;
        }
        match &node.kind {
            Kind::Null => "Dyn::NULL".to_owned(),
            Kind::Bool(truth) => format!("Dyn::from({truth})"),
            Kind::Number(number) if !crate::expr::is_exact(number) => {
                format!(
                    "dynamic::call(\"tonumber\", [Dyn::from({})])",
                    string(number)
                )
            }
            Kind::Number(number) => {
                format!("Dyn::from({})", crate::expr::literal_number(number).text)
            }
            Kind::Text(text) => format!("Dyn::from({})", string(text)),
            Kind::Template(parts) => self.dynamic_template(parts),
            Kind::List(all) if all.is_empty() => "Dyn::empty_list()".to_owned(),
            Kind::List(all) => {
                let all: Vec<String> = all.iter().map(|one| self.dynamic(one)).collect();
                format!("Dyn::list([{}])", all.join(", "))
            }
            Kind::Object(members) if members.is_empty() => "Dyn::empty_object()".to_owned(),
            Kind::Object(members) => {
                let is_literal = members.iter().all(|(key, _)| key.text().is_some());
                let members = members.iter().map(|(key, value)| match key.text() {
                    Some(key) if is_literal => {
                        format!("({}, {})", string(key), self.dynamic(value))
                    }
                    _ => format!("({}, {})", self.dynamic(key), self.dynamic(value)),
                });
                let members = members.collect::<Vec<_>>().join(", ");
                match is_literal {
                    true => format!("Dyn::object([{members}])"),
                    false => format!("Dyn::object_of([{members}])"),
                }
            }
            Kind::Variable(name) => match (
                self.bound_code(&format!("{name}.key")),
                self.bound_code(&format!("{name}.value")),
            ) {
                // The iterator of a `dynamic` block as a value.
                (Some(key), Some(value)) => {
                    let part =
                        |code: &Code| self.as_dyn(code).unwrap_or_else(|| "Dyn::NULL".to_owned());
                    format!(
                        "Dyn::object([(\"key\", {}), (\"value\", {})])",
                        part(&key),
                        part(&value)
                    )
                }
                _ => self.unknown_reference(node, name),
            },
            Kind::Attribute(of, name) => match self.unknown_root(node) {
                Some(text) => text,
                None => format!("{}.attr({})", self.receiver(of), string(name)),
            },
            Kind::Index(of, key) => {
                let key = self.dyn_argument(key);
                format!("{}.index({key})", self.receiver(of))
            }
            Kind::Choose(all) => {
                let condition = self.dyn_argument(&all[0]);
                let (then, otherwise) =
                    self.closure(|| (self.dyn_argument(&all[1]), self.dyn_argument(&all[2])));
                choice(&condition, &then, &otherwise)
            }
            Kind::Not(of) => format!("!{}", self.operand(of)),
            Kind::Minus(of) => format!("-{}", self.operand(of)),
            Kind::Binary(operator, sides) => self.dynamic_binary(*operator, &sides[0], &sides[1]),
            Kind::Call {
                name,
                arguments,
                expands,
            } => self.dynamic_call(node, name, arguments, *expands),
            Kind::Splat(of, steps) => {
                let of = self.receiver(of);
                match steps.is_empty() {
                    true => format!("{of}.splat(|one| one)"),
                    false => format!("{of}.splat(|one| {})", self.steps("one", steps)),
                }
            }
            Kind::For(one) => self.dynamic_for(one),
        }
    }

    /// The same with what else is known of it.
    pub(crate) fn dynamic_code(&self, node: &Node) -> Code {
        let code = Code::owned(self.dynamic(node), Ty::Dyn);
        Code {
            atom: !is_operation(node),
            ..code
        }
    }

    /// The expression as something that methods of `Dyn` can be called on.
    pub(crate) fn receiver(&self, node: &Node) -> String {
        if let Some(code) = self.typed(node)
            && code.ty == Ty::Dyn
            && code.form != Form::Owned
        {
            return code.text;
        }
        self.operand(node)
    }

    /// The expression as an owned `Dyn` beside an operator, or before a dot.
    pub(crate) fn operand(&self, node: &Node) -> String {
        let text = self.dynamic(node);
        match is_operation(node) && self.typed(node).is_none() {
            true => format!("({text})"),
            false => text,
        }
    }

    /// The expression where `impl Into<Dyn>` is expected.
    pub(crate) fn dyn_argument(&self, node: &Node) -> String {
        if let Some(code) = self.typed(node) {
            match (&code.ty, code.form) {
                (Ty::Text | Ty::Int | Ty::Bool | Ty::Float, Form::Literal) => return code.text,
                (
                    Ty::Text | Ty::Bool | Ty::Int | Ty::Size | Ty::Dyn | Ty::Output(_),
                    Form::Place,
                ) if !code.ty.has_struct() => {
                    return code.borrowed();
                }
                (Ty::Text | Ty::Dyn, Form::Reference) => return code.text,
                (Ty::Text | Ty::Bool | Ty::Int | Ty::Size | Ty::Dyn, Form::Owned) => {
                    return code.text;
                }
                _ => {}
            }
        }
        self.dynamic(node)
    }

    /// A typed expression as an owned `Dyn`; none of a type that is no value.
    pub(crate) fn as_dyn(&self, code: &Code) -> Option<String> {
        let borrowed = || code.borrowed();
        Some(match &code.ty {
            Ty::Null => "Dyn::NULL".to_owned(),
            Ty::Dyn => match code.form {
                Form::Owned | Form::Literal => code.text.clone(),
                _ => format!("{}.clone()", code.text),
            },
            ty if ty.has_struct() => format!("Dyn::of({})", borrowed()),
            Ty::Text | Ty::Int | Ty::Size | Ty::Float | Ty::Number | Ty::Bool => match code.form {
                Form::Literal | Form::Owned => format!("Dyn::from({})", code.text),
                Form::Place if code.ty.is_copy() => format!("Dyn::from({})", code.text),
                Form::Place => format!("Dyn::from(&{})", code.text),
                Form::Reference => format!("Dyn::from({})", code.text),
            },
            Ty::Map(of) if code.is_bracketed() => {
                if !matches!(**of, Ty::Text | Ty::Int | Ty::Bool | Ty::Output(_)) {
                    return None;
                }
                format!("Dyn::object({})", code.text)
            }
            Ty::Set(_) if code.is_bracketed() => {
                format!("dynamic::call(\"toset\", [Dyn::from({})])", code.text)
            }
            Ty::List(_) | Ty::Set(_) | Ty::Map(_) | Ty::Option(_) | Ty::Output(_) => {
                match code.form {
                    Form::Owned | Form::Literal => format!("Dyn::from({})", code.text),
                    _ => format!("Dyn::from({})", borrowed()),
                }
            }
            Ty::Handle(_) => format!("Dyn::resource({})", borrowed()),
            Ty::Handles(_) => format!("Dyn::resources({})", borrowed()),
            Ty::HandleMap(_) => format!("Dyn::resource_map({})", borrowed()),
            Ty::NestedList(..) => format!("Dyn::from({}.all())", code.text),
            Ty::Module(_) | Ty::Modules(_) | Ty::ModuleMap(_) => {
                format!("Dyn::from({})", borrowed())
            }
            Ty::Nested(..) => return None,
            Ty::Struct(_) => return None,
        })
    }

    fn dynamic_template(&self, parts: &[Part]) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.part(part)).collect();
        format!("dynamic::join_texts([{}])", parts.join(", "))
    }

    fn part(&self, part: &Part) -> String {
        match part {
            Part::Text(text) => format!("Dyn::from({})", string(text)),
            Part::Value(node) => self.dynamic(node),
            Part::If(condition, then, otherwise) => {
                let condition = self.dyn_argument(condition);
                let inner = |parts: &[Part]| match parts {
                    [] => "\"\"".to_owned(),
                    [Part::Text(text)] => string(text),
                    parts => self.dynamic_template(parts),
                };
                let (then, otherwise) = self.closure(|| (inner(then), inner(otherwise)));
                choice(&condition, &then, &otherwise)
            }
            Part::For {
                key,
                value,
                of,
                body,
            } => {
                let of = self.receiver(of);
                let (key_name, value_name) =
                    (self.fresh(key.as_deref().unwrap_or("_")), self.fresh(value));
                let mut bound = vec![(value.clone(), Code::place(&value_name, Ty::Dyn))];
                if let Some(key) = key {
                    bound.push((key.clone(), Code::place(&key_name, Ty::Dyn)));
                }
                let body = self.binding(bound, || self.closure(|| self.dynamic_template(body)));
                let (key_name, value_name) =
                    unused(&body, key.as_ref().map(|_| key_name), value_name);
                format!("dynamic::join_list(&{of}.for_list(|{key_name}, {value_name}| {body}))")
            }
        }
    }

    fn dynamic_binary(&self, operator: Operator, a: &Node, b: &Node) -> String {
        let method = match operator {
            Operator::Equal => "equals",
            Operator::NotEqual => "differs",
            Operator::Less => "less",
            Operator::LessOrEqual => "at_most",
            Operator::Greater => "greater",
            Operator::GreaterOrEqual => "at_least",
            Operator::And | Operator::Or => {
                let method = if operator == Operator::And {
                    "and"
                } else {
                    "or"
                };
                let left = self.receiver(a);
                let right = self.closure(|| self.dyn_argument(b));
                return format!("{left}.{method}({})", lazily(&right));
            }
            _ => {
                let sign = match operator {
                    Operator::Plus => "+",
                    Operator::Minus => "-",
                    Operator::Times => "*",
                    Operator::Over => "/",
                    _ => "%",
                };
                let right = self.dyn_argument(b);
                let right = match is_operation(b) {
                    true => format!("({right})"),
                    false => right,
                };
                return format!("{} {sign} {right}", self.operand(a));
            }
        };
        let right = match b.is_null() {
            true => "Dyn::NULL".to_owned(),
            false => self.dyn_argument(b),
        };
        format!("{}.{method}({right})", self.receiver(a))
    }

    fn dynamic_call(&self, node: &Node, name: &str, arguments: &[Node], expands: bool) -> String {
        match name {
            "templatefile" => {
                return self.dynamic_template_file(arguments).unwrap_or_else(|| {
                    let reason = "no file of the configuration can be the template that this names";
                    self.untranslated(node.place, reason)
                });
            }
            "filebase64" | "fileexists" | "filemd5" | "filesha1" | "filesha256" | "filesha512"
            | "filebase64sha256" | "filebase64sha512" => {
                if let Some(text) = self.file_bytes(name, arguments) {
                    return text;
                }
            }
            "plantimestamp" | "timestamp" | "uuid" | "bcrypt" => {
                return self.untranslated(node.place, &format!("`{name}` has another result in every run, and a program must declare the same in each"));
            }
            _ => {}
        }
        if name.contains("::") {
            return self.untranslated(
                node.place,
                "functions of providers are not converted: call it by the handle of the provider",
            );
        }
        if !terrane_functions::dynamic::is_known_function(name) {
            return self.untranslated(
                node.place,
                &format!("`{name}` is not a function that programs have"),
            );
        }
        let dynamic = || {
            arguments
                .iter()
                .map(|one| self.dynamic(one))
                .collect::<Vec<String>>()
        };
        let all = match name {
            "try" | "can" => self.carefully(dynamic),
            _ => dynamic(),
        };
        match (expands, all.split_last()) {
            (true, Some((last, fixed))) => {
                format!(
                    "dynamic::call_expanded({}, [{}], &{last})",
                    string(name),
                    fixed.join(", ")
                )
            }
            _ if all.is_empty() => format!("dynamic::call({}, [])", string(name)),
            _ => format!("dynamic::call({}, [{}])", string(name), all.join(", ")),
        }
    }

    fn steps(&self, start: &str, steps: &[Step]) -> String {
        let mut text = start.to_owned();
        for step in steps {
            match step {
                Step::Attribute(name) => {
                    let _ = write!(text, ".attr({})", string(name));
                }
                Step::Index(key) => {
                    let _ = write!(text, ".index({})", self.closure(|| self.dyn_argument(key)));
                }
                Step::Splat(inner) => {
                    let _ = write!(text, ".splat(|one| {})", self.steps("one", inner));
                }
            }
        }
        text
    }

    fn dynamic_for(&self, one: &For) -> String {
        let of = self.receiver(&one.of);
        let key_name = one.key.as_ref().map(|key| self.fresh(key));
        let value_name = self.fresh(&one.value);
        let mut bound = vec![(one.value.clone(), Code::place(&value_name, Ty::Dyn))];
        if let (Some(key), Some(name)) = (&one.key, &key_name) {
            bound.push((key.clone(), Code::place(name, Ty::Dyn)));
        }
        let (condition, body) = self.binding(bound, || {
            self.closure(|| {
                let condition = one.condition.as_ref().map(|it| self.dyn_result(it));
                let body = self.dyn_result(&one.body);
                let body = match &one.member {
                    Some(member) => format!("({}, {body})", self.dyn_result(member)),
                    None => body,
                };
                (condition, body)
            })
        });
        let shown = |text: &str| {
            let (key, value) = unused(text, key_name.clone(), value_name.clone());
            format!("|{key}, {value}| {text}")
        };
        let method = match (one.member.is_some(), one.groups, condition.is_some()) {
            (false, _, false) => "for_list",
            (false, _, true) => "for_list_if",
            (true, true, _) => "for_groups_if",
            (true, false, false) => "for_object",
            (true, false, true) => "for_object_if",
        };
        match (condition, one.groups) {
            (Some(condition), _) => {
                format!("{of}.{method}({}, {})", shown(&condition), shown(&body))
            }
            (None, true) => format!("{of}.{method}(|_, _| true, {})", shown(&body)),
            (None, false) => format!("{of}.{method}({})", shown(&body)),
        }
    }

    /// The same for the result of a closure, whose own variables cannot be borrowed.
    fn dyn_result(&self, node: &Node) -> String {
        let text = self.dyn_argument(node);
        match text.strip_prefix('&') {
            Some(place) => format!("{place}.clone()"),
            None => text,
        }
    }

    fn unknown_root(&self, node: &Node) -> Option<String> {
        let names = node.names()?;
        let address = match names.as_slice() {
            [
                kind @ ("var" | "local" | "module" | "path" | "terraform" | "each" | "count"),
                name,
            ] => {
                format!("{kind}.{name}")
            }
            ["data" | "ephemeral", ..] if names.len() == 3 => names.join("."),
            ["resource", ..] if names.len() == 3 => names[1..].join("."),
            [
                "data" | "ephemeral" | "resource" | "var" | "local" | "module",
                ..,
            ] => return None,
            [first, inner]
                if self.bound_code(first).is_none()
                    && self.bound_code(&format!("{first}.{inner}")).is_none()
                    && *first != "self" =>
            {
                names.join(".")
            }
            _ => return None,
        };
        match self.known.contains_key(&address) || self.bound_code(&address).is_some() {
            true => None,
            false => Some(self.unknown_reference(node, &address)),
        }
    }

    fn unknown_reference(&self, node: &Node, name: &str) -> String {
        let reason = format!("nothing is declared as `{name}`");
        // Terraform, too, finds that only in a block that has a round.
        if self.in_content.get() > 0 {
            let place = self.configuration.sources.shown(node.place);
            return format!("Dyn::failed({})", string(&format!("{place}: {reason}")));
        }
        self.untranslated(node.place, &reason)
    }

    /// The expression as an argument of that type; none for one that is not set.
    pub(crate) fn argument(&self, node: &Node, ty: &Type) -> Option<String> {
        if node.is_null() {
            return None;
        }
        if let Some(code) = self.typed(node)
            && let Some(text) = self.fitting(&code, ty)
        {
            return Some(text);
        }
        if let (Kind::List(all), Type::List(of) | Type::Set(of)) = (&node.kind, ty) {
            match (&**of, all.is_empty()) {
                (Type::String, true) => return Some("Vec::<String>::new()".to_owned()),
                (Type::Number, true) => return Some("Vec::<u32>::new()".to_owned()),
                _ => {}
            }
        }
        if let Some(code) = self.typed(node)
            && code.ty == Ty::Dyn
            && code.form == Form::Place
        {
            return Some(format!("&{}", code.text));
        }
        Some(self.dynamic(node))
    }

    /// A typed expression as an argument of that type, if it converts.
    fn fitting(&self, code: &Code, ty: &Type) -> Option<String> {
        let as_it_is = || match code.form {
            Form::Place if !code.ty.is_copy() => format!("&{}", code.text),
            Form::Reference if code.ty.is_copy() => format!("*{}", code.text),
            _ => code.text.clone(),
        };
        match (ty, &code.ty) {
            (Type::String, Ty::Text)
            | (Type::Number, Ty::Int | Ty::Size | Ty::Float)
            | (Type::Bool, Ty::Bool) => Some(as_it_is()),
            (Type::String, Ty::Int | Ty::Size | Ty::Bool) => Some(match code.form {
                Form::Literal => literal_as_text(code),
                _ => format!("{}.to_string()", code.atomic()),
            }),
            (Type::Number, Ty::Text) if code.form == Form::Literal => {
                let number = code.text.trim_matches('"');
                number.parse::<i64>().is_ok().then(|| number.to_owned())
            }
            (Type::Bool, Ty::Text) if code.form == Form::Literal => match &*code.text {
                "\"true\"" => Some("true".to_owned()),
                "\"false\"" => Some("false".to_owned()),
                _ => None,
            },
            (_, Ty::Output(of)) => fits(ty, of).then(as_it_is),
            (Type::List(of) | Type::Set(of), Ty::List(element) | Ty::Set(element)) => {
                let is_text = **of == Type::String;
                let fits = match &**element {
                    Ty::Output(inner) => fits(of, inner),
                    Ty::Text => is_text,
                    Ty::Int | Ty::Size => **of == Type::Number && code.form != Form::Place,
                    _ => false,
                };
                fits.then(as_it_is)
            }
            (Type::Map(of), Ty::Map(member)) => {
                let fits = match &**member {
                    Ty::Output(inner) => fits(of, inner),
                    Ty::Text => **of == Type::String,
                    _ => false,
                };
                fits.then(as_it_is)
            }
            (_, Ty::Option(of)) => {
                let fits = match (&**of, ty) {
                    (Ty::Text, Type::String)
                    | (Ty::Int | Ty::Size | Ty::Float, Type::Number)
                    | (Ty::Bool, Type::Bool) => true,
                    (Ty::List(of) | Ty::Set(of), Type::List(ty) | Type::Set(ty)) => {
                        **of == Ty::Text && **ty == Type::String
                    }
                    (Ty::Map(of), Type::Map(ty)) => **of == Ty::Text && **ty == Type::String,
                    (Ty::Output(of), ty) => fits(ty, of),
                    _ => false,
                };
                if !fits {
                    return None;
                }
                Some(match (code.form, &**of) {
                    (Form::Place | Form::Reference, Ty::Text) => {
                        format!("{}.as_deref()", code.atomic())
                    }
                    (Form::Place, of) if !of.is_copy() => format!("{}.as_ref()", code.text),
                    _ => as_it_is(),
                })
            }
            _ => None,
        }
    }

    /// The expression as something that is exported or given to an untyped argument.
    pub(crate) fn untyped_argument(&self, node: &Node) -> String {
        if let Some(code) = self.typed(node) {
            let is_scalar =
                |ty: &Ty| matches!(ty, Ty::Text | Ty::Bool | Ty::Int | Ty::Size | Ty::Float);
            let as_it_is = match &code.ty {
                Ty::Output(_) => true,
                ty if is_scalar(ty) => true,
                Ty::List(of) => {
                    (is_scalar(of) || matches!(**of, Ty::Output(_))) && !code.ty.has_struct()
                }
                Ty::Dyn => true,
                _ => false,
            };
            if as_it_is {
                return match code.form {
                    Form::Place if !code.ty.is_copy() => format!("&{}", code.text),
                    Form::Reference if code.ty.is_copy() => format!("*{}", code.text),
                    _ => code.text,
                };
            }
        }
        self.dynamic(node)
    }
}

/// Whether the expression is an operator with its operands.
fn is_operation(node: &Node) -> bool {
    matches!(
        node.kind,
        Kind::Not(_)
            | Kind::Minus(_)
            | Kind::Binary(
                Operator::Plus
                    | Operator::Minus
                    | Operator::Times
                    | Operator::Over
                    | Operator::Modulo,
                _
            )
    )
}

/// `condition ? then : otherwise`.
fn choice(condition: &str, then: &str, otherwise: &str) -> String {
    format!(
        "dynamic::choose({condition}, {}, {})",
        lazily(then),
        lazily(otherwise)
    )
}

/// A closure that gives the value, or the function itself where that is all.
fn lazily(value: &str) -> String {
    let is_path = |it: &&str| {
        it.chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':'))
    };
    match value.strip_suffix("()").filter(is_path) {
        Some(function) => function.to_owned(),
        None => format!("|| {value}"),
    }
}

/// Whether an output of that type fits an argument of that one.
fn fits(ty: &Type, of: &Ty) -> bool {
    match (ty, of) {
        (Type::String, Ty::Text)
        | (Type::Number, Ty::Number | Ty::Int)
        | (Type::Bool, Ty::Bool) => true,
        (Type::List(ty) | Type::Set(ty), Ty::List(of)) => fits(ty, of) && !matches!(**of, Ty::Int),
        (Type::Map(ty), Ty::Map(of)) => fits(ty, of) && !matches!(**of, Ty::Int),
        _ => false,
    }
}

/// The names of a closure's variables, `_` for those that it does not use.
fn unused(body: &str, key: Option<String>, value: String) -> (String, String) {
    let key = key
        .filter(|key| mentions(body, key))
        .unwrap_or_else(|| "_".to_owned());
    let value = match mentions(body, &value) {
        true => value,
        false => "_".to_owned(),
    };
    (key, value)
}
