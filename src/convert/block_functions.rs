//! Long blocks as functions of their own: compilers take too long over one that is deeply nested.

use crate::expr::mentions;
use crate::imports::without_texts;
use crate::names::snake;
use crate::scope::Scope;
use crate::ty::{Code, Ty};

/// A block with more text than this stands in a function.
const LONGEST: usize = 2000;

/// A function that makes a block.
pub(crate) struct BlockFunction {
    name: String,
    /// All of it but its name.
    rest: String,
}

impl BlockFunction {
    pub(crate) fn text(&self) -> String {
        format!("\nfn {}{}", self.name, self.rest)
    }
}

impl Scope<'_> {
    /// The block without types, or the call of a function that makes it from the variables of loops.
    pub(crate) fn short_block(&self, name: &str, block: String) -> String {
        if block.len() < LONGEST {
            return block;
        }
        let code = without_texts(&block);
        let variables = self.loop_variables(&code);
        let Some(variables) = variables.filter(|_| !code.contains('?')) else {
            return block;
        };
        let parameters: Vec<String> = variables.iter().map(|it| format!("{it}: Dyn")).collect();
        let parameters = parameters.join(", ");
        let body = match block.starts_with('{') {
            true => block,
            false => format!("{{ {block} }}"),
        };
        let rest = format!("({parameters}) -> BlockArguments {body}\n");
        let arguments: Vec<String> = variables.iter().map(|it| format!("{it}.clone()")).collect();
        format!(
            "{}({})",
            self.block_function(name, rest),
            arguments.join(", ")
        )
    }

    /// The variables of loops that code reads, if it reads no others.
    fn loop_variables(&self, code: &str) -> Option<Vec<String>> {
        fn root(code: &Code) -> &str {
            code.text.split(['.', '(', '[']).next().unwrap_or_default()
        }
        const OTHERS: [&str; 5] = ["stack", "config", "inputs", "providers", "after"];
        let mut known = self.known.values().map(root).chain(OTHERS);
        if known.any(|name| name.starts_with(is_name) && mentions(code, name)) {
            return None;
        }
        let bound = self.bound.borrow();
        let mut all: Vec<String> = Vec::new();
        for (_, code_of) in &*bound {
            let name = root(code_of);
            if !name.starts_with(is_name)
                || !mentions(code, name)
                || all.iter().any(|it| it == name)
            {
                continue;
            }
            if code_of.ty != Ty::Dyn || code_of.text != name {
                return None;
            }
            all.push(name.to_owned());
        }
        Some(all)
    }

    /// The name of the function: blocks that are written the same share one.
    fn block_function(&self, block: &str, rest: String) -> String {
        let mut all = self.functions.borrow_mut();
        if let Some(same) = all.iter().find(|it| it.rest == rest) {
            return same.name.clone();
        }
        let wanted = format!("{}_block", snake(block));
        let is_free = |name: &String| all.iter().all(|it| it.name != *name);
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let mut names = std::iter::once(wanted.clone()).chain(numbered);
        let name = names.find(|it| is_free(it) && self.fresh(it) == *it);
        let name = name.unwrap_or(wanted);
        all.push(BlockFunction {
            name: name.clone(),
            rest,
        });
        name
    }
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_'
}
