//! HCL's expressions and bodies, whatever they were written in: native syntax or JSON.

/// Where something stands: a file by its place in [`Sources`], and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// An expression with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Template(Vec<Part>),
    List(Vec<Node>),
    Object(Vec<(Node, Node)>),
    Variable(String),
    Choose(Box<[Node; 3]>),
    Call {
        name: String,
        arguments: Vec<Node>,
        /// The last argument is a list of arguments.
        expands: bool,
    },
    Attribute(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    /// A part of each element.
    Splat(Box<Node>, Vec<Step>),
    Not(Box<Node>),
    Minus(Box<Node>),
    Binary(Operator, Box<[Node; 2]>),
    For(Box<For>),
}

/// One step from an element of a splat to its part.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Attribute(String),
    Index(Node),
    /// A splat inside a splat, with all that follows it.
    Splat(Vec<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

#[derive(Debug, Clone)]
pub(crate) struct For {
    pub(crate) key: Option<String>,
    pub(crate) value: String,
    pub(crate) of: Node,
    /// The key of an object; none of a list.
    pub(crate) member: Option<Node>,
    pub(crate) body: Node,
    pub(crate) condition: Option<Node>,
    pub(crate) groups: bool,
}

/// A part of a template.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(String),
    Value(Node),
    If(Node, Vec<Self>, Vec<Self>),
    For {
        key: Option<String>,
        value: String,
        of: Node,
        body: Vec<Self>,
    },
}

/// The content of a file or a block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) blocks: Vec<Block>,
}

#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) value: Node,
    pub(crate) comments: Vec<String>,
    pub(crate) place: Place,
}

#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) kind: String,
    pub(crate) labels: Vec<String>,
    pub(crate) body: Body,
    pub(crate) comments: Vec<String>,
    pub(crate) place: Place,
}

impl Body {
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|one| one.name == name)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Node> {
        self.attribute(name).map(|one| &one.value)
    }

    pub(crate) fn blocks_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |one| one.kind == kind)
    }
}

impl Node {
    pub(crate) fn new(kind: Kind, place: Place) -> Self {
        Self { kind, place }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The names of a plain reference: `aws_vpc.main.id`.
    pub(crate) fn names(&self) -> Option<Vec<&str>> {
        match &self.kind {
            Kind::Variable(name) => Some(vec![name]),
            Kind::Attribute(of, name) => {
                let mut names = of.names()?;
                names.push(name);
                Some(names)
            }
            _ => None,
        }
    }

    /// The names of a reference, those after keys and splats included, and the keys: `module.queue[0].arn`.
    fn path<'a>(&'a self, keys: &mut Vec<&'a Self>) -> Option<Vec<&'a str>> {
        match &self.kind {
            Kind::Variable(name) => Some(vec![name]),
            Kind::Attribute(of, name) => {
                let mut names = of.path(keys)?;
                names.push(name);
                Some(names)
            }
            Kind::Index(of, key) => {
                keys.push(key);
                of.path(keys)
            }
            Kind::Splat(of, steps) => {
                let mut names = of.path(keys)?;
                step_path(steps, &mut names, keys);
                Some(names)
            }
            _ => None,
        }
    }

    /// Calls `visit` for each longest reference by names, with the names that the expression binds itself.
    pub(crate) fn references<'a>(
        &'a self,
        bound: &mut Vec<&'a str>,
        visit: &mut dyn FnMut(&[&'a str]),
    ) {
        let mut keys = Vec::new();
        if let Some(names) = self.path(&mut keys) {
            if !bound.contains(&names[0]) {
                visit(&names);
            }
            keys.iter().for_each(|key| key.references(bound, visit));
            return;
        }
        match &self.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Variable(_) => {}
            Kind::Template(parts) => parts.iter().for_each(|part| part.references(bound, visit)),
            Kind::List(all) => all.iter().for_each(|one| one.references(bound, visit)),
            Kind::Call { arguments, .. } => {
                arguments
                    .iter()
                    .for_each(|one| one.references(bound, visit));
            }
            Kind::Object(members) => {
                for (key, one) in members {
                    key.references(bound, visit);
                    one.references(bound, visit);
                }
            }
            Kind::Choose(all) => all.iter().for_each(|one| one.references(bound, visit)),
            Kind::Binary(_, all) => all.iter().for_each(|one| one.references(bound, visit)),
            Kind::Attribute(of, _) | Kind::Not(of) | Kind::Minus(of) => of.references(bound, visit),
            Kind::Splat(of, steps) => {
                of.references(bound, visit);
                let mut keys = Vec::new();
                step_path(steps, &mut Vec::new(), &mut keys);
                keys.iter().for_each(|key| key.references(bound, visit));
            }
            Kind::Index(of, key) => {
                of.references(bound, visit);
                key.references(bound, visit);
            }
            Kind::For(one) => {
                one.of.references(bound, visit);
                let before = bound.len();
                bound.extend(one.key.as_deref());
                bound.push(&one.value);
                for inner in one.member.iter().chain([&one.body]).chain(&one.condition) {
                    inner.references(bound, visit);
                }
                bound.truncate(before);
            }
        }
    }

    /// All references of the expression.
    pub(crate) fn all_references(&self) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        self.references(&mut Vec::new(), &mut |names| {
            all.push(names.iter().map(|name| (*name).to_owned()).collect());
        });
        all
    }
}

fn step_path<'a>(steps: &'a [Step], names: &mut Vec<&'a str>, keys: &mut Vec<&'a Node>) {
    for step in steps {
        match step {
            Step::Attribute(name) => names.push(name),
            Step::Index(key) => keys.push(key),
            Step::Splat(steps) => step_path(steps, names, keys),
        }
    }
}

impl Part {
    fn references<'a>(&'a self, bound: &mut Vec<&'a str>, visit: &mut dyn FnMut(&[&'a str])) {
        match self {
            Self::Text(_) => {}
            Self::Value(node) => node.references(bound, visit),
            Self::If(condition, then, otherwise) => {
                condition.references(bound, visit);
                then.iter()
                    .chain(otherwise)
                    .for_each(|part| part.references(bound, visit));
            }
            Self::For {
                key,
                value,
                of,
                body,
            } => {
                of.references(bound, visit);
                let before = bound.len();
                bound.extend(key.as_deref());
                bound.push(value);
                body.iter().for_each(|part| part.references(bound, visit));
                bound.truncate(before);
            }
        }
    }
}
