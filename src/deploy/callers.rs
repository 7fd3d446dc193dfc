//! In whose name a plan acts, for the people who read it.

use std::time::Duration;

use terrane_core::Program;
use terrane_engine::{CallerIdentity, Engine, Plan};

/// How long a line for people may take. A provider that retries against an emulator without the service takes minutes.
const PATIENCE: Duration = Duration::from_secs(5);

/// As far as the providers say it soon; nothing depends on it.
pub async fn known(engine: &Engine<'_>, program: &Program, plan: &Plan) -> Vec<CallerIdentity> {
    let asked = tokio::time::timeout(PATIENCE, engine.callers(program, plan)).await;
    asked.ok().and_then(Result::ok).unwrap_or_default()
}
