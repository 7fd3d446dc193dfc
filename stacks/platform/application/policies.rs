//! What the checklist asks of the application.

use terrane::{Fact, Policy};
use terrane_kubernetes::apps::Deployment;

/// No container of a deployment runs as root or can become it.
#[track_caller]
pub(crate) fn containers_are_confined() -> Policy {
    Policy::new("containers are confined", |plan| {
        for deployment in plan.of::<Deployment>() {
            let template = deployment.spec().index(0).template().index(0);
            let containers = template.spec().index(0).container();
            for place in 0.. {
                let container = containers.index(place);
                if matches!(deployment.get(&container.name()), Fact::Absent) {
                    break;
                }
                let security = container.security_context().index(0);
                deployment.require(&security.run_as_non_root(), "it may run as root", |on| {
                    on == Some(true)
                });
                let escalation = security.allow_privilege_escalation();
                deployment.require(&escalation, "it may become root", |on| on == Some(false));
            }
        }
    })
    .hint("set `run_as_non_root` and `allow_privilege_escalation` in the `security_context` of each container")
}
