//! Plans through their files: every scenario applies a plan that was written and read.

use terrane_core::Program;
use terrane_engine::{Fingerprint, Inputs, Origin, Plan, SavedPlan};
use terrane_state::{Sha256, Timestamp};

/// Where the plans of tests come from.
pub fn origin(program: &Program) -> Origin {
    Origin {
        nonce: "nonce".into(),
        terrane: "test".into(),
        who: "tester@host".into(),
        made_at: Timestamp::new(1_700_000_000, 0),
        stack: "test".into(),
        backend: "memory".into(),
        sandbox: false,
        endpoint: None,
        executable: Sha256::default(),
        program: Fingerprint::of(program),
        inputs: Inputs::default(),
        flags: Vec::new(),
        providers: Vec::new(),
        callers: Vec::new(),
        known_values: program.known_values().clone(),
    }
}

/// The plan as its file gives it back.
///
/// # Panics
/// When that is another plan.
#[track_caller]
pub(crate) fn through_file(plan: &Plan, program: &Program) -> Plan {
    let file = SavedPlan::write(plan, origin(program)).expect("a file");
    let saved = SavedPlan::read(&file).expect("a plan file");
    let again = saved.plan(program).expect("the same program");
    assert!(again == *plan, "the plan changes by being written");
    again
}
