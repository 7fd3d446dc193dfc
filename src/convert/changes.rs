//! `moved`, `removed` and `import` blocks as calls of the stack.

use std::fmt::Write as _;

use crate::ast::Kind;
use crate::blocks::comment_lines;
use crate::declare::address_text;
use crate::program::World;
use crate::scope::{Scope, escaped, string};
use crate::ty::{Form, Ty};

impl World<'_> {
    /// What the module says about objects that exist.
    pub(crate) fn changes(&self, place: usize, scope: &Scope<'_>) -> String {
        let module = &self.configuration.modules[place];
        let mut text = self.moves(place, scope);
        for block in &module.removed {
            let from = block.body.value("from").and_then(address_text);
            let destroys = block.body.blocks_of("lifecycle").find_map(|it| {
                match it.body.value("destroy").map(|it| &it.kind) {
                    Some(Kind::Bool(truth)) => Some(*truth),
                    _ => None,
                }
            });
            text.push_str(&comment_lines(&block.comments));
            let line = match (from, destroys) {
                (Some(from), Some(false)) if place == 0 => {
                    format!("stack.removed({});\n", string(&from))
                }
                (Some(from), Some(true)) => format!(
                    "// Destroyed, as everything that is not declared any more: `{from}`.\n"
                ),
                (Some(_), None) => format!(
                    "{};\n",
                    scope.untranslated(
                        block.place,
                        "Terraform destroys what this names, OpenTofu forgets it: write `lifecycle { destroy = … }`"
                    )
                ),
                _ => format!(
                    "{};\n",
                    scope.untranslated(
                        block.place,
                        "this cannot be carried: remove it from the root module"
                    )
                ),
            };
            text.push_str(&line);
        }
        for block in &module.imports {
            let to = block.body.value("to").and_then(address_text);
            text.push_str(&comment_lines(&block.comments));
            if block.body.value("for_each").is_some()
                || to.is_none()
                || block.body.value("identity").is_some()
            {
                let _ = writeln!(
                    text,
                    "{};",
                    scope.untranslated(block.place, "write one `stack.import` for each of these")
                );
                continue;
            }
            let to = to.unwrap_or_default();
            let by = match block.body.value("id") {
                Some(id) => match scope.typed(id) {
                    Some(code) if code.ty == Ty::Text => match code.form {
                        Form::Literal => code.text,
                        _ => code.kept(),
                    },
                    _ => format!("{}.text()?", scope.operand(id)),
                },
                None => format!(
                    "{{ {} }}",
                    scope.untranslated(block.place, "an import needs an `id`")
                ),
            };
            match scope.known.get(&to) {
                Some(code) if matches!(code.ty, Ty::Handle(_)) => {
                    let _ = writeln!(text, "stack.import(&{}, {by});", code.text);
                }
                _ => {
                    let _ = writeln!(
                        text,
                        "let imported = stack.resource({})?;\nstack.import(&imported, {by});",
                        string(&to)
                    );
                }
            }
        }
        text
    }

    /// The moves in a module. A program moves by whole addresses, so each instance of a module says where it is.
    fn moves(&self, place: usize, scope: &Scope<'_>) -> String {
        let module = &self.configuration.modules[place];
        let mut text = String::new();
        if module.moved.is_empty() {
            return text;
        }
        let own = scope.fresh("module");
        if place != 0 {
            let _ = writeln!(text, "let {own} = stack.current_module().to_string();");
        }
        for block in &module.moved {
            let address = |name: &str| {
                let address = block.body.value(name).and_then(address_text)?;
                Some(match place {
                    0 => string(&address),
                    _ => {
                        let address = escaped(&address).replace('{', "{{").replace('}', "}}");
                        format!("&format!(\"{{{own}}}.{address}\")")
                    }
                })
            };
            text.push_str(&comment_lines(&block.comments));
            let line = match (address("from"), address("to")) {
                (Some(from), Some(to)) => format!("stack.moved({from}, {to});\n"),
                _ => format!(
                    "{};\n",
                    scope.untranslated(block.place, "these are not addresses")
                ),
            };
            text.push_str(&line);
        }
        text
    }
}
