//! The program: a function a module, with its inputs and outputs, in an order in which every name is known.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::PathBuf;
use terrane_codegen::ident;

use crate::ast::{Attribute, Block, Kind, Node};
use crate::bindings::{Bindings, local_of, source_of};
use crate::block_functions::BlockFunction;
use crate::blocks::{HERE, comment_lines};
use crate::calls::{default_of, resources_of};
use crate::declare::{Instances, instances};
use crate::known::Known;
use crate::model::{Configuration, Mode, Module};
use crate::names::{Names, pascal, snake};
use crate::order::{Item, keys_in, references};
use crate::scope::{ModuleOutputs, Scope, Untranslated, string};
use crate::sources::ConvertError;
use crate::ty::{Code, Form, Ty};
use crate::variables::Variable;

/// The types of a module's inputs, by the names of its variables; those that no call sets are missing.
pub(crate) type Inputs = BTreeMap<String, Ty>;

/// The names of a module in the program.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModuleName {
    /// Of its file and its Rust module.
    pub(crate) file: String,
    pub(crate) ty: String,
    /// The local names of providers that its callers hand over.
    pub(crate) providers: BTreeSet<String>,
    /// Whether it says what it declared, for those who depend on it.
    pub(crate) declared: bool,
    /// Whether it comes after something.
    pub(crate) after: bool,
}

/// One module as it was written.
pub(crate) struct ModuleCode {
    /// The body of its function.
    pub(crate) body: String,
    pub(crate) outputs: ModuleOutputs,
    /// The types that calls ask of the modules they call.
    pub(crate) requests: HashMap<usize, Vec<Inputs>>,
    pub(crate) problems: Vec<Untranslated>,
    pub(crate) files: BTreeMap<String, PathBuf>,
    /// The functions that it calls for long blocks.
    pub(crate) functions: String,
    /// Variables that the function reads.
    pub(crate) used_inputs: BTreeSet<String>,
    /// Whether it uses something before it declares it.
    pub(crate) has_forwards: bool,
    /// The sources of the providers that it configures before it declares anything.
    pub(crate) configured_first: BTreeSet<String>,
}

/// What is the same for all modules.
pub(crate) struct World<'a> {
    pub(crate) configuration: &'a Configuration,
    pub(crate) bindings: &'a Bindings,
    pub(crate) names: &'a [ModuleName],
    pub(crate) known: &'a Known,
    /// The codes of the root module's variables.
    pub(crate) root_variables: HashMap<String, Code>,
    pub(crate) stack: String,
}

/// Names that functions use themselves.
const RESERVED: [&str; 14] = [
    "stack",
    "config",
    "inputs",
    "providers",
    "after",
    "declared",
    "instance",
    "dynamic",
    "terrane_functions",
    "json",
    "jsonencode",
    "all",
    "interpolate",
    "block",
];

impl World<'_> {
    pub(crate) fn scope<'s>(
        &'s self,
        place: usize,
        outputs: &'s HashMap<usize, ModuleOutputs>,
    ) -> Scope<'s> {
        let module = &self.configuration.modules[place];
        let mut scope = Scope {
            configuration: self.configuration,
            bindings: self.bindings,
            module,
            outputs,
            known: HashMap::new(),
            lengths: HashMap::new(),
            bound: RefCell::default(),
            problems: RefCell::default(),
            in_closure: Cell::new(0),
            careful: Cell::new(false),
            in_content: Cell::new(0),
            typed: RefCell::default(),
            generation: Cell::new(0),
            generations: Cell::new(0),
            handles: HashMap::new(),
            after: self.names[place].after,
            templates: RefCell::default(),
            files: RefCell::default(),
            functions: RefCell::default(),
        };
        let path = |text: &str| Code::literal(string(text), Ty::Text);
        scope
            .known
            .insert("path.module".to_owned(), path(&module.path));
        scope.known.insert("path.root".to_owned(), path("."));
        let folder = "std::env::current_dir().expect(\"a working folder\").display().to_string()";
        scope
            .known
            .insert("path.cwd".to_owned(), Code::owned(folder, Ty::Text));
        scope
            .known
            .insert("terraform.workspace".to_owned(), path("default"));
        scope
    }

    /// Runs with a scope of that module that knows these names.
    pub(crate) fn with_scope(
        &self,
        place: usize,
        known: HashMap<String, Code>,
        run: impl FnOnce(&Scope<'_>),
    ) {
        let outputs = HashMap::new();
        let mut scope = self.scope(place, &outputs);
        scope.known.extend(known);
        run(&scope);
    }

    /// Writes the function of a module.
    pub(crate) fn module(
        &self,
        place: usize,
        outputs: &HashMap<usize, ModuleOutputs>,
        inputs: &HashMap<usize, Inputs>,
    ) -> Result<ModuleCode, ConvertError> {
        let module = &self.configuration.modules[place];
        let order = self.order(place)?;
        let used = references(module);
        let is_root = place == 0;
        let own = &self.names[place];
        let mut names = Names::with(&RESERVED);
        for provider in self.bindings.providers.values() {
            names.take(&[&provider.module]);
        }
        let mut scope = self.scope(place, outputs);
        let mut body = String::new();
        let mut used_inputs = BTreeSet::new();
        if is_root {
            scope.known.extend(self.root_variables.clone());
        } else {
            self.variables(
                module,
                inputs.get(&place),
                &used,
                &mut scope,
                &mut names,
                &mut body,
                &mut used_inputs,
            )?;
        }
        for key in &own.providers {
            let field = ident(&snake(key));
            scope
                .handles
                .insert(key.clone(), format!("providers.{field}"));
        }
        let mut requests: HashMap<usize, Vec<Inputs>> = HashMap::new();
        let mut declared = Vec::new();
        let mut forwards = HashMap::new();
        let first = order.items.iter();
        let first = first.map_while(|item| match item {
            Item::Provider(at) => Some(Some(source_of(module, &module.providers[*at].labels[0]))),
            Item::Local(_) => Some(None),
            Item::Resource(_) | Item::Call(_) => None,
        });
        let configured_first = first.flatten().collect();
        for (position, item) in order.items.iter().copied().enumerate() {
            for (later, used) in &order.forwards {
                if used.first == position {
                    let item = order.items[*later];
                    let (text, made) = self.forwards(module, item, used, &mut scope, &mut names);
                    body.push_str(&text);
                    forwards.insert(*later, made);
                }
            }
            match item {
                Item::Provider(at) => {
                    let block = &module.providers[at];
                    body.push_str(&self.provider(block, &mut scope, &mut names));
                }
                Item::Local(at) => {
                    let local = &module.locals[at];
                    let key = format!("local.{}", local.name);
                    let variable = names.take(&[&local.name, &format!("{}_value", local.name)]);
                    body.push_str(&self.local(
                        local,
                        &key,
                        &variable,
                        used.contains(&key),
                        &mut scope,
                    ));
                }
                Item::Resource(at) => {
                    let resource = &module.resources[at];
                    let address = resource.address();
                    let local = match resource.block.body.value("provider").and_then(Node::names) {
                        Some(names) => names[0].to_owned(),
                        None => local_of(&resource.type_name).to_owned(),
                    };
                    let source = source_of(module, &local);
                    let Some(bound) =
                        self.bindings
                            .place(resource.mode, &source, &resource.type_name)
                    else {
                        continue;
                    };
                    let is_imported = is_root
                        && module.imports.iter().any(|it| {
                            it.body
                                .value("to")
                                .and_then(|it| it.names())
                                .is_some_and(|it| it.join(".") == address)
                        });
                    let is_used = used.contains(&address) || own.declared || is_imported;
                    let variable = is_used.then(|| {
                        resource_name(
                            resource.mode,
                            &resource.type_name,
                            &resource.name,
                            &mut names,
                        )
                    });
                    let text = scope.resource(resource, bound, variable.as_deref(), &local);
                    body.push_str(&text);
                    if let Some(variable) = variable {
                        let ty = match instances(&resource.block.body) {
                            Instances::One => Ty::Handle(bound),
                            Instances::Count(_) => Ty::Handles(bound),
                            Instances::Each(_) => Ty::HandleMap(bound),
                        };
                        if resource.mode != Mode::Ephemeral {
                            let one = || format!("[{variable}.as_ref()]");
                            declared.push(resources_of(&variable, &ty).unwrap_or_else(one));
                        }
                        scope.remember(address, variable, ty, &resource.block.body);
                    }
                }
                Item::Call(at) => {
                    let call = &module.calls[at];
                    let key = format!("module.{}", call.name);
                    let child = &self.names[call.module];
                    let is_used = used.contains(&key) || own.declared && child.declared;
                    let variable = is_used
                        .then(|| names.take(&[&call.name, &format!("{}_module", call.name)]));
                    let mut request = Inputs::new();
                    let text = scope.call_of(call, variable.as_deref(), &mut |scope| {
                        self.invocation(call, scope, inputs.get(&call.module), &mut request)
                    })?;
                    body.push_str(&text);
                    requests.entry(call.module).or_default().push(request);
                    if let Some(variable) = variable {
                        let ty = match instances(&call.block.body) {
                            Instances::One => Ty::Module(call.module),
                            Instances::Count(_) => Ty::Modules(call.module),
                            Instances::Each(_) => Ty::ModuleMap(call.module),
                        };
                        if child.declared {
                            let one = || format!("&{variable}.declared");
                            declared.push(resources_of(&variable, &ty).unwrap_or_else(one));
                        }
                        scope.remember(key, variable, ty, &call.block.body);
                    }
                }
            }
            if let (Some(made), Some(used)) =
                (forwards.get(&position), order.forwards.get(&position))
            {
                body.push_str(&self.set_forwards(made, used, &mut scope));
            }
        }
        for check in &module.checks {
            body.push_str(&self.check(check, &scope));
        }
        body.push_str(&self.changes(place, &scope));
        for other in &module.others {
            let reason = match &*other.kind {
                "provider_meta" => "`provider_meta` is `ProviderMeta` in the program",
                "cloud" => "HCP Terraform keeps no states of programs: choose a backend",
                _ => "files that override others are not converted: merge them by hand",
            };
            let _ = writeln!(body, "{};", scope.untranslated(other.place, reason));
        }
        let mut fields = BTreeMap::new();
        let mut values = String::new();
        let mut field_names = Names::with(&["declared"]);
        for output in &module.outputs {
            let name = &output.labels[0];
            let Some(value) = output.body.value("value") else {
                return Err(ConvertError::at(
                    &self.configuration.sources,
                    output.place,
                    format!("output `{name}` has no `value`"),
                ));
            };
            let comments = comment_lines(&output.comments);
            for condition in output.body.blocks_of("precondition") {
                body.push_str(&scope.condition(condition));
            }
            let is_secret = matches!(
                output.body.value("sensitive").map(|it| &it.kind),
                Some(Kind::Bool(true))
            );
            if is_root {
                if matches!(
                    output.body.value("ephemeral").map(|it| &it.kind),
                    Some(Kind::Bool(true))
                ) {
                    let _ = writeln!(
                        body,
                        "{};",
                        scope.untranslated(
                            output.place,
                            "an ephemeral output of the root module is stored nowhere"
                        )
                    );
                    continue;
                }
                let text = match is_secret {
                    true => format!("{}.sensitive()", scope.operand(value)),
                    false => scope.untyped_argument(value),
                };
                let _ = writeln!(values, "{comments}stack.export({}, {text});", string(name));
                continue;
            }
            let mut code = scope.code(value);
            if is_secret {
                code = Code::owned(format!("{}.sensitive()", scope.operand(value)), Ty::Dyn);
            }
            if !is_field(&code.ty) {
                code = Code::owned(scope.dynamic(value), Ty::Dyn);
            }
            let wanted = outputs
                .get(&place)
                .and_then(|it| it.fields.get(name))
                .map(|(_, ty)| ty.clone());
            let field = field_names.take(&[name]);
            let text = match wanted {
                Some(Ty::Dyn) if code.ty != Ty::Dyn => scope.dynamic(value),
                _ => scope.moved(&code),
            };
            let _ = writeln!(values, "{comments}{field}: {text},");
            fields.insert(name.clone(), (field, code.ty));
        }
        if is_root {
            body.push_str(&values);
            body.push_str("Ok(())\n");
        } else {
            if own.declared {
                let all: String = declared
                    .iter()
                    .map(|it| format!("declared.extend({}.cloned());\n", iterated(it)))
                    .collect();
                match all.is_empty() {
                    true => values.push_str("declared: Vec::new(),\n"),
                    false => {
                        let _ =
                            write!(body, "let mut declared: Vec<Resource> = Vec::new();\n{all}");
                        values.push_str("declared,\n");
                    }
                }
            }
            let _ = writeln!(body, "Ok(Self {{ {values} }})");
        }
        let functions = scope.functions.into_inner();
        Ok(ModuleCode {
            body,
            outputs: ModuleOutputs { fields },
            requests,
            problems: scope.problems.into_inner(),
            files: scope.files.into_inner(),
            functions: functions.iter().map(BlockFunction::text).collect(),
            used_inputs,
            has_forwards: !order.forwards.is_empty(),
            configured_first,
        })
    }

    /// Binds a module's variables: fields of its inputs, and constants for those that no call sets.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn variables(
        &self,
        module: &Module,
        inputs: Option<&Inputs>,
        used: &BTreeSet<String>,
        scope: &mut Scope<'_>,
        names: &mut Names,
        body: &mut String,
        used_inputs: &mut BTreeSet<String>,
    ) -> Result<(), ConvertError> {
        for block in &module.variables {
            let variable = variable_of(self.configuration, block)?;
            let key = format!("var.{}", variable.name);
            if !used.contains(&key)
                && !module
                    .variables
                    .iter()
                    .any(|it| keys_in(&it.body).contains(&key))
            {
                continue;
            }
            // The defaults are copies that go: nothing may be remembered of them.
            let default = |node: &Node| scope.binding(Vec::new(), || scope.dynamic(node));
            let convert = variable.constraint.rust(&default);
            match inputs.and_then(|it| it.get(&variable.name)) {
                Some(ty) => {
                    used_inputs.insert(variable.name.clone());
                    let field = format!("inputs.{}", crate::variables::field(&variable.name));
                    let code = match (ty, convert) {
                        (Ty::Dyn, Some(convert)) => {
                            let name =
                                names.take(&[&variable.name, &format!("{}_input", variable.name)]);
                            let value = match variable.default.filter(|it| !it.is_null()) {
                                Some(default) if is_not_nullable(block) => {
                                    format!(
                                        "dynamic::not_null(&{field}, {})",
                                        scope.dynamic(default)
                                    )
                                }
                                _ => format!("&{field}"),
                            };
                            let _ = writeln!(body, "let {name} = {convert}.of({value});");
                            Code::place(name, Ty::Dyn)
                        }
                        (ty, _) => Code::place(field, ty.clone()),
                    };
                    scope.known.insert(key, code);
                }
                None => {
                    let Some(default) = variable.default else {
                        // A module that no call reaches with it.
                        scope
                            .known
                            .insert(key, Code::owned("Dyn::failed(\"no value\")", Ty::Dyn));
                        continue;
                    };
                    let name = names.take(&[&variable.name, &format!("{}_default", variable.name)]);
                    let (ty, text) = default_of(&variable, default, scope, convert);
                    let _ = writeln!(body, "let {name}{} = {text};", annotation(&ty, &text));
                    scope.known.insert(key, Code::place(name, ty));
                }
            }
        }
        for block in &module.variables {
            for validation in block.body.blocks_of("validation") {
                body.push_str(&scope.condition(validation));
            }
        }
        Ok(())
    }

    pub(crate) fn local(
        &self,
        local: &Attribute,
        key: &str,
        variable: &str,
        is_used: bool,
        scope: &mut Scope<'_>,
    ) -> String {
        let comments = comment_lines(&local.comments);
        let code = scope.code(&local.value);
        let code = match &code.ty {
            Ty::Null => Code::owned(scope.dynamic(&local.value), Ty::Dyn),
            _ => code,
        };
        if !is_used {
            let text = scope.moved(&code);
            return format!(
                "{comments}let _{} = {text};\n",
                variable.trim_start_matches("r#")
            );
        }
        // Another name of something that has one.
        if code.form == Form::Place && comments.is_empty() {
            scope.known.insert(key.to_owned(), code);
            return String::new();
        }
        let is_text = code.ty == Ty::Text && code.form == Form::Literal;
        let text = match (is_text, code.form) {
            (true, _) => code.text.clone(),
            (_, Form::Place) => format!("&{}", code.text),
            _ => scope.moved(&code),
        };
        let bound = match (is_text, code.form) {
            (true, _) => Code::literal(variable, Ty::Text),
            (_, Form::Place) if !code.ty.is_copy() => Code::reference(variable, code.ty.clone()),
            _ => Code::place(variable, code.ty.clone()),
        };
        let text = match (code.form, code.ty.is_copy()) {
            (Form::Place, true) => code.text.clone(),
            _ => text,
        };
        let annotation = match (&code.ty, code.form) {
            (Ty::Int, Form::Literal) => ": i64",
            _ => "",
        };
        scope.known.insert(key.to_owned(), bound);
        format!("{comments}let {variable}{annotation} = {text};\n")
    }

    pub(crate) fn provider(
        &self,
        block: &Block,
        scope: &mut Scope<'_>,
        names: &mut Names,
    ) -> String {
        let local = &block.labels[0];
        let alias = block
            .body
            .value("alias")
            .and_then(Node::text)
            .map(str::to_owned);
        let source = source_of(scope.module, local);
        let Some(provider) = self.bindings.providers.get(&source) else {
            return String::new();
        };
        let comments = comment_lines(&block.comments);
        let skipped = ["alias", "version"];
        let mut start = format!("{}::Provider::builder()", provider.module);
        let meta = alias
            .as_ref()
            .map(|alias| format!("\n.alias({})", string(alias)))
            .unwrap_or_default();
        let chain = provider.configuration.as_ref().and_then(|names| {
            let path = |object: usize| match object {
                0 => format!("{}::Provider", provider.module),
                object => format!(
                    "{}::provider::{}",
                    provider.module,
                    ident(&names.objects[object].name)
                ),
            };
            scope
                .typed_chain(&names.objects, 0, &path, &block.body, &skipped)
                .ok()
        });
        let chain = chain.unwrap_or_else(|| {
            start = format!("ProviderDeclaration::new(&{}::PROVIDER)", provider.module);
            let objects = provider
                .configuration
                .as_ref()
                .map(|names| (&*names.objects, 0));
            scope.untyped_chain(objects, &block.body, &skipped)
        });
        let key = match &alias {
            Some(alias) => format!("{local}.{alias}"),
            None => local.clone(),
        };
        // The default configuration needs no handle, unless a module takes it under another name.
        let is_used = alias.is_some() || self.hands_over(scope.module, &key);
        let variable = is_used.then(|| {
            names.take(&[&match &alias {
                Some(alias) => format!("{local}_{alias}"),
                None => format!("{local}_provider"),
            }])
        });
        let mut text = comments;
        let declaration = match chain.statements.is_empty() {
            true => format!("{start}{meta}{}", chain.calls),
            false => {
                let name = scope.fresh("provider");
                let _ = writeln!(text, "let mut {name} = {start}{meta}{};", chain.calls);
                for statement in &chain.statements {
                    text.push_str(&statement.replace(HERE, &name));
                }
                name
            }
        };
        let bound = match &variable {
            Some(variable) => format!("let {variable} = "),
            None => String::new(),
        };
        if let Some(variable) = variable {
            scope.handles.insert(key, variable);
        }
        format!("{text}{bound}stack.provider({declaration});\n")
    }

    pub(crate) fn check(&self, check: &Block, scope: &Scope<'_>) -> String {
        let mut text = comment_lines(&check.comments);
        for data in check.body.blocks_of("data") {
            let _ = writeln!(
                text,
                "{};",
                scope.untranslated(
                    data.place,
                    "a data source inside of a check is not converted: move it out"
                )
            );
        }
        for assertion in check.body.blocks_of("assert") {
            text.push_str(&scope.condition(assertion));
        }
        text
    }
}

pub(crate) fn variable_of<'a>(
    configuration: &Configuration,
    block: &'a Block,
) -> Result<Variable<'a>, ConvertError> {
    Variable::of(block).ok_or_else(|| {
        let reason = format!("the type of variable `{}` is not a type", block.labels[0]);
        ConvertError::at(&configuration.sources, block.place, reason)
    })
}

pub(crate) fn is_not_nullable(block: &Block) -> bool {
    matches!(
        block.body.value("nullable").map(|it| &it.kind),
        Some(Kind::Bool(false))
    )
}

/// The name of a resource's handle.
fn resource_name(mode: Mode, type_name: &str, name: &str, names: &mut Names) -> String {
    let short = type_name
        .split_once('_')
        .map_or(type_name, |(_, rest)| rest);
    let is_general = matches!(
        name,
        "this" | "main" | "default" | "example" | "test" | "it" | "self"
    );
    let both = match snake(name).contains(&snake(short)) {
        true => name.to_owned(),
        false => format!("{name}_{short}"),
    };
    let read = match mode {
        Mode::Data => format!("{both}_data"),
        _ => format!("{both}_resource"),
    };
    match is_general {
        true => names.take(&[short, &both, &read]),
        false => names.take(&[&both, &read]),
    }
}

fn is_field(ty: &Ty) -> bool {
    match ty {
        Ty::Text | Ty::Int | Ty::Size | Ty::Float | Ty::Bool | Ty::Number | Ty::Dyn => true,
        Ty::List(of) | Ty::Set(of) | Ty::Map(of) | Ty::Option(of) | Ty::Output(of) => {
            is_field(of) && !of.has_struct()
        }
        _ => false,
    }
}

fn annotation(ty: &Ty, text: &str) -> String {
    match (ty, text) {
        (Ty::Dyn, _) => String::new(),
        (_, "None" | "Vec::new()" | "BTreeSet::new()" | "BTreeMap::new()") => {
            format!(": {}", ty.rust())
        }
        (Ty::Int, _) => ": i64".to_owned(),
        _ => String::new(),
    }
}

/// The iterator over an expression that gives resources.
fn iterated(text: &str) -> String {
    match text.starts_with(['[', '&']) {
        true => match text.strip_prefix('&') {
            Some(place) => format!("{place}.iter()"),
            None => format!("{text}.into_iter()"),
        },
        false => text.to_owned(),
    }
}

/// The name of a module's type.
pub(crate) fn type_name(names: &mut Names, file: &str) -> String {
    names.take_type(&[file, &format!("{}_module", pascal(file))])
}
