//! Every function, operator and template beside Terraform's own answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use hcl_edit::expr::{
    BinaryOperator, Expression, ForExpr, ObjectKey, TraversalOperator, UnaryOperator,
};
use hcl_edit::template::{Directive, Element, Strip, Template};
use terrane_core::addr::InstanceAddr;
use terrane_core::value::{Number, Refinements};
use terrane_core::{
    Expr, FromValue, KnownValues, Location, Marked, NoConfig, Output, Path, Program, Reference,
    Resource, Scope, Stack, Value,
};

use super::{Dyn, call, call_expanded, choose, join_texts};
use crate::encoding::json;

/// The answers to functions that have a type of their own, too.
const TYPED: &str = include_str!("../answers.txt");
const ANSWERS: &str = include_str!("answers.txt");
/// What Terraform plans for expressions of unknown and sensitive names.
const PLANNED: &str = include_str!("planned.txt");

/// What the names of loops stand for.
#[derive(Clone, Default)]
struct Names(Vec<(String, Dyn)>);

impl Names {
    fn with(&self, loop_: &hcl_edit::expr::ForIntro, key: Dyn, value: Dyn) -> Self {
        let mut names = self.0.clone();
        names.extend(loop_.key_var.as_ref().map(|name| (name.to_string(), key)));
        names.push((loop_.value_var.to_string(), value));
        Self(names)
    }

    fn named(&self, name: &str) -> Dyn {
        let found = self.0.iter().rev().find(|(known, _)| known == name);
        found
            .expect("the table names only what a loop names")
            .1
            .clone()
    }

    fn dynamic(&self, expression: &'static Expression) -> Dyn {
        match expression {
            Expression::Null(_) => Dyn::NULL,
            Expression::Bool(value) => (*value.value()).into(),
            Expression::Number(number) => {
                // As it is written: the value of `hcl-edit` is a float.
                let written = number.as_repr().expect("it was read").to_string();
                let number: Number = written.parse().expect("a number");
                Dyn::from(&Value::from(number))
            }
            Expression::String(text) => text.value().as_str().into(),
            Expression::Array(elements) => Dyn::list(elements.iter().map(|it| self.dynamic(it))),
            Expression::Object(members) => {
                let pairs = members.iter().map(|(key, value)| {
                    let key = match key {
                        ObjectKey::Ident(name) => name.to_string().trim().into(),
                        ObjectKey::Expression(key) => self.dynamic(key),
                    };
                    (key, self.dynamic(value.expr()))
                });
                Dyn::object_of(pairs)
            }
            Expression::Parenthesis(inner) => self.dynamic(inner.inner()),
            Expression::Variable(name) => self.named(name),
            Expression::FuncCall(function) => {
                let name: &'static str = function.name.name.to_string().leak();
                let mut arguments: Vec<Dyn> =
                    function.args.iter().map(|it| self.dynamic(it)).collect();
                match function.args.expand_final() {
                    true => {
                        let rest = arguments.pop().expect("an argument is expanded");
                        call_expanded(name, arguments, &rest)
                    }
                    false => call(name, arguments),
                }
            }
            Expression::Conditional(all) => choose(
                self.dynamic(&all.cond_expr),
                || self.dynamic(&all.true_expr),
                || self.dynamic(&all.false_expr),
            ),
            Expression::UnaryOp(operation) => {
                let operand = self.dynamic(&operation.expr);
                match operation.operator.value() {
                    UnaryOperator::Neg => -operand,
                    UnaryOperator::Not => !operand,
                }
            }
            Expression::BinaryOp(operation) => {
                let a = self.dynamic(&operation.lhs_expr);
                let b = self.dynamic(&operation.rhs_expr);
                match operation.operator.value() {
                    BinaryOperator::Eq => a.equals(b),
                    BinaryOperator::NotEq => a.differs(b),
                    BinaryOperator::Less => a.less(b),
                    BinaryOperator::LessEq => a.at_most(b),
                    BinaryOperator::Greater => a.greater(b),
                    BinaryOperator::GreaterEq => a.at_least(b),
                    BinaryOperator::And => a.and(|| b),
                    BinaryOperator::Or => a.or(|| b),
                    BinaryOperator::Plus => a + b,
                    BinaryOperator::Minus => a - b,
                    BinaryOperator::Mul => a * b,
                    BinaryOperator::Div => a / b,
                    BinaryOperator::Mod => a % b,
                }
            }
            Expression::StringTemplate(template) => self.elements(template.iter()),
            Expression::Traversal(traversal) => {
                let steps: Vec<_> = traversal.operators.iter().map(|it| it.value()).collect();
                self.part(self.dynamic(&traversal.expr), &steps)
            }
            Expression::ForExpr(round) => self.round(round),
            other => panic!("the table has an expression that this test does not read: {other:?}"),
        }
    }

    fn part(&self, whole: Dyn, steps: &[&'static TraversalOperator]) -> Dyn {
        let names = self.clone();
        let Some((first, rest)) = steps.split_first() else {
            return whole;
        };
        match first {
            TraversalOperator::GetAttr(name) => self.part(whole.attr(name), rest),
            TraversalOperator::Index(key) => self.part(whole.index(self.dynamic(key)), rest),
            TraversalOperator::LegacyIndex(place) => {
                self.part(whole.index(Dyn::from(**place as i64)), rest)
            }
            TraversalOperator::FullSplat(_) => {
                let rest = rest.to_vec();
                whole.splat(move |one| names.part(one, &rest))
            }
            TraversalOperator::AttrSplat(_) => {
                let is_name =
                    |step: &&&TraversalOperator| matches!(step, TraversalOperator::GetAttr(_));
                let until = rest.iter().take_while(is_name).count();
                let (own, rest) = rest.split_at(until);
                let own = own.to_vec();
                self.part(whole.splat(move |one| names.part(one, &own)), rest)
            }
        }
    }

    fn round(&self, round: &'static ForExpr) -> Dyn {
        let (names, others) = (self.clone(), self.clone());
        let intro = &round.intro;
        let of = self.dynamic(&intro.collection_expr);
        let condition = move |key: Dyn, value: Dyn| match &round.cond {
            Some(condition) => others.with(intro, key, value).dynamic(&condition.expr),
            None => true.into(),
        };
        let Some(name) = &round.key_expr else {
            let body = move |key, value| names.with(intro, key, value).dynamic(&round.value_expr);
            return of.for_list_if(condition, body);
        };
        let pair = move |key: Dyn, value: Dyn| {
            let names = names.with(intro, key, value);
            (names.dynamic(name), names.dynamic(&round.value_expr))
        };
        match round.grouping {
            true => of.for_groups_if(condition, pair),
            false => of.for_object_if(condition, pair),
        }
    }

    fn elements(&self, elements: impl Iterator<Item = &'static Element>) -> Dyn {
        let elements: Vec<&'static Element> = elements.collect();
        // One value alone stays what it is.
        if let [Element::Interpolation(only)] = elements.as_slice() {
            return self.dynamic(&only.expr);
        }
        let strips = |place: usize, before: bool| {
            let strip = match elements.get(place) {
                Some(Element::Interpolation(it)) => it.strip,
                Some(Element::Directive(_)) | Some(Element::Literal(_)) | None => Strip::None,
            };
            match before {
                true => strip.strip_start(),
                false => strip.strip_end(),
            }
        };
        join_texts(
            elements
                .iter()
                .enumerate()
                .map(|(place, element)| match element {
                    Element::Literal(text) => {
                        let text = text.value().as_str();
                        let text = if strips(place + 1, true) {
                            text.trim_end()
                        } else {
                            text
                        };
                        let after = place
                            .checked_sub(1)
                            .is_some_and(|place| strips(place, false));
                        if after { text.trim_start() } else { text }.into()
                    }
                    Element::Interpolation(it) => self.dynamic(&it.expr),
                    Element::Directive(directive) => self.directive(directive),
                }),
        )
    }

    fn directive(&self, directive: &'static Directive) -> Dyn {
        let text = |names: &Self, template: &'static Template| names.elements(template.iter());
        match directive {
            Directive::If(it) => choose(
                self.dynamic(&it.if_expr.cond_expr),
                || text(self, &it.if_expr.template),
                || match &it.else_expr {
                    Some(otherwise) => text(self, &otherwise.template),
                    None => "".into(),
                },
            ),
            Directive::For(it) => {
                let of = self.dynamic(&it.for_expr.collection_expr);
                let outer = self.clone();
                let texts = of.for_list(move |key, value| {
                    let mut names = outer.0.clone();
                    let key_var = it.for_expr.key_var.as_ref();
                    names.extend(key_var.map(|name| (name.to_string(), key)));
                    names.push((it.for_expr.value_var.to_string(), value));
                    text(&Self(names), &it.for_expr.template)
                });
                call("join", ["".into(), texts])
            }
        }
    }
}

#[test]
fn every_expression_answers_as_terraform_does() {
    let lines = TYPED.lines().chain(ANSWERS.lines());
    let mut lines = lines.filter(|line| !line.starts_with('#'));
    let (mut wrong, mut asked) = (Vec::new(), BTreeSet::new());
    while let (Some(expression), Some(answer)) = (lines.next(), lines.next()) {
        // Loops keep their bodies as long as they may have to run.
        let parsed: &'static Expression = match expression.parse::<Expression>() {
            Ok(parsed) => Box::leak(parsed.into()),
            Err(error) => panic!("{expression} is no expression: {error}"),
        };
        if let Expression::FuncCall(function) = parsed {
            asked.insert(function.name.name.to_string());
        }
        let answered = match Names::default().dynamic(parsed).known() {
            Ok(value) => json("jsonencode", &value).expect("it is JSON"),
            Err(_) => "error".to_owned(),
        };
        let answer = answer.trim_start().replace("an error", "error");
        if answered != answer {
            wrong.push(format!("{expression}\n  {answer}\n  not {answered}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let unasked = super::calls::KNOWN
        .iter()
        .filter(|name| !asked.contains(**name));
    // What files hold is asked of the functions of texts; the others say how a value is shown, which JSON does not.
    let (of_files, others): (Vec<&str>, Vec<&str>) = unasked.partition(|it| it.starts_with("file"));
    assert_eq!(of_files.len(), 10, "{of_files:?}");
    assert_eq!(
        others,
        ["ephemeralasnull", "issensitive", "sensitive", "type"]
    );
}

/// The objects that the names of planned expressions are attributes of.
struct Plan;

impl Scope for Plan {
    fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
        let never_null = Refinements {
            null: Some(false),
            ..Refinements::default()
        };
        let secrets = [
            ("a", Value::from("x")),
            ("b", Value::list(vec!["y".into()])),
        ];
        let value = Value::map([
            ("u", Value::Unknown(Some(Arc::new(never_null)))),
            ("r", Value::UNKNOWN),
            ("n", Value::UNKNOWN),
            ("l", Value::UNKNOWN),
            ("a", Value::UNKNOWN),
            ("s", Value::from("sec")),
            ("so", Value::map(secrets)),
        ]);
        let sensitive = ["s", "so"].map(|name| Path::root().attribute(name));
        Some(Arc::new(Marked {
            value,
            sensitive: sensitive.into(),
        }))
    }
}

/// The names of planned expressions, as what a program has before its plan, and as what it has when the engine has told it what is planned.
fn planned_names(planned: Option<&Arc<Marked>>) -> Names {
    fn attribute<T: FromValue>(name: &str, planned: Option<&Arc<Marked>>) -> (String, Dyn) {
        let address: InstanceAddr = "t_x.a".parse().expect("an address");
        let reference = Reference {
            address: Arc::new(address),
            path: Path::root().attribute(name),
            location: Location::caller(),
            planned: planned.cloned(),
        };
        let output = Output::<T>::new(Expr::Reference(Arc::new(reference)));
        (name.to_owned(), output.into())
    }
    let texts = ["u", "r", "s"].map(|name| attribute::<String>(name, planned));
    let others = [
        attribute::<Number>("n", planned),
        attribute::<Vec<String>>("l", planned),
        attribute::<Value>("a", planned),
        attribute::<Value>("so", planned),
    ];
    Names(texts.into_iter().chain(others).collect())
}

/// A value with what is unknown and sensitive in it.
fn shown(value: &Value, here: &Path, sensitive: &BTreeSet<Path>) -> String {
    if sensitive.contains(here) {
        let inner = sensitive.iter().filter(|path| *path != here).cloned();
        return format!("sensitive({})", shown(value, here, &inner.collect()));
    }
    match value {
        Value::Unknown(_) => "unknown".to_owned(),
        Value::List(elements) | Value::Set(elements) => {
            let elements = elements.iter().enumerate();
            let elements = elements
                .map(|(place, one)| shown(one, &here.clone().index(place), sensitive))
                .collect::<Vec<_>>();
            format!("[{}]", elements.join(","))
        }
        Value::Map(members) => {
            let members = members.iter().map(|(name, one)| {
                let one = shown(one, &here.clone().attribute(name.clone()), sensitive);
                format!("{name:?}:{one}")
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        single => json("jsonencode", single).expect("it is JSON"),
    }
}

#[test]
fn every_expression_is_as_unknown_and_sensitive_as_in_a_plan_of_terraform() {
    are_as_planned(&planned_names(None));
    let planned = Plan.object(&"t_x.a".parse().expect("an address"));
    are_as_planned(&planned_names(planned.as_ref()));
}

fn are_as_planned(names: &Names) {
    let mut lines = PLANNED.lines().filter(|line| !line.starts_with('#'));
    let mut wrong = Vec::new();
    while let (Some(expression), Some(answer)) = (lines.next(), lines.next()) {
        let parsed: &'static Expression = match expression.parse::<Expression>() {
            Ok(parsed) => Box::leak(parsed.into()),
            Err(error) => panic!("{expression} is no expression: {error}"),
        };
        let answered = match names.dynamic(parsed).expr().evaluate(&Plan) {
            Ok(marked) => shown(&marked.value, &Path::root(), &marked.sensitive),
            Err(error) => error.to_string(),
        };
        let answer = answer.trim_start();
        if answered != answer {
            wrong.push(format!("{expression}\n  {answer}\n  not {answered}"));
        }
        // What a type decides is known to the program itself, which counts and loops with it.
        let is_by_type = (expression.starts_with("try(") || expression.starts_with("can("))
            && !["unknown", "sensitive", "true"]
                .iter()
                .any(|it| answer.contains(it));
        let early = names.dynamic(parsed).known();
        if is_by_type && early.is_err() {
            wrong.push(format!(
                "{expression}\n  {answer}\n  not known to the program"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_is_planned_decides_and_stays_what_the_engine_evaluates() {
    let declare = |stack: &mut Stack| -> terrane_core::Result<()> {
        let all = Resource::dynamic_data("t_names", "all").declare(stack);
        let names = Dyn::resource(&all).attr("names");
        for (name, _) in call("toset", [names.clone()]).instances()? {
            let one = Resource::dynamic("t_x", name);
            one.set("count", call("length", [names.clone()]))
                .declare(stack);
        }
        Ok(())
    };
    let first = Program::from_fn(declare, NoConfig).expect("a program");
    let unfinished = first.unfinished().expect("nobody knows the names");
    let object = Value::map([("names", Value::list(vec!["b".into(), "a".into()]))]);
    let mut known = KnownValues::default();
    known.add_attribute(&unfinished.needs[0].1, &Marked::plain(object));
    let program = Program::with_values(declare, NoConfig, known).expect("a program");
    let declared = program.resources().iter();
    let declared: Vec<String> = declared.map(|it| it.address.to_string()).collect();
    assert_eq!(declared, ["data.t_names.all", "t_x.a", "t_x.b"]);
    // It depends on what it was made of, for a later run.
    let last = program.resources().iter().last().expect("three");
    assert_eq!(last.dependencies.len(), 1);
}

#[test]
fn a_value_that_no_plan_knows_is_named() {
    let declare = |stack: &mut Stack| -> terrane_core::Result<()> {
        let one = Resource::dynamic("t_x", "one").declare(stack);
        let id = Dyn::resource(&one).attr("id");
        let is_set = id.differs("").holds();
        assert_eq!(
            is_set.expect_err("nobody knows it").to_string(),
            "`expression` must be known when the plan is made"
        );
        id.count()?;
        Ok(())
    };
    let program = Program::from_fn(declare, NoConfig).expect("a program");
    let refusal = program
        .unfinished()
        .expect("it is not known")
        .refusal
        .to_string();
    assert!(
        refusal
            .contains("must be known when the plan is made: t_x.one.id is known only after apply"),
        "{refusal}"
    );
}
