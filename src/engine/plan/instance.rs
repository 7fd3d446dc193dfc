//! Plans one resource instance: how the provider would make the object as configured.

use std::collections::BTreeSet;

use bytes::Bytes;
use terrane_core::{Diagnostics, IgnoreChanges, Path, Value};
use terrane_provider::{Identity, PlanResourceChange, PlanResourceChangeResponse};
use terrane_state::ObjectStatus;

use crate::change::{Action, Reason};
use crate::config::Config;
use crate::diff::{Problem, plan_problems, proposed_new};
use crate::ignore::ignore_changes;
use crate::object::{Loaded, Subject};
use crate::write_only::AnswerOf;

/// The engine's own demands on a plan, beside the configuration.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'a> {
    /// Differences that count for nothing.
    pub(crate) ignore: &'a IgnoreChanges,
    /// A replacement makes the new object first.
    pub(crate) create_before_destroy: bool,
    /// Replace the object even if it could stay.
    pub(crate) force: Option<Reason>,
    /// The configuration of a new object, where it is not that of the present one: each has an owner tag of its own.
    pub(crate) anew: Option<&'a Value>,
    /// The private bytes of the plan that was shown, where this one is the final one.
    pub(crate) planned_private: Option<&'a Bytes>,
}

/// One request for a plan.
#[derive(Clone, Copy)]
struct Asked<'a> {
    prior: &'a Value,
    config: &'a Value,
    prior_private: &'a Bytes,
    prior_identity: Option<&'a Identity>,
    planned_private: Option<&'a Bytes>,
}

/// The plan of one object.
#[derive(Debug, Clone)]
pub(crate) struct PlannedInstance {
    pub(crate) action: Action,
    pub(crate) reason: Option<Reason>,
    pub(crate) before: Value,
    pub(crate) after: Value,
    pub(crate) replace_paths: Vec<Path>,
    pub(crate) private: Bytes,
    pub(crate) identity: Option<Identity>,
}

impl Subject<'_> {
    /// Plans create, update, replacement or nothing. `prior` is the object as it is now.
    pub(crate) async fn plan(
        &self,
        prior: Option<&Loaded>,
        config: &Config,
        wish: Wish<'_>,
    ) -> Result<PlannedInstance, Diagnostics> {
        let tainted = prior.filter(|prior| prior.status == ObjectStatus::Tainted);
        let live = prior.filter(|prior| prior.status != ObjectStatus::Tainted);
        self.validate(config).await?;

        let block = &self.schema.block;
        let null = Value::Null;
        let prior_value = live.map_or(&null, |prior| &prior.value);
        let no_private = Bytes::new();
        let prior_private = live.map_or(&no_private, |prior| &prior.private);
        let prior_identity = live.and_then(|prior| prior.identity.as_ref());
        let anew = wish.anew.unwrap_or(&config.value);
        let wanted = if live.is_some() { &config.value } else { anew };
        let adjusted = ignore_changes(wish.ignore, block, prior_value, wanted);
        let response = self
            .call_plan(Asked {
                prior: prior_value,
                config: &adjusted,
                prior_private,
                prior_identity,
                planned_private: wish.planned_private,
            })
            .await?;
        if !response.legacy_type_system {
            let problems = plan_problems(block, prior_value, &adjusted, &response.planned_state);
            let secret = match live {
                Some(prior) => &(&*prior.sensitive | &config.sensitive),
                None => &config.sensitive,
            };
            self.provider_bug("an invalid plan", problems, secret)?;
        }
        let mut after = response.planned_state;
        if response.legacy_type_system && !prior_value.is_null() {
            after = match wish.ignore {
                IgnoreChanges::Everything => prior_value.clone(),
                ignore => ignore_changes(ignore, block, prior_value, &after),
            };
        }
        if let Some(tainted) = tainted {
            return Ok(PlannedInstance {
                action: replacement(wish.create_before_destroy),
                reason: Some(Reason::ReplaceBecauseTainted),
                before: tainted.value.clone(),
                after,
                replace_paths: Vec::new(),
                private: response.planned_private,
                identity: response.planned_identity,
            });
        }
        let replace_paths = if prior_value.is_null() {
            Vec::new()
        } else {
            self.kept_replace_paths(response.requires_replace, prior_value, &after)?
        };
        let write_only_replaced = replace_paths.iter().any(|path| block.is_write_only(path));
        let (action, reason) = if prior_value.is_null() {
            (Action::Create, None)
        } else if after.known_equal(prior_value) && wish.force.is_none() && !write_only_replaced {
            (Action::NoOp, None)
        } else if !replace_paths.is_empty() {
            let reason = Reason::ReplaceBecauseCannotUpdate;
            (replacement(wish.create_before_destroy), Some(reason))
        } else if wish.force.is_some() {
            (replacement(wish.create_before_destroy), wish.force)
        } else {
            (Action::Update, None)
        };
        if !action.is_replace() {
            return Ok(PlannedInstance {
                action,
                reason,
                before: prior_value.clone(),
                after,
                replace_paths,
                private: response.planned_private,
                identity: response.planned_identity,
            });
        }
        // A replacement is planned a second time, as the creation it will be. Its warnings would repeat the first one's.
        let creation = self
            .call_plan_quietly(Asked {
                prior: &Value::Null,
                config: anew,
                prior_private: &response.planned_private,
                prior_identity: None,
                planned_private: None,
            })
            .await?;
        Ok(PlannedInstance {
            action,
            reason,
            before: prior_value.clone(),
            after: creation.planned_state,
            replace_paths,
            private: creation.planned_private,
            identity: creation.planned_identity,
        })
    }

    /// Plans a destroy; the private bytes for its apply. Providers that did not ask for it are not called.
    pub(crate) async fn plan_destroy(&self, prior: &Loaded) -> Result<Bytes, Diagnostics> {
        if !self.provider.capabilities().plan_destroy {
            return Ok(prior.private.clone());
        }
        let meta = self.provider_meta()?;
        let response = self
            .provider
            .plan_resource_change(PlanResourceChange {
                provider_meta: meta.as_ref(),
                type_name: self.type_name(),
                prior_state: &prior.value,
                proposed_new_state: &Value::Null,
                config: &Value::Null,
                prior_private: &prior.private,
                prior_identity: prior.identity.as_ref(),
                planned_private: None,
            })
            .await
            .map_err(|error| self.call_failed(&error))?;
        let planned = self.accept(response.diagnostics, response.planned_state)?;
        if !planned.is_null() {
            let message = "the object was not planned to be gone".to_owned();
            self.provider_bug(
                "an invalid plan",
                vec![Problem {
                    path: Path::root(),
                    message,
                }],
                &BTreeSet::new(),
            )?;
        }
        Ok(response.planned_private)
    }

    /// Lets the provider check a configuration.
    pub(crate) async fn validate(&self, config: &Config) -> Result<(), Diagnostics> {
        let diagnostics = self
            .provider
            .validate_resource_config(self.type_name(), &config.value)
            .await
            .map_err(|error| self.call_failed(&error))?;
        self.accept(diagnostics, ())
    }

    async fn call_plan(&self, asked: Asked<'_>) -> Result<PlanResourceChangeResponse, Diagnostics> {
        let mut response = self.call_plan_unchecked(asked).await?;
        let diagnostics = std::mem::take(&mut response.diagnostics);
        let response = self.accept(diagnostics, response)?;
        self.not_deferred(response.deferred)?;
        self.checked(response)
    }

    async fn call_plan_quietly(
        &self,
        asked: Asked<'_>,
    ) -> Result<PlanResourceChangeResponse, Diagnostics> {
        let mut response = self.call_plan_unchecked(asked).await?;
        let diagnostics = std::mem::take(&mut response.diagnostics);
        let (response, _) = self.about(diagnostics).into_result(response)?;
        self.checked(response)
    }

    /// A plan without write-only values in it.
    fn checked(
        &self,
        mut response: PlanResourceChangeResponse,
    ) -> Result<PlanResourceChangeResponse, Diagnostics> {
        response.planned_state = self.without_write_only(AnswerOf::Plan, response.planned_state)?;
        Ok(response)
    }

    async fn call_plan_unchecked(
        &self,
        asked: Asked<'_>,
    ) -> Result<PlanResourceChangeResponse, Diagnostics> {
        let block = &self.schema.block;
        let proposed = proposed_new(block, asked.prior, asked.config);
        let proposed = block.write_only_to_null(&proposed);
        let meta = self.provider_meta()?;
        self.provider
            .plan_resource_change(PlanResourceChange {
                provider_meta: meta.as_ref(),
                type_name: self.type_name(),
                prior_state: asked.prior,
                proposed_new_state: &proposed,
                config: asked.config,
                prior_private: asked.prior_private,
                prior_identity: asked.prior_identity,
                planned_private: asked.planned_private,
            })
            .await
            .map_err(|error| self.call_failed(&error))
    }

    /// The paths whose values really change; providers name others too.
    fn kept_replace_paths(
        &self,
        paths: Vec<Path>,
        prior: &Value,
        planned: &Value,
    ) -> Result<Vec<Path>, Diagnostics> {
        let mut kept = Vec::new();
        for path in paths {
            let (before, after) = (prior.at(&path), planned.at(&path));
            if before.is_none() && after.is_none() {
                let message = "requires replacement for a path that does not exist".to_owned();
                let problems = vec![Problem { path, message }];
                self.provider_bug("an invalid plan", problems, &BTreeSet::new())?;
                continue;
            }
            let null = Value::Null;
            let (before, after) = (before.unwrap_or(&null), after.unwrap_or(&null));
            if self.schema.block.is_write_only(&path) || !before.known_equal(after) {
                kept.push(path);
            }
        }
        kept.sort_unstable();
        kept.dedup();
        Ok(kept)
    }

    /// An error for each rule that the provider broke, silent about the values of what is `secret`.
    pub(crate) fn provider_bug(
        &self,
        what: &str,
        problems: Vec<Problem>,
        secret: &BTreeSet<Path>,
    ) -> Result<(), Diagnostics> {
        let diagnose = |problem: Problem| {
            let problem = problem.hiding(secret);
            let mut diagnostic = self
                .error(format!("the provider produced {what}: {}", problem.message))
                .hint("this is a bug in the provider; report it to its developers");
            diagnostic.attribute = Some(problem.path).filter(|path| !path.is_root());
            diagnostic
        };
        problems
            .into_iter()
            .map(diagnose)
            .collect::<Diagnostics>()
            .into_result(())
            .map(|_| ())
    }
}

fn replacement(create_before_destroy: bool) -> Action {
    if create_before_destroy {
        Action::CreateThenDelete
    } else {
        Action::DeleteThenCreate
    }
}
