//! Expressions of HCL as expressions of Rust: with types as far as they can be inferred, and dynamic otherwise.

use terrane_core::Type;

use crate::ast::{Kind, Node, Operator, Part};
use crate::imports::without_texts;
use crate::scope::{Scope, escaped, string};
use crate::ty::{Code, Form, Ty};

impl Scope<'_> {
    /// The expression, typed if possible.
    pub(crate) fn code(&self, node: &Node) -> Code {
        self.typed(node).unwrap_or_else(|| self.dynamic_code(node))
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
            Kind::Number(number) => is_exact(number).then(|| literal_number(number)),
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
    pub(crate) fn value(&self, code: &Code) -> String {
        match code.form {
            Form::Reference if code.ty.is_copy() => format!("*{}", code.text),
            _ => code.text.clone(),
        }
    }

    pub(crate) fn template(&self, parts: &[Part]) -> Option<Code> {
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
    pub(crate) fn alike(&self, codes: Vec<Code>) -> Option<(Ty, Vec<Code>)> {
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

    pub(crate) fn list(&self, all: &[Node]) -> Option<Code> {
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

    pub(crate) fn object(&self, members: &[(Node, Node)]) -> Option<Code> {
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

    pub(crate) fn choose(&self, all: &[Node; 3]) -> Option<Code> {
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

    pub(crate) fn some(&self, code: &Code) -> String {
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
            Operator::Greater if same_numbers => match (&*b.text, measured(&a)) {
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
                    _ if same_numbers => match (&*b.text, measured(&a)) {
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
}

pub(crate) fn is_constant(parts: &[Part]) -> bool {
    parts.iter().all(|part| matches!(part, Part::Text(_)))
}

/// Whether the code uses what has that name: a method, a later part of a path and a text of that name do not count.
pub(crate) fn mentions(code: &str, name: &str) -> bool {
    let code = without_texts(code);
    let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let is_type = name.starts_with(char::is_uppercase);
    code.match_indices(name).any(|(start, _)| {
        let (before, after) = (&code[..start], &code[start + name.len()..]);
        let is_part = before.ends_with(is_word)
            || before.ends_with("::")
            || before.ends_with('.') && !before.ends_with("..");
        !is_part && !after.starts_with(is_word) && (is_type || !after.starts_with("::"))
    })
}

pub(crate) fn one_literal(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Number(number) if number.parse::<u8>().is_ok() => Some(number.clone()),
        _ => None,
    }
}

pub(crate) fn can_be_element(ty: &Ty) -> bool {
    match ty {
        Ty::Text | Ty::Int | Ty::Size | Ty::Float | Ty::Bool | Ty::Struct(_) => true,
        Ty::Output(_) => true,
        Ty::List(of) | Ty::Map(of) => can_be_element(of),
        _ => false,
    }
}

pub(crate) fn optional(ty: &Ty) -> bool {
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

/// The collection whose length it is.
fn measured(length: &Code) -> Option<&str> {
    length.text.strip_suffix(".len()").filter(|_| length.atom)
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

/// Whether Rust's numbers have exactly this one: Terraform's have 512 bits.
pub(crate) fn is_exact(number: &str) -> bool {
    let digits = number.split(['e', 'E']).next().unwrap_or(number);
    let digits = digits.chars().filter(char::is_ascii_digit);
    number.parse::<i64>().is_ok() || digits.skip_while(|it| *it == '0').count() <= 15
}

/// A number as Rust writes it.
pub(crate) fn literal_number(number: &str) -> Code {
    if number.parse::<i64>().is_ok() {
        let number = match number.trim_start_matches('0') {
            "" => "0",
            rest if number.starts_with('0') => rest,
            _ => number,
        };
        return whole_literal(number);
    }
    match number.parse::<f64>() {
        Ok(float) if float.is_finite() && float.fract() == 0.0 && float.abs() < 1e15 => {
            whole_literal(&format!("{float:.0}"))
        }
        Ok(float) if float.is_finite() => Code::literal(format!("{float:?}"), Ty::Float),
        _ => Code::literal("0", Ty::Int),
    }
}

/// A whole number; Rust takes one without a type for an `i32`.
fn whole_literal(number: &str) -> Code {
    match number.parse::<i32>() {
        Ok(_) => Code::literal(number, Ty::Int),
        Err(_) => Code::literal(format!("{number}{WIDE}"), Ty::Int),
    }
}

const WIDE: &str = "_i64";

/// What a literal number or truth value is as a text.
pub(crate) fn literal_as_text(code: &Code) -> String {
    format!("\"{}\"", code.text.trim_end_matches(WIDE))
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
