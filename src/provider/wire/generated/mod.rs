//! The generated messages; `terrane-protobuf` writes them from `proto/`.

#[rustfmt::skip]
#[path = "plugin.rs"]
pub mod go_plugin;
#[rustfmt::skip]
#[path = "grpc.health.v1.rs"]
pub mod health;
#[rustfmt::skip]
#[path = "tfplugin5.rs"]
pub mod tfplugin5;
#[rustfmt::skip]
#[path = "tfplugin6.rs"]
pub mod tfplugin6;
