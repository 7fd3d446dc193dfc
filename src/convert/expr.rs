//! Expressions of HCL as expressions of Rust: with types as far as they can be inferred, and dynamic otherwise.

use std::fmt::Write as _;
use terrane_codegen::BoundKind;
use terrane_core::Type;
use terrane_core::schema::Nesting;

use crate::ast::{For, Kind, Node, Operator, Part, Step};
use crate::scope::{Scope, escaped, string};
use crate::ty::{Code, Form, Ty};

/// A step from a value to a part of it.
enum Way<'a> {
    Name(&'a str),
    Key(&'a Node),
}

impl Scope<'_> {
    /// The expression, typed if possible.
    pub(crate) fn code(&self, node: &Node) -> Code {
        self.typed(node)
            .unwrap_or_else(|| Code::owned(self.dynamic(node), Ty::Dyn))
    }

    /// The typed expression, if all types in it are known.
    pub(crate) fn typed(&self, node: &Node) -> Option<Code> {
        let key = (std::ptr::from_ref(node) as usize, self.generation.get());
        if let Some(known) = self.typed.borrow().get(&key) {
            return known.clone();
        }
        let code = self.trial(|| self.infer(node));
        self.typed.borrow_mut().insert(key, code.clone());
        code
    }

    fn infer(&self, node: &Node) -> Option<Code> {
        match &node.kind {
            Kind::Null => Some(Code::literal("None", Ty::Null)),
            Kind::Bool(truth) => Some(Code::literal(truth.to_string(), Ty::Bool)),
            Kind::Number(number) => Some(literal_number(number)),
            Kind::Text(text) => Some(Code::literal(string(text), Ty::Text)),
            Kind::Template(parts) => self.template(parts),
            Kind::List(all) => self.list(all),
            Kind::Object(members) => self.object(members),
            Kind::Variable(_) | Kind::Attribute(..) | Kind::Index(..) => self.reference(node),
            Kind::Choose(all) => self.choose(all),
            Kind::Not(of) => {
                let code = self.typed(of).filter(|code| code.ty == Ty::Bool)?;
                let text = self.value(&code);
                Some(Code::operation(
                    format!("!{}", parenthesised(&code, text)),
                    Ty::Bool,
                ))
            }
            Kind::Minus(of) => {
                let code = self.typed(of).filter(|code| code.ty == Ty::Int)?;
                let text = self.value(&code);
                Some(Code::operation(
                    format!("-{}", parenthesised(&code, text)),
                    Ty::Int,
                ))
            }
            Kind::Binary(operator, sides) => self.binary(*operator, &sides[0], &sides[1]),
            Kind::Call {
                name,
                arguments,
                expands,
            } => match expands {
                true => None,
                false => self.call(name, arguments),
            },
            Kind::Splat(of, steps) => self.splat(of, steps),
            Kind::For(one) => self.comprehension(one),
        }
    }

    /// The value itself: copies are taken out of references.
    fn value(&self, code: &Code) -> String {
        match code.form {
            Form::Reference if code.ty.is_copy() => format!("*{}", code.text),
            _ => code.text.clone(),
        }
    }

    fn template(&self, parts: &[Part]) -> Option<Code> {
        let mut format = String::new();
        let mut arguments = Vec::new();
        let mut is_output = false;
        for part in parts {
            match part {
                Part::Text(text) => {
                    format.push_str(&escaped(&text.replace('{', "{{").replace('}', "}}")));
                }
                Part::Value(node) => {
                    let code = self.typed(node)?;
                    match &code.ty {
                        Ty::Text if code.form == Form::Literal && code.text.starts_with('"') => {
                            let text = code
                                .text
                                .trim_matches('"')
                                .replace('{', "{{")
                                .replace('}', "}}");
                            format.push_str(&text);
                            continue;
                        }
                        Ty::Text | Ty::Int | Ty::Size | Ty::Bool => {}
                        Ty::Output(of) if matches!(**of, Ty::Text | Ty::Number | Ty::Bool) => {
                            is_output = true;
                        }
                        _ => return None,
                    }
                    format.push('\u{1}');
                    arguments.push(code);
                }
                Part::If(..) | Part::For { .. } => return None,
            }
        }
        if arguments.is_empty() {
            let text = format.replace("{{", "{").replace("}}", "}");
            return Some(Code::literal(format!("\"{text}\""), Ty::Text));
        }
        let mut rest = Vec::new();
        for code in arguments {
            let is_name = code
                .text
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || it == '_');
            let shown = match is_name && !is_output {
                true => format!("{{{}}}", code.text),
                false => {
                    rest.push(code.text);
                    "{}".to_owned()
                }
            };
            format = format.replacen('\u{1}', &shown, 1);
        }
        let rest: String = rest.iter().map(|it| format!(", {it}")).collect();
        Some(match is_output {
            true => Code::owned(
                format!("interpolate!(\"{format}\"{rest})"),
                Ty::output(Ty::Text),
            ),
            false => Code::owned(format!("format!(\"{format}\"{rest})"), Ty::Text),
        })
    }

    /// One type for all of these, and each as a value of it that stands in a literal.
    fn alike(&self, codes: Vec<Code>) -> Option<(Ty, Vec<Code>)> {
        let first = codes.first()?.ty.clone();
        if codes.iter().all(|code| code.ty == first) {
            return Some((first, codes));
        }
        let of = codes.iter().find_map(|code| match &code.ty {
            Ty::Output(of) => Some((**of).clone()),
            _ => None,
        })?;
        let fits = |code: &Code| code.ty == of || code.ty == Ty::output(of.clone());
        if of != Ty::Text || !codes.iter().all(fits) {
            return None;
        }
        let codes = codes.into_iter().map(|code| match &code.ty {
            Ty::Output(_) => code,
            _ => {
                let text = format!("Output::known({})", code.borrowed());
                Code::owned(text, Ty::output(of.clone()))
            }
        });
        Some((Ty::output(of.clone()), codes.collect()))
    }

    fn list(&self, all: &[Node]) -> Option<Code> {
        let codes: Option<Vec<Code>> = all.iter().map(|one| self.typed(one)).collect();
        let (ty, codes) = self.alike(codes?)?;
        if !can_be_element(&ty) {
            return None;
        }
        // Arrays of two lengths are two types, so that inner ones become lists and maps.
        let is_deep = matches!(ty, Ty::List(_) | Ty::Set(_) | Ty::Map(_));
        let all_literal = !is_deep && codes.iter().all(|code| code.form == Form::Literal);
        let elements: Vec<String> = match all_literal {
            true => codes.iter().map(|code| code.text.clone()).collect(),
            false => codes.iter().map(|code| self.moved(code)).collect(),
        };
        let code = Code::owned(format!("[{}]", elements.join(", ")), Ty::list(ty));
        Some(match all_literal {
            true => Code {
                form: Form::Literal,
                ..code
            },
            false => code,
        })
    }

    /// The value for a place that keeps it.
    pub(crate) fn moved(&self, code: &Code) -> String {
        if code.is_bracketed() {
            return self.collected(code);
        }
        code.kept()
    }

    /// A collection in brackets as one that is kept.
    fn collected(&self, code: &Code) -> String {
        let inner = &code.text[1..code.text.len() - 1];
        match &code.ty {
            Ty::List(of) if code.form == Form::Literal && **of == Ty::Text => {
                format!("{}.map(str::to_owned).to_vec()", code.text)
            }
            Ty::List(_) => format!("vec![{inner}]"),
            Ty::Set(of) => match code.form == Form::Literal && **of == Ty::Text {
                true => format!("BTreeSet::from({}.map(str::to_owned))", code.text),
                false => format!("BTreeSet::from({})", code.text),
            },
            Ty::Map(of) => match (code.form, &**of) {
                (Form::Literal, Ty::Text) => format!(
                    "BTreeMap::from({}.map(|(key, value)| (key.to_owned(), value.to_owned())))",
                    code.text
                ),
                _ => format!(
                    "BTreeMap::from({}.map(|(key, value)| (key.to_owned(), value)))",
                    code.text
                ),
            },
            _ => code.text.clone(),
        }
    }

    fn object(&self, members: &[(Node, Node)]) -> Option<Code> {
        let mut keys = Vec::new();
        let mut codes = Vec::new();
        for (key, value) in members {
            keys.push(string(key.text()?));
            codes.push(self.typed(value)?);
        }
        let (ty, codes) = self.alike(codes)?;
        if !matches!(&ty, Ty::Text | Ty::Int | Ty::Bool) && ty != Ty::output(Ty::Text) {
            return None;
        }
        let all_literal = codes.iter().all(|code| code.form == Form::Literal);
        let members = keys
            .iter()
            .zip(&codes)
            .map(|(key, code)| match all_literal {
                true => format!("({key}, {})", code.text),
                false => format!("({key}, {})", self.moved(code)),
            });
        let text = format!("[{}]", members.collect::<Vec<_>>().join(", "));
        Some(Code {
            text,
            ty: Ty::map(ty),
            form: if all_literal {
                Form::Literal
            } else {
                Form::Owned
            },
            atom: true,
        })
    }

    fn choose(&self, all: &[Node; 3]) -> Option<Code> {
        let condition = self.typed(&all[0]).filter(|code| code.ty == Ty::Bool)?;
        let (then, otherwise) = (self.typed(&all[1])?, self.typed(&all[2])?);
        let condition = self.value(&condition);
        let both = |ty: Ty, a: String, b: String| {
            Some(Code::operation(
                format!("if {condition} {{ {a} }} else {{ {b} }}"),
                ty,
            ))
        };
        let known = |code: &Code| format!("Output::known({})", code.borrowed());
        match (&then.ty, &otherwise.ty) {
            (a, b) if a == b => match a {
                Ty::Null => None,
                Ty::Text if then.form == Form::Literal && otherwise.form == Form::Literal => {
                    let code = both(Ty::Text, then.text, otherwise.text)?;
                    Some(Code {
                        form: Form::Literal,
                        ..code
                    })
                }
                Ty::Handle(_)
                | Ty::Handles(_)
                | Ty::HandleMap(_)
                | Ty::Module(_)
                | Ty::Modules(_)
                | Ty::ModuleMap(_) => None,
                Ty::Nested(..) | Ty::NestedList(..) => None,
                _ => both(a.clone(), self.moved(&then), self.moved(&otherwise)),
            },
            (Ty::Null, of) if optional(of) => both(
                Ty::option(of.clone()),
                "None".to_owned(),
                self.some(&otherwise),
            ),
            (of, Ty::Null) if optional(of) => {
                both(Ty::option(of.clone()), self.some(&then), "None".to_owned())
            }
            (Ty::Output(of), plain) if **of == *plain && *plain == Ty::Text => {
                both(then.ty.clone(), self.moved(&then), known(&otherwise))
            }
            (plain, Ty::Output(of)) if **of == *plain && *plain == Ty::Text => {
                both(otherwise.ty.clone(), known(&then), self.moved(&otherwise))
            }
            _ => None,
        }
    }

    fn some(&self, code: &Code) -> String {
        match code.ty {
            Ty::Option(_) => self.moved(code),
            _ => format!("Some({})", self.moved(code)),
        }
    }

    fn binary(&self, operator: Operator, a: &Node, b: &Node) -> Option<Code> {
        let (a, b) = (self.typed(a)?, self.typed(b)?);
        let sides = |ty: Ty, sign: &str| {
            let left = parenthesised(&a, self.value(&a));
            let right = parenthesised(&b, self.value(&b));
            Some(Code::operation(format!("{left} {sign} {right}"), ty))
        };
        let is_number = |ty: &Ty| matches!(ty, Ty::Int | Ty::Size);
        let literal = |code: &Code| code.form == Form::Literal && !code.text.starts_with('-');
        let same_numbers =
            is_number(&a.ty) && is_number(&b.ty) && (a.ty == b.ty || literal(&a) || literal(&b));
        let of_numbers = match (&a.ty, &b.ty) {
            (Ty::Size, _) | (_, Ty::Size) => Ty::Size,
            _ => Ty::Int,
        };
        match operator {
            Operator::Plus | Operator::Times if same_numbers => sides(
                of_numbers,
                if operator == Operator::Plus { "+" } else { "*" },
            ),
            // Of lengths it could be less than nothing.
            Operator::Minus if same_numbers && of_numbers == Ty::Int => sides(Ty::Int, "-"),
            Operator::Modulo if same_numbers && literal(&b) && b.text != "0" => {
                sides(of_numbers, "%")
            }
            Operator::Less if same_numbers => sides(Ty::Bool, "<"),
            Operator::LessOrEqual if same_numbers => sides(Ty::Bool, "<="),
            Operator::Greater if same_numbers => match (&*b.text, a.text.strip_suffix(".len()")) {
                ("0", Some(of)) => Some(Code::operation(format!("!{of}.is_empty()"), Ty::Bool)),
                _ => sides(Ty::Bool, ">"),
            },
            Operator::GreaterOrEqual if same_numbers => sides(Ty::Bool, ">="),
            Operator::And if a.ty == Ty::Bool && b.ty == Ty::Bool => sides(Ty::Bool, "&&"),
            Operator::Or if a.ty == Ty::Bool && b.ty == Ty::Bool => sides(Ty::Bool, "||"),
            Operator::Equal | Operator::NotEqual => {
                let equal = operator == Operator::Equal;
                let sign = if equal { "==" } else { "!=" };
                let against_null = |code: &Code| match &code.ty {
                    Ty::Option(_) => {
                        let asks = if equal { "is_none" } else { "is_some" };
                        Some(Code::owned(format!("{}.{asks}()", code.atomic()), Ty::Bool))
                    }
                    _ => None,
                };
                match (&a.ty, &b.ty) {
                    (Ty::Null, _) => against_null(&b),
                    (_, Ty::Null) => against_null(&a),
                    _ if same_numbers => match (&*b.text, a.text.strip_suffix(".len()")) {
                        ("0", Some(of)) => {
                            let not = if equal { "" } else { "!" };
                            Some(Code::operation(format!("{not}{of}.is_empty()"), Ty::Bool))
                        }
                        _ => sides(Ty::Bool, sign),
                    },
                    (Ty::Bool, Ty::Bool) => match (literal_bool(&a), literal_bool(&b)) {
                        (None, Some(truth)) if truth == equal => Some(Code { ..a.clone() }),
                        (None, Some(_)) => {
                            let text = self.value(&a);
                            Some(Code::operation(
                                format!("!{}", parenthesised(&a, text)),
                                Ty::Bool,
                            ))
                        }
                        _ => sides(Ty::Bool, sign),
                    },
                    (Ty::Text, Ty::Text) => {
                        let text = |code: &Code| match code.form {
                            Form::Reference => format!("{}.as_str()", code.text),
                            _ => code.atomic(),
                        };
                        // Clippy wants no comparison of an owned text with an empty one.
                        if b.form == Form::Literal && b.text == "\"\"" && a.form != Form::Literal {
                            let not = if equal { "" } else { "!" };
                            return Some(Code::operation(
                                format!("{not}{}.is_empty()", a.atomic()),
                                Ty::Bool,
                            ));
                        }
                        Some(Code::operation(
                            format!("{} {sign} {}", text(&a), text(&b)),
                            Ty::Bool,
                        ))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn reference(&self, node: &Node) -> Option<Code> {
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
        let (key, used) = match name {
            "var" | "local" | "module" | "path" | "terraform" | "each" | "count" => {
                (format!("{name}.{}", word(0)?), 1)
            }
            "data" | "ephemeral" => (format!("{name}.{}.{}", word(0)?, word(1)?), 2),
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
            Ty::List(of) => {
                let index = self.typed(key)?;
                let text = match (&index.ty, index.form) {
                    (Ty::Int, Form::Literal) if !index.text.starts_with('-') => index.text,
                    (Ty::Size, _) => self.value(&index),
                    _ => return None,
                };
                match code.form {
                    Form::Place | Form::Reference => Some(Code::place(
                        format!("{}[{text}]", code.text),
                        (**of).clone(),
                    )),
                    _ => None,
                }
            }
            Ty::Map(of) => {
                let key = self.typed(key).filter(|key| key.ty == Ty::Text)?;
                match code.form {
                    Form::Place | Form::Reference => Some(Code::place(
                        format!("{}[{}]", code.text, str_of(&key)),
                        (**of).clone(),
                    )),
                    _ => None,
                }
            }
            Ty::Struct(_) | Ty::Handle(_) | Ty::Nested(..) | Ty::Module(_) => {
                self.attribute(code, key.text()?)
            }
            Ty::Handles(of) | Ty::Modules(of) => {
                let index = self.typed(key)?;
                let text = match (&index.ty, index.form) {
                    (Ty::Int, Form::Literal) if !index.text.starts_with('-') => index.text,
                    (Ty::Size, _) => self.value(&index),
                    _ => return None,
                };
                let ty = match code.ty {
                    Ty::Handles(_) => Ty::Handle(*of),
                    _ => Ty::Module(*of),
                };
                Some(Code::place(format!("{}[{text}]", code.text), ty))
            }
            Ty::HandleMap(of) | Ty::ModuleMap(of) => {
                let key = self.typed(key).filter(|key| key.ty == Ty::Text)?;
                let ty = match code.ty {
                    Ty::HandleMap(_) => Ty::Handle(*of),
                    _ => Ty::Module(*of),
                };
                Some(Code::place(format!("{}[{}]", code.text, str_of(&key)), ty))
            }
            Ty::NestedList(bound, object) => {
                let index = self.typed(key)?;
                match (&index.ty, index.form) {
                    (Ty::Int, Form::Literal) if !index.text.starts_with('-') => Some(Code::owned(
                        format!("{}.index({})", code.text, index.text),
                        Ty::Nested(*bound, *object),
                    )),
                    _ => None,
                }
            }
            Ty::Output(of) => match &**of {
                Ty::List(of) => {
                    let index = self.typed(key)?;
                    let text = match (&index.ty, index.form) {
                        (Ty::Int, Form::Literal) if !index.text.starts_with('-') => index.text,
                        (Ty::Size, _) => self.value(&index),
                        _ => return None,
                    };
                    Some(Code::owned(
                        format!("{}.index({text})", code.atomic()),
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

    fn attribute(&self, code: &Code, name: &str) -> Option<Code> {
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
            Ty::Map(of) if code.form == Form::Place => Some(Code::place(
                format!("{}[{}]", code.text, string(name)),
                (**of).clone(),
            )),
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
            Ty::HandleMap(_) | Ty::ModuleMap(_) => {
                let ty = match code.ty {
                    Ty::HandleMap(of) => Ty::Handle(of),
                    Ty::ModuleMap(of) => Ty::Module(of),
                    _ => return None,
                };
                Some(Code::place(format!("{}[{}]", code.text, string(name)), ty))
            }
            _ => None,
        }
    }

    fn member(&self, code: &Code, bound: usize, object: usize, name: &str) -> Option<Code> {
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

    fn splat(&self, of: &Node, steps: &[Step]) -> Option<Code> {
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
        let mut part = element;
        for step in steps {
            part = match step {
                Step::Attribute(name) => self.attribute(&part, name)?,
                Step::Index(key) => self.step(&part, &Way::Key(key))?,
                Step::Splat(_) => return None,
            };
        }
        if !can_be_element(&part.ty) {
            return None;
        }
        let text = format!("{iterator}.map(|one| {}).collect::<Vec<_>>()", part.kept());
        Some(Code::owned(text, Ty::list(part.ty)))
    }

    fn comprehension(&self, one: &For) -> Option<Code> {
        let of = self.typed(&one.of)?;
        if one.groups {
            return None;
        }
        let value_name = self.fresh(&one.value);
        let key_name = one.key.as_ref().map(|key| self.fresh(key));
        // `(key, value)` of maps, places and elements of lists.
        let (iterator, bound, pattern) = match (&of.ty, &key_name) {
            (Ty::List(element), None) if of.form != Form::Literal => (
                format!("{}.iter()", of.atomic()),
                vec![(
                    one.value.clone(),
                    Code::reference(&value_name, (**element).clone()),
                )],
                value_name.clone(),
            ),
            (Ty::Set(element), None) if of.form == Form::Place => (
                format!("{}.iter()", of.text),
                vec![(
                    one.value.clone(),
                    Code::reference(&value_name, (**element).clone()),
                )],
                value_name.clone(),
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
                format!("({key}, {value_name})"),
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
                format!("({key}, {value_name})"),
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
                format!("({key}, {value_name})"),
            ),
            (Ty::HandleMap(of_type), None) => (
                format!("{}.values()", of.text),
                vec![(
                    one.value.clone(),
                    Code::reference(&value_name, Ty::Handle(*of_type)),
                )],
                value_name.clone(),
            ),
            (Ty::Handles(of_type), None) => (
                format!("{}.iter()", of.text),
                vec![(
                    one.value.clone(),
                    Code::reference(&value_name, Ty::Handle(*of_type)),
                )],
                value_name.clone(),
            ),
            _ => return None,
        };
        self.binding(bound, || {
            self.closure(|| {
                let mut iterator = iterator;
                if let Some(condition) = &one.condition {
                    let condition = self.typed(condition).filter(|code| code.ty == Ty::Bool)?;
                    // The closure of `filter` gets a reference to what the other one gets.
                    let pattern = match pattern.starts_with('(') {
                        true => pattern.clone(),
                        false => format!("&{pattern}"),
                    };
                    let pattern = match pattern.starts_with('(') {
                        true => format!("&{pattern}"),
                        false => pattern,
                    };
                    iterator = format!("{iterator}.filter(|{pattern}| {})", self.value(&condition));
                }
                let body = self.typed(&one.body)?;
                if !can_be_element(&body.ty) {
                    return None;
                }
                let unused = |text: &str, name: &str| !mentions(text, name);
                let shown = |text: &str| match &key_name {
                    Some(key) if pattern.starts_with('(') => {
                        let key_of = if unused(text, key) { "_" } else { key };
                        let value_of = if unused(text, &value_name) {
                            "_"
                        } else {
                            &value_name
                        };
                        format!("({key_of}, {value_of})")
                    }
                    _ if unused(text, &pattern) => "_".to_owned(),
                    _ => pattern.clone(),
                };
                match &one.member {
                    None => {
                        let kept = self.moved(&body);
                        let text = format!(
                            "{iterator}.map(|{}| {kept}).collect::<Vec<_>>()",
                            shown(&kept)
                        );
                        Some(Code::owned(text, Ty::list(body.ty)))
                    }
                    Some(member) => {
                        let key = self.typed(member).filter(|code| code.ty == Ty::Text)?;
                        let pair = format!("({}, {})", self.moved(&key), self.moved(&body));
                        let text = format!(
                            "{iterator}.map(|{}| {pair}).collect::<BTreeMap<_, _>>()",
                            shown(&pair)
                        );
                        Some(Code::owned(text, Ty::map(body.ty)))
                    }
                }
            })
        })
    }

    fn call(&self, name: &str, arguments: &[Node]) -> Option<Code> {
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
    fn json(&self, node: &Node, outputs: &mut Vec<(String, String)>) -> Option<String> {
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

fn is_constant(parts: &[Part]) -> bool {
    parts.iter().all(|part| matches!(part, Part::Text(_)))
}

/// Whether the name stands in the text as a word of its own.
pub(crate) fn mentions(text: &str, name: &str) -> bool {
    let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let mut from = 0;
    while let Some(found) = text[from..].find(name) {
        let (start, end) = (from + found, from + found + name.len());
        let before = text[..start].chars().next_back();
        let after = text[end..].chars().next();
        if !before.is_some_and(is_word) && !after.is_some_and(is_word) {
            return true;
        }
        from = end;
    }
    false
}

fn one_literal(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Number(number) if number.parse::<u8>().is_ok() => Some(number.clone()),
        _ => None,
    }
}

fn can_be_element(ty: &Ty) -> bool {
    match ty {
        Ty::Text | Ty::Int | Ty::Size | Ty::Float | Ty::Bool | Ty::Struct(_) => true,
        Ty::Output(_) => true,
        Ty::List(of) | Ty::Map(of) => can_be_element(of),
        _ => false,
    }
}

fn optional(ty: &Ty) -> bool {
    matches!(
        ty,
        Ty::Text
            | Ty::Int
            | Ty::Size
            | Ty::Float
            | Ty::Bool
            | Ty::List(_)
            | Ty::Map(_)
            | Ty::Set(_)
            | Ty::Option(_)
            | Ty::Output(_)
    )
}

fn literal_bool(code: &Code) -> Option<bool> {
    match (code.form, &*code.text) {
        (Form::Literal, "true") => Some(true),
        (Form::Literal, "false") => Some(false),
        _ => None,
    }
}

fn parenthesised(code: &Code, text: String) -> String {
    match code.atom {
        true => text,
        false => format!("({text})"),
    }
}

/// A text as `&str`.
pub(crate) fn str_of(code: &Code) -> String {
    match code.form {
        Form::Literal => code.text.clone(),
        Form::Reference => format!("{}.as_str()", code.text),
        _ => format!("{}.as_str()", code.atomic()),
    }
}

/// A number as Rust writes it.
pub(crate) fn literal_number(number: &str) -> Code {
    if number.parse::<i64>().is_ok() {
        let number = match number.trim_start_matches('0') {
            "" => "0",
            rest if number.starts_with('0') => rest,
            _ => number,
        };
        return Code::literal(number, Ty::Int);
    }
    match number.parse::<f64>() {
        Ok(float) if float.is_finite() && float.fract() == 0.0 && float.abs() < 1e15 => {
            Code::literal(format!("{float:.0}"), Ty::Int)
        }
        Ok(float) if float.is_finite() => Code::literal(format!("{float:?}"), Ty::Float),
        _ => Code::literal("0", Ty::Int),
    }
}

/// The Rust type of an attribute.
pub(crate) fn of_schema(ty: &Type) -> Option<Ty> {
    Some(match ty {
        Type::String => Ty::Text,
        Type::Number => Ty::Number,
        Type::Bool => Ty::Bool,
        Type::List(of) | Type::Set(of) => Ty::list(of_schema(of)?),
        Type::Map(of) => Ty::map(of_schema(of)?),
        _ => return None,
    })
}
