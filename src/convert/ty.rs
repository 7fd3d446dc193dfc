//! The types of generated expressions: how far HCL's dynamic values have one in Rust.

use std::fmt::Write as _;
use std::rc::Rc;

/// The Rust type of an expression in the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ty {
    /// `null` alone.
    Null,
    Text,
    /// `i64`, or whatever integer Rust makes of a literal.
    Int,
    Float,
    /// `usize`: lengths and places.
    Size,
    /// The exact number of an attribute.
    Number,
    Bool,
    List(Rc<Self>),
    Set(Rc<Self>),
    Map(Rc<Self>),
    Option(Rc<Self>),
    /// `Output<T>`.
    Output(Rc<Self>),
    /// A struct of the program.
    Struct(Rc<Struct>),
    /// A handle on a resource, by the place of its type's bindings.
    Handle(usize),
    /// The handles of `count`.
    Handles(usize),
    /// Those of `for_each`.
    HandleMap(usize),
    /// A typed handle on an object in another: the type's place, the object's.
    Nested(usize, usize),
    /// A list of those.
    NestedList(usize, usize),
    /// The outputs of a module, by its place.
    Module(usize),
    Modules(usize),
    ModuleMap(usize),
    /// `Dyn`: no type could be inferred.
    Dyn,
}

/// A struct that the program defines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Struct {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
}

/// One of its fields.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// The name in the configuration.
    pub(crate) name: String,
    /// The name in Rust.
    pub(crate) ident: String,
    pub(crate) ty: Ty,
    /// Its default as Rust, for `optional(…, default)`.
    pub(crate) default: Option<String>,
}

impl Ty {
    pub(crate) fn list(of: Self) -> Self {
        Self::List(Rc::new(of))
    }

    pub(crate) fn set(of: Self) -> Self {
        Self::Set(Rc::new(of))
    }

    pub(crate) fn map(of: Self) -> Self {
        Self::Map(Rc::new(of))
    }

    pub(crate) fn option(of: Self) -> Self {
        match of {
            Self::Option(_) | Self::Dyn | Self::Null => of,
            of => Self::Option(Rc::new(of)),
        }
    }

    pub(crate) fn output(of: Self) -> Self {
        match of {
            Self::Output(_) => of,
            of => Self::Output(Rc::new(of)),
        }
    }

    /// Whether a value of it is copied and never borrowed.
    pub(crate) fn is_copy(&self) -> bool {
        match self {
            Self::Int | Self::Float | Self::Size | Self::Bool => true,
            Self::Option(of) => of.is_copy(),
            _ => false,
        }
    }

    /// Whether it is plain data, without anything that the cloud decides.
    pub(crate) fn is_plain(&self) -> bool {
        match self {
            Self::Text
            | Self::Int
            | Self::Float
            | Self::Size
            | Self::Bool
            | Self::Null
            | Self::Struct(_) => true,
            Self::List(of) | Self::Set(of) | Self::Map(of) | Self::Option(of) => of.is_plain(),
            _ => false,
        }
    }

    pub(crate) fn has_struct(&self) -> bool {
        match self {
            Self::Struct(_) => true,
            Self::List(of)
            | Self::Set(of)
            | Self::Map(of)
            | Self::Option(of)
            | Self::Output(of) => of.has_struct(),
            _ => false,
        }
    }

    /// As Rust writes it.
    pub(crate) fn rust(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Text => text.push_str("String"),
            Self::Int => text.push_str("i64"),
            Self::Float => text.push_str("f64"),
            Self::Size => text.push_str("usize"),
            Self::Number => text.push_str("Number"),
            Self::Bool => text.push_str("bool"),
            Self::Struct(of) => text.push_str(&of.name),
            Self::List(of) => wrap("Vec", of, text),
            Self::Set(of) => wrap("BTreeSet", of, text),
            Self::Option(of) => wrap("Option", of, text),
            Self::Output(of) => wrap("Output", of, text),
            Self::Map(of) => {
                text.push_str("BTreeMap<String, ");
                of.write(text);
                text.push('>');
            }
            _ => text.push_str("Dyn"),
        }
    }
}

fn wrap(outer: &str, of: &Ty, text: &mut String) {
    let _ = write!(text, "{outer}<");
    of.write(text);
    text.push('>');
}

/// How an expression stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A literal: `"a"`, `5`.
    Literal,
    /// A value of its own.
    Owned,
    /// Something that lies elsewhere: `config.name`.
    Place,
    /// A reference already: the variable of a loop.
    Reference,
}

/// An expression of Rust.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) text: String,
    pub(crate) ty: Ty,
    pub(crate) form: Form,
    /// Whether a method can be called on it as it is.
    pub(crate) atom: bool,
}

impl Code {
    pub(crate) fn owned(text: impl Into<String>, ty: Ty) -> Self {
        Self {
            text: text.into(),
            ty,
            form: Form::Owned,
            atom: true,
        }
    }

    pub(crate) fn place(text: impl Into<String>, ty: Ty) -> Self {
        Self {
            text: text.into(),
            ty,
            form: Form::Place,
            atom: true,
        }
    }

    pub(crate) fn reference(text: impl Into<String>, ty: Ty) -> Self {
        Self {
            text: text.into(),
            ty,
            form: Form::Reference,
            atom: true,
        }
    }

    pub(crate) fn literal(text: impl Into<String>, ty: Ty) -> Self {
        Self {
            text: text.into(),
            ty,
            form: Form::Literal,
            atom: true,
        }
    }

    pub(crate) fn operation(text: impl Into<String>, ty: Ty) -> Self {
        Self {
            text: text.into(),
            ty,
            form: Form::Owned,
            atom: false,
        }
    }

    /// Whether it is an array of Rust: brackets around all of it.
    pub(crate) fn is_bracketed(&self) -> bool {
        let mut depth = 0_usize;
        let mut letters = self.text.char_indices();
        while let Some((place, letter)) = letters.next() {
            match letter {
                '"' => {
                    while let Some((_, inner)) = letters.next() {
                        match inner {
                            '\\' => drop(letters.next()),
                            '"' => break,
                            _ => {}
                        }
                    }
                }
                '[' => depth += 1,
                ']' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return self.text.starts_with('[') && place + 1 == self.text.len();
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// In parentheses, where it stands before a dot or beside an operator.
    pub(crate) fn atomic(&self) -> String {
        match self.atom {
            true => self.text.clone(),
            false => format!("({})", self.text),
        }
    }

    /// As a borrowed value, or a copy.
    pub(crate) fn borrowed(&self) -> String {
        match self.form {
            Form::Place if self.ty.is_copy() => self.text.clone(),
            Form::Place => format!("&{}", self.text),
            Form::Reference if self.ty.is_copy() => format!("*{}", self.text),
            Form::Owned if self.ty.is_copy() => self.text.clone(),
            Form::Owned => format!("&{}", self.atomic()),
            _ => self.text.clone(),
        }
    }

    /// As a value that can be kept.
    pub(crate) fn kept(&self) -> String {
        match (self.form, &self.ty) {
            (Form::Literal, Ty::Text) => format!("{}.to_owned()", self.text),
            (Form::Place, ty) if !ty.is_copy() => format!("{}.clone()", self.text),
            (Form::Reference, Ty::Text) => format!("{}.to_string()", self.text),
            (Form::Reference, ty) if ty.is_copy() => format!("*{}", self.text),
            (Form::Reference, _) => format!("{}.clone()", self.text),
            _ => self.text.clone(),
        }
    }
}
