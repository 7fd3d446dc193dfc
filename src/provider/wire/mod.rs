//! What travels: protobuf messages, method names, and their translation to and from the domain.
//!
//! Protocol 5 and 6 have the same messages under partly different names; only schemas differ on the wire (version 6 nests
//! attributes). So both are spoken with the messages of version 6, a table of method names, and a schema translation for each.
//! That this is so is a test of the code generator.

mod convert;
#[doc(hidden)]
pub mod generated;
pub mod msgpack;
mod rpc;
mod schema;
mod terraform_json;

pub(crate) use convert::{
    diagnostics, dynamic_value, encode_deferred, encode_diagnostics, encode_path, encode_time,
    identity_data, null_value, read_deferred, read_dynamic_value, read_identity, read_path,
    read_time,
};
pub(crate) use generated::{go_plugin, health, tfplugin6};
pub use rpc::Protocol;
pub(crate) use rpc::Rpc;
pub(crate) use schema::{
    LazyProviderSchema, LazySchema, decode_action_schema, decode_function, decode_schema,
    encode_action_schema, encode_function, encode_schema, read_identity_schema,
    write_identity_schema,
};
pub(crate) use terraform_json::schemas_json;
