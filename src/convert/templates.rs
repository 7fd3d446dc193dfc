//! Files that expressions read: texts that become a part of the program, and templates, which become expressions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use crate::ast::{Kind, Node, Part, Place};
use crate::model::Module;
use crate::native;
use crate::scope::{Scope, string};
use crate::ty::{Code, Ty};

/// More files than these are no choice that somebody made.
const MOST_TEMPLATES: usize = 16;

/// How deep variables and locals are followed to the texts that they hold.
const DEEPEST: usize = 8;

/// A path as far as the configuration says it: each part that it does not say is `None`.
type Pattern = Vec<Option<String>>;

impl Scope<'_> {
    /// A template or a text that lies in a file.
    pub(crate) fn file_call(&self, name: &str, arguments: &[Node]) -> Option<Code> {
        if name == "file" {
            let path = self.path(arguments.first()?)?;
            fs::read_to_string(&path).ok()?;
            let included = self.include(path);
            return Some(Code::literal(
                format!("include_str!({})", string(&included)),
                Ty::Text,
            ));
        }
        let path = arguments.first()?;
        let template = self.template_at(&self.path(path)?, path.place)?;
        let bound = self.literal_variables(arguments.get(1)?, false)?;
        self.binding(bound, || self.typed(&template))
    }

    /// `templatefile` without a type; of a path that the run decides, a choice among the files that it can be.
    pub(crate) fn dynamic_template_file(&self, arguments: &[Node]) -> Option<String> {
        let [path, variables] = arguments else {
            return None;
        };
        if let Some(file) = self.path(path) {
            let template = self.template_at(&file, path.place)?;
            return self.with_variables(variables, &template);
        }
        let mut choices = String::new();
        self.closure(|| {
            for (name, file) in self.candidates(path) {
                let template = self.template_at(&file, path.place);
                let text = template.and_then(|it| self.with_variables(variables, &it));
                if let Some(text) = text {
                    let _ = writeln!(choices, "{} => {text},", string(&name));
                }
            }
        });
        let path = self.dyn_argument(path);
        (!choices.is_empty()).then(|| {
            format!(
                "dynamic::templatefile({path}, |path| Some(match path {{ {choices} _ => return None }}))"
            )
        })
    }

    /// A template with the values of its variables; none where it has others.
    fn with_variables(&self, variables: &Node, template: &Node) -> Option<String> {
        let mut wanted: Vec<String> = template
            .all_references()
            .into_iter()
            .map(|mut names| names.swap_remove(0))
            .collect();
        wanted.sort();
        wanted.dedup();
        if let Some(bound) = self.literal_variables(variables, true) {
            let is_given = |name: &String| bound.iter().any(|(given, _)| given == name);
            return wanted
                .iter()
                .all(is_given)
                .then(|| self.binding(bound, || self.dynamic(template)));
        }
        let name = self.fresh("variables");
        let members = wanted.into_iter().map(|wanted| {
            let member = format!("{name}.attr({})", string(&wanted));
            (wanted, Code::owned(member, Ty::Dyn))
        });
        let text = self.binding(members.collect(), || self.dynamic(template));
        let all = self.dynamic(variables);
        Some(format!("{{ let {name} = {all}; {text} }}"))
    }

    fn literal_variables(&self, node: &Node, dynamic: bool) -> Option<Vec<(String, Code)>> {
        let Kind::Object(members) = &node.kind else {
            return None;
        };
        let variables = members.iter().map(|(key, value)| {
            let code = match self.typed(value) {
                Some(code) => code,
                None if dynamic => self.dynamic_code(value),
                None => return None,
            };
            Some((key.text()?.to_owned(), code))
        });
        variables.collect()
    }

    /// The file that an expression names, if the configuration says which, and it is there.
    fn path(&self, node: &Node) -> Option<PathBuf> {
        let pattern = pattern_of(self.module, node)?;
        let text: String = pattern.into_iter().collect::<Option<String>>()?;
        let path = self.folder().join(text);
        path.is_file().then_some(path)
    }

    fn folder(&self) -> &Path {
        &self.configuration.modules[0].folder
    }

    /// What a function makes of the bytes of a file.
    pub(crate) fn file_bytes(&self, name: &str, arguments: &[Node]) -> Option<String> {
        let [path] = arguments else {
            return None;
        };
        let path = self.path(path)?;
        if name == "fileexists" {
            return Some("Dyn::from(true)".to_owned());
        }
        let included = self.include(path);
        Some(format!(
            "dynamic::file_bytes({}, include_bytes!({}))",
            string(name),
            string(&included)
        ))
    }

    /// Takes a file into the project; its path from a source file.
    fn include(&self, path: PathBuf) -> String {
        let inside = path.strip_prefix(self.folder()).unwrap_or(&path);
        let inside: Vec<String> = inside
            .components()
            .filter_map(|it| match it {
                Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
                _ => None,
            })
            .collect();
        let inside = format!("files/{}", inside.join("/").replace(".terraform/", ""));
        self.files.borrow_mut().insert(inside.clone(), path);
        format!("../{inside}")
    }

    fn template_at(&self, path: &Path, named: Place) -> Option<Rc<Node>> {
        if let Some(known) = self.templates.borrow().get(path) {
            return Some(known.clone());
        }
        let text = fs::read_to_string(path).ok()?;
        let template = Rc::new(native::template(named, &text).ok()?);
        // Kept as long as what is remembered of its nodes.
        self.templates
            .borrow_mut()
            .insert(path.to_owned(), template.clone());
        Some(template)
    }

    /// The files that a path of the run can name, by the text of that path.
    fn candidates(&self, node: &Node) -> BTreeMap<String, PathBuf> {
        let mut found = BTreeMap::new();
        for pattern in self.patterns(self.module, node, DEEPEST) {
            let whole: Option<String> = pattern.iter().cloned().collect();
            match whole {
                Some(text) => {
                    let path = self.folder().join(&text);
                    if path.is_file() {
                        found.insert(text, path);
                    }
                }
                None => self.matching(&pattern, &mut found),
            }
        }
        match found.len() > MOST_TEMPLATES {
            true => BTreeMap::new(),
            false => found,
        }
    }

    /// What the configuration says of a path: one pattern for each text that its variables hold somewhere.
    fn patterns(&self, module: &Module, node: &Node, depth: usize) -> Vec<Pattern> {
        let unknown = || vec![vec![None]];
        if let Some(pattern) = pattern_of(module, node)
            && pattern.iter().all(Option::is_some)
        {
            return vec![pattern];
        }
        let Some(depth) = depth.checked_sub(1) else {
            return unknown();
        };
        match &node.kind {
            Kind::Null => Vec::new(),
            Kind::Choose(all) => {
                let mut both = self.patterns(module, &all[1], depth);
                both.extend(self.patterns(module, &all[2], depth));
                both
            }
            Kind::Template(parts) => parts.iter().fold(vec![Vec::new()], |before, part| {
                let next = match part {
                    Part::Text(text) => vec![vec![Some(text.clone())]],
                    Part::Value(node) => self.patterns(module, node, depth),
                    Part::If(..) | Part::For { .. } => unknown(),
                };
                let pairs = before.iter().flat_map(|before| {
                    next.iter()
                        .map(move |next| [before.as_slice(), next].concat())
                });
                pairs.take(MOST_TEMPLATES).collect()
            }),
            Kind::Call {
                name, arguments, ..
            } if matches!(&**name, "coalesce" | "try") => {
                let each = arguments.iter();
                each.flat_map(|one| self.patterns(module, one, depth))
                    .collect()
            }
            kind => match (node.names().as_deref(), kind) {
                (Some(["local", name]), _) => {
                    let local = module.locals.iter().find(|it| it.name == *name);
                    local.map_or_else(unknown, |it| self.patterns(module, &it.value, depth))
                }
                (Some(["var", name]), _) => self.patterns_of_variable(module, name, depth),
                (_, Kind::Attribute(of, name)) => {
                    self.patterns_of_members(module, of, Some(name), depth)
                }
                (_, Kind::Index(of, key)) => {
                    self.patterns_of_members(module, of, key.text(), depth)
                }
                _ => unknown(),
            },
        }
    }

    /// The same of the members of an object that is written out: all, or those of one name.
    fn patterns_of_members(
        &self,
        module: &Module,
        of: &Node,
        name: Option<&str>,
        depth: usize,
    ) -> Vec<Pattern> {
        if let Kind::Object(members) = &of.kind {
            let meant = members
                .iter()
                .filter(|(key, _)| name.is_none() || key.text() == name);
            return meant
                .flat_map(|(_, one)| self.patterns(module, one, depth))
                .collect();
        }
        let local = match of.names().as_deref() {
            Some(["local", name]) => module.locals.iter().find(|it| it.name == *name),
            _ => None,
        };
        match (local, depth.checked_sub(1)) {
            (Some(local), Some(depth)) => {
                self.patterns_of_members(module, &local.value, name, depth)
            }
            _ => vec![vec![None]],
        }
    }

    /// The same of a variable: its default, and what calls of the module give.
    fn patterns_of_variable(&self, module: &Module, name: &str, depth: usize) -> Vec<Pattern> {
        let mut all = Vec::new();
        let block = module.variables.iter().find(|it| it.labels[0] == name);
        if let Some(default) = block.and_then(|it| it.body.value("default")) {
            all.extend(self.patterns(module, default, depth));
        }
        let modules = &self.configuration.modules;
        if std::ptr::eq(module, &raw const modules[0]) {
            let given = self.configuration.values.iter();
            let given = given.filter(|it| it.name == name);
            all.extend(given.flat_map(|it| self.patterns(module, &it.value, depth)));
        }
        for caller in modules {
            for call in &caller.calls {
                if std::ptr::eq(module, &raw const modules[call.module])
                    && let Some(value) = call.block.body.value(name)
                {
                    all.extend(self.patterns(caller, value, depth));
                }
            }
        }
        all
    }

    /// Adds the files of the configuration that fit a pattern.
    fn matching(&self, pattern: &Pattern, found: &mut BTreeMap<String, PathBuf>) {
        let known: String = pattern.iter().map_while(Clone::clone).collect();
        let Some((folder, _)) = known.rsplit_once('/') else {
            return;
        };
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(self.folder().join(&folder)) else {
                continue;
            };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let (text, path) = (format!("{folder}/{name}"), entry.path());
                if name.starts_with('.') || is_source(&name) {
                    continue;
                }
                if path.is_dir() {
                    folders.push(text);
                } else if fits(pattern, &text) {
                    found.insert(text, path);
                }
            }
        }
    }
}

/// A path with the folders that it begins with; its other parts are unknown.
fn pattern_of(module: &Module, node: &Node) -> Option<Pattern> {
    let part = |node: &Node| match node.names().as_deref() {
        Some(["path", "module"]) => Some(module.path.clone()),
        Some(["path", "root"]) => Some(".".to_owned()),
        _ => node.text().map(str::to_owned),
    };
    match &node.kind {
        Kind::Template(parts) => {
            let parts = parts.iter().map(|it| match it {
                Part::Text(text) => Some(Some(text.clone())),
                Part::Value(node) => Some(part(node)),
                Part::If(..) | Part::For { .. } => None,
            });
            parts.collect()
        }
        _ => Some(vec![part(node)]),
    }
}

/// Whether a file is a part of the configuration's own text.
fn is_source(name: &str) -> bool {
    [".tf", ".tf.json", ".tfvars", ".md"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Whether a text is the pattern with something in the place of each unknown part.
fn fits(pattern: &[Option<String>], text: &str) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((Some(part), rest)) => text
            .strip_prefix(part.as_str())
            .is_some_and(|after| fits(rest, after)),
        Some((None, rest)) => text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| fits(rest, &text[at..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_parts_of_a_path_fit_anything() {
        let pattern = |parts: &[&str]| -> Pattern {
            let part = |it: &&str| (*it != "?").then(|| (*it).to_owned());
            parts.iter().map(part).collect()
        };
        let one = pattern(&["m/", "?", ".tpl"]);
        assert!(fits(&one, "m/a.tpl") && fits(&one, "m/x/a.tpl") && fits(&one, "m/.tpl"));
        assert!(!fits(&one, "m/a.tp") && !fits(&one, "n/a.tpl"));
        assert!(fits(&pattern(&["?"]), "") && fits(&pattern(&["a"]), "a"));
    }
}
