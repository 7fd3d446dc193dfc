//! The providers: those of this machine, as Terraform's own configuration names them.

use std::path::PathBuf;
use std::sync::Arc;

use terrane_core::{Diagnostic, Program};
use terrane_deploy::{
    DeployError, LOCK_FILE, ProviderSetup, Sandbox, cache_folder, cli_config, not_installed,
    own_program,
};
use terrane_provider::{Launch, Plugins};
use terrane_registry::{
    CliConfig, InstallEvent, InstallObserver, Installer, Platform, RequiredProvider, Version,
};

use super::Session;
use super::state::sandbox_path;
use crate::error::CommandError;
use crate::logs::Logs;
use crate::view::{Installing, RunView as _, RunViews};

impl Session<'_> {
    /// Where provider processes of that program come from. One that is not on this machine is installed first.
    pub(crate) async fn providers(&self, program: &Program) -> Result<Plugins, CommandError> {
        self.installed_providers(program, None).await
    }

    /// The same for a run, whose views are told what is installed.
    pub(crate) async fn providers_of_run(
        &self,
        program: &Program,
        views: &RunViews,
    ) -> Result<Plugins, CommandError> {
        self.installed_providers(program, Some(views)).await
    }

    async fn installed_providers(
        &self,
        program: &Program,
        views: Option<&RunViews>,
    ) -> Result<Plugins, CommandError> {
        self.provider_processes()?;
        if let Some(recording) = self.recording()? {
            let mut setup = self.setup(CliConfig::default())?;
            // A process to attach to would be a real provider.
            setup.environment.vars.remove("TF_REATTACH_PROVIDERS");
            return Ok(setup.plugins().replaying(recording));
        }
        let cli_config = match self.common.sandbox {
            // Nothing that is installed here matters.
            true => CliConfig::default(),
            false => self.cli_config()?,
        };
        let mut setup = self.setup(cli_config)?;
        if self.common.sandbox {
            setup.sandbox = Some(Sandbox {
                folder: sandbox_path(self.stack),
                program: own_program()?,
                speed: self
                    .environment
                    .get("TERRANE_SANDBOX_SPEED")
                    .map(str::to_owned),
            });
        }
        let observer = Observers::new(self, views);
        let plugins = setup.providers(program, &observer).await?;
        self.recorded(plugins)
    }

    /// The schemas of a provider that the program need not have, in Terraform's JSON, and its version where that is known. It is
    /// installed first where need be; with `upgrade` in the newest version that is accepted, whatever is recorded.
    pub(crate) async fn schemas_of(
        &self,
        required: RequiredProvider,
        upgrade: bool,
    ) -> Result<(serde_json::Value, Option<Version>), CommandError> {
        let cli_config = self.cli_config()?;
        let source = required.source.clone();
        let setup = self.setup(cli_config)?;
        if upgrade {
            let observer = Installing::new(self.streams.clone());
            let platforms = [Platform::current()];
            let required = std::slice::from_ref(&required);
            let locked = setup.installer();
            let locked = locked.lock(required, &platforms, true, &observer).await;
            drop(observer);
            locked.map_err(|errors| not_installed(errors, &[]))?;
        }
        let observer = Observers::new(self, None);
        let plugins = setup.installed(vec![required], &[], &observer).await?;
        drop(observer);
        let json = plugins
            .schemas_json(&source)
            .await
            .map_err(DeployError::from)?;
        let version = match plugins.is_attached(&source).map_err(DeployError::from)? {
            true => None,
            false => plugins.locate(&source).map_err(DeployError::from)?.version,
        };
        Ok((json, version))
    }

    /// How this machine's providers are found, installed and started.
    pub(crate) fn setup(&self, cli_config: CliConfig) -> Result<ProviderSetup, CommandError> {
        Ok(ProviderSetup {
            environment: self.environment.clone(),
            cli_config,
            lock_file: PathBuf::from(LOCK_FILE),
            cache: cache_folder(&self.environment),
            keeps_schemas: !self.common.no_cache,
            is_offline: self.common.offline,
            sandbox: None,
            launch: Launch::Reexec(own_program()?),
            logs: Some(Arc::new(Logs::new(
                self.common.log,
                self.streams.clone(),
                self.redactor.clone(),
                self.trace(),
            ))),
        })
    }

    /// The CLI configuration of Terraform and OpenTofu.
    pub(crate) fn cli_config(&self) -> Result<CliConfig, CommandError> {
        let cli_config = cli_config(&self.environment)?;
        if let Some(missing) = &cli_config.missing {
            let warning = Diagnostic::warning("the CLI configuration does not exist")
                .detail(format!("TF_CLI_CONFIG_FILE names {}", missing.display()));
            self.say(&warning.into());
        }
        Ok(cli_config)
    }

    /// Installs providers by the CLI configuration.
    pub(crate) fn installer(&self) -> Result<Installer, CommandError> {
        Ok(self.setup(self.cli_config()?)?.installer())
    }
}

/// Everybody who follows an installation.
struct Observers<'a> {
    people: Installing,
    views: Option<&'a RunViews>,
}

impl<'a> Observers<'a> {
    fn new(session: &Session<'_>, views: Option<&'a RunViews>) -> Self {
        let people = Installing::new(session.streams.clone());
        Self { people, views }
    }
}

impl InstallObserver for Observers<'_> {
    fn event(&self, event: InstallEvent<'_>) {
        if let Some(views) = self.views {
            views.installing(&event);
        }
        self.people.event(event);
    }
}
