//! What the names of a module's expressions are in its program.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

use crate::ast::{Kind, Node, Place};
use crate::bindings::Bindings;
use crate::block_functions::BlockFunction;
use crate::model::{Configuration, Module};
use crate::ty::{Code, Ty};

/// Something that the program cannot say, with the original's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untranslated {
    /// The file and the line.
    pub place: String,
    /// Why not.
    pub reason: String,
    /// The original.
    pub text: String,
}

/// The outputs of a converted module.
#[derive(Debug, Clone)]
pub(crate) struct ModuleOutputs {
    /// By name: the field, and its type.
    pub(crate) fields: BTreeMap<String, (String, Ty)>,
}

/// What is in scope while a module is written.
pub(crate) struct Scope<'a> {
    pub(crate) configuration: &'a Configuration,
    pub(crate) bindings: &'a Bindings,
    pub(crate) module: &'a Module,
    /// The outputs of modules, by place.
    pub(crate) outputs: &'a HashMap<usize, ModuleOutputs>,
    /// References by their names, joined by dots: `var.name`, `local.tags`, `aws_vpc.main`.
    pub(crate) known: HashMap<String, Code>,
    /// How many instances variables hold, where the configuration says it.
    pub(crate) lengths: HashMap<String, usize>,
    /// The variables that expressions and loops bind, the innermost last.
    pub(crate) bound: RefCell<Vec<(String, Code)>>,
    pub(crate) problems: RefCell<Vec<Untranslated>>,
    /// Whether a `?` would leave a closure.
    pub(crate) in_closure: Cell<usize>,
    /// Whether a missing element must not stop the program: inside of `try` and its like.
    pub(crate) careful: Cell<bool>,
    /// How many contents of `dynamic` blocks are around.
    pub(crate) in_content: Cell<usize>,
    pub(crate) typed: RefCell<HashMap<(usize, usize), Option<Code>>>,
    /// Changes whenever a variable is bound, so that no expression is remembered for other variables.
    pub(crate) generation: Cell<usize>,
    pub(crate) generations: Cell<usize>,
    /// The handles of providers' configurations, by local name and alias: `aws.west`.
    pub(crate) handles: HashMap<String, String>,
    /// Whether everything in the module comes after what its caller names.
    pub(crate) after: bool,
    /// Templates that were read from files.
    pub(crate) templates: RefCell<HashMap<std::path::PathBuf, std::rc::Rc<Node>>>,
    /// Files that expressions read, relative to the folder of the project.
    pub(crate) files: RefCell<BTreeMap<String, std::path::PathBuf>>,
    /// The functions that make long blocks.
    pub(crate) functions: RefCell<Vec<BlockFunction>>,
}

impl<'a> Scope<'a> {
    /// Reports something that the program cannot say; the result is the expression that stands in its place.
    pub(crate) fn untranslated(&self, place: Place, reason: &str) -> String {
        let sources = &self.configuration.sources;
        let one = Untranslated {
            place: sources.shown(place),
            reason: reason.to_owned(),
            text: sources.text(place).trim().to_owned(),
        };
        let said = compile_error(&one);
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&one) {
            problems.push(one);
        }
        said
    }

    /// Runs with a variable bound.
    pub(crate) fn binding<T>(&self, bound: Vec<(String, Code)>, run: impl FnOnce() -> T) -> T {
        let count = bound.len();
        self.bound.borrow_mut().extend(bound);
        let before = self.generation.get();
        self.generations.set(self.generations.get() + 1);
        self.generation.set(self.generations.get());
        let result = run();
        self.generation.set(before);
        let mut all = self.bound.borrow_mut();
        let rest = all.len() - count;
        all.truncate(rest);
        result
    }

    /// Runs inside a closure, where nothing can fail by `?`.
    pub(crate) fn closure<T>(&self, run: impl FnOnce() -> T) -> T {
        let generation = self.generation.get();
        if self.in_closure.get() == 0 {
            self.generations.set(self.generations.get() + 1);
            self.generation.set(self.generations.get());
        }
        self.in_closure.set(self.in_closure.get() + 1);
        let result = run();
        self.in_closure.set(self.in_closure.get() - 1);
        self.generation.set(generation);
        result
    }

    /// Runs in the content of a `dynamic` block, of which nothing is looked at until it has a round.
    pub(crate) fn content<T>(&self, run: impl FnOnce() -> T) -> T {
        self.in_content.set(self.in_content.get() + 1);
        let result = run();
        self.in_content.set(self.in_content.get() - 1);
        result
    }

    /// Runs where a missing element has to be a fault that `try` can replace, and no panic.
    pub(crate) fn carefully<T>(&self, run: impl FnOnce() -> T) -> T {
        let before = (self.careful.replace(true), self.generation.get());
        if !before.0 {
            self.generations.set(self.generations.get() + 1);
            self.generation.set(self.generations.get());
        }
        let result = run();
        self.careful.set(before.0);
        self.generation.set(before.1);
        result
    }

    /// Runs a trial whose reports do not count unless it succeeds.
    pub(crate) fn trial<T>(&self, run: impl FnOnce() -> Option<T>) -> Option<T> {
        let problems = self.problems.borrow().len();
        let result = run();
        if result.is_none() {
            self.problems.borrow_mut().truncate(problems);
        }
        result
    }

    pub(crate) fn bound_code(&self, name: &str) -> Option<Code> {
        let bound = self.bound.borrow();
        bound
            .iter()
            .rev()
            .find(|(one, _)| one == name)
            .map(|(_, code)| code.clone())
    }

    /// A name for a variable of a closure that hides no other.
    pub(crate) fn fresh(&self, wanted: &str) -> String {
        let wanted = terrane_codegen::ident(&crate::names::snake(wanted));
        let taken = |name: &str| {
            let bound = self.bound.borrow();
            let root = |code: &Code| code.text.split(['.', '(', '[']).next().map(str::to_owned);
            bound
                .iter()
                .any(|(_, code)| root(code).as_deref() == Some(name))
                || self
                    .known
                    .values()
                    .any(|code| root(code).as_deref() == Some(name))
                || ["stack", "config", "inputs", "providers", "block"].contains(&name)
        };
        if !taken(&wanted) {
            return wanted;
        }
        let mut number = 2;
        loop {
            let name = format!("{}_{number}", wanted.trim_start_matches("r#"));
            if !taken(&name) {
                return name;
            }
            number += 1;
        }
    }
}

/// The macro that stops the compiler with a report.
pub(crate) fn compile_error(one: &Untranslated) -> String {
    let text = format!("{}: {}\n{}", one.place, one.reason, one.text);
    format!("compile_error!({})", string(&text))
}

/// A text as a literal of Rust, its line ends as they are.
pub(crate) fn string(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// The inside of such a literal.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (place, character) in text.char_indices() {
        match character {
            '\n' if place + 1 < text.len() && place > 0 => escaped.push('\n'),
            '"' | '\\' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\t' => escaped.push_str("\\t"),
            other if other.is_control() => escaped.extend(other.escape_default()),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The text of an attribute's literal, for arguments that are no expressions.
pub(crate) fn literal_text(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Text(text) => Some(text.clone()),
        Kind::Number(number) => Some(number.clone()),
        Kind::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
