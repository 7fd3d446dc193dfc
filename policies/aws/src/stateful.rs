//! Resources that hold data which no program can make again.

use terrane_aws::PROVIDER;
use terrane_core::Policy;

/// The program protects each of them with `prevent_destroy`, or by its own `deletion_protection`.
#[track_caller]
pub fn protected() -> Policy {
    const SWITCHES: [&str; 2] = ["deletion_protection", "deletion_protection_enabled"];
    Policy::new("stateful resources are protected", |plan| {
        for type_name in PROVIDER.stateful {
            for resource in plan.of_type(type_name) {
                let kept = resource
                    .lifecycle()
                    .is_none_or(|lifecycle| lifecycle.prevent_destroy);
                let switched = SWITCHES
                    .iter()
                    .any(|switch| resource.get(&resource.attribute::<bool>(switch)).is(&true));
                if !kept && !switched {
                    resource.violates("a change of the program can delete its data");
                }
            }
        }
    })
    .hint("add `.lifecycle(Lifecycle::new().prevent_destroy())`")
}

/// No plan deletes or replaces one of them.
#[track_caller]
pub fn not_destroyed() -> Policy {
    Policy::new("stateful resources are not destroyed", |plan| {
        for change in plan.changes() {
            let type_name = &*change.address().resource.type_name;
            if change.action().destroys() && PROVIDER.stateful.contains(&type_name) {
                change.violates(format!("its data goes with {}", change.action()));
            }
        }
    })
    .hint("to delete it on purpose, add an exception for its address")
}
