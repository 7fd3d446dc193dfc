//! Writes one type: a resource type, a data source, or the configuration of the provider.

use std::collections::BTreeSet;
use std::fmt::Write;

use terrane_core::schema::{FactsKind, Schema};

use super::GenerateError;
use super::blocks::{Blocks, Home, Place};
use super::files::{head, markers};
use super::object::{Builder, Params, builder, empty_builder, handle, params, required};
use super::shape::{Kind, Rules, Shape, shapes};
use crate::catalogue::Catalogue;
use crate::names::letter;

/// The builder of provider configurations.
pub(super) fn provider(catalogue: &Catalogue, schema: &Schema) -> Result<String, GenerateError> {
    let rules = Rules::new(catalogue, FactsKind::Provider, "Provider", "provider");
    let mut all = shapes(&rules, &schema.block)?;
    for shape in &mut all {
        // A configuration is written and never read back.
        shape.reachable = false;
    }
    let mut missing = BTreeSet::new();
    let mut body = format!(
        "/// The provider and its configurations.\n///\n/// Its documentation: <{}>.\n{}",
        registry_page(catalogue, "").trim_end_matches('/'),
        blocks(&all[0])
    );
    let top = &all[0];
    missing.extend(required(top).map(|member| member.name.clone()));
    let marker = match missing.is_empty() {
        true => "",
        false => ", required: ::std::marker::PhantomData",
    };
    let empty = empty_builder(top);
    let Params { declared, complete } = params(top, |_| true);
    let _ = write!(
        body,
        "#[derive(Debug)]\npub enum Provider {{}}\n\n\
         impl Provider {{\n\
         /// Starts describing a configuration.\n\
         pub fn builder() -> {empty} {{\n\
         ProviderBuilder {{ declaration: tr::ProviderDeclaration::new(&PROVIDER){marker} }}\n}}\n}}\n",
    );
    builder(
        &Builder {
            field: "declaration",
            inner: "tr::ProviderDeclaration",
            about: "Describes a configuration of the provider; made by [`Provider::builder`].",
        },
        top,
        &all,
        &mut body,
    );
    let _ = write!(
        body,
        "\nimpl{declared} ProviderBuilder{declared} {{\n\
         /// Names this configuration, so that there can be more than one.\n\
         pub fn alias(mut self, alias: impl Into<String>) -> Self {{\n\
         self.declaration = self.declaration.alias(alias);\nself\n}}\n\n\
         /// Passes environment variables to the provider's process beside those that it always gets: names, or prefixes with a `*`.\n\
         pub fn pass_env<N: Into<::std::sync::Arc<str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {{\n\
         self.declaration = self.declaration.pass_env(names);\nself\n}}\n}}\n\n\
         impl From<ProviderBuilder{complete}> for tr::ProviderDeclaration {{\n\
         fn from(builder: ProviderBuilder{complete}) -> Self {{\nbuilder.declaration\n}}\n}}\n",
    );
    let home = Home {
        kind: FactsKind::Provider,
        module: "provider".to_owned(),
    };
    let mut blocks = Blocks::default();
    nested(&home, &all, &mut blocks, &mut missing, &mut body);
    if !missing.is_empty() {
        body.push_str(
            "\n/// Markers of builders that lack a required argument.\npub mod missing {\n",
        );
        markers(&missing, &mut body);
        body.push_str("}\n");
    }
    Ok(head(
        catalogue,
        &format!("use super::{{PROVIDER, tr}};\n\n{body}"),
    ))
}

/// The page of the public registry that documents something of the provider.
pub(super) fn registry_page(catalogue: &Catalogue, path: &str) -> String {
    let (source, version) = (&catalogue.source, &catalogue.version);
    format!("https://registry.terraform.io/providers/{source}/{version}/docs/{path}")
}

/// Lines that name the blocks of an object, each with its builder; none where it has none.
fn blocks(shape: &Shape) -> String {
    let blocks = shape
        .members
        .iter()
        .filter(|member| member.items.is_some() && member.settable);
    let mut lines = String::new();
    for member in blocks {
        let name = &member.name;
        let link = match &member.kind {
            Kind::Objects { shape, .. } => format!("[`{name}`]({shape})"),
            _ => format!("`{name}`"),
        };
        let presence = member.presence();
        let presence = presence.trim_end_matches('.').to_lowercase();
        let _ = writeln!(lines, "/// - {link} ({presence})");
    }
    match lines.is_empty() {
        true => lines,
        false => format!("///\n/// Blocks:\n{lines}"),
    }
}

/// The words for a kind of types, in Rust and elsewhere.
struct Form {
    mode: &'static str,
    what: &'static str,
    /// Its part of the registry's pages.
    page: &'static str,
    handle: &'static str,
    declaration: &'static str,
}

/// The type of the values in a handle.
fn output_of(kind: FactsKind) -> &'static str {
    match kind {
        FactsKind::Ephemeral => "Ephemeral",
        _ => "Output",
    }
}

fn form(kind: FactsKind) -> Form {
    match kind {
        FactsKind::Resource | FactsKind::Provider => Form {
            mode: "Managed",
            what: "resource",
            page: "resources",
            handle: "Resource",
            declaration: "tr::Declaration",
        },
        FactsKind::DataSource => Form {
            mode: "Data",
            what: "data resource",
            page: "data-sources",
            handle: "Resource",
            declaration: "tr::Declaration",
        },
        FactsKind::Ephemeral => Form {
            mode: "Ephemeral",
            what: "ephemeral resource",
            page: "ephemeral-resources",
            handle: "EphemeralResource",
            declaration: "tr::EphemeralDeclaration",
        },
    }
}

/// The file of one resource type, data source or ephemeral resource type.
pub(super) fn resource(
    catalogue: &Catalogue,
    home: &Home,
    rules: &Rules<'_>,
    schema: &Schema,
    shared: &mut Blocks,
    missing: &mut BTreeSet<String>,
) -> Result<String, GenerateError> {
    let mut all = shapes(rules, &schema.block)?;
    if home.kind == FactsKind::Ephemeral {
        for shape in &mut all {
            // What is inside is a value like any other.
            shape.reachable = false;
        }
    }
    let top = &all[0];
    let (name, type_name) = (rules.name, rules.type_name);
    let Form {
        mode,
        what,
        page,
        handle: inner,
        declaration,
    } = form(home.kind);
    let article = if type_name.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    let empty = empty_builder(top);
    let short = type_name.strip_prefix(&*catalogue.prefix);
    let page = registry_page(catalogue, &format!("{page}/{}", short.unwrap_or(type_name)));
    let about = format!("/// Its documentation: <{page}>.\n{}", blocks(top));
    let deprecated = if schema.block.deprecated {
        "#[deprecated]\n"
    } else {
        ""
    };
    let mut body = format!(
        "static BINDING: tr::Binding = tr::Binding {{\nprovider: &PROVIDER,\n\
         mode: tr::addr::Mode::{mode},\ntype_name: \"{type_name}\",\n}};\n\n\
         /// A declared {what} `{type_name}`.\n///\n{about}#[derive(Debug, Clone)]\npub struct {name}(tr::{inner});\n\n\
         impl {name} {{\n\
         /// Starts describing {article} `{type_name}` with that name in the program.\n{deprecated}\
         pub fn builder(name: impl Into<String>) -> {empty} {{\n\
         {name}Builder {{ declaration: {declaration}::new(&BINDING, name){} }}\n}}\n",
        if required(top).next().is_some() {
            ", required: ::std::marker::PhantomData"
        } else {
            ""
        }
    );
    handle(top, &all, output_of(home.kind), &mut body);
    body.push_str("}\n");
    if home.kind != FactsKind::Ephemeral {
        let _ = write!(
            body,
            "\nimpl AsRef<tr::Resource> for {name} {{\nfn as_ref(&self) -> &tr::Resource {{\n&self.0\n}}\n}}\n\n\
         impl tr::ResourceType for {name} {{\n\
         fn binding() -> &'static tr::Binding {{\n&BINDING\n}}\n\n\
         fn from_resource(resource: tr::Resource) -> Self {{\nSelf(resource)\n}}\n}}\n"
        );
    }
    builder(
        &Builder {
            field: "declaration",
            inner: declaration,
            about: &format!("Describes {article} `{type_name}`; made by [`{name}::builder`]."),
        },
        top,
        &all,
        &mut body,
    );
    meta_arguments(rules, top, home.kind, what, &mut body);
    let mut own_missing: BTreeSet<String> = BTreeSet::new();
    own_missing.extend(required(top).map(|member| member.name.clone()));
    nested(home, &all, shared, &mut own_missing, &mut body);
    let uses_missing = match own_missing.is_empty() {
        true => "",
        false => "missing, ",
    };
    missing.extend(own_missing);
    Ok(head(
        catalogue,
        &format!("use super::{{PROVIDER, {uses_missing}tr}};\n\n{body}"),
    ))
}

/// `declare` and the meta-arguments that every resource has.
fn meta_arguments(rules: &Rules<'_>, top: &Shape, kind: FactsKind, what: &str, body: &mut String) {
    let name = rules.name;
    let params = params(top, |_| true);
    let _ = write!(
        body,
        "\nimpl{0} {name}Builder{0} {{\n\
         /// Tells this instance from others of the same name: `[0]` or `[\"key\"]`.\n\
         pub fn instance_key(mut self, key: impl Into<tr::addr::InstanceKey>) -> Self {{\n\
         self.declaration = self.declaration.instance_key(key);\nself\n}}\n\n\
         /// Orders this after another resource that none of its arguments refer to.\n\
         #[track_caller]\n\
         pub fn depends_on(mut self, resource: &impl AsRef<tr::Resource>) -> Self {{\n\
         self.declaration = self.declaration.depends_on(resource);\nself\n}}\n\n\
         /// Uses another configuration of the provider than the default one.\n\
         pub fn provider(mut self, provider: &tr::ProviderHandle) -> Self {{\n\
         self.declaration = self.declaration.provider(provider);\nself\n}}\n",
        params.declared
    );
    if kind == FactsKind::Resource {
        body.push_str(
            "\n/// How the engine may treat the object.\n\
             pub fn lifecycle(mut self, lifecycle: tr::Lifecycle) -> Self {\n\
             self.declaration = self.declaration.lifecycle(lifecycle);\nself\n}\n",
        );
    }
    let bounds: Vec<String> = (0..required(top).count())
        .map(|place| format!("{}: tr::IsSet", letter(place)))
        .collect();
    let set = match bounds.is_empty() {
        true => String::new(),
        false => format!("\nwhere {}", bounds.join(", ")),
    };
    let _ = write!(
        body,
        "\n/// Adds the {what} to the stack.\n#[track_caller]\n\
         pub fn declare(self, stack: &mut tr::Stack) -> {name}{set} {{\n{name}(self.declaration.declare(stack))\n}}\n}}\n",
    );
}

/// The nested objects: a handle where an index leads to them, a builder where a user writes them.
fn nested(
    home: &Home,
    all: &[Shape],
    shared: &mut Blocks,
    missing: &mut BTreeSet<String>,
    body: &mut String,
) {
    let numbers = shared.numbers(all);
    for (shape, number) in all.iter().zip(numbers).skip(1) {
        if !shape.reachable && !shape.settable {
            continue;
        }
        if let Place::At(path) = shared.place(number, home, &shape.name) {
            let name = &shape.name;
            let (module, there) = path.rsplit_once("::").unwrap_or(("self", &path));
            let mut names = renamed(there, name, "");
            if shape.settable {
                names = format!("{{{names}, {}}}", renamed(there, name, "Builder"));
            }
            let _ = write!(body, "\npub use {module}::{names};\n");
            continue;
        }
        let (name, path) = (&shape.name, &shape.path);
        let about = blocks(shape);
        if shape.reachable {
            let _ = write!(
                body,
                "\n/// One `{path}`.\n{about}#[derive(Debug, Clone)]\npub struct {name}(tr::Output<tr::Value>);\n\n\
                 impl tr::Nested for {name} {{\nfn from_output(object: tr::Output<tr::Value>) -> Self {{\nSelf(object)\n}}\n}}\n"
            );
        } else {
            let _ = write!(
                body,
                "\n/// One `{path}`.\n{about}#[derive(Debug)]\npub enum {name} {{}}\n"
            );
        }
        let _ = write!(body, "\nimpl {name} {{\n");
        if shape.settable {
            let nulls: Vec<String> = shape
                .members
                .iter()
                .map(|member| format!("\"{}\"", member.name))
                .collect();
            let arguments = if shape.nulls {
                format!("tr::BlockArguments::nulls(&[{}])", nulls.join(", "))
            } else {
                "tr::BlockArguments::new()".to_owned()
            };
            let empty = empty_builder(shape);
            let marker = if required(shape).next().is_some() {
                ", required: ::std::marker::PhantomData"
            } else {
                ""
            };
            let _ = write!(
                body,
                "/// Starts describing one `{path}`.\npub fn builder() -> {empty} {{\n\
                 {name}Builder {{ arguments: {arguments}{marker} }}\n}}\n"
            );
        }
        if shape.reachable {
            handle(shape, all, "Output", body);
        }
        body.push_str("}\n");
        if shape.settable {
            missing.extend(required(shape).map(|member| member.name.clone()));
            let about = format!("Describes one `{path}`; made by [`{name}::builder`].");
            let inner = Builder {
                field: "arguments",
                inner: "tr::BlockArguments",
                about: &about,
            };
            builder(&inner, shape, all, body);
            let Params { complete, .. } = params(shape, |_| true);
            let _ = write!(
                body,
                "\nimpl tr::BlockBuilder for {name}Builder{complete} {{\n\
                 fn into_block(self) -> tr::BlockArguments {{\nself.arguments\n}}\n}}\n"
            );
        }
    }
}

/// A name in a `use`, under another name where that differs.
fn renamed(there: &str, here: &str, suffix: &str) -> String {
    match there == here {
        true => format!("{here}{suffix}"),
        false => format!("{there}{suffix} as {here}{suffix}"),
    }
}
