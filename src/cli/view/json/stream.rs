//! A run as JSON lines with Terraform's `type` names.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use terrane_core::addr::InstanceAddr;
use terrane_core::policy::{PolicyOutcome, PolicyReport};
use terrane_core::{Diagnostic, Diagnostics, Value};
use terrane_engine::{Action, ActionStage, Event, Plan, PlanMode, Step, StepKind, Summary};
use terrane_registry::InstallEvent;
use terrane_state::{Clock as _, SystemClock};

use super::plan::reason;
use super::policies::PolicyJson;
use super::validate::diagnostic;
use super::values::index;
use super::{JsonView, to_line};
use crate::view::outline::plan_totals;
use crate::view::text::{install_warning, partial, totals, waiting};
use crate::view::{AppliedRun, ClosedRun, Outputs, ProgressView, RunView, ShownPlan, Tracker};

/// How often a slow operation is reported again.
const PROGRESS: Duration = Duration::from_secs(10);

impl JsonView {
    fn line(&self, level: &str, kind: &str, message: &str, payload: Json) {
        let mut line = Map::new();
        line.insert("@level".into(), level.into());
        line.insert("@message".into(), message.into());
        line.insert("@module".into(), "terrane.ui".into());
        let now = SystemClock::default().now();
        line.insert("@timestamp".into(), now.to_string().into());
        if let Json::Object(members) = payload {
            line.extend(members);
        }
        line.insert("type".into(), kind.into());
        self.to.line(to_line(&line));
    }

    fn summary(&self, message: &str, summary: &Summary, operation: &str) {
        let changes = json!({
            "add": summary.create + summary.replace,
            "change": summary.update,
            "import": 0,
            "remove": summary.delete + summary.replace,
            "forget": summary.forget,
            "operation": operation,
        });
        self.line(
            "info",
            "change_summary",
            message,
            json!({ "changes": changes }),
        );
    }

    fn diagnostic(&self, one: &Diagnostic) {
        let (level, word) = if one.is_error() {
            ("error", "Error")
        } else {
            ("warn", "Warning")
        };
        let message = format!("{word}: {}", one.summary);
        self.line(
            level,
            "diagnostic",
            &message,
            json!({ "diagnostic": diagnostic(one) }),
        );
    }

    fn hook(&self, level: &str, kind: &str, step: &Step, text: &str, more: &[(&str, Json)]) {
        let mut hook = json!({ "resource": resource(&step.address), "action": action(step.kind) });
        if let Some(key) = step.deposed {
            hook["deposed"] = json!(key.to_string());
        }
        for (name, value) in more {
            hook[*name] = value.clone();
        }
        let message = format!("{}: {text}", step.address);
        self.line(level, kind, &message, json!({ "hook": hook }));
    }

    /// The result of a policy; Terraform has no such line.
    fn policy(&self, report: &PolicyReport) {
        let outcome = report.outcome();
        let level = match (outcome, report.refuses()) {
            (_, true) => "error",
            (PolicyOutcome::Failed, _) => "warn",
            _ => "info",
        };
        let message = format!("Policy {}: {}", outcome.as_str(), report.name);
        let policy = json!({ "policy": PolicyJson::new(report) });
        self.line(level, "policy_result", &message, policy);
    }

    fn planned_changes(&self, plan: &Plan) {
        for drift in &plan.drift {
            let gone = matches!(drift.after.value, Value::Null);
            let action = if gone { "delete" } else { "update" };
            let change = json!({ "resource": resource(&drift.address), "action": action });
            let message = format!("{}: Drift detected ({action})", drift.address);
            self.line(
                "info",
                "resource_drift",
                &message,
                json!({ "change": change }),
            );
        }
        for change in plan
            .changes
            .iter()
            .filter(|change| change.action != Action::NoOp)
        {
            let word = planned_action(change.action);
            let mut json = json!({ "resource": resource(&change.address), "action": word });
            if let Some(why) = change.reason {
                json["reason"] = reason(why).trim_start_matches("replace_because_").into();
            }
            let message = format!("{}: Plan to {word}", change.address);
            self.line(
                "info",
                "planned_change",
                &message,
                json!({ "change": json }),
            );
        }
        for deferred in &plan.deferred {
            let word = planned_action(deferred.action);
            let change = json!({
                "resource": resource(&deferred.address),
                "action": word,
                "reason": deferred.reason.name(),
            });
            let message = format!("{}: Deferred ({deferred})", deferred.address);
            self.line(
                "info",
                "deferred_change",
                &message,
                json!({ "change": change }),
            );
        }
        for module in &plan.deferred_modules {
            let word = planned_action(module.action);
            let change = json!({
                "module": module.address.to_string(),
                "action": word,
                "reason": module.reason.name(),
            });
            let message = format!("{}: Deferred ({module})", module.address);
            self.line(
                "info",
                "deferred_module",
                &message,
                json!({ "change": change }),
            );
        }
        let totals = plan.summary();
        let message = plan_totals(&totals, plan.deferred_count());
        self.summary(&message, &totals, "plan");
    }
}

impl ProgressView for JsonView {
    fn event(&self, event: &Event, _: &Tracker) {
        match event {
            Event::RecoveryWaiting {
                addresses,
                until,
                time,
            } => {
                let resources: Vec<Json> = addresses.iter().map(|a| resource(a)).collect();
                let wait = json!({
                    "resources": resources,
                    "until": until.to_string(),
                    "at_most_seconds": time.as_secs(),
                });
                let message = waiting(addresses, *until, *time);
                self.line("info", "settle_wait", &message, json!({ "wait": wait }));
            }
            Event::RefreshStarted { address } => {
                let message = format!("{address}: Refreshing state...");
                let hook = json!({ "resource": resource(address) });
                self.line("info", "refresh_start", &message, json!({ "hook": hook }));
            }
            Event::RefreshDone { address } => {
                let message = format!("{address}: Refresh complete");
                let hook = json!({ "resource": resource(address) });
                self.line(
                    "info",
                    "refresh_complete",
                    &message,
                    json!({ "hook": hook }),
                );
            }
            Event::StepStarted(step) => {
                self.hook("info", "apply_start", step, "Started", &[]);
            }
            Event::StepDone {
                step, elapsed, id, ..
            } => {
                let mut more = vec![("elapsed_seconds", json!(elapsed.as_secs()))];
                if let Some(id) = id {
                    more.extend([("id_key", json!("id")), ("id_value", json!(id))]);
                }
                let text = format!("Complete after {}s", elapsed.as_secs());
                self.hook("info", "apply_complete", step, &text, &more);
            }
            Event::StepFailed { step, elapsed, .. } => {
                let more = [("elapsed_seconds", json!(elapsed.as_secs()))];
                let text = format!("Errored after {}s", elapsed.as_secs());
                self.hook("error", "apply_errored", step, &text, &more);
            }
            Event::Action { action, stage } => {
                let (level, name, text) = match stage {
                    ActionStage::Started => ("info", "action_start", "Invoked"),
                    ActionStage::Progress(message) => ("info", "action_progress", &**message),
                    ActionStage::Done => ("info", "action_complete", "Complete"),
                    ActionStage::Failed => ("error", "action_errored", "Errored"),
                };
                let hook = json!({ "action": { "addr": &**action } });
                let message = format!("{action}: {text}");
                self.line(level, name, &message, json!({ "hook": hook }));
            }
            // Diagnostics come by themselves; of these Terraform has no line.
            Event::ProviderStarting { .. }
            | Event::ProviderReady { .. }
            | Event::RecoveryStarted { .. }
            | Event::PlanStarted { .. }
            | Event::InstancePlanned { .. }
            | Event::InstanceDeferred(_)
            | Event::ApplyStarted { .. }
            | Event::StepSkipped(_)
            | Event::Diagnostic(_)
            | Event::Stopping { .. } => {}
        }
    }

    fn tick(&self, run: &Tracker) {
        for (step, time) in run.slow(PROGRESS) {
            let more = [("elapsed_seconds", json!(time.as_secs()))];
            let text = format!("Still running... [{}s elapsed]", time.as_secs());
            self.hook("info", "apply_progress", step, &text, &more);
        }
    }

    fn pause(&self) {}
}

impl RunView for JsonView {
    fn begin(&self) -> Result<(), Diagnostics> {
        self.to.open()?;
        let version = env!("CARGO_PKG_VERSION");
        let payload = json!({ "terrane": version, "ui": "1.2" });
        self.line("info", "version", &format!("Terrane {version}"), payload);
        Ok(())
    }

    fn installing(&self, event: &InstallEvent<'_>) {
        match event {
            // A line for each megabyte would say no more.
            InstallEvent::Asking { .. } | InstallEvent::Downloading { .. } => {}
            InstallEvent::Waiting { source } => {
                let message = format!("{source}: waiting for another run that installs it");
                let provider = json!({ "source": source.to_string() });
                let payload = json!({ "provider": provider });
                self.line("info", "provider_waiting", &message, payload);
            }
            InstallEvent::Installed {
                source,
                version,
                host,
                signer,
            } => {
                let message = format!("{source}: installed {version} from {host}");
                let provider = json!({
                    "source": source.to_string(),
                    "version": version.to_string(),
                    "from": host,
                    "signed_by": signer.map(|signer| &signer.fingerprint),
                });
                let payload = json!({ "provider": provider });
                self.line("info", "provider_installed", &message, payload);
            }
            InstallEvent::Warning(error) => self.diagnostic(&install_warning(error)),
        }
    }

    fn diagnostics(&self, all: &Diagnostics) {
        for one in all {
            self.diagnostic(one);
        }
    }

    fn planned(&self, shown: &ShownPlan<'_>) {
        self.planned_changes(shown.plan);
        for report in shown.policies {
            self.policy(report);
        }
    }

    fn applied(&self, run: &AppliedRun<'_>) {
        let operation = match run.mode {
            PlanMode::Destroy => "destroy",
            PlanMode::Normal | PlanMode::RefreshOnly => "apply",
        };
        let done = &run.applied.done;
        let message = match run.is_complete {
            true => totals(run.mode, done),
            false => {
                let lines = partial(run.applied, &[]);
                let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
                lines.join(" ")
            }
        };
        self.summary(&message, done, operation);
    }

    /// Sensitive values are left out.
    fn outputs(&self, all: &Outputs) {
        let mut outputs = Map::new();
        for (name, output) in all {
            let mut entry = json!({ "sensitive": output.sensitive, "type": output.ty });
            if !output.sensitive
                && let Ok(value) = serde_json::from_str::<Json>(output.value.as_str())
            {
                entry["value"] = value;
            }
            outputs.insert(name.to_string(), entry);
        }
        let message = format!("Outputs: {}", outputs.len());
        self.line("info", "outputs", &message, json!({ "outputs": outputs }));
    }

    fn closed(&self, _: &ClosedRun<'_>) {}
}

fn resource(address: &InstanceAddr) -> Json {
    let resource = &address.resource;
    let data = resource.mode.prefix();
    let key = address.key.as_ref();
    let in_module = format!(
        "{data}{}.{}{}",
        resource.type_name,
        resource.name,
        key.map(ToString::to_string).unwrap_or_default()
    );
    json!({
        "addr": address.to_string(),
        "module": resource.module.to_string(),
        "resource": in_module,
        "implied_provider": resource.type_name.split('_').next(),
        "resource_type": &*resource.type_name,
        "resource_name": &*resource.name,
        "resource_key": key.map(index),
    })
}

fn action(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Create => "create",
        StepKind::Update => "update",
        StepKind::Delete => "delete",
        StepKind::Read => "read",
        StepKind::Forget => "remove",
    }
}

fn planned_action(action: Action) -> &'static str {
    match action {
        Action::NoOp => "noop",
        Action::Create => "create",
        Action::Read => "read",
        Action::Update => "update",
        Action::DeleteThenCreate | Action::CreateThenDelete => "replace",
        Action::Delete => "delete",
        Action::Forget => "remove",
    }
}
