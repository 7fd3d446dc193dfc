//! A run as JSON lines with Terraform's `type` names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};
use terrane_core::addr::{InstanceAddr, Mode};
use terrane_core::{Diagnostic, Diagnostics, Value};
use terrane_engine::{Action, Event, Plan, PlanMode, Step, StepKind, Summary};
use terrane_state::{Clock as _, State, SystemClock};

use super::plan::reason;
use super::validate::diagnostic;
use super::values::index;
use crate::streams::Streams;
use crate::view::plan::plan_totals;
use crate::view::progress::{ProgressView, words};
use crate::view::summary;

/// How often a slow operation says that it goes on.
const PROGRESS: Duration = Duration::from_secs(10);

/// Writes one JSON object a line.
pub(crate) struct JsonStream {
    to: Target,
    running: Mutex<BTreeMap<usize, (Step, Instant, Duration)>>,
}

enum Target {
    Stdout(Arc<Streams>),
    File(Mutex<File>),
}

impl JsonStream {
    /// On stdout.
    pub(crate) fn stdout(streams: Arc<Streams>) -> Self {
        Self {
            to: Target::Stdout(streams),
            running: Mutex::default(),
        }
    }

    /// Into a new file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn file(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            to: Target::File(terrane_files::create_output(path)?.into()),
            running: Mutex::default(),
        })
    }

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
        let text = format!("{}\n", Json::from(line));
        match &self.to {
            Target::Stdout(streams) => streams.out(text),
            Target::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                // A full disk must not end a run that changes the world.
                let _ = file.write_all(text.as_bytes());
            }
        }
    }

    /// The first line.
    pub(crate) fn version(&self) {
        let version = env!("CARGO_PKG_VERSION");
        let payload = json!({ "terrane": version, "ui": "1.2" });
        self.line("info", "version", &format!("Terrane {version}"), payload);
    }

    /// The totals of what was done.
    pub(crate) fn applied(&self, mode: PlanMode, done: &Summary) {
        let operation = match mode {
            PlanMode::Destroy => "destroy",
            PlanMode::Normal | PlanMode::RefreshOnly => "apply",
        };
        self.summary(&summary::totals(mode, done), done, operation);
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

    /// The exported values; sensitive ones without their value.
    pub(crate) fn outputs(&self, state: &State) {
        let mut outputs = Map::new();
        for (name, output) in &state.outputs {
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

    /// Diagnostics, a line each.
    pub(crate) fn diagnostics(&self, all: &Diagnostics) {
        for one in all {
            self.diagnostic(one);
        }
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

    fn planned(&self, plan: &Plan) {
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
        let totals = plan.summary();
        self.summary(&plan_totals(&totals), &totals, "plan");
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, (Step, Instant, Duration)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProgressView for JsonStream {
    fn event(&self, event: &Event) {
        match event {
            Event::SettleWaiting {
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
                let message = words::waiting(addresses, *until, *time);
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
                let started = (step.clone(), Instant::now(), Duration::ZERO);
                self.running().insert(step.index, started);
                self.hook("info", "apply_start", step, "Started", &[]);
            }
            Event::StepDone { step, elapsed, id } => {
                self.running().remove(&step.index);
                let mut more = vec![("elapsed_seconds", json!(elapsed.as_secs()))];
                if let Some(id) = id {
                    more.extend([("id_key", json!("id")), ("id_value", json!(id))]);
                }
                let text = format!("Complete after {}s", elapsed.as_secs());
                self.hook("info", "apply_complete", step, &text, &more);
            }
            Event::StepFailed { step, elapsed, .. } => {
                self.running().remove(&step.index);
                let more = [("elapsed_seconds", json!(elapsed.as_secs()))];
                let text = format!("Errored after {}s", elapsed.as_secs());
                self.hook("error", "apply_errored", step, &text, &more);
            }
            _ => {}
        }
    }

    fn plan(&self, plan: &Plan) {
        self.planned(plan);
    }

    fn diagnostics(&self, all: &Diagnostics) {
        Self::diagnostics(self, all);
    }

    fn tick(&self) {
        let mut due = Vec::new();
        for (step, since, said) in self.running().values_mut() {
            let time = since.elapsed();
            if time >= *said + PROGRESS {
                *said = time;
                due.push((step.clone(), time));
            }
        }
        for (step, time) in due {
            let more = [("elapsed_seconds", json!(time.as_secs()))];
            let text = format!("Still running... [{}s elapsed]", time.as_secs());
            self.hook("info", "apply_progress", &step, &text, &more);
        }
    }
}

fn resource(address: &InstanceAddr) -> Json {
    let resource = &address.resource;
    let data = if resource.mode == Mode::Data {
        "data."
    } else {
        ""
    };
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
