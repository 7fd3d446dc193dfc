//! A web service that drives stacks, `examples/service.rs`: what its clients see.

#[path = "../../examples/service.rs"]
#[expect(dead_code, reason = "its `main` is for people")]
mod example;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use terrane_core::Stack;
use terrane_deploy::{Deployment, DeploymentHost};
use terrane_state::MemoryBackend;
use terrane_tests::{FakeProvider, new_thing};
use tower::ServiceExt as _;

use example::service;

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

#[tokio::test]
async fn a_kept_plan_is_applied_by_its_digest_once_and_no_other_is() {
    let provider = FakeProvider::new();
    let host = DeploymentHost::new().expect("a thread");
    let stack = Deployment::new("shop", row, &host)
        .providers(Arc::new(provider.clone()))
        .store(Arc::new(MemoryBackend::new()));
    let service = service([stack]);
    let (_, plan) = ask(&service, "POST", "/shop/plan").await;
    let digest = plan["digest"].as_str().expect("a digest").to_owned();
    let apply = format!("/shop/apply/{digest}");
    let other = "/shop/apply/0123";
    assert_eq!(ask(&service, "POST", other).await.0, StatusCode::NOT_FOUND);
    let (status, body) = ask(&service, "POST", &apply).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(provider.cloud.names().len(), 20);
    let (status, body) = ask(&service, "POST", &apply).await;
    assert_eq!(status, StatusCode::CONFLICT, "{body}");
    let error = body["error"].as_str().expect("a text");
    assert!(error.contains("the plan was applied already"), "{error}");
}
