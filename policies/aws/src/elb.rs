//! Load balancers.

use terrane_core::Policy;
use terrane_core::policy::Fact;

/// Listeners speak TLS, or send clients to one that does.
#[track_caller]
pub fn listeners_use_tls() -> Policy {
    Policy::new("listeners use TLS", |plan| {
        for type_name in ["aws_lb_listener", "aws_alb_listener"] {
            for listener in plan.of_type(type_name) {
                let protocol = listener.attribute::<String>("protocol");
                let action = crate::check::at::<String>(&listener, "default_action[0].type");
                // A redirect carries nothing.
                if listener.get(&action).is("redirect") {
                    continue;
                }
                match listener.get(&protocol) {
                    Fact::Known(protocol) if protocol == "HTTP" => {
                        listener.violates("it serves in plain text");
                    }
                    Fact::Unknown if listener.sets("protocol") => {
                        listener.undecided("it serves in plain text");
                    }
                    _ => {}
                }
            }
        }
    })
    .hint("use `HTTPS` with a certificate, or a default action `redirect`")
}
