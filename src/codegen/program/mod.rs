//! Writes the part of a program that declares objects which exist: typed builders, and references among them.
//!
//! ```text
//! objects (schema, values, arguments) ─► references, names, order ─► a function of Rust
//! ```
//!
//! | module | holds |
//! |---|---|
//! | `literal` | values as Rust |
//! | `references` | which value is another object's attribute, and which object comes first |
//! | `naming` | names that a Rust programmer would give |

mod literal;
mod naming;
mod references;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io;

use terrane_core::schema::Block;
use terrane_core::{Path, Type, Value};

use crate::bindings::{BoundKind, BoundMember, BoundObject, BoundType};
use crate::tree::format;
use literal::{Leaf, literal, string};
use naming::Names;
use references::{References, Target};

/// The bindings of a type in a program.
#[derive(Debug, Clone)]
pub struct TypeInProgram {
    /// The path of the module that the names are relative to: `terrane_aws::ec2`.
    pub module: String,
    /// The names.
    pub names: BoundType,
}

/// An object that a program shall declare.
#[derive(Debug, Clone)]
pub struct ExistingObject {
    /// Its type in the provider.
    pub type_name: String,
    /// The provider, where the name of the type does not say it.
    pub source: Option<String>,
    /// The name that its address shall have; one is made up where there is none.
    pub name: Option<String>,
    /// The id by which it is imported.
    pub id: String,
    /// Its identity, by which it is imported instead.
    pub identity: Option<Value>,
    /// The schema of its type.
    pub block: Block,
    /// The object as it is.
    pub object: Value,
    /// The arguments that describe it; everything else is null.
    pub arguments: Value,
    /// Sensitive arguments, whose values are not written.
    pub secrets: Vec<Path>,
    /// What a preview would change all the same.
    pub differences: Vec<Path>,
    /// The bindings, where the program has them.
    pub bindings: Option<TypeInProgram>,
}

/// An object that the program declares already.
#[derive(Debug, Clone)]
pub struct DeclaredObject {
    /// Its type in the provider.
    pub type_name: String,
    /// Its name in the program.
    pub name: String,
    /// The object as the state has it.
    pub object: Value,
    /// The bindings, where the program has them.
    pub bindings: Option<TypeInProgram>,
}

/// The part of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenProgram {
    /// Its text.
    pub text: String,
    /// The addresses of the objects in the program, in the order of the objects: type and name.
    pub addresses: Vec<String>,
}

/// Writes a function that declares the objects and imports them; formatted.
///
/// # Errors
/// When rustfmt cannot be started.
pub fn declare_existing(
    function: &str,
    objects: &[ExistingObject],
    declared: &[DeclaredObject],
) -> io::Result<WrittenProgram> {
    let references = References::among(objects, declared);
    let mut names = Names::default();
    let parameters: Vec<String> = references
        .used_declared()
        .map(|place| names.variable(&declared[place].name, &declared[place].type_name))
        .collect();
    let named: Vec<_> = objects.iter().map(|object| names.of(object)).collect();
    let mut writer = Writer {
        objects,
        declared,
        references: &references,
        variables: named.iter().map(|(_, variable)| variable.clone()).collect(),
        parameters: references.used_declared().zip(parameters).collect(),
        modules: BTreeSet::new(),
        uses: BTreeSet::from(["Result", "Stack"]),
    };
    let mut body = String::new();
    for &place in references.order() {
        writer.object(place, &named[place].0, &mut body);
    }
    let parameters: String = writer
        .parameters
        .clone()
        .iter()
        .map(|(place, name)| {
            let ty = match &declared[*place].bindings {
                Some(bound) => format!("{}::{}", writer.import(&bound.module), bound.names.path),
                None => writer.terrane("Resource").to_owned(),
            };
            format!(", {name}: &{ty}")
        })
        .collect();
    let mut text = String::from("//! Objects that existed before this program declared them.\n\n");
    let uses: Vec<&str> = writer.uses.iter().copied().collect();
    let _ = writeln!(text, "use terrane::{{{}}};", uses.join(", "));
    for module in &writer.modules {
        let _ = writeln!(text, "use {module};");
    }
    let _ = write!(
        text,
        "\n/// Declares the objects, and takes each in that the state does not have.\n\
         pub fn {function}(stack: &mut Stack{parameters}) -> Result<()> {{\n{body}Ok(())\n}}\n"
    );
    let files = [("program.rs".to_owned(), text)].into();
    let text = format(&files)?.remove("program.rs").unwrap_or_default();
    let addresses = objects.iter().zip(&named);
    let addresses = addresses.map(|(object, (name, _))| format!("{}.{name}", object.type_name));
    Ok(WrittenProgram {
        text,
        addresses: addresses.collect(),
    })
}

struct Writer<'a> {
    objects: &'a [ExistingObject],
    declared: &'a [DeclaredObject],
    references: &'a References,
    variables: Vec<String>,
    /// The names of declared objects that are used.
    parameters: Vec<(usize, String)>,
    /// Modules of bindings that are in scope.
    modules: BTreeSet<String>,
    /// Names of terrane that are.
    uses: BTreeSet<&'static str>,
}

impl Writer<'_> {
    fn object(&mut self, place: usize, name: &str, body: &mut String) {
        let object = &self.objects[place];
        let variable = &self.variables[place].clone();
        let shown = |paths: &[Path]| {
            let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
            paths.join(", ")
        };
        let secrets = object.secrets.iter();
        let needed: Vec<&Path> = secrets.filter(|path| is_needed(object, path)).collect();
        let differences = object.differences.iter();
        let differences: Vec<Path> = differences
            .filter(|path| !needed.iter().any(|secret| secret.contains(path)))
            .cloned()
            .collect();
        if !differences.is_empty() {
            let paths = shown(&differences);
            let _ = writeln!(
                body,
                "// A preview changes {paths}: no argument says what is there."
            );
        }
        if !object.secrets.is_empty() {
            let paths = shown(&object.secrets);
            let how = match needed.is_empty() {
                true => "",
                false => " It is read from where `Secret` says.",
            };
            let _ = writeln!(body, "// Not written here, for it is secret: {paths}.{how}");
        }
        let chain = match &object.bindings {
            Some(bound) => {
                let root = self.import(&bound.module);
                let start = format!("{root}::{}::builder({})", bound.names.path, string(name));
                let path = |place: usize| {
                    format!(
                        "{root}::{}::{}",
                        bound.names.module, bound.names.objects[place].name
                    )
                };
                let calls = self.typed(place, &bound.names.objects, 0, &path, &object.arguments);
                let mut secrets = String::new();
                for secret in needed {
                    let members = &bound.names.objects[0].members;
                    if let Some(member) = members.iter().find(|one| is_at(secret, &one.name)) {
                        let secret = self.secret(variable, &member.name);
                        let _ = write!(secrets, "\n.{}({secret})", member.method);
                    }
                }
                format!("{start}{calls}{secrets}")
            }
            None => {
                self.terrane("Resource");
                let ty = string(&object.type_name);
                let mut calls = self.untyped(place, &object.arguments);
                if let Some(source) = &object.source {
                    calls = format!("\n.provider_source({}.parse()?){calls}", string(source));
                }
                for secret in needed {
                    if let [terrane_core::PathStep::Attribute(argument)] = secret.steps() {
                        let secret = self.secret(variable, argument.as_ref());
                        let _ = write!(
                            calls,
                            "\n.set({}, {secret}.output())",
                            string(argument.as_ref())
                        );
                    }
                }
                format!("Resource::dynamic({ty}, {}){calls}", string(name))
            }
        };
        let _ = writeln!(body, "let {variable} = {chain}.declare(stack);");
        let by = match &object.identity {
            Some(identity) => self.identity(identity),
            None => string(&object.id),
        };
        let _ = writeln!(body, "stack.import(&{variable}, {by});\n");
    }

    /// A secret whose value is a variable of the environment, for a person to put elsewhere.
    fn secret(&mut self, variable: &str, argument: &str) -> String {
        self.uses.extend(["Secret", "SecretSource"]);
        let name = format!("{variable}_{argument}")
            .to_uppercase()
            .replace('-', "_");
        format!(
            "Secret::<String>::from_source(SecretSource::Env({}.to_owned()))",
            string(&name)
        )
    }

    /// Brings a module into scope; its short name.
    fn import(&mut self, module: &str) -> String {
        let short = module.rsplit("::").next().unwrap_or(module).to_owned();
        if short != module {
            self.modules.insert(module.to_owned());
        }
        short
    }

    /// Brings a name of terrane into scope.
    fn terrane(&mut self, name: &'static str) -> &'static str {
        self.uses.insert(name);
        name
    }

    fn identity(&mut self, identity: &Value) -> String {
        self.terrane("ImportBy");
        let members = identity.members().into_iter().flatten();
        let members = members.filter(|(_, value)| !value.is_null());
        let all_text = members.clone().all(|(_, value)| value.as_str().is_some());
        let members: Vec<String> = members
            .map(|(name, value)| {
                let value = literal(value, &Type::Dynamic, &mut |_| None);
                match all_text {
                    true => format!("({}, {value})", string(name)),
                    false => format!("({}, Value::from({value}))", string(name)),
                }
            })
            .collect();
        if !all_text {
            self.terrane("Value");
        }
        format!("ImportBy::identity([{}])", members.join(", "))
    }

    /// The setters of an object by its bindings.
    fn typed(
        &mut self,
        place: usize,
        all: &[BoundObject],
        object: usize,
        path: &dyn Fn(usize) -> String,
        given: &Value,
    ) -> String {
        let mut calls = String::new();
        for member in all[object].members.iter().filter(|member| member.settable) {
            let Some(value) = given.get(&member.name).filter(|value| !value.is_null()) else {
                continue;
            };
            self.member(place, all, member, path, value, &mut calls);
        }
        calls
    }

    fn member(
        &mut self,
        place: usize,
        all: &[BoundObject],
        member: &BoundMember,
        path: &dyn Fn(usize) -> String,
        value: &Value,
        calls: &mut String,
    ) {
        let method = &member.method;
        let one = match value {
            Value::List(elements) | Value::Set(elements) => elements.as_slice(),
            one => std::slice::from_ref(one),
        };
        match &member.kind {
            BoundKind::Value(ty) => {
                let value = self.value(place, value, ty);
                let _ = write!(calls, "\n.{method}({value})");
            }
            BoundKind::Untyped => {
                let value = self.value(place, value, &Type::Dynamic);
                let _ = write!(calls, "\n.{method}({value})");
            }
            BoundKind::Map { attribute, ty } => {
                for block in one {
                    if let Some(map) = block.get(attribute).filter(|map| !map.is_null()) {
                        let map = self.value(place, map, ty);
                        let _ = write!(calls, "\n.{method}({map})");
                    }
                }
            }
            BoundKind::Objects { object, .. } => {
                let start = format!("{}::builder()", path(*object));
                if let (Value::Map(members), terrane_core::schema::Nesting::Map) =
                    (value, nesting(&member.kind))
                {
                    let entries: Vec<String> = members
                        .iter()
                        .map(|(key, one)| {
                            let inner = self.typed(place, all, *object, path, one);
                            format!("({}, {start}{inner})", string(key))
                        })
                        .collect();
                    let _ = write!(calls, "\n.{method}([{}])", entries.join(", "));
                    return;
                }
                for one in one {
                    let inner = self.typed(place, all, *object, path, one);
                    let _ = write!(calls, "\n.{method}({start}{inner})");
                }
            }
        }
    }

    /// The setters of an object without bindings.
    fn untyped(&mut self, place: usize, given: &Value) -> String {
        let mut calls = String::new();
        for (name, value) in given.members().into_iter().flatten() {
            let is_block = self.objects[place].block.blocks.contains_key(name);
            let is_none =
                value.is_null() || is_block && value.elements().is_some_and(<[Value]>::is_empty);
            if is_none {
                continue;
            }
            let value = self.value(place, value, &Type::Dynamic);
            let _ = write!(calls, "\n.set({}, {value})", string(name));
        }
        calls
    }

    /// A value, with the attributes of other objects in it.
    fn value(&mut self, place: usize, value: &Value, ty: &Type) -> String {
        let mut uses = BTreeSet::new();
        let text = literal(value, ty, &mut |leaf: Leaf<'_>| match leaf {
            Leaf::Text(text) => self.reference(place, text),
            Leaf::Uses(name) => {
                uses.insert(name);
                None
            }
        });
        self.uses.extend(uses);
        text
    }

    /// The attribute of another object that has that value.
    fn reference(&self, place: usize, text: &str) -> Option<String> {
        let (target, attribute) = self.references.of(place, text)?;
        let (variable, bound) = match target {
            Target::Object(other) => (&self.variables[other], &self.objects[other].bindings),
            Target::Declared(other) => {
                let (_, name) = self.parameters.iter().find(|(one, _)| *one == other)?;
                (name, &self.declared[other].bindings)
            }
        };
        let getter = bound.as_ref().and_then(|bound| {
            let top = bound.names.objects.first()?;
            top.members
                .iter()
                .find(|one| *one.name == *attribute && one.readable)
        });
        Some(match getter {
            Some(member) => format!("{variable}.{}()", member.method),
            None if bound.is_some() => format!(
                "{variable}.as_ref().attribute::<String>({})",
                string(&attribute)
            ),
            None => format!("{variable}.attribute::<String>({})", string(&attribute)),
        })
    }
}

/// Whether a program must give a secret: without it a preview would take it away, or the object cannot be declared.
fn is_needed(object: &ExistingObject, secret: &Path) -> bool {
    let attribute = match secret.steps() {
        [terrane_core::PathStep::Attribute(name)] => object.block.attributes.get(name),
        _ => None,
    };
    attribute.is_some_and(|attribute| {
        attribute.required || object.differences.iter().any(|path| secret.contains(path))
    })
}

fn is_at(path: &Path, name: &str) -> bool {
    matches!(path.steps(), [terrane_core::PathStep::Attribute(one)] if **one == *name)
}

fn nesting(kind: &BoundKind) -> terrane_core::schema::Nesting {
    match kind {
        BoundKind::Objects { nesting, .. } => *nesting,
        _ => terrane_core::schema::Nesting::Single,
    }
}
