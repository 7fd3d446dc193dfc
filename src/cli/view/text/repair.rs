//! A damaged journal and its readable records, as people read them before the repair.

use std::fmt::Write as _;

use terrane_state::{Damage, Recovered};

use super::painter::{Painter, Tone};
use crate::view::printable::{counted, one_line};

/// The damage, the saved records, and the operations that may be recorded nowhere.
pub(in crate::view) fn damage(
    place: &str,
    damage: &Damage,
    saved: &Recovered,
    painter: Painter,
) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "The journal of {} is damaged: {}.\n",
        one_line(place),
        one_line(&damage.reason)
    );
    let mut fact = |name: &str, fact: String| {
        let _ = writeln!(text, "  {name:<19} {fact}");
    };
    fact("before the damage", counted(damage.before, "whole record"));
    fact(
        "behind it",
        format!("{} that can be read", counted(damage.behind, "record")),
    );
    fact(
        "saved",
        format!("{} that the state lacks", counted(saved.replayed, "result")),
    );
    fact(
        "unresolved",
        format!(
            "{} that the next run looks at",
            counted(saved.open.len(), "operation")
        ),
    );
    for open in &saved.open {
        let intent = &open.intent;
        let address = one_line(&intent.address.to_string());
        let by = open.by.as_ref();
        let by = by.map_or_else(String::new, |by| format!(" by {}", one_line(&by.who)));
        let _ = writeln!(
            text,
            "    {} {}, requested at {}{by}",
            intent.action,
            painter.paint(Tone::Strong, &address),
            intent.started_at
        );
    }
    let since = match damage.last_known {
        Some(at) => format!("An operation that began after {at}"),
        None => "An operation of an earlier run".to_owned(),
    };
    let _ = writeln!(
        text,
        "\n{since} may be recorded nowhere: look for objects that the state does not have."
    );
    text
}
