//! References as Terraform's configuration writes them: relative to the module that they stand in, and from one module into another through
//! outputs and variables.
//!
//! A program refers to any resource directly. Tools that read a configuration look for a reference inside of its own module alone, so a
//! reference that leaves it becomes an output of each module that it comes out of, and a variable of each that it goes into, both named
//! after what it is to: `aws_vpc_main_id`.

use serde_json::json;
use terrane_core::addr::{InstanceAddr, ModuleAddr, ModuleStep, ResourceAddr};
use terrane_core::{Path, Reference};

use super::configuration::ModuleJson;

impl ModuleJson {
    /// A reference from a declaration in that module. This is the root, in which outputs and variables on its way are declared.
    pub(super) fn refer(&mut self, from: &ModuleAddr, reference: &Reference) -> Vec<String> {
        let (from, to) = (from.steps(), reference.address.resource.module.steps());
        let same = |(one, other): &(&ModuleStep, &ModuleStep)| one.name == other.name;
        let common = from.iter().zip(to).take_while(same).count();
        let name = variable_name(&reference.address, &reference.path);
        let mut texts = relative(reference);
        // Out of the module of the resource, from the innermost one.
        for depth in (common..to.len()).rev() {
            let outputs = &mut self.at(&to[..=depth]).outputs;
            outputs
                .entry(&*name)
                .or_insert_with(|| json!({ "expression": { "references": texts } }));
            texts = output_of(&to[depth], &name);
        }
        // Into the module that refers to it, from the outermost one.
        for depth in common..from.len() {
            let step = &*from[depth].name;
            let call = self.at(&from[..depth]).call(step);
            call.expressions
                .entry(&*name)
                .or_insert_with(|| json!({ "references": texts }));
            call.module
                .variables
                .entry(&*name)
                .or_insert_with(|| json!({}));
            texts = vec![format!("var.{name}")];
        }
        texts
    }

    /// A dependency without a reference: on a resource of the same module or on a module in it. One on something outside is the
    /// dependency of the module itself.
    pub(super) fn depend(&mut self, from: &ModuleAddr, on: &InstanceAddr) -> Option<String> {
        let (from, to) = (from.steps(), on.resource.module.steps());
        let same = |(one, other): &(&ModuleStep, &ModuleStep)| one.name == other.name;
        let common = from.iter().zip(to).take_while(same).count();
        let text = match to.get(common) {
            Some(step) => format!("module.{}", step.name),
            None => {
                let resource = &on.resource;
                let module = ModuleAddr::root();
                let resource = ResourceAddr {
                    module,
                    ..resource.clone()
                };
                resource.to_string()
            }
        };
        let Some(step) = from.get(common) else {
            return Some(text);
        };
        let depends_on = &mut self.at(&from[..common]).call(&step.name).depends_on;
        if !depends_on.contains(&text) {
            depends_on.push(text);
        }
        None
    }
}

/// The reference inside of the module of its resource, then all that it goes through: `a.b.c`, `a.b`, and without the key of `a["x"]`.
fn relative(reference: &Reference) -> Vec<String> {
    let InstanceAddr { resource, key } = &*reference.address;
    let resource = ResourceAddr {
        module: ModuleAddr::root(),
        ..resource.clone()
    };
    let instance = InstanceAddr {
        resource: resource.clone(),
        key: key.clone(),
    }
    .to_string();
    let steps = reference.path.steps();
    let mut texts: Vec<String> = (1..=steps.len())
        .rev()
        .map(|length| {
            format!(
                "{instance}.{}",
                steps[..length]
                    .iter()
                    .cloned()
                    .fold(Path::root(), Path::step)
            )
        })
        .collect();
    texts.push(instance);
    if key.is_some() {
        texts.push(resource.to_string());
    }
    texts
}

/// An output of a module, as the module around it refers to it.
fn output_of(step: &ModuleStep, name: &str) -> Vec<String> {
    let call = format!("module.{}", step.name);
    match &step.key {
        None => vec![format!("{call}.{name}"), call],
        Some(key) => vec![format!("{call}{key}.{name}"), format!("{call}{key}"), call],
    }
}

/// `aws_subnet_private_a_id`
fn variable_name(address: &InstanceAddr, path: &Path) -> String {
    let InstanceAddr { resource, key } = address;
    let key = key.as_ref().map(ToString::to_string);
    let text = format!(
        "{}_{}_{}_{path}",
        resource.type_name,
        resource.name,
        key.unwrap_or_default()
    );
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use terrane_core::{NoConfig, Program, Resource, Stack, Value};

    use crate::view::json::configuration::configuration;

    /// A base, a module that needs it, and another that needs an object of that one.
    fn declare(stack: &mut Stack) {
        let data = |name: &str| Resource::dynamic("terraform_data", name);
        let base = data("base").set("input", "one").declare(stack);
        let b = stack.module("network", |stack| {
            let a = data("a")
                .set("input", base.attribute::<Value>("id"))
                .declare(stack);
            data("b")
                .set("input", a.attribute::<Value>("output"))
                .depends_on(&a)
                .declare(stack)
        });
        let c = stack.module("app", |stack| {
            data("c")
                .instance_key("x")
                .set("input", b.attribute::<Value>("id"))
                .depends_on(&base)
                .declare(stack)
        });
        stack.export("id", c.attribute::<String>("id"));
    }

    #[test]
    fn a_reference_into_another_module_goes_through_an_output_and_a_variable() {
        let program = Program::from_fn(
            |stack| {
                declare(stack);
                Ok(())
            },
            NoConfig,
        );
        let program = program.expect("a program");
        let json = serde_json::to_value(configuration(&program, &[])).expect("JSON");
        let root = serde_json::to_string_pretty(&json["root_module"]).expect("JSON");
        insta::assert_snapshot!(root, @r#"
        {
          "module_calls": {
            "app": {
              "depends_on": [
                "terraform_data.base"
              ],
              "expressions": {
                "terraform_data_b_id": {
                  "references": [
                    "module.network.terraform_data_b_id",
                    "module.network"
                  ]
                }
              },
              "module": {
                "outputs": {
                  "terraform_data_c_x_id": {
                    "expression": {
                      "references": [
                        "terraform_data.c[\"x\"].id",
                        "terraform_data.c[\"x\"]",
                        "terraform_data.c"
                      ]
                    }
                  }
                },
                "resources": [
                  {
                    "address": "terraform_data.c",
                    "expressions": {
                      "input": {
                        "references": [
                          "var.terraform_data_b_id"
                        ]
                      }
                    },
                    "mode": "managed",
                    "name": "c",
                    "provider_config_key": "terraform",
                    "type": "terraform_data"
                  }
                ],
                "variables": {
                  "terraform_data_b_id": {}
                }
              },
              "source": "./app"
            },
            "network": {
              "expressions": {
                "terraform_data_base_id": {
                  "references": [
                    "terraform_data.base.id",
                    "terraform_data.base"
                  ]
                }
              },
              "module": {
                "outputs": {
                  "terraform_data_b_id": {
                    "expression": {
                      "references": [
                        "terraform_data.b.id",
                        "terraform_data.b"
                      ]
                    }
                  }
                },
                "resources": [
                  {
                    "address": "terraform_data.a",
                    "expressions": {
                      "input": {
                        "references": [
                          "var.terraform_data_base_id"
                        ]
                      }
                    },
                    "mode": "managed",
                    "name": "a",
                    "provider_config_key": "terraform",
                    "type": "terraform_data"
                  },
                  {
                    "address": "terraform_data.b",
                    "depends_on": [
                      "terraform_data.a"
                    ],
                    "expressions": {
                      "input": {
                        "references": [
                          "terraform_data.a.output",
                          "terraform_data.a"
                        ]
                      }
                    },
                    "mode": "managed",
                    "name": "b",
                    "provider_config_key": "terraform",
                    "type": "terraform_data"
                  }
                ],
                "variables": {
                  "terraform_data_base_id": {}
                }
              },
              "source": "./network"
            }
          },
          "outputs": {
            "id": {
              "expression": {
                "references": [
                  "module.app.terraform_data_c_x_id",
                  "module.app"
                ]
              }
            }
          },
          "resources": [
            {
              "address": "terraform_data.base",
              "expressions": {
                "input": {}
              },
              "mode": "managed",
              "name": "base",
              "provider_config_key": "terraform",
              "type": "terraform_data"
            }
          ]
        }
        "#);
    }
}
