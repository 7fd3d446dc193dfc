//! Forward references: values of what a function declares later than it uses them.

use std::fmt::Write as _;

use crate::model::{Call, Module};
use crate::names::Names;
use crate::order::{ForwardUse, Item};
use crate::program::World;
use crate::scope::{Scope, string};
use crate::ty::{Code, Ty};

/// The forward references to one item.
pub(crate) struct Forwards {
    /// The variable of each, and the output of a module that it stands for; none for the whole item.
    all: Vec<(String, Option<String>)>,
    key: String,
}

impl World<'_> {
    /// Declares the forward references to an item, and binds what they stand for.
    pub(crate) fn forwards(
        &self,
        module: &Module,
        item: Item,
        used: &ForwardUse,
        scope: &mut Scope<'_>,
        names: &mut Names,
    ) -> (String, Forwards) {
        let mut text = String::new();
        let mut all = Vec::new();
        let key = used.key.clone();
        let single = match item {
            Item::Call(at) if !module.calls[at].has_instances() => Some(&module.calls[at]),
            _ => None,
        };
        match (single, &used.outputs) {
            (Some(call), Some(outputs)) => {
                for output in outputs.iter().filter(|it| self.has_output(call, it)) {
                    let ty = scope.outputs.get(&call.module);
                    let ty = ty.and_then(|it| it.fields.get(output));
                    let ty = ty.and_then(|(_, ty)| forward_ty(ty));
                    let wanted = format!("{}_{output}", call.name);
                    let variable = names.take(&[&wanted, &format!("{wanted}_forward")]);
                    let (line, code) = declared(&variable, ty);
                    text.push_str(&line);
                    scope.known.insert(format!("{key}.{output}"), code);
                    all.push((variable, Some(output.clone())));
                }
            }
            _ => {
                let name = key.rsplit('.').next().unwrap_or(&key);
                let variable = names.take(&[&format!("{name}_forward"), "forward"]);
                let (line, code) = declared(&variable, None);
                text.push_str(&line);
                scope.known.insert(key.clone(), code);
                all.push((variable, None));
            }
        }
        (text, Forwards { all, key })
    }

    fn has_output(&self, call: &Call, name: &str) -> bool {
        let outputs = &self.configuration.modules[call.module].outputs;
        outputs.iter().any(|it| it.labels[0] == name)
    }

    /// Gives forward references their values, once the item is declared.
    pub(crate) fn set_forwards(
        &self,
        forwards: &Forwards,
        used: &ForwardUse,
        scope: &mut Scope<'_>,
    ) -> String {
        let mut text = String::new();
        let Some(whole) = scope.known.get(&forwards.key).cloned() else {
            return text;
        };
        for (variable, output) in &forwards.all {
            let value = match output {
                Some(output) => {
                    scope.known.remove(&format!("{}.{output}", forwards.key));
                    let code = scope.attribute(&whole, output);
                    code.and_then(|code| match forward_ty(&code.ty) {
                        Some(Ty::Number) => Some(code.kept()),
                        Some(_) => Some(code.borrowed()),
                        None if code.ty == Ty::Dyn => Some(code.borrowed()),
                        None => scope.as_dyn(&code),
                    })
                }
                None => outputs_alone(scope, &whole, used).or_else(|| scope.as_dyn(&whole)),
            };
            if let Some(value) = value {
                let _ = writeln!(text, "{variable}.set({value});");
            }
        }
        text
    }
}

fn declared(variable: &str, ty: Option<Ty>) -> (String, Code) {
    let of = ty.as_ref().map_or_else(|| "Value".to_owned(), Ty::rust);
    let line = format!("let {variable} = stack.forward::<{of}>();\n");
    let output = format!("{variable}.output()");
    let code = match ty {
        Some(ty) => Code::owned(output, Ty::output(ty)),
        None => Code::owned(format!("Dyn::from({output})"), Ty::Dyn),
    };
    (line, code)
}

/// The instances of a module with the outputs that are used, so that nothing waits for others.
fn outputs_alone(scope: &Scope<'_>, whole: &Code, used: &ForwardUse) -> Option<String> {
    let (Ty::Modules(module) | Ty::ModuleMap(module)) = whole.ty else {
        return None;
    };
    let instance = Code::reference("one", Ty::Module(module));
    let members = used.outputs.as_ref()?.iter().map(|output| {
        let code = scope.attribute(&instance, output)?;
        Some(format!("({}, {})", string(output), scope.as_dyn(&code)?))
    });
    let members = members.collect::<Option<Vec<_>>>()?.join(", ");
    let list = &whole.text;
    Some(match whole.ty {
        Ty::Modules(_) => {
            format!("Dyn::list({list}.iter().map(|one| Dyn::object([{members}])))")
        }
        _ => format!(
            "Dyn::object({list}.iter().map(|(key, one)| (key.as_str(), Dyn::object([{members}]))))"
        ),
    })
}

/// The type of a forward reference to a value of that type; none where only a `Value` fits.
fn forward_ty(ty: &Ty) -> Option<Ty> {
    match ty {
        Ty::Text | Ty::Bool | Ty::Number => Some(ty.clone()),
        Ty::Int | Ty::Size | Ty::Float => Some(Ty::Number),
        Ty::Output(of) if !of.has_struct() => Some((**of).clone()),
        Ty::List(of) if matches!(**of, Ty::Text | Ty::Output(_)) => forward_ty(of).map(Ty::list),
        Ty::Map(of) if matches!(**of, Ty::Text | Ty::Output(_)) => forward_ty(of).map(Ty::map),
        _ => None,
    }
}
