//! Reads HCL's native syntax.

use std::ops::Range;

use hcl_edit::expr::{Expression, ForExpr, ObjectKey, TraversalOperator, UnaryOperator};
use hcl_edit::structure::Body as HclBody;
use hcl_edit::template::{Directive, Element};
use hcl_edit::{Decorate, RawString, Span};

use crate::ast::{Attribute, Block, Body, For, Kind, Node, Operator, Part, Place, Step};
use crate::literals::{Written, literals};
use crate::newlines::{Newlines, readable};
use crate::repeated::body_of;

/// What is wrong with a text, and where: line and column.
pub(crate) struct Unreadable {
    pub(crate) line: usize,
    pub(crate) reason: String,
}

impl Unreadable {
    fn of(error: &hcl_edit::parser::Error) -> Self {
        Self {
            line: error.location().line(),
            reason: format!("{}: `{}`", error.message(), error.line().trim()),
        }
    }

    fn deep(text: &str, at: usize) -> Self {
        Self {
            line: text.as_bytes()[..at]
                .iter()
                .filter(|it| **it == b'\n')
                .count()
                + 1,
            reason: "too many brackets are inside of each other".to_owned(),
        }
    }
}

/// The text as the parser can read it.
fn readable_by(text: &str, newlines: Newlines) -> Result<String, Unreadable> {
    readable(text, newlines).map_err(|at| Unreadable::deep(text, at))
}

/// The body of a file.
pub(crate) fn body(file: usize, text: &str) -> Result<Body, Unreadable> {
    // The places stay the same.
    let kept = readable_by(text, Newlines::Kept)?;
    let body = body_of(&kept).or_else(|error| {
        let joined = readable_by(text, Newlines::Joined)?;
        body_of(&joined).map_err(|_| Unreadable::of(&error))
    })?;
    Ok(Reader { file, text }.body(&body))
}

/// An expression on its own.
pub(crate) fn expression(place: Place, text: &str) -> Result<Node, Unreadable> {
    readable_by(text, Newlines::Kept)?;
    let expression = hcl_edit::parser::parse_expr(text).map_err(|error| Unreadable::of(&error))?;
    let file = place.file;
    Ok(placed(Reader { file, text }.node(&expression), place))
}

/// A template on its own: the strings of JSON, and template files.
pub(crate) fn template(place: Place, text: &str) -> Result<Node, Unreadable> {
    readable_by(text, Newlines::Kept)?;
    let template =
        hcl_edit::parser::parse_template(text).map_err(|error| Unreadable::of(&error))?;
    let file = place.file;
    let kind = Reader { file, text }.template(template.iter(), Written::Lines);
    Ok(placed(Node::new(kind, place), place))
}

/// The same node with that place: its own is one in another text.
fn placed(node: Node, place: Place) -> Node {
    Node { place, ..node }
}

struct Reader<'a> {
    file: usize,
    text: &'a str,
}

fn comments(decor: &RawString) -> Vec<String> {
    let mut all = Vec::new();
    let mut in_block = false;
    for line in decor.lines().map(str::trim) {
        if in_block {
            let (text, ends) = match line.split_once("*/") {
                Some((text, _)) => (text, true),
                None => (line, false),
            };
            let text = text.trim_start_matches('*').trim();
            if !text.is_empty() {
                all.push(text.to_owned());
            }
            in_block = !ends;
        } else if let Some(rest) = line.strip_prefix("/*") {
            let (text, ends) = match rest.split_once("*/") {
                Some((text, _)) => (text, true),
                None => (rest, false),
            };
            let text = text.trim_start_matches('*').trim();
            if !text.is_empty() {
                all.push(text.to_owned());
            }
            in_block = !ends;
        } else if let Some(text) = line.strip_prefix("//").or_else(|| line.strip_prefix('#')) {
            all.push(text.trim_start_matches('#').trim().to_owned());
        }
    }
    // Rulers say nothing.
    all.retain(|line| !line.is_empty() && line.chars().any(char::is_alphanumeric));
    all
}

fn of_decor(decor: &hcl_edit::Decor) -> Vec<String> {
    let sides = [decor.prefix(), decor.suffix()];
    sides.into_iter().flatten().flat_map(comments).collect()
}

impl Reader<'_> {
    fn place(&self, span: Option<Range<usize>>) -> Place {
        let span = span.unwrap_or_default();
        Place {
            file: self.file,
            start: span.start,
            end: span.end,
        }
    }

    fn body(&self, body: &HclBody) -> Body {
        let mut all = Body::default();
        for structure in body.iter() {
            if let Some(attribute) = structure.as_attribute() {
                let mut said = of_decor(attribute.decor());
                said.extend(of_decor(attribute.value.decor()));
                all.attributes.push(Attribute {
                    name: attribute.key.to_string(),
                    value: self.node(&attribute.value),
                    comments: said,
                    place: self.place(attribute.span()),
                });
            } else if let Some(block) = structure.as_block() {
                all.blocks.push(Block {
                    kind: block.ident.to_string(),
                    labels: block
                        .labels
                        .iter()
                        .map(|it| it.as_str().to_owned())
                        .collect(),
                    body: self.body(&block.body),
                    comments: of_decor(block.decor()),
                    place: self.place(block.span()),
                });
            }
        }
        all
    }

    fn node(&self, expression: &Expression) -> Node {
        let place = self.place(expression.span());
        Node::new(self.kind(expression), place)
    }

    fn boxed(&self, expression: &Expression) -> Box<Node> {
        Box::new(self.node(expression))
    }

    fn kind(&self, expression: &Expression) -> Kind {
        match expression {
            Expression::Null(_) => Kind::Null,
            Expression::Bool(value) => Kind::Bool(*value.value()),
            Expression::Number(number) => Kind::Number(match number.as_repr() {
                Some(written) => written.to_string(),
                None => number.value().to_string(),
            }),
            Expression::String(text) => Kind::Text(text.value().clone()),
            Expression::Array(all) => Kind::List(all.iter().map(|one| self.node(one)).collect()),
            Expression::Object(members) => {
                let mut all: Vec<(Node, Node)> = Vec::new();
                for (key, value) in members {
                    let value = self.node(value.expr());
                    let key = self.key(key, value.place);
                    // HCL takes the last of those that are the same.
                    if let Some(text) = key.text() {
                        all.retain(|(other, _)| other.text() != Some(text));
                    }
                    all.push((key, value));
                }
                Kind::Object(all)
            }
            Expression::StringTemplate(template) => self.template(template.iter(), Written::Quoted),
            Expression::HeredocTemplate(heredoc) => {
                let start = expression.span().map_or(0, |it| it.start);
                let written = match start.checked_sub(1).and_then(|it| self.text.get(it..)) {
                    Some(rest) if rest.starts_with("<<-") => Written::Indented,
                    _ => Written::Lines,
                };
                self.template(heredoc.template.iter(), written)
            }
            Expression::Parenthesis(inner) => self.kind(inner.inner()),
            Expression::Variable(name) => Kind::Variable(name.to_string()),
            Expression::Conditional(it) => Kind::Choose(Box::new([
                self.node(&it.cond_expr),
                self.node(&it.true_expr),
                self.node(&it.false_expr),
            ])),
            Expression::FuncCall(call) => {
                let mut name: String = call
                    .name
                    .namespace
                    .iter()
                    .map(|it| format!("{}::", it.as_str()))
                    .collect();
                name.push_str(call.name.name.as_str());
                Kind::Call {
                    name,
                    arguments: call.args.iter().map(|one| self.node(one)).collect(),
                    expands: call.args.expand_final(),
                }
            }
            Expression::Traversal(traversal) => {
                let operators: Vec<&TraversalOperator> =
                    traversal.operators.iter().map(|it| it.value()).collect();
                self.traversal(self.node(&traversal.expr), &operators).kind
            }
            Expression::UnaryOp(it) => match it.operator.value() {
                UnaryOperator::Not => Kind::Not(self.boxed(&it.expr)),
                UnaryOperator::Neg => match self.node(&it.expr).kind {
                    Kind::Number(number) if !number.starts_with('-') => {
                        Kind::Number(format!("-{number}"))
                    }
                    other => Kind::Minus(Box::new(Node::new(other, self.place(it.expr.span())))),
                },
            },
            Expression::BinaryOp(it) => {
                let operator = operator(*it.operator.value());
                Kind::Binary(
                    operator,
                    Box::new([self.node(&it.lhs_expr), self.node(&it.rhs_expr)]),
                )
            }
            Expression::ForExpr(it) => Kind::For(Box::new(self.for_expression(it))),
        }
    }

    /// The key of a member; a name or a text is the one that was written, for the parser may know it by another.
    fn key(&self, key: &ObjectKey, place: Place) -> Node {
        let written = |span: Option<Range<usize>>| span.and_then(|span| self.text.get(span));
        match key {
            ObjectKey::Ident(name) => {
                let name = written(name.span()).map_or_else(|| name.to_string(), str::to_owned);
                Node::new(Kind::Text(name), place)
            }
            // Parentheses tell a reference from a name.
            ObjectKey::Expression(key) => match (key.as_variable(), key) {
                (Some(name), _) => Node::new(Kind::Text(name.to_string()), place),
                (None, Expression::String(text)) => {
                    let quoted = written(text.span())
                        .and_then(|it| it.strip_prefix('"')?.strip_suffix('"'))
                        .filter(|it| !it.contains(['\\', '$', '%']));
                    let text = quoted.unwrap_or(text.value());
                    Node::new(Kind::Text(text.to_owned()), self.place(key.span()))
                }
                (None, key) => self.node(key),
            },
        }
    }

    fn for_expression(&self, it: &ForExpr) -> For {
        For {
            key: it.intro.key_var.as_ref().map(|name| name.to_string()),
            value: it.intro.value_var.to_string(),
            of: self.node(&it.intro.collection_expr),
            member: it.key_expr.as_ref().map(|one| self.node(one)),
            body: self.node(&it.value_expr),
            condition: it.cond.as_ref().map(|one| self.node(&one.expr)),
            groups: it.grouping,
        }
    }

    fn traversal(&self, start: Node, operators: &[&TraversalOperator]) -> Node {
        let mut node = start;
        let mut rest = operators;
        while let Some((first, after)) = rest.split_first() {
            let place = node.place;
            rest = after;
            let of = Box::new(node);
            let kind = match first {
                TraversalOperator::GetAttr(name) => Kind::Attribute(of, name.to_string()),
                TraversalOperator::Index(key) => Kind::Index(of, self.boxed(key)),
                TraversalOperator::LegacyIndex(place_of) => {
                    let number = Kind::Number(place_of.value().to_string());
                    Kind::Index(of, Box::new(Node::new(number, place)))
                }
                TraversalOperator::AttrSplat(_) => {
                    let attributes = rest
                        .iter()
                        .take_while(|it| matches!(it, TraversalOperator::GetAttr(_)))
                        .count();
                    let (own, others) = rest.split_at(attributes);
                    rest = others;
                    Kind::Splat(of, self.steps(own))
                }
                TraversalOperator::FullSplat(_) => {
                    let own = std::mem::take(&mut rest);
                    Kind::Splat(of, self.steps(own))
                }
            };
            node = Node::new(kind, place);
        }
        node
    }

    fn steps(&self, operators: &[&TraversalOperator]) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut rest = operators;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            steps.push(match first {
                TraversalOperator::GetAttr(name) => Step::Attribute(name.to_string()),
                TraversalOperator::Index(key) => Step::Index(self.node(key)),
                TraversalOperator::LegacyIndex(place) => Step::Index(Node::new(
                    Kind::Number(place.value().to_string()),
                    self.place(None),
                )),
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                    Step::Splat(self.steps(std::mem::take(&mut rest)))
                }
            });
        }
        steps
    }

    fn template<'a>(&self, elements: impl Iterator<Item = &'a Element>, written: Written) -> Kind {
        let elements: Vec<&Element> = elements.collect();
        let mut texts = literals(&elements, written).into_iter();
        let mut parts = self.parts(elements.into_iter(), &mut texts);
        // A template that is one interpolation is its value, of whatever type.
        if let [Part::Value(_)] = parts.as_slice()
            && let Some(Part::Value(node)) = parts.pop()
        {
            return node.kind;
        }
        match parts.as_slice() {
            [] => Kind::Text(String::new()),
            [Part::Text(text)] => Kind::Text(text.clone()),
            _ => Kind::Template(parts),
        }
    }

    /// The parts, with what their literals keep.
    fn parts<'a>(
        &self,
        elements: impl Iterator<Item = &'a Element>,
        texts: &mut dyn Iterator<Item = String>,
    ) -> Vec<Part> {
        let mut parts = Vec::new();
        for element in elements {
            match element {
                Element::Literal(_) => match texts.next() {
                    Some(text) if !text.is_empty() => parts.push(Part::Text(text)),
                    _ => {}
                },
                Element::Interpolation(it) => parts.push(Part::Value(self.node(&it.expr))),
                Element::Directive(it) => parts.push(match &**it {
                    Directive::If(it) => {
                        let condition = self.node(&it.if_expr.cond_expr);
                        let then = self.parts(it.if_expr.template.iter(), texts);
                        let otherwise = match &it.else_expr {
                            Some(other) => self.parts(other.template.iter(), texts),
                            None => Vec::new(),
                        };
                        Part::If(condition, then, otherwise)
                    }
                    Directive::For(it) => Part::For {
                        key: it.for_expr.key_var.as_ref().map(|name| name.to_string()),
                        value: it.for_expr.value_var.to_string(),
                        of: self.node(&it.for_expr.collection_expr),
                        body: self.parts(it.for_expr.template.iter(), texts),
                    },
                }),
            }
        }
        parts
    }
}

fn operator(operator: hcl_edit::expr::BinaryOperator) -> Operator {
    use hcl_edit::expr::BinaryOperator as Hcl;
    match operator {
        Hcl::Eq => Operator::Equal,
        Hcl::NotEq => Operator::NotEqual,
        Hcl::LessEq => Operator::LessOrEqual,
        Hcl::GreaterEq => Operator::GreaterOrEqual,
        Hcl::Less => Operator::Less,
        Hcl::Greater => Operator::Greater,
        Hcl::Plus => Operator::Plus,
        Hcl::Minus => Operator::Minus,
        Hcl::Mul => Operator::Times,
        Hcl::Div => Operator::Over,
        Hcl::Mod => Operator::Modulo,
        Hcl::And => Operator::And,
        Hcl::Or => Operator::Or,
    }
}
