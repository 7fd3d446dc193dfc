//! Unresolved operations as diagnostics, before anything was done about them.

use terrane_core::{Diagnostic, Diagnostics, Severity};
use terrane_state::{IntentAction, OpenIntent};

/// One diagnostic for each operation.
pub fn found(open: &[OpenIntent], severity: Severity) -> Diagnostics {
    open.iter().map(|open| described(open, severity)).collect()
}

fn described(open: &OpenIntent, severity: Severity) -> Diagnostic {
    let address = &open.intent.address;
    let diagnostic = Diagnostic::error(format!("{address} has an unresolved operation"))
        .detail(request_text(open))
        .address(address);
    Diagnostic {
        severity,
        ..diagnostic
    }
}

/// `creation requested at … by …; no response was recorded`
pub fn request_text(open: &OpenIntent) -> String {
    let intent = &open.intent;
    let by = open.by.as_ref();
    let by = by.map_or("an earlier run", |process| &process.who);
    let noun = match intent.action {
        IntentAction::Create => "creation",
        IntentAction::Update => "update",
        IntentAction::Delete => "deletion",
        IntentAction::Import => "import",
    };
    format!(
        "{noun} requested at {} by {by}; no response was recorded",
        intent.started_at
    )
}
