//! The plugin client against real processes: our own provider that misbehaves on demand, and one on HashiCorp's SDKs.

mod conformance;
mod failures;
mod features;
mod go_cty;
mod lifecycle;
mod processes;
mod recording;
mod schemas;
