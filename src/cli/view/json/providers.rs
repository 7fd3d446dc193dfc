//! The providers of a program as JSON.

use serde_json::{Value as Json, json};
use terrane_codegen::AddedBindings;
use terrane_core::addr::ProviderSource;
use terrane_registry::{FoundPackage, LockChange, MirroredPackage, ProviderStatus, Via};

use super::JsonView;
use crate::view::ProvidersView;

/// The version of these forms.
const FORMAT: &str = "1.0";

impl ProvidersView for JsonView {
    fn providers(&self, statuses: &[ProviderStatus]) {
        self.print(&json!({
            "format_version": FORMAT,
            "providers": statuses.iter().map(status).collect::<Vec<_>>(),
        }));
    }

    fn locked(&self, changes: &[LockChange]) {
        let changes = changes.iter().map(|change| {
            json!({
                "provider": change.source.to_string(),
                "version_before": change.before.as_ref().map(ToString::to_string),
                "version": change.version.to_string(),
                "hashes_added": change.added,
                "hashes": change.hashes,
            })
        });
        self.print(&json!({
            "format_version": FORMAT,
            "locked": changes.collect::<Vec<_>>(),
        }));
    }

    fn mirrored(&self, packages: &[MirroredPackage]) {
        let packages = packages.iter().map(|package| {
            json!({
                "provider": package.source.to_string(),
                "version": package.version.to_string(),
                "platform": package.platform.to_string(),
                "file": package.file.display().to_string(),
            })
        });
        self.print(&json!({
            "format_version": FORMAT,
            "mirrored": packages.collect::<Vec<_>>(),
        }));
    }

    fn schemas(&self, schemas: &[(ProviderSource, Json)]) {
        let schemas = schemas.iter();
        let schemas = schemas.map(|(source, schema)| (source.to_string(), schema.clone()));
        self.print(&json!({
            "format_version": FORMAT,
            "provider_schemas": schemas.collect::<serde_json::Map<_, _>>(),
        }));
    }

    fn verified(&self, statuses: &[ProviderStatus]) {
        self.providers(statuses);
    }

    fn bindings(&self, origin: &str, added: &AddedBindings) {
        let changed = added.changed.iter();
        self.print(&json!({
            "format_version": FORMAT,
            "bindings": {
                "provider": origin,
                "folder": added.folder.display().to_string(),
                "crate": added.package,
                "module": added.name,
                "types": added.types,
                "lines": added.lines,
                "changed": changed.map(|path| path.display().to_string()).collect::<Vec<_>>(),
            },
        }));
    }
}

fn status(status: &ProviderStatus) -> Json {
    json!({
        "provider": status.source.to_string(),
        "accepted": status.versions.as_ref().map(ToString::to_string),
        "locked": status.locked.as_ref().map(ToString::to_string),
        "hashes": status.hashes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "installed": status.installed.as_ref().map(found),
    })
}

fn found(found: &FoundPackage) -> Json {
    let mut json = json!({
        "version": found.version.as_ref().map(ToString::to_string),
        "path": found.path.display().to_string(),
        "via": match found.via {
            Via::Override => "dev_overrides",
            Via::Mirror(_) => "filesystem_mirror",
            Via::Cache | Via::Download(_) => "cache",
        },
    });
    if let Some(verdict) = &found.verdict {
        json["verified"] = verdict.is_ok().into();
    }
    json
}
