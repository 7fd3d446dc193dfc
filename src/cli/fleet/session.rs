//! The fleet of one invocation, ready to be deployed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use terrane_config::{ConfigValues, VARIABLE_PREFIX};
use terrane_core::{Diagnostic, Diagnostics, Result as CoreResult};
use terrane_deploy::{Cancellation, Deployment, DeploymentHost, ProviderSetup, Sandbox};
use terrane_fleet::{
    Deployments, Fleet, FleetOptions, Placement, Selection, SelectionError, StackId,
};
use terrane_provider::{Environment, Launch};
use terrane_state::{BackendConfig, Backends, LocalBackend};

use super::args::FleetCommon;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{ENDPOINT_VARIABLE, environment, own_program, read_var_file, sandbox_path};
use crate::streams::Streams;
use crate::view::printable::one_line;
use crate::view::text::diagnostics::diagnostics;
use crate::view::text::painter::Painter;

/// One invocation of a fleet's program.
pub(super) struct FleetSession<'a> {
    pub(super) common: FleetCommon,
    pub(super) streams: Arc<Streams>,
    pub(super) cancellation: Cancellation,
    environment: Environment,
    backends: &'a Backends,
}

impl<'a> FleetSession<'a> {
    /// An invocation in this process's environment.
    pub(super) fn new(common: FleetCommon, backends: &'a Backends, streams: Arc<Streams>) -> Self {
        Self {
            common,
            streams,
            cancellation: Cancellation::new(),
            environment: environment(),
            backends,
        }
    }

    /// The stacks that the program declares.
    pub(super) fn deployments(
        &self,
        function: &dyn Fn(&mut Fleet) -> CoreResult<()>,
    ) -> Result<Deployments, CommandError> {
        let config = self.config()?;
        let fleet = Fleet::from_fn(function, config.clone());
        let fleet = fleet.map_err(|diagnostics| CommandError {
            exit: match config.was_refused() {
                true => Exit::USAGE,
                false => Exit::FAILED,
            },
            diagnostics,
        })?;
        if !config.was_read()
            && let Some((key, source)) = config.sources().next()
        {
            let unread = Diagnostic::error(format!(
                "`{key}` is no configuration key of this fleet"
            ))
            .detail(format!(
                "it is set by {source}, and the program reads no configuration of its own"
            ));
            return Err(CommandError::usage(unread));
        }
        let host = DeploymentHost::with_operations(self.common.stacks)?;
        let (setup, own) = (self.provider_setup()?, own_program()?);
        let endpoint = self.environment.get(ENDPOINT_VARIABLE);
        let endpoint = endpoint.filter(|_| !self.common.sandbox);
        let deploy = |deployment: Deployment| {
            let sandbox = self.common.sandbox.then(|| Sandbox {
                folder: sandbox_path(deployment.name()),
                program: own.clone(),
                speed: self
                    .environment
                    .get("TERRANE_SANDBOX_SPEED")
                    .map(str::to_owned),
            });
            let setup = ProviderSetup {
                sandbox,
                ..setup.clone()
            };
            let deployment = deployment
                .environment(self.environment.clone())
                .provider_setup(setup)
                .backends(self.backends.clone());
            match endpoint {
                Some(url) => deployment.endpoint(url),
                None => deployment,
            }
        };
        Deployments::of(fleet, &host, |it| self.place(&it), deploy).map_err(CommandError::from)
    }

    fn place(&self, placement: &Placement<'_>) -> BackendConfig {
        let file = "terraform.tfstate";
        match (self.common.sandbox, placement.backend) {
            (true, _) => sandbox_path(placement.name).join(file).into(),
            (false, Some(backend)) => backend.clone(),
            (false, None) => {
                let path = LocalBackend::default_path(placement.name);
                let checked = "invariant: a fleet checks the names of its stacks";
                path.unwrap_or_else(|_| panic!("{checked}")).into()
            }
        }
    }

    fn provider_setup(&self) -> Result<ProviderSetup, CommandError> {
        let mut setup = ProviderSetup::of(self.environment.clone())?;
        setup.launch = Launch::Reexec(own_program()?);
        setup.is_offline = self.common.offline;
        setup.keeps_schemas = !self.common.no_cache;
        Ok(setup)
    }

    /// `TERRANE_VAR_<NAME>` < `--var-file` < `--var`.
    fn config(&self) -> Result<ConfigValues, CommandError> {
        let usage = |diagnostics| CommandError {
            exit: Exit::USAGE,
            diagnostics,
        };
        let mut values = ConfigValues::new();
        let variables = self.environment.vars.iter();
        let variables = variables.filter(|(name, _)| name.starts_with(VARIABLE_PREFIX));
        values.add_environment(variables.map(|(name, value)| (name.clone(), value.clone())));
        for file in &self.common.var_files {
            let name = one_line(&file.display().to_string());
            let text = read_var_file(file, &self.streams).map_err(|reason| {
                CommandError::usage(Diagnostic::error(format!("cannot read {name}")).detail(reason))
            })?;
            values.add_file(&name, &text).map_err(usage)?;
        }
        for variable in &self.common.vars {
            let flag = format!("{}={}", variable.name, variable.value);
            values.add_flag(&flag).map_err(usage)?;
        }
        Ok(values)
    }

    /// The stacks that the flags choose.
    pub(super) fn chosen(
        &self,
        deployments: &Deployments,
    ) -> Result<BTreeSet<StackId>, CommandError> {
        self.selection()
            .of(deployments.order())
            .map_err(|error| wrong_selection(&error))
    }

    pub(super) fn selection(&self) -> Selection {
        Selection {
            only: self.common.only.clone(),
            level: self.common.level,
            shard: self.common.shard,
        }
    }

    pub(super) fn options(&self) -> FleetOptions {
        FleetOptions {
            stacks: self.common.stacks,
            parallelism: self.common.parallelism,
            lock_timeout: self.common.lock_timeout.unwrap_or_default(),
            cancellation: self.cancellation.clone(),
        }
    }

    /// Writes diagnostics to stderr.
    pub(super) fn say(&self, all: &Diagnostics) {
        if !all.is_empty() {
            let text = diagnostics(all, Painter(self.streams.err_style));
            self.streams.err(&text);
        }
    }

    /// The files that the comment goes to.
    pub(super) fn comment_files(&self, file: Option<PathBuf>) -> Vec<PathBuf> {
        let Some(file) = file else {
            return Vec::new();
        };
        let summary = self.environment.get("GITHUB_STEP_SUMMARY");
        let summary = summary.filter(|path| !path.is_empty()).map(PathBuf::from);
        [file].into_iter().chain(summary).collect()
    }
}

/// An error of the selection, with the name that was probably meant.
pub(super) fn wrong_selection(error: &SelectionError) -> CommandError {
    let wrong = Diagnostic::error(error.to_string());
    CommandError::usage(match error {
        SelectionError::MatchesNothing {
            close: Some(close), ..
        } => wrong.hint(format!("did you mean `--only {close}`?")),
        SelectionError::MatchesNothing { .. } => wrong.hint("`matrix` lists the stacks"),
        _ => wrong,
    })
}
