//! A web service that drives stacks: previews, runs, cancelled runs, and a plan that is kept until somebody approves it.
//!
//! ```text
//! cargo run --example service &
//! curl localhost:8080/shop/preview
//! curl -X POST localhost:8080/shop/up
//! curl -X POST localhost:8080/shop/plan          # {"digest": …}
//! curl -X POST localhost:8080/shop/apply/DIGEST  # exactly that plan, once
//! curl -X POST localhost:8080/shop/cancel
//! ```
//!
//! Two requests for the same stack meet at its lock: the second one gets 409 with the name of who holds it. A cancelled run ends in order
//! with everything recorded, and the next one goes on from there. `tests/engine/service.rs` shows all of it.

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::json;
use terrane::deploy::{
    Cancellation, DeployError, Deployed, Deployment, DeploymentHost, Environment, PlanBytes,
    Preview, Up,
};
use terrane::{Resource, Result, Stack};

type Failure = Box<dyn std::error::Error>;

fn main() -> std::result::Result<ExitCode, Failure> {
    // A provider process may be a copy of this one.
    if let Some(exit) = terrane::deploy::begin(&environment()) {
        return Ok(exit);
    }
    tokio::runtime::Runtime::new()?.block_on(serve())?;
    Ok(ExitCode::SUCCESS)
}

/// What the service hands to its stacks: terrane itself reads no environment.
#[expect(
    clippy::disallowed_methods,
    reason = "a program decides what its stacks see of its environment"
)]
fn environment() -> Environment {
    std::env::vars().collect()
}

async fn serve() -> std::result::Result<(), Failure> {
    let host = DeploymentHost::new()?;
    let shop = Deployment::new("shop", shop, &host).environment(environment());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    Ok(axum::serve(listener, service([shop])).await?)
}

/// A stack as any other; this one needs no cloud.
fn shop(stack: &mut Stack) -> Result<()> {
    let queue = Resource::dynamic("terraform_data", "queue").set("input", "jobs");
    let queue = queue.declare(stack);
    stack.export("queue", queue.attribute::<String>("id"));
    Ok(())
}

/// Stacks by name, what cancels the runs that go on, and plans that wait for somebody to approve them.
struct Service {
    stacks: BTreeMap<String, Deployment>,
    running: Mutex<HashMap<String, Cancellation>>,
    plans: Mutex<HashMap<String, PlanBytes>>,
}

/// A status, and JSON.
type Answer = (StatusCode, String);

pub(crate) fn service(stacks: impl IntoIterator<Item = Deployment>) -> Router {
    let stacks = stacks.into_iter();
    let service = Service {
        stacks: stacks
            .map(|stack| (stack.name().to_owned(), stack))
            .collect(),
        running: Mutex::default(),
        plans: Mutex::default(),
    };
    Router::new()
        .route("/{stack}/preview", get(preview))
        .route("/{stack}/up", post(up))
        .route("/{stack}/plan", post(plan))
        .route("/{stack}/apply/{digest}", post(apply))
        .route("/{stack}/cancel", post(cancel))
        .with_state(Arc::new(service))
}

async fn preview(State(service): State<Arc<Service>>, Path(name): Path<String>) -> Answer {
    let Some(stack) = service.stacks.get(&name) else {
        return unknown(&name);
    };
    match stack.preview(Preview::default()).await {
        Ok(preview) => {
            let summary = preview.summary();
            let body = json!({"create": summary.create, "delete": summary.delete});
            (StatusCode::OK, body.to_string())
        }
        Err(error) => refusal(&error),
    }
}

async fn up(State(service): State<Arc<Service>>, Path(name): Path<String>) -> Answer {
    run(&service, &name, Up::default()).await
}

/// Makes a plan and keeps it: the answer has the digest that an approval names.
async fn plan(State(service): State<Arc<Service>>, Path(name): Path<String>) -> Answer {
    let Some(stack) = service.stacks.get(&name) else {
        return unknown(&name);
    };
    let kept = async {
        let preview = stack.preview(Preview::default()).await?;
        stack.save(&preview).await
    };
    match kept.await {
        Ok(plan) => {
            let digest = plan.digest();
            let body = json!({"digest": digest}).to_string();
            let mut plans = service.plans.lock().unwrap_or_else(PoisonError::into_inner);
            plans.insert(digest, plan);
            (StatusCode::OK, body)
        }
        Err(error) => refusal(&error),
    }
}

/// Applies exactly the plan with that digest, or refuses it.
async fn apply(
    State(service): State<Arc<Service>>,
    Path((name, digest)): Path<(String, String)>,
) -> Answer {
    let plan = {
        let plans = service.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.get(&digest).cloned()
    };
    match plan {
        Some(plan) => run(&service, &name, Up::default().approved_plan(plan, digest)).await,
        None => {
            let error = json!({"error": "there is no such plan"});
            (StatusCode::NOT_FOUND, error.to_string())
        }
    }
}

async fn run(service: &Service, name: &str, up: Up) -> Answer {
    let Some(stack) = service.stacks.get(name) else {
        return unknown(name);
    };
    let cancellation = Cancellation::new();
    let running = || {
        service
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    running()
        .entry(name.to_owned())
        .or_insert(cancellation.clone());
    let done = stack.up(up.cancelled_by(cancellation.clone())).await;
    if !matches!(done, Err(DeployError::Locked { .. })) {
        running().remove(name);
    }
    match done {
        Ok(Deployed { serial, .. }) => (StatusCode::OK, json!({"serial": serial}).to_string()),
        Err(error) => refusal(&error),
    }
}

async fn cancel(State(service): State<Arc<Service>>, Path(name): Path<String>) -> StatusCode {
    let running = service
        .running
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    match running.get(&name) {
        Some(cancellation) => {
            cancellation.cancel();
            StatusCode::ACCEPTED
        }
        None => StatusCode::NOT_FOUND,
    }
}

fn unknown(name: &str) -> Answer {
    let error = json!({"error": format!("there is no stack `{name}`")});
    (StatusCode::NOT_FOUND, error.to_string())
}

fn refusal(error: &DeployError) -> Answer {
    let status = match error {
        // Another run, or a plan that time has overtaken.
        DeployError::Locked { .. } | DeployError::Refused(_) => StatusCode::CONFLICT,
        DeployError::Denied(_) | DeployError::Misconfigured(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let was_cancelled = error.deployed().is_some_and(|it| it.was_cancelled());
    let body = json!({"error": error.to_string(), "cancelled": was_cancelled});
    (status, body.to_string())
}
