//! A web service that drives stacks, as `docs/embedding.md` describes it; and what its clients see.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use serde_json::{Value, json};
use terrane_core::Stack;
use terrane_deploy::{Cancellation, DeployError, Deployment, DeploymentHost, Preview, Up};
use terrane_state::MemoryBackend;
use terrane_tests::{FakeProvider, new_thing};
use tower::ServiceExt as _;

/// Stacks by name, and what cancels the runs that go on.
struct Service {
    stacks: BTreeMap<String, Deployment>,
    running: Mutex<HashMap<String, Cancellation>>,
}

/// A status, and JSON.
type Answer = (StatusCode, String);

fn service(stacks: impl IntoIterator<Item = Deployment>) -> Router {
    let stacks = stacks.into_iter();
    let service = Service {
        stacks: stacks
            .map(|stack| (stack.name().to_owned(), stack))
            .collect(),
        running: Mutex::default(),
    };
    Router::new()
        .route("/{stack}/preview", get(preview))
        .route("/{stack}/up", post(up))
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
    let Some(stack) = service.stacks.get(&name) else {
        return unknown(&name);
    };
    let cancellation = Cancellation::new();
    let running = || {
        service
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    running()
        .entry(name.clone())
        .or_insert(cancellation.clone());
    let done = stack
        .up(Up::default().cancelled_by(cancellation.clone()))
        .await;
    if !matches!(done, Err(DeployError::Locked { .. })) {
        running().remove(&name);
    }
    match done {
        Ok(deployed) => (
            StatusCode::OK,
            json!({"serial": deployed.serial}).to_string(),
        ),
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
        DeployError::Locked { .. } => StatusCode::CONFLICT,
        DeployError::Denied(_) | DeployError::Misconfigured(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let was_cancelled = error.deployed().is_some_and(|it| it.was_cancelled());
    let body = json!({"error": error.to_string(), "cancelled": was_cancelled});
    (status, body.to_string())
}

/// A client's request, and the answer.
async fn ask(service: &Router, method: &str, path: &str) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).expect("a request");
    let answer = service.clone().oneshot(request).await.expect("an answer");
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn row(stack: &mut Stack) -> terrane_core::Result<()> {
    let mut before = new_thing("thing-0").declare(stack);
    for n in 1..20 {
        let id = before.attribute::<String>("id");
        before = new_thing(&format!("thing-{n:02}"))
            .set("parent", id)
            .declare(stack);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_requests_meet_at_the_lock_and_a_cancelled_one_leaves_everything_recorded() {
    let provider = FakeProvider::new();
    let store = Arc::new(MemoryBackend::new());
    let stack = || {
        let host = DeploymentHost::new().expect("a thread");
        Deployment::new("shop", row, &host)
            .providers(Arc::new(provider.clone()))
            .store(store.clone())
    };
    // Two replicas of the service, behind a load balancer.
    let (stack, replica) = (stack(), service([stack()]));
    let service = service([stack.clone()]);
    let (half_way, is_half_way) = std::sync::mpsc::channel();
    let (go_on, goes_on) = std::sync::mpsc::channel::<()>();
    let half_way = Mutex::new(Some((half_way, goes_on)));
    provider.on_create("thing-10", move |call| {
        // The thread of its operations stands still.
        let (half_way, goes_on) = half_way.lock().expect("no panic").take().expect("once");
        half_way.send(()).expect("a test");
        goes_on.recv().expect("a test");
        call.proceed()
    });

    let (status, preview) = ask(&service, "GET", "/shop/preview").await;
    assert_eq!((status, &preview["create"]), (StatusCode::OK, &json!(20)));
    assert_eq!(
        ask(&service, "GET", "/shpo/preview").await.0,
        StatusCode::NOT_FOUND
    );

    let first = tokio::spawn({
        let service = service.clone();
        async move { ask(&service, "POST", "/shop/up").await }
    });
    let reached = tokio::task::spawn_blocking(move || is_half_way.recv());
    reached.await.expect("no panic").expect("half of it");
    let (status, body) = ask(&replica, "POST", "/shop/up").await;
    assert_eq!(status, StatusCode::CONFLICT, "{body}");
    let error = body["error"].as_str().expect("a text");
    assert!(
        error.contains("is locked by another run: ") && error.contains("holds it since"),
        "{error}"
    );
    // Reading takes no lock.
    assert_eq!(
        ask(&replica, "GET", "/shop/preview").await.0,
        StatusCode::OK
    );
    assert_eq!(
        ask(&service, "POST", "/shop/cancel").await.0,
        StatusCode::ACCEPTED
    );
    go_on.send(()).expect("a thread that waits");

    let (status, body) = first.await.expect("no panic");
    assert_eq!(
        (status, &body["cancelled"]),
        (StatusCode::INTERNAL_SERVER_ERROR, &json!(true)),
        "{body}"
    );
    // Everything that exists is in the state, and nothing is unresolved.
    let (state, recovered) = stack.state().await.expect("a state");
    let stored: Vec<_> = state
        .resources
        .values()
        .filter_map(|it| it.current.as_ref()?.id())
        .collect();
    let mut existing: Vec<_> = provider
        .cloud
        .objects()
        .into_iter()
        .map(|it| it.id)
        .collect();
    let mut stored: Vec<String> = stored.into_iter().collect();
    existing.sort();
    stored.sort();
    assert_eq!(stored, existing);
    assert!(stored.len() >= 11 && stored.len() < 20, "{}", stored.len());
    assert!(recovered.open.is_empty());

    provider.reset();
    assert_eq!(ask(&service, "POST", "/shop/up").await.0, StatusCode::OK);
    assert_eq!(provider.cloud.names().len(), 20);
    assert_eq!(
        ask(&service, "POST", "/shop/cancel").await.0,
        StatusCode::NOT_FOUND
    );
}
