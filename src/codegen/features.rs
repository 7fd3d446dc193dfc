//! The features of a package that generates its bindings when it is built: one a service, written into its `Cargo.toml`.

use std::fmt::Write;

use crate::catalogue::Catalogue;

const BEGIN: &str = "# Services, from provider.toml; `terrane-codegen generate` writes them.\n";
const END: &str = "# End of the services.\n";

/// The manifest with a feature for each service of the catalogue; `None` if it has no place for them.
pub fn with_features(manifest: &str, catalogue: &Catalogue) -> Option<String> {
    let (before, rest) = manifest.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let mut text = format!("{before}{BEGIN}");
    for service in catalogue.services.keys() {
        let _ = writeln!(text, "{service} = []");
    }
    text.push_str(END);
    text.push_str(after);
    Some(text)
}
