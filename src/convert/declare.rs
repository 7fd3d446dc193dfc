//! What a module declares: resources and data sources with their meta-arguments, calls of modules.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::ast::{Block, Body, Kind, Node};
use crate::blocks::{HERE, comment_lines};
use crate::calls::resources_of;
use crate::model::{Call, Mode, Resource};
use crate::order::{key_of, keys_in};
use crate::scope::{Scope, string};
use crate::sources::ConvertError;
use crate::ty::{Code, Form, Ty};

/// The arguments of a resource that are not its type's.
const META: [&str; 8] = [
    "count",
    "for_each",
    "provider",
    "depends_on",
    "lifecycle",
    "provisioner",
    "connection",
    "dynamic_",
];

/// How many instances something has.
pub(crate) enum Instances<'a> {
    One,
    /// `count`.
    Count(&'a Node),
    /// `for_each`.
    Each(&'a Node),
}

pub(crate) fn instances(body: &Body) -> Instances<'_> {
    match (body.value("count"), body.value("for_each")) {
        (Some(count), _) => Instances::Count(count),
        (None, Some(each)) => Instances::Each(each),
        (None, None) => Instances::One,
    }
}

impl Scope<'_> {
    /// Takes note of the variable that holds what a block declares.
    pub(crate) fn remember(&mut self, address: String, variable: String, ty: Ty, body: &Body) {
        if let Instances::Count(count) = instances(body)
            && let Kind::Number(number) = &count.kind
            && let Ok(length) = number.parse()
        {
            self.lengths.insert(variable.clone(), length);
        }
        self.known.insert(address, Code::place(variable, ty));
    }

    /// The declaration of a resource; `variable` holds its handle, if anything refers to it.
    pub(crate) fn resource(
        &self,
        resource: &Resource,
        bound: usize,
        variable: Option<&str>,
        local: &str,
    ) -> String {
        let body = &resource.block.body;
        let comments = comment_lines(&resource.block.comments);
        let ty = &self.bindings.types[bound];
        let one = |key: Option<&str>| -> (String, String) {
            let mut before = String::new();
            for kind in ["provisioner", "connection"] {
                for block in body.blocks_of(kind) {
                    let reason = format!(
                        "a `{kind}` cannot be carried: let the machine do it when it starts, or an action of a provider"
                    );
                    let _ = writeln!(before, "{};", self.untranslated(block.place, &reason));
                }
            }
            before.push_str(&self.conditions(body));
            let mut meta = String::new();
            if let Some(key) = key {
                let _ = write!(meta, "\n.instance_key({key})");
            }
            let mut statements = Vec::new();
            self.dependencies(resource, &mut meta, &mut statements);
            if let Some(handle) = self.provider_of(body, local) {
                let _ = write!(meta, "\n.provider({handle})");
            }
            if resource.mode == Mode::Managed {
                let lifecycle = self.lifecycle(body);
                if !lifecycle.is_empty() {
                    let _ = write!(meta, "\n.lifecycle(Lifecycle::new(){lifecycle})");
                }
            }
            let name = string(&resource.name);
            let typed = ty.names.as_ref().and_then(|names| {
                let path = |object: usize| ty.object(object);
                let problems = self.problems.borrow().len();
                let chain = self.typed_chain(&names.objects, 0, &path, body, &META);
                if chain.is_err() {
                    self.problems.borrow_mut().truncate(problems);
                }
                chain.ok()
            });
            let declared = match typed {
                Some(chain) => {
                    let start = format!("{}::builder({name})", ty.handle());
                    statements.splice(0..0, chain.statements.iter().cloned());
                    let calls = format!("{meta}{}", chain.calls);
                    self.declared(&start, &calls, &statements, variable, &mut before)
                }
                None => {
                    let start = match (&ty.names, resource.mode) {
                        (Some(_), Mode::Ephemeral) => {
                            let reason = "an ephemeral resource needs typed arguments";
                            let stop = self.untranslated(resource.block.place, reason);
                            let _ = writeln!(before, "{stop};");
                            return (before, "()".to_owned());
                        }
                        (Some(_), _) => {
                            format!("Declaration::new({}::binding(), {name})", ty.handle())
                        }
                        (None, Mode::Data) => {
                            format!(
                                "Resource::dynamic_data({}, {name})",
                                string(&resource.type_name)
                            )
                        }
                        (None, _) => {
                            format!("Resource::dynamic({}, {name})", string(&resource.type_name))
                        }
                    };
                    let objects = ty.names.as_ref().map(|names| (&*names.objects, 0));
                    let chain = self.untyped_chain(objects, body, &META);
                    statements.splice(0..0, chain.statements.iter().cloned());
                    let calls = format!("{meta}{}", chain.calls);
                    let declared =
                        self.declared(&start, &calls, &statements, variable, &mut before);
                    match (&ty.names, variable) {
                        (Some(_), Some(_)) => format!("{}::from_resource({declared})", ty.handle()),
                        _ => declared,
                    }
                }
            };
            (before, declared)
        };
        self.instantiated(body, variable, &comments, &one)
    }

    /// The expression that declares, after the statements that make its builder.
    fn declared(
        &self,
        start: &str,
        calls: &str,
        statements: &[String],
        variable: Option<&str>,
        before: &mut String,
    ) -> String {
        if statements.is_empty() {
            return format!("{start}{calls}\n.declare(stack)");
        }
        let name = variable.map_or_else(
            || self.fresh("declaration"),
            |it| format!("{}_declaration", it.trim_start_matches("r#")),
        );
        let _ = writeln!(before, "let mut {name} = {start}{calls};");
        for statement in statements {
            before.push_str(&statement.replace(HERE, &name));
            before.push('\n');
        }
        format!("{name}.declare(stack)")
    }

    /// One declaration, or a loop of them.
    fn instantiated(
        &self,
        body: &Body,
        variable: Option<&str>,
        comments: &str,
        one: &dyn Fn(Option<&str>) -> (String, String),
    ) -> String {
        match instances(body) {
            Instances::One => {
                let (before, declared) = one(None);
                match variable {
                    Some(name) => format!("{comments}{before}let {name} = {declared};\n"),
                    None => format!("{comments}{before}{declared};\n"),
                }
            }
            Instances::Count(count) => {
                let (open, add) = match variable {
                    Some(name) => (format!("let mut {name} = Vec::new();\n"), Some(name)),
                    None => (String::new(), None),
                };
                let added = |declared: &str| match add {
                    Some(name) => format!("{name}.push({declared});"),
                    None => format!("{declared};"),
                };
                // `condition ? 1 : 0` is an `if`.
                if let Kind::Choose(all) = &count.kind
                    && let (Kind::Number(then), Kind::Number(otherwise)) =
                        (&all[1].kind, &all[2].kind)
                    && matches!((&**then, &**otherwise), ("1", "0") | ("0", "1"))
                {
                    let condition = match self.typed(&all[0]).filter(|it| it.ty == Ty::Bool) {
                        Some(code) if then == "1" => code.text,
                        Some(code) if code.atom => format!("!{}", code.text),
                        Some(code) => format!("!({})", code.text),
                        None => {
                            let not = if then == "1" { "" } else { "!" };
                            format!("{not}{}.holds()?", self.held(&all[0]))
                        }
                    };
                    let index = Code::literal("0", Ty::Int);
                    let (before, declared) = self
                        .binding(vec![("count.index".to_owned(), index)], || {
                            one(Some("0_u32"))
                        });
                    return format!(
                        "{comments}{open}if {condition} {{ {before}{} }}\n",
                        added(&declared)
                    );
                }
                let times = match self.typed(count) {
                    Some(code) if code.ty == Ty::Int && code.form == Form::Literal => {
                        format!("{}_usize", code.text)
                    }
                    Some(code) if code.ty == Ty::Size => code.text,
                    Some(code) if code.ty == Ty::Int => {
                        format!("usize::try_from({})?", code.borrowed())
                    }
                    _ => format!("{}.count()?", self.held(count)),
                };
                let index = self.fresh("index");
                let bound = vec![("count.index".to_owned(), Code::owned(&index, Ty::Size))];
                let (before, declared) = self.binding(bound, || one(Some(&index)));
                format!(
                    "{comments}{open}for {index} in 0..{times} {{ {before}{} }}\n",
                    added(&declared)
                )
            }
            Instances::Each(each) => {
                let open = variable.map(|name| format!("let mut {name} = BTreeMap::new();\n"));
                let (key_name, value_name) = (self.fresh("key"), self.fresh("value"));
                let (over, pair, key, value) = self.each(each, &key_name, &value_name);
                let key_argument = match key.form {
                    Form::Place => format!("&{key_name}"),
                    _ => key_name.clone(),
                };
                let kept = match key.form {
                    Form::Literal => format!("{key_name}.to_owned()"),
                    Form::Place => key_name.clone(),
                    _ => format!("{key_name}.clone()"),
                };
                let bound = vec![
                    ("each.key".to_owned(), key),
                    ("each.value".to_owned(), value),
                ];
                let (before, declared) = self.binding(bound, || one(Some(&key_argument)));
                let text = match variable {
                    Some(name) => format!(
                        "{before}let instance = {declared};\n{name}.insert({kept}, instance);"
                    ),
                    None => format!("{before}{declared};"),
                };
                let pattern = match pair {
                    true if crate::expr::mentions(&text, &value_name) => {
                        format!("({key_name}, {value_name})")
                    }
                    true => format!("({key_name}, _)"),
                    false => key_name.clone(),
                };
                // Keys alone, where the values are not used.
                let head = match (pair, pattern.ends_with("_)"), over.strip_prefix('&')) {
                    (true, true, Some(place)) => format!("for {key_name} in {place}.keys()"),
                    _ => format!("for {pattern} in {over}"),
                };
                format!(
                    "{comments}{}{head} {{ {text} }}\n",
                    open.unwrap_or_default()
                )
            }
        }
    }

    /// The expression as something to ask for a known value.
    fn held(&self, node: &Node) -> String {
        if let Some(code) = self.typed(node)
            && code.ty == Ty::Dyn
        {
            return code.atomic();
        }
        self.operand(node)
    }

    /// What `for_each` goes over, whether it gives pairs, and the codes of key and value.
    fn each(&self, each: &Node, key: &str, value: &str) -> (String, bool, Code, Code) {
        if let Some(code) = self.typed(each) {
            let over = match code.form {
                Form::Place => format!("&{}", code.text),
                _ => code.text.clone(),
            };
            match (&code.ty, code.form) {
                (Ty::Set(of), Form::Place) if **of == Ty::Text => {
                    let one = Code::reference(key, Ty::Text);
                    return (over, false, one.clone(), one);
                }
                (Ty::Set(of), Form::Literal) if **of == Ty::Text => {
                    let one = Code::literal(key, Ty::Text);
                    return (over, false, one.clone(), one);
                }
                (Ty::Set(of), Form::Owned) if **of == Ty::Text && !code.is_bracketed() => {
                    let one = Code::place(key, Ty::Text);
                    return (over, false, one.clone(), one);
                }
                (Ty::Map(of), Form::Place) => {
                    return (
                        over,
                        true,
                        Code::reference(key, Ty::Text),
                        Code::reference(value, (**of).clone()),
                    );
                }
                (Ty::Map(of), Form::Literal) => {
                    let value = match **of {
                        Ty::Text => Code::literal(value, Ty::Text),
                        _ => Code::place(value, (**of).clone()),
                    };
                    return (over, true, Code::literal(key, Ty::Text), value);
                }
                (Ty::Map(of), Form::Owned) if code.is_bracketed() => {
                    return (
                        over,
                        true,
                        Code::literal(key, Ty::Text),
                        Code::place(value, (**of).clone()),
                    );
                }
                (Ty::Map(of), Form::Owned) => {
                    return (
                        over,
                        true,
                        Code::place(key, Ty::Text),
                        Code::place(value, (**of).clone()),
                    );
                }
                (Ty::HandleMap(of), _) => {
                    return (
                        over,
                        true,
                        Code::reference(key, Ty::Text),
                        Code::reference(value, Ty::Handle(*of)),
                    );
                }
                _ => {}
            }
        }
        let over = format!("{}.instances()?", self.held(each));
        (
            over,
            true,
            Code::place(key, Ty::Text),
            Code::place(value, Ty::Dyn),
        )
    }

    /// Preconditions, before what they guard.
    fn conditions(&self, body: &Body) -> String {
        let mut text = String::new();
        for lifecycle in body.blocks_of("lifecycle") {
            for block in &lifecycle.body.blocks {
                if matches!(&*block.kind, "precondition" | "postcondition") {
                    text.push_str(&self.condition(block));
                }
            }
        }
        text
    }

    /// One condition, as a check that the program makes.
    pub(crate) fn condition(&self, block: &Block) -> String {
        let (Some(condition), Some(message)) = (
            block.body.value("condition"),
            block.body.value("error_message"),
        ) else {
            return format!(
                "{};\n",
                self.untranslated(
                    block.place,
                    "a condition needs `condition` and `error_message`"
                )
            );
        };
        let comments = comment_lines(&block.comments);
        let waits = condition.all_references().into_iter().find(|names| {
            let first = names[0].as_str();
            let is_local = matches!(
                first,
                "var" | "local" | "each" | "count" | "path" | "terraform"
            );
            let known = self
                .known
                .get(&names.iter().take(2).cloned().collect::<Vec<_>>().join("."));
            !is_local || known.is_some_and(|code| matches!(code.ty, Ty::Output(_)))
        });
        if let Some(names) = waits {
            let reason = format!(
                "the condition looks at `{}`, which a program does not know: make it a policy of the stack",
                names.join(".")
            );
            return format!("{};\n", self.untranslated(block.place, &reason));
        }
        let said = match self.typed(message) {
            Some(code) if code.ty == Ty::Text => code.borrowed(),
            _ => format!("{}.text()?", self.held(message)),
        };
        let said = said
            .strip_prefix('&')
            .map(|it| format!("{it}.clone()"))
            .unwrap_or(said);
        let broken = match self.typed(condition).filter(|it| it.ty == Ty::Bool) {
            Some(code) if code.text.starts_with('!') && !code.text.contains(['&', '|', '=']) => {
                code.text[1..].to_owned()
            }
            Some(code) if code.atom => format!("!{}", code.text),
            Some(code) => format!("!({})", code.text),
            None => format!("!{}.holds()?", self.held(condition)),
        };
        format!("{comments}if {broken} {{ return Err(Error::message({said})); }}\n")
    }

    /// Orders that no argument shows.
    fn dependencies(&self, resource: &Resource, meta: &mut String, statements: &mut Vec<String>) {
        let body = &resource.block.body;
        let all: &[Node] = match body.value("depends_on").map(|it| &it.kind) {
            Some(Kind::List(all)) => all,
            _ => &[],
        };
        let mut named = BTreeSet::new();
        for one in all {
            let names = one.all_references();
            let key = names.first().and_then(|names| key_of(names));
            let known = key.as_ref().and_then(|key| self.known.get(key));
            named.extend(key.clone());
            match known {
                Some(code) if order_after(code, meta, statements) => {}
                // Whatever the value comes from.
                _ if matches!(one.names().as_deref(), Some(["local" | "var", ..])) => statements
                    .push(format!(
                        "for one in Resource::all_in({}) {{ {HERE} = {HERE}.depends_on(&one); }}",
                        self.dynamic(one)
                    )),
                _ => statements.push(format!(
                    "{};",
                    self.untranslated(one.place, "nothing is declared as this")
                )),
            }
        }
        // Terraform reads after a change of what the block itself names, even where the values are known.
        if resource.mode == Mode::Data {
            let used: BTreeSet<String> = keys_in(body).into_iter().collect();
            let managed = used
                .difference(&named)
                .filter(|key| !key.starts_with("data."));
            for code in managed.filter_map(|key| self.known.get(key)) {
                if matches!(code.ty, Ty::Handle(_) | Ty::Handles(_) | Ty::HandleMap(_)) {
                    order_after(code, meta, statements);
                }
            }
        }
        if self.after {
            statements.push(format!(
                "for one in after {{ {HERE} = {HERE}.depends_on(one); }}"
            ));
        }
    }

    fn lifecycle(&self, body: &Body) -> String {
        let mut text = String::new();
        for block in body.blocks_of("lifecycle") {
            for attribute in &block.body.attributes {
                let is_true = matches!(attribute.value.kind, Kind::Bool(true));
                let is_false = matches!(attribute.value.kind, Kind::Bool(false));
                match &*attribute.name {
                    "create_before_destroy" | "prevent_destroy" if is_true => {
                        let _ = write!(text, ".{}()", attribute.name);
                    }
                    "create_before_destroy" | "prevent_destroy" if is_false => {}
                    "ignore_changes" => match &attribute.value.kind {
                        Kind::Variable(all) if all == "all" => {
                            text.push_str(".ignore_all_changes()");
                        }
                        Kind::Text(all) if all == "all" => text.push_str(".ignore_all_changes()"),
                        Kind::List(all) => {
                            let paths: Option<Vec<String>> = all.iter().map(path_text).collect();
                            match paths {
                                Some(paths) if paths.is_empty() => {}
                                Some(paths) => {
                                    let paths: Vec<String> =
                                        paths.iter().map(|it| string(it)).collect();
                                    let _ = write!(text, ".ignore_changes([{}])", paths.join(", "));
                                }
                                None => text.push_str(
                                    &self.stop(attribute.place, "these are not attribute paths"),
                                ),
                            }
                        }
                        _ => text.push_str(&self.stop(
                            attribute.place,
                            "`ignore_changes` needs a list of attributes",
                        )),
                    },
                    "replace_triggered_by" => {
                        let all: &[Node] = match &attribute.value.kind {
                            Kind::List(all) => all,
                            _ => &[],
                        };
                        for one in all {
                            match self.typed(one) {
                                Some(code) if matches!(code.ty, Ty::Handle(_)) => {
                                    let _ =
                                        write!(text, ".replace_triggered_by({})", code.borrowed());
                                }
                                Some(code) if matches!(code.ty, Ty::Output(_)) => {
                                    let _ = write!(
                                        text,
                                        ".replace_triggered_by_attribute({})",
                                        code.borrowed()
                                    );
                                }
                                _ => {
                                    let value = self.operand(one);
                                    let _ = write!(
                                        text,
                                        ".replace_triggered_by_attribute(&{value}.output::<Value>())"
                                    );
                                }
                            }
                        }
                    }
                    _ => text.push_str(&self.stop(
                        attribute.place,
                        "the program cannot say this of a lifecycle",
                    )),
                }
            }
        }
        text
    }

    /// A report inside a chain of calls, which does not compile there either.
    fn stop(&self, place: crate::ast::Place, reason: &str) -> String {
        format!(".ignore_changes([{}])", self.untranslated(place, reason))
    }

    /// The handle of the provider's configuration that a body uses, if it is not the default one.
    fn provider_of(&self, body: &Body, local: &str) -> Option<String> {
        let key = match body.value("provider").and_then(|it| it.names()) {
            Some(names) => names.join("."),
            None => local.to_owned(),
        };
        let handle = self.handles.get(&key)?;
        Some(match handle.starts_with("providers.") {
            true => format!("&{handle}"),
            false => format!("&{handle}"),
        })
    }

    /// The call of a module: the statement, with its inputs.
    pub(crate) fn call_of(
        &self,
        call: &Call,
        variable: Option<&str>,
        invoke: &mut dyn FnMut(&Self) -> Result<String, ConvertError>,
    ) -> Result<String, ConvertError> {
        let name = string(&call.name);
        let comments = comment_lines(&call.block.comments);
        let failed = RefCell::new(None);
        let invoke = RefCell::new(invoke);
        let one = |key: Option<&str>| {
            let inner = (invoke.borrow_mut())(self).unwrap_or_else(|error| {
                failed.replace(Some(error));
                String::new()
            });
            let declared = match key {
                Some(key) => format!("stack.module_instance({name}, {key}, |stack| {inner})?"),
                None => format!("stack.module({name}, |stack| {inner})?"),
            };
            (String::new(), declared)
        };
        let text = self.instantiated(&call.block.body, variable, &comments, &one);
        match failed.into_inner() {
            Some(error) => Err(error),
            None => Ok(text),
        }
    }
}

/// Adds the order after all that a name stands for, unless it stands for a value.
fn order_after(code: &Code, meta: &mut String, statements: &mut Vec<String>) -> bool {
    let each = |all: &str| format!("for one in {all} {{ {HERE} = {HERE}.depends_on(one); }}");
    match code.ty {
        Ty::Handle(_) => {
            let _ = write!(meta, "\n.depends_on({})", code.borrowed());
        }
        Ty::Handles(_) => statements.push(each(&format!("&{}", code.text))),
        Ty::HandleMap(_) => statements.push(each(&format!("{}.values()", code.text))),
        Ty::Module(_) => statements.push(each(&format!("&{}.declared", code.text))),
        _ => match resources_of(&code.text, &code.ty) {
            Some(all) => statements.push(each(&all)),
            None => return false,
        },
    }
    true
}

/// The path of an attribute as `ignore_changes` takes it.
fn path_text(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Variable(name) | Kind::Text(name) => Some(name.clone()),
        Kind::Attribute(of, name) => Some(format!("{}.{name}", path_text(of)?)),
        Kind::Index(of, key) => match &key.kind {
            Kind::Text(key) => Some(format!("{}[{}]", path_text(of)?, string(key))),
            Kind::Number(key) => Some(format!("{}[{key}]", path_text(of)?)),
            _ => None,
        },
        _ => None,
    }
}

/// An address as `moved` and its like take it.
pub(crate) fn address_text(node: &Node) -> Option<String> {
    path_text(node)
}
