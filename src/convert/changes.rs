//! `moved`, `removed` and `import` blocks as calls of the stack.

use std::fmt::Write as _;

use crate::ast::{Block, Kind};
use crate::blocks::comment_lines;
use crate::declare::{Instances, address_text, instances};
use crate::program::World;
use crate::scope::{Scope, string};
use crate::ty::{Form, Ty};

impl World<'_> {
    /// What the module says about objects that exist; what those say that it calls, where it is the root module.
    pub(crate) fn changes(&self, place: usize, scope: &Scope<'_>) -> String {
        let module = &self.configuration.modules[place];
        let mut text = String::new();
        if place == 0 {
            self.moves(0, "", scope, &mut text);
        }
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
                    _ => format!("{}.text()?", scope.dynamic(id)),
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

    /// The moves in a module and in those that it calls, with whole addresses: a program moves from the root.
    pub(crate) fn moves(&self, place: usize, prefix: &str, scope: &Scope<'_>, text: &mut String) {
        let module = &self.configuration.modules[place];
        for block in &module.moved {
            let address = |name: &str| block.body.value(name).and_then(address_text);
            text.push_str(&comment_lines(&block.comments));
            let _ = match (address("from"), address("to")) {
                (Some(from), Some(to)) => writeln!(
                    text,
                    "stack.moved({}, {});",
                    string(&format!("{prefix}{from}")),
                    string(&format!("{prefix}{to}"))
                ),
                _ => writeln!(
                    text,
                    "{};",
                    scope.untranslated(block.place, "these are not addresses")
                ),
            };
        }
        for call in &module.calls {
            if matches!(instances(&call.block.body), Instances::One) {
                let prefix = format!("{prefix}module.{}.", call.name);
                self.moves(call.module, &prefix, scope, text);
                continue;
            }
            if let Some(block) = self.first_move(call.module) {
                let reason = format!(
                    "write one `stack.moved` for each instance of `{prefix}module.{}`, with the module's address before both",
                    call.name
                );
                let _ = writeln!(text, "{};", scope.untranslated(block.place, &reason));
            }
        }
    }

    fn first_move(&self, place: usize) -> Option<&Block> {
        let module = &self.configuration.modules[place];
        let mut calls = module.calls.iter();
        let own = module.moved.first();
        own.or_else(|| calls.find_map(|call| self.first_move(call.module)))
    }
}
