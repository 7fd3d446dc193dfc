//! The fleet of one invocation, ready to be deployed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use terrane_config::{ConfigValues, VARIABLE_PREFIX};
use terrane_core::{Diagnostic, Diagnostics, Result as CoreResult};
use terrane_deploy::{
    Cancellation, Deployment, DeploymentHost, ProviderSetup, Sandbox, own_program,
};
use terrane_engine::PlanOptions;
use terrane_fleet::{
    Deployments, Fleet, FleetOptions, Placement, Selection, SelectionError, StackId,
};
use terrane_provider::{Environment, Launch};
use terrane_state::{
    BackendConfig, Backends, Clock, EncryptedWith as _, LocalBackend, SystemClock,
};

use super::args::FleetCommon;
use crate::args::{Common, Variable};
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{
    ENDPOINT_VARIABLE, Invocation, Session, environment, quoted_if_needed, read_var_file,
    sandbox_path, shell_word,
};
use crate::streams::Streams;
use crate::view::printable::one_line;
use crate::view::text::diagnostics::diagnostics;
use crate::view::text::painter::Painter;

/// One invocation of a fleet's program.
pub(super) struct FleetSession<'a> {
    pub(super) common: FleetCommon,
    pub(super) streams: Arc<Streams>,
    pub(super) cancellation: Cancellation,
    /// The fleet's name.
    pub(super) fleet: &'a str,
    environment: Environment,
    backends: &'a Backends,
}

impl<'a> FleetSession<'a> {
    /// An invocation in this process's environment.
    pub(super) fn new(
        fleet: &'a str,
        common: FleetCommon,
        backends: &'a Backends,
        streams: Arc<Streams>,
    ) -> Self {
        Self {
            fleet,
            common,
            streams,
            cancellation: Cancellation::new(),
            environment: environment(),
            backends,
        }
    }

    /// The stacks that the program declares; with `expired`, and where `--only` names members of a family, also those that exist.
    pub(super) async fn deployments(
        &self,
        function: &dyn Fn(&mut Fleet) -> CoreResult<()>,
        expired: bool,
    ) -> Result<Deployments, CommandError> {
        self.check_backend()?;
        let config = self.config()?;
        let fleet = Fleet::from_fn(function, config.clone());
        let mut fleet = fleet.map_err(|diagnostics| CommandError {
            exit: match config.was_refused() {
                true => Exit::USAGE,
                false => Exit::FAILED,
            },
            diagnostics,
        })?;
        if !config.was_read()
            && let Some((key, source)) = config.sources().next()
        {
            let unread =
                Diagnostic::error(format!("`{key}` is not a configuration key of this fleet"))
                    .detail(format!(
                        "it is set by {source}, and the program reads no configuration of its own"
                    ));
            return Err(CommandError::usage(unread));
        }
        let named = |stem: &str| {
            let mut patterns = self.common.only.iter();
            patterns.any(|pattern| pattern.to_string().starts_with(stem))
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let place = |it: Placement<'_>| self.place(&it);
        let found = fleet.find_members(|it| expired || named(it.stem()), place, &clock);
        self.say(&found.await?);
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
        match (&self.common.backend, self.common.sandbox, placement.backend) {
            (Some(base), _, own) => {
                let address = below(base, &format!("{}/{file}", placement.name));
                let there = self.backends.parse(&address);
                let there = there.expect("invariant: `--backend` is checked before");
                // Elsewhere, it is as secret as it is at the program's place.
                let encryption = own.and_then(|own| own.address().encryption());
                match encryption.filter(|_| !self.common.sandbox) {
                    Some(encryption) => there.encrypted_with(encryption.clone()),
                    None => there,
                }
            }
            (None, true, _) => sandbox_path(placement.name).join(file).into(),
            (None, false, Some(backend)) => backend.clone(),
            (None, false, None) => {
                let path = LocalBackend::default_path(placement.name);
                let checked = "invariant: a fleet checks the names of its stacks";
                path.unwrap_or_else(|_| panic!("{checked}")).into()
            }
        }
    }

    /// Refuses a `--backend` that is no address.
    fn check_backend(&self) -> Result<(), CommandError> {
        let Some(base) = &self.common.backend else {
            return Ok(());
        };
        match self.backends.parse(&below(base, "stack")) {
            Ok(_) => Ok(()),
            Err(error) => Err(CommandError::usage(Diagnostic::error(format!(
                "`--backend {}` is not a place for states: {error}",
                one_line(base)
            )))),
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

    /// The only stack that the flags choose, for what is about one stack.
    pub(super) fn chosen_one(
        &self,
        deployments: &Deployments,
        what: &str,
    ) -> Result<StackId, CommandError> {
        /// More are counted instead of named.
        const NAMED: usize = 10;
        let chosen = self.chosen(deployments)?;
        if let (1, Some(&one)) = (chosen.len(), chosen.first()) {
            return Ok(one);
        }
        let many = Diagnostic::error(format!(
            "{what} is about one stack, and {} are chosen",
            chosen.len()
        ));
        let names = chosen.iter().take(NAMED);
        let names = names.map(|&id| format!("`--only {}`", deployments.order().name(id)));
        let mut names: Vec<String> = names.collect();
        if chosen.len() > NAMED {
            names.push(format!("and {} more", chosen.len() - NAMED));
        }
        Err(CommandError::usage(match names.is_empty() {
            true => many,
            false => many.hint(format!("say which: {}", names.join(", "))),
        }))
    }

    /// The same invocation about one of the stacks.
    pub(super) fn of_one<'b>(&'b self, deployments: &'b Deployments, id: StackId) -> Session<'b> {
        let common = Common {
            // Only that there are any counts: the fleet has read them.
            vars: self.common.vars.clone(),
            var_files: Vec::new(),
            backend: None,
            lock_timeout: self.common.lock_timeout,
            sandbox: self.common.sandbox,
            record: None,
            trace: None,
            replay: None,
            no_cache: self.common.no_cache,
            offline: self.common.offline,
            format: self.common.format,
            log: None,
            given: self.common.given.clone(),
        };
        Session::of_fleet(
            deployments,
            id,
            self.flags_of_place(),
            self.backends,
            common,
            self.streams.clone(),
        )
    }

    /// The flags that lead to the same stacks at the same place. Texts of the configuration may be secret; numbers are not.
    fn flags_of_place(&self) -> String {
        let mut flags = String::new();
        if let Some(base) = &self.common.backend {
            let _ = write!(flags, " --backend {}", shell_word(base));
        }
        if self.common.sandbox {
            flags.push_str(" --sandbox");
        }
        for file in &self.common.var_files {
            let file = file.display().to_string();
            let _ = write!(flags, " --var-file {}", quoted_if_needed(&file));
        }
        for Variable { name, value } in &self.common.vars {
            let is_plain = |c: char| c.is_ascii_digit() || "[,]".contains(c);
            if value.chars().all(is_plain) {
                let _ = write!(
                    flags,
                    " --var {}",
                    quoted_if_needed(&format!("{name}={value}"))
                );
            }
        }
        flags
    }

    pub(super) fn options(&self, parallelism: NonZeroUsize, planning: PlanOptions) -> FleetOptions {
        FleetOptions {
            stacks: self.common.stacks,
            parallelism,
            planning,
            lock_timeout: self.common.lock_timeout.unwrap_or_default(),
            cancellation: self.cancellation.clone(),
        }
    }

    /// Writes diagnostics to stderr; hints name commands of this program whole.
    pub(super) fn say(&self, all: &Diagnostics) {
        if !all.is_empty() {
            let readable = self.invocation(None).with_commands(all.clone());
            let text = diagnostics(&readable, Painter(self.streams.err_style));
            self.streams.err(&text);
        }
    }

    /// How commands of this program are written that are about that stack, or about all.
    pub(super) fn invocation(&self, stack: Option<&str>) -> Invocation {
        let given = self.common.given.clone();
        Invocation::at(self.fleet, given, self.flags_of_place()).about(stack)
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

/// A place below that one: the path of an address goes on before its options.
fn below(base: &str, path: &str) -> String {
    let (place, options) = match base.split_once('?') {
        Some((place, options)) if place.contains("://") => (place, format!("?{options}")),
        _ => (base, String::new()),
    };
    format!("{}/{path}{options}", place.trim_end_matches('/'))
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
