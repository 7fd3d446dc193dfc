//! The providers: those of this machine, as Terraform's own configuration names them.

use std::sync::Arc;

use terrane_core::{Diagnostic, Program};
use terrane_provider::{CliConfig, Launch, Plugins, Version};

use super::Session;
use crate::error::CommandError;
use crate::logs::Logs;

impl Session<'_> {
    /// Where provider processes of that program come from.
    pub(crate) fn providers(&self, program: &Program) -> Result<Plugins, CommandError> {
        if self.common.sandbox {
            let absent = Diagnostic::error("this build has no sandbox")
                .detail("nothing was started, for only the real providers are here");
            return Err(CommandError::usage(absent));
        }
        let cli_config = CliConfig::load(&self.environment).map_err(|error| {
            Diagnostic::error(error.to_string()).hint(
                "TF_CLI_CONFIG_FILE, ~/.tofurc and ~/.terraformrc are read as Terraform reads them",
            )
        })?;
        let own = std::env::current_exe().map_err(|error| {
            Diagnostic::error("cannot find this program's own file").detail(error.to_string())
        })?;
        let logs = Arc::new(Logs::new(self.common.log, self.streams.clone()));
        let launch = Launch::Reexec(own);
        let mut plugins = Plugins::new(self.environment.clone(), cli_config, launch, logs);
        for provider in program.providers() {
            let Some(binding) = provider.binding else {
                continue;
            };
            if let Some(requirement) = same_major(binding.version) {
                let requirement = requirement.parse().map_err(|_| {
                    Diagnostic::error(format!("{requirement} is no requirement of a version"))
                })?;
                plugins = plugins.require(provider.address.source.clone(), requirement);
            }
        }
        Ok(plugins)
    }
}

/// Bindings made for 5.31.0 work with 5.31 and what follows it within 5.
fn same_major(version: &str) -> Option<String> {
    version.parse::<Version>().ok()?;
    let mut parts = version.split('.');
    Some(format!("~> {}.{}", parts.next()?, parts.next()?))
}
