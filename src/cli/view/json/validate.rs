//! Diagnostics as Terraform's JSON, alone and as the answer of `validate`.

use serde_json::{Value as Json, json};
use terrane_core::{Diagnostic, Diagnostics};

use crate::view::Validity;

/// `validate --json`.
pub(super) fn validate(validity: Validity, diagnostics: &Diagnostics) -> Json {
    let errors = diagnostics.iter().filter(|d| d.is_error()).count();
    json!({
        "format_version": "1.0",
        "valid": validity == Validity::Valid,
        "error_count": errors,
        "warning_count": diagnostics.len() - errors,
        "diagnostics": diagnostics.iter().map(diagnostic).collect::<Vec<_>>(),
    })
}

/// One diagnostic. `attribute` and `hints` are ours.
pub(super) fn diagnostic(diagnostic: &Diagnostic) -> Json {
    let mut json = json!({
        "severity": if diagnostic.is_error() { "error" } else { "warning" },
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
    });
    if let Some(address) = &diagnostic.address {
        json["address"] = json!(address);
    }
    if let Some(location) = &diagnostic.location {
        let place = json!({ "line": location.line, "column": location.column, "byte": 0 });
        json["range"] = json!({ "filename": location.file, "start": place, "end": place });
    }
    if let Some(attribute) = &diagnostic.attribute {
        json["attribute"] = json!(attribute.to_string());
    }
    if !diagnostic.hints.is_empty() {
        json["hints"] = json!(diagnostic.hints);
    }
    json
}
