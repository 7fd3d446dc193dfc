//! Values, addresses, schemas, diagnostics and the language of terrane: no I/O, no async.
//!
//! The life of a program, from declarations to evaluated arguments:
//!
//! ```
//! use std::sync::Arc;
//! use terrane_core::addr::InstanceAddr;
//! use terrane_core::{Marked, NoConfig, Program, Resource, Scope, Value};
//!
//! let program = Program::from_fn(
//!     |stack| {
//!         let vpc = Resource::dynamic("t_vpc", "main").set("cidr", "10.0.0.0/16").declare(stack);
//!         let subnet = Resource::dynamic("t_subnet", "a").set("vpc_id", vpc.attribute::<String>("id"));
//!         subnet.declare(stack);
//!         Ok(())
//!     },
//!     NoConfig,
//! )
//! .expect("addresses are unique, references resolve, there is no cycle");
//! let [vpc, subnet] = program.resources().as_slice() else { unreachable!("two are declared") };
//! assert_eq!(subnet.dependencies, [program.position(&vpc.address).expect("declared")]);
//!
//! /// The engine's part: the objects that are known by now.
//! struct Known;
//! impl Scope for Known {
//!     fn object(&self, _: &InstanceAddr) -> Option<Arc<Marked>> {
//!         Some(Arc::new(Value::map([("id", Value::from("vpc-1"))]).into()))
//!     }
//! }
//! let arguments = subnet.arguments.evaluate(&Known).expect("no `map` fails");
//! assert_eq!(arguments.value.get("vpc_id"), Some(&Value::from("vpc-1")));
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`value`] | dynamic values, exact numbers, types, paths, conversions, cty's JSON form and set order |
//! | [`addr`] | addresses of modules, resources, instances and providers, in HCL's text |
//! | [`schema`] | the schema of a resource type, the shape it asks of a configuration, the compact text that bindings carry |
//! | `stack`, `resource`, `provider`, `lifecycle` | declarations |
//! | `blocks`, `rounds` | nested blocks, also of collections that the cloud decides |
//! | `output`, `input`, `expr`, `interpolate`, `nested`, `typed`, `literal` | symbolic values with Rust types |
//! | `provider_action` | actions of providers, by hand or around the operations on a resource |
//! | `provider_meta` | facts that a module tells its providers |
//! | `changes` | what a program says about objects that exist: moved, removed, imported |
//! | `known`, `value_module` | values of the cloud that decide what is declared: planned ones, and those of a later wave |
//! | `call`, `ephemeral` | functions of providers; values that are never stored |
//! | `exports`, `stack_reference` | the exports of a stack as a struct; those of other stacks as values |
//! | `ids` | lists with an index type of their own |
//! | `program` | the checked graph of a stack function's declarations |
//! | [`configuration`] | the trait through which a stack reads its configuration |
//! | [`policy`] | checks of a plan that the program declares, and the plan as they see it |
//! | `lookup` | rules by which objects are found by name or tag |
//! | `secret` | secrets of the configuration, by their sources |
//! | `marks`, [`secrets`] | sensitive paths; known secrets found in other texts |
//! | `diagnostics`, `error` | messages for people; the error of a stack function |
//! | [`go_json`], `quote`, `text` | strings as Go, HCL and Unicode's normal form C write them |
//!
//! Why not values with marks inside: every operation on them would have to carry marks along, and one that forgets shows a secret.
//! Sensitivity is a set of paths beside the value ([`Marked`]). Why not an asynchronous language: a stack function only describes, so
//! its graph is the same in every run and can be tested without a cloud. Why not `serde_json::Value`: it has no unknown values, no
//! sets, and no numbers of 153 digits. Why no derive macros here: bindings of 1,300 types
//! must compile in seconds. The one for [`Exports`] is a crate of its own.

mod action;
pub mod addr;
mod blocks;
mod call;
mod changes;
pub mod configuration;
mod diagnostics;
mod ephemeral;
mod error;
mod exports;
mod expr;
mod forward;
pub mod go_json;
mod ids;
mod input;
mod interpolate;
mod into_expr;
mod json_fault;
mod known;
mod lifecycle;
mod lint;
mod literal;
mod lookup;
mod marks;
mod nested;
mod output;
pub mod policy;
mod program;
mod provider;
mod provider_action;
mod provider_meta;
mod quote;
mod resource;
mod rounds;
pub mod schema;
mod secret;
pub mod secrets;
mod stack;
mod stack_reference;
mod suggest;
mod text;
mod typed;
pub mod value;
mod value_module;

pub use action::Action;
pub use blocks::{BlockBuilder, Blocks, IntoBlocks};
pub use call::{Arguments, Call};
pub use changes::{Adoption, ImportBy, Moved, PlaceAddr, Removed};
pub use configuration::{Configuration, NoConfig};
pub use diagnostics::{Diagnostic, Diagnostics, Location, Severity};
pub use ephemeral::{
    Ephemeral, EphemeralDeclaration, EphemeralResource, IntoEphemeralExpr, IntoWriteOnly, WriteOnly,
};
pub use error::{Error, Result};
pub use exports::{Exports, ProducerExports, Publisher, StackRef, StateReads};
pub use expr::{Apply, EvalError, Expr, Reference, Scope};
pub use forward::{Forward, ForwardValue};
pub use ids::{Id, IdVec};
pub use input::{Input, IntoInput};
#[doc(hidden)]
pub use interpolate::interpolated;
pub use into_expr::IntoExpr;
pub use json_fault::json_fault;
pub use known::{KnownValues, Needed, NotKnown};
pub use lifecycle::{IgnoreChanges, Lifecycle, Trigger};
pub use literal::Literal;
pub use lookup::{
    ContentsLookup, Holding, ImportPlace, LookupRules, NameLookup, Standing, TagLookup,
};
pub use marks::Marked;
pub use nested::{IsSet, Nested, NestedList, NestedOnly, Set};
pub use output::{Output, Outputs, all};
pub use policy::{Fact, Policy};
pub use program::{Program, ProviderConfig, ProviderId, ResourceId, ResourceInstance, Unfinished};
pub use provider::{ProviderBinding, ProviderDeclaration, ProviderHandle};
pub use provider_action::{DeclaredAction, OnFailure, ProviderAction, When};
pub use provider_meta::{DeclaredMeta, ProviderMeta};
pub use resource::{Binding, BlockArguments, Declaration, Resource, ResourceType};
pub use secret::{NoSecretSource, SECRET_NAME, Secret, SecretPlace, SecretReference, SecretSource};
pub use stack::{Export, Stack};
pub use stack_reference::{
    Produced, ProducedValues, Producer, ReferencedExport, StackReference, StateAddress,
};
pub use suggest::closest;
pub use text::nfc;
pub use typed::{FromValue, IntoValue, TypeMismatch};
pub use value::{Path, PathStep, Type, Value};
pub use value_module::ValueModule;
