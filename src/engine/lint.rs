//! Finds the arguments and types of a program that its providers call deprecated. Needs neither state nor credentials.

use terrane_core::{Diagnostic, Diagnostics, Program};

use crate::object::schema_of;
use crate::running::RunningProviders;
use crate::validate::AllUnknown;

/// A warning for each.
///
/// # Errors
/// When a provider cannot be started, or does not have a type.
pub(crate) async fn deprecated(
    program: &Program,
    running: &RunningProviders<'_>,
) -> Result<Diagnostics, Diagnostics> {
    let mut found = Diagnostics::new();
    for resource in program.resources() {
        let source = &program.providers()[resource.provider].address.source;
        let provider = running.unconfigured(source).await?;
        let (address, location) = (&resource.address, resource.location);
        let schema = schema_of(&*provider, address, source, Some(location))?;
        let warning = |summary: String| {
            Diagnostic::warning(summary)
                .address(address)
                .location(location)
        };
        if schema.block.deprecated {
            let type_name = resource.type_name();
            found.push(warning(format!("`{type_name}` is deprecated")));
        }
        // What the program says itself: the full shape would have every empty block in it.
        let Ok(arguments) = resource.arguments.evaluate(&AllUnknown) else {
            continue;
        };
        for path in schema.block.deprecated_paths(&arguments.value) {
            found.push(warning(format!("`{path}` is deprecated")).attribute(path));
        }
    }
    Ok(found)
}
