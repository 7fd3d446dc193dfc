//! Writes all modules until the types of their inputs and outputs stay the same.

use std::collections::{BTreeMap, HashMap};

use crate::calls::joined;

use crate::program::{Inputs, ModuleCode, World, variable_of};
use crate::scope::ModuleOutputs;
use crate::sources::ConvertError;
use crate::ty::Ty;
use crate::variables::constant;

/// Writes all modules until the types of what they hand each other stay the same.
#[allow(clippy::type_complexity)]
pub(crate) fn settle(
    world: &World<'_>,
) -> Result<
    (
        BTreeMap<usize, ModuleCode>,
        HashMap<usize, Inputs>,
        HashMap<usize, ModuleOutputs>,
    ),
    ConvertError,
> {
    let count = world.configuration.modules.len();
    let mut inputs: HashMap<usize, Inputs> = HashMap::new();
    let mut outputs: HashMap<usize, ModuleOutputs> = HashMap::new();
    for round in 0.. {
        let mut written = BTreeMap::new();
        let mut asked: HashMap<usize, Inputs> = HashMap::new();
        for place in 0..count {
            let one = world.module(place, &outputs, &inputs)?;
            for (module, requests) in &one.requests {
                let own = asked.entry(*module).or_default();
                for request in requests {
                    for (name, ty) in request {
                        let joint = own
                            .get(name)
                            .map_or_else(|| ty.clone(), |other| joined(other, ty));
                        own.insert(name.clone(), joint);
                    }
                }
            }
            written.insert(place, one);
        }
        with_defaults(world, &mut asked)?;
        let mut made: HashMap<usize, ModuleOutputs> = written
            .iter()
            .map(|(place, one)| (*place, one.outputs.clone()))
            .collect();
        let mut is_settled = true;
        for place in 0..count {
            let (new, old) = (asked.entry(place).or_default(), inputs.get(&place));
            for (name, ty) in new.iter_mut() {
                let before = old.and_then(|it| it.get(name));
                if before != Some(ty) {
                    is_settled = false;
                    if round > 3 {
                        *ty = Ty::Dyn;
                    }
                }
                // Once without a type, always without.
                if round > 3 && before == Some(&Ty::Dyn) {
                    *ty = Ty::Dyn;
                }
            }
            let old = outputs.get(&place);
            for (name, (_, ty)) in &mut made
                .entry(place)
                .or_insert_with(|| ModuleOutputs {
                    fields: BTreeMap::new(),
                })
                .fields
            {
                let before = old.and_then(|it| it.fields.get(name)).map(|(_, ty)| ty);
                if round > 3 && before == Some(&Ty::Dyn) {
                    *ty = Ty::Dyn;
                }
                if before != Some(ty) {
                    is_settled = false;
                    if round > 3 {
                        *ty = Ty::Dyn;
                    }
                }
            }
        }
        if is_settled {
            return Ok((written, asked, made));
        }
        inputs = asked;
        outputs = made;
        if round > 16 {
            break;
        }
    }
    Err(ConvertError::Invalid {
        place: world.stack.clone(),
        reason: "the types of its modules do not settle".to_owned(),
    })
}

/// A variable that some calls set and others leave to its default has to hold both.
fn with_defaults(
    world: &World<'_>,
    asked: &mut HashMap<usize, Inputs>,
) -> Result<(), ConvertError> {
    for module in &world.configuration.modules {
        for call in &module.calls {
            let child = &world.configuration.modules[call.module];
            let Some(own) = asked.get_mut(&call.module) else {
                continue;
            };
            for block in &child.variables {
                let variable = variable_of(world.configuration, block)?;
                let Some(ty) = own.get_mut(&variable.name) else {
                    continue;
                };
                let is_given = call
                    .block
                    .body
                    .attribute(&variable.name)
                    .is_some_and(|it| !it.value.is_null());
                if is_given {
                    continue;
                }
                let Some(default) = variable.default else {
                    continue;
                };
                let fits = match (&*ty, default.is_null()) {
                    (Ty::Option(_), true) => true,
                    (Ty::Output(of), false) => constant(default, of).is_some() && **of == Ty::Text,
                    (_, true) => {
                        *ty = Ty::option(ty.clone());
                        matches!(ty, Ty::Option(of) if of.is_plain())
                    }
                    (ty, false) => constant(default, ty).is_some(),
                };
                if !fits {
                    *ty = Ty::Dyn;
                }
            }
        }
    }
    Ok(())
}
