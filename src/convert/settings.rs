//! The variables of the root module as `Config`, its checks, and `<stack>.toml`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use crate::imports::imports;
use crate::model::Configuration;
use crate::names::{Names, snake};
use crate::program::{World, variable_of};
use crate::scope::{Untranslated, string};
use crate::sources::ConvertError;
use crate::ty::{Code, Struct, Ty};
use crate::variables::{Variable, constant, constant_dyn, field, struct_text, toml};

/// The variables of the root module: the struct `Config`.
pub(crate) struct Variables<'a> {
    pub(crate) all: Vec<(Variable<'a>, Ty)>,
    pub(crate) structs: Vec<Rc<Struct>>,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) has_checks: bool,
}

impl<'a> Variables<'a> {
    pub(crate) fn of(configuration: &'a Configuration) -> Result<Self, ConvertError> {
        let mut all = Vec::new();
        let mut structs = Vec::new();
        let mut codes = HashMap::new();
        let mut names = Names::with(&[
            "Config", "Dyn", "Result", "Error", "Vec", "Option", "String", "BTreeMap", "BTreeSet",
            "Secret",
        ]);
        let mut has_checks = false;
        for block in &configuration.modules[0].variables {
            let variable = variable_of(configuration, block)?;
            has_checks |= block.body.blocks_of("validation").next().is_some();
            let samples = variable.samples(&configuration.values);
            let variable = variable.configured(&configuration.values);
            let mut ty = variable
                .constraint
                .ty(&variable.name, &samples, &mut names, &mut structs);
            // Whatever is set has to fit.
            if samples
                .iter()
                .any(|it| !it.is_null() && constant(it, &ty).is_none())
            {
                ty = Ty::Dyn;
            }
            if samples.iter().any(|it| it.is_null()) {
                ty = Ty::option(ty);
            }
            let place = format!("config.{}", field(&variable.name));
            let code = match (&ty, variable.is_secret) {
                (Ty::Text, true) if variable.default.is_none() => {
                    Code::owned(format!("{place}.output()"), Ty::output(Ty::Text))
                }
                (_, true) => Code::owned(format!("{place}()"), Ty::Dyn),
                _ if variable.conversion(&ty).is_some() => {
                    Code::owned(format!("{place}()"), Ty::Dyn)
                }
                _ => Code::place(place, ty.clone()),
            };
            codes.insert(format!("var.{}", variable.name), code);
            all.push((variable, ty));
        }
        Ok(Self {
            all,
            structs,
            codes,
            has_checks,
        })
    }

    /// The conditions of the variables, and what of them cannot be said.
    pub(crate) fn checks(&mut self, world: &World<'_>) -> (String, Vec<Untranslated>) {
        let mut codes = HashMap::new();
        for (key, code) in &self.codes {
            let text = code.text.replacen("config.", "self.", 1);
            codes.insert(
                key.clone(),
                Code {
                    text,
                    ..code.clone()
                },
            );
        }
        let mut text = String::new();
        let mut problems = Vec::new();
        world.with_scope(0, codes, |scope| {
            for (variable, _) in &self.all {
                for validation in variable.block.body.blocks_of("validation") {
                    text.push_str(&scope.condition(validation));
                }
            }
            problems = scope.problems.borrow().clone();
        });
        (text, problems)
    }

    pub(crate) fn file(&self, checks: &str) -> String {
        let mut text = String::from(
            "/// The configuration of the stack.\n#[derive(Debug, Clone, Deserialize)]\n#[serde(deny_unknown_fields)]\n#[allow(dead_code)]\npub struct Config {\n",
        );
        let mut defaults = String::new();
        let mut accessors = String::new();
        for (variable, ty) in &self.all {
            let about = match variable.about.is_empty() {
                true => vec![format!("The variable `{}`.", variable.name)],
                false => variable.about.clone(),
            };
            for line in about.iter().flat_map(|it| it.lines()) {
                let _ = writeln!(text, "/// {}", line.trim_end());
            }
            let ident = field(&variable.name);
            if ident.trim_start_matches("r#") != variable.name {
                let _ = writeln!(text, "#[serde(rename = {})]", string(&variable.name));
            }
            let conversion = variable.conversion(ty);
            let converted = |value: String| match &conversion {
                Some(conversion) => format!("{conversion}.of({value})"),
                None => value,
            };
            if variable.is_secret {
                let inner = match ty {
                    Ty::Text => "Secret",
                    _ => "Secret<Value>",
                };
                match variable.default {
                    None if *ty == Ty::Text => {
                        let _ = writeln!(text, "pub {ident}: Secret,");
                    }
                    None => {
                        let _ = writeln!(text, "pub {ident}: {inner},");
                        let _ = writeln!(
                            accessors,
                            "/// The value of `{0}`.\npub fn {ident}(&self) -> Dyn {{\n{1}\n}}",
                            variable.name,
                            converted(format!("Dyn::from(&self.{ident})"))
                        );
                    }
                    Some(default) => {
                        let _ = writeln!(text, "pub {ident}: Option<{inner}>,");
                        let default = constant_dyn(default);
                        let _ = writeln!(
                            accessors,
                            "/// The value of `{0}`, or its default.\npub fn {ident}(&self) -> Dyn {{\n{1}\n}}",
                            variable.name,
                            converted(format!(
                                "self.{ident}.as_ref().map_or_else(|| {default}.sensitive(), Dyn::from)"
                            ))
                        );
                    }
                }
                continue;
            }
            match variable.default {
                Some(default) if !default.is_null() => {
                    let value = match ty {
                        Ty::Dyn => Some(constant_dyn(default)),
                        ty => constant(default, ty),
                    };
                    let value = value.unwrap_or_else(|| "Default::default()".to_owned());
                    let is_empty = matches!(
                        &*value,
                        "false"
                            | "0"
                            | "String::new()"
                            | "Vec::new()"
                            | "BTreeSet::new()"
                            | "BTreeMap::new()"
                    );
                    if is_empty {
                        text.push_str("#[serde(default)]\n");
                    } else {
                        let function = format!("default_{}", snake(&variable.name));
                        let _ = writeln!(text, "#[serde(default = \"{function}\")]");
                        let _ = writeln!(
                            defaults,
                            "\nfn {function}() -> {} {{\n{value}\n}}",
                            ty.rust()
                        );
                    }
                }
                Some(_) if *ty == Ty::Dyn => {
                    text.push_str("#[serde(default = \"default_null\")]\n");
                    if !defaults.contains("fn default_null()") {
                        defaults.push_str("\nfn default_null() -> Dyn {\nDyn::NULL\n}\n");
                    }
                }
                Some(_) => text.push_str("#[serde(default)]\n"),
                None => {}
            }
            let _ = writeln!(text, "pub {ident}: {},", ty.rust());
            if conversion.is_some() {
                let _ = writeln!(
                    accessors,
                    "/// The value of `{}`, converted to its type.\npub fn {ident}(&self) -> Dyn {{\n{}\n}}",
                    variable.name,
                    converted(format!("&self.{ident}"))
                );
            }
        }
        text.push_str("}\n");
        for one in &self.structs {
            let about = format!("One `{}`.", snake(&one.name));
            text.push_str(&struct_text(one, &about));
        }
        if self.has_checks || !accessors.is_empty() {
            let check = match self.has_checks {
                true => format!(
                    "/// Checks what types cannot say.\npub fn check(&self) -> Result<()> {{\n{checks}Ok(())\n}}\n"
                ),
                false => String::new(),
            };
            let _ = writeln!(text, "\nimpl Config {{\n{check}{accessors}}}");
        }
        text.push_str(&defaults);
        let uses = imports(&text, &[]);
        format!("//! The configuration of the stack.\n\n{uses}\n{text}")
    }

    /// What the files of values set.
    pub(crate) fn toml(
        &self,
        configuration: &Configuration,
        untranslated: &mut Vec<Untranslated>,
    ) -> String {
        let mut text = String::new();
        let mut tables = String::new();
        for value in &configuration.values {
            let variable = self.all.iter().find(|(it, _)| it.name == value.name);
            let Some((variable, _)) = variable else {
                continue;
            };
            if value.value.is_null() {
                continue;
            }
            for line in value.comments.iter().flat_map(|it| it.lines()) {
                let _ = writeln!(text, "# {line}");
            }
            if variable.is_secret {
                let _ = writeln!(
                    text,
                    "{} = \"env:{}\"",
                    variable.name,
                    variable.name.to_ascii_uppercase()
                );
                continue;
            }
            match toml(&value.value, &variable.constraint) {
                Some(it) => {
                    let one = ::toml::Table::from_iter([(variable.name.clone(), it.clone())]);
                    let shown = ::toml::to_string(&one).unwrap_or_default();
                    match it.is_table() || shown.contains("\n[") || shown.starts_with('[') {
                        true => {
                            let _ = write!(tables, "\n{shown}");
                        }
                        false => text.push_str(&shown),
                    }
                }
                None => untranslated.push(Untranslated {
                    place: configuration.sources.shown(value.place),
                    reason: "a file of values has constants alone".to_owned(),
                    text: configuration.sources.text(value.place).to_owned(),
                }),
            }
        }
        text + &tables
    }
}
