//! Stacks as values of a program: what it asks of them, and what it gets back.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use terrane_core::{Diagnostic, Output, ProviderDeclaration, Result, Stack};
use terrane_deploy::{
    Cancellation, Decision, DeployError, Deployment, DeploymentHost, PlanBytes, Preview, Up,
};
use terrane_engine::{Event, EventSink};
use terrane_provider::Environment;
use terrane_state::MemoryBackend;
use terrane_tests::{FakeProvider, TEST, new_thing};

/// A stack on a fake provider, its state in memory.
struct Bench {
    provider: FakeProvider,
    host: DeploymentHost,
    store: Arc<MemoryBackend>,
}

impl Bench {
    fn new() -> Self {
        Self {
            provider: FakeProvider::new(),
            host: DeploymentHost::new().expect("a thread"),
            store: Arc::new(MemoryBackend::new()),
        }
    }

    fn stack(
        &self,
        function: impl Fn(&mut Stack) -> Result<()> + Send + Sync + 'static,
    ) -> Deployment {
        let folder = std::env::temp_dir().join("terrane-deployment-without-files");
        Deployment::new("bench", function, &self.host)
            .providers(Arc::new(self.provider.clone()))
            .store(self.store.clone())
            .environment(Environment::from_iter([("USER", "ada")]))
            .folder(folder)
    }
}

/// `a`, and `b` and `c`, each on the one before.
fn chain(stack: &mut Stack) -> Result<()> {
    let a = new_thing("a").declare(stack);
    let b = new_thing("b")
        .set("parent", a.attribute::<String>("id"))
        .declare(stack);
    new_thing("c")
        .set("parent", b.attribute::<String>("id"))
        .declare(stack);
    stack.export("name", a.attribute::<String>("name"));
    stack.export("secret", Output::known("canary").sensitive());
    Ok(())
}

/// Keeps a line of each event.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl EventSink for Told {
    fn emit(&self, event: Event) {
        self.0.lock().expect("no panic").push(format!("{event:?}"));
    }
}

#[tokio::test]
async fn a_program_brings_a_stack_up_reads_its_outputs_and_destroys_it() {
    let bench = Bench::new();
    let stack = bench.stack(chain);
    let preview = stack.preview(Preview::default()).await.expect("a plan");
    assert_eq!(preview.summary().create, 3);
    assert_eq!(bench.provider.cloud.names(), [""; 0]);

    let deployed = stack.up(Up::default()).await.expect("it goes up");
    assert_eq!((deployed.summary().create, deployed.serial), (3, 1));
    assert_eq!(deployed.outputs.get::<String>("name").expect("a text"), "a");
    assert_eq!(bench.provider.cloud.names(), ["a", "b", "c"]);

    let again = stack.preview(Preview::default()).await.expect("a plan");
    assert!(again.is_empty());
    let outputs = stack.outputs().await.expect("a state");
    assert!(outputs.is_sensitive("secret"));
    let wrong = outputs.get::<u32>("secret").expect_err("a text");
    assert!(!wrong.to_string().contains("canary"), "{wrong}");
    let missing = outputs.get::<String>("nmae").expect_err("no such output");
    assert!(
        missing.to_string().contains("it has name, secret"),
        "{missing}"
    );

    let gone = stack.destroy(Up::default()).await.expect("it goes");
    assert_eq!(gone.summary().delete, 3);
    assert_eq!(bench.provider.cloud.names(), [""; 0]);
}

#[tokio::test]
async fn a_second_run_of_a_stack_learns_who_holds_its_lock() {
    let bench = Bench::new();
    let stack = bench.stack(chain);
    let (asked, question) = tokio::sync::oneshot::channel();
    let (answer, answered) = tokio::sync::oneshot::channel();
    let once = Mutex::new(Some((asked, answered)));
    let slow = Up::default().approve(move |proposal| {
        assert_eq!(proposal.plan.summary().create, 3);
        let (asked, answered) = once.lock().expect("no panic").take().expect("asked once");
        let _ = asked.send(());
        async move { answered.await.expect("an answer") }
    });
    let first = tokio::spawn({
        let stack = stack.clone();
        async move { stack.up(slow).await }
    });
    question.await.expect("a question");

    let second = stack.up(Up::default()).await.expect_err("it is locked");
    let DeployError::Locked { holder, .. } = &second else {
        panic!("{second}");
    };
    let info = holder.info.as_ref().expect("a readable lock");
    assert!(info.who.starts_with("ada@"), "{}", info.who);
    assert!(second.to_string().contains("ada@"), "{second}");
    // Reading takes no lock.
    assert_eq!(
        stack
            .preview(Preview::default())
            .await
            .expect("a plan")
            .summary()
            .create,
        3
    );

    let _ = answer.send(Decision::Yes);
    first.await.expect("no panic").expect("it goes up");
    let third = stack.up(Up::default()).await.expect("it is free");
    assert!(third.plan.is_empty());
}

#[tokio::test]
async fn a_cancelled_run_records_what_it_did_and_the_next_one_goes_on() {
    let bench = Bench::new();
    let stack = bench.stack(chain);
    let cancellation = Cancellation::new();
    let cancelled = cancellation.clone();
    bench.provider.on_create("a", move |call| {
        cancelled.cancel();
        call.proceed()
    });
    let up = Up::default().cancelled_by(cancellation.clone());
    let error = stack.up(up).await.expect_err("it was cancelled");
    let deployed = error.deployed().expect("it had begun");
    assert!(deployed.was_cancelled());
    let (state, recovered) = stack.state().await.expect("a state");
    let stored: Vec<String> = state
        .resources
        .keys()
        .map(|it| it.resource.name.to_string())
        .collect();
    assert_eq!(stored, bench.provider.cloud.names());
    assert!(
        stored.contains(&"a".to_owned()) && !stored.contains(&"c".to_owned()),
        "{stored:?}"
    );
    assert!(recovered.open.is_empty());

    // Whatever is asked with the same cancellation does not begin.
    let after = stack.up(Up::default().cancelled_by(cancellation)).await;
    assert!(matches!(after, Err(DeployError::Cancelled)), "{after:?}");
    bench.provider.reset();
    stack.up(Up::default()).await.expect("it goes on");
    assert_eq!(bench.provider.cloud.names(), ["a", "b", "c"]);
}

#[tokio::test]
async fn dropping_the_future_of_a_run_cuts_nothing_off() {
    let bench = Bench::new();
    let stack = bench.stack(chain);
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let begun = Mutex::new(Some(begun));
    let up = Up::default().approve(move |_| {
        let _ = begun
            .lock()
            .expect("no panic")
            .take()
            .expect("once")
            .send(());
        std::future::ready(Decision::Yes)
    });
    let run = stack.clone();
    let run = tokio::spawn(async move { run.up(up).await });
    has_begun.await.expect("it begins");
    run.abort();
    let waiting = Up::default().lock_timeout(Duration::from_secs(20));
    let next = stack.up(waiting).await.expect("the lock is freed");
    assert!(next.plan.is_empty());
    assert_eq!(bench.provider.cloud.names(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_plan_that_is_not_confirmed_or_that_a_policy_denies_changes_nothing() {
    let bench = Bench::new();
    let stack = bench.stack(chain);
    let no = Up::default().approve(|_| std::future::ready(Decision::No));
    let error = stack.up(no).await.expect_err("no");
    assert!(matches!(error, DeployError::NotConfirmed), "{error}");

    let guarded = bench.stack(|stack| {
        stack.policy("nothing is called c", |plan| {
            for thing in plan.of_type("test_thing") {
                let name = thing.attribute::<String>("name");
                thing.require(&name, "it is", |name| name != Some("c".to_owned()));
            }
        });
        chain(stack)
    });
    let preview = guarded.preview(Preview::default()).await.expect("a plan");
    assert_eq!(preview.refusals().count(), 1);
    let error = guarded.up(Up::default()).await.expect_err("a policy");
    assert!(matches!(error, DeployError::Denied(_)), "{error}");
    assert_eq!(bench.provider.cloud.names(), [""; 0]);
}

#[tokio::test]
async fn what_failed_comes_back_with_everything_else_and_without_secrets() {
    let bench = Bench::new();
    bench
        .provider
        .on_create("b", |call| call.refuse("no room for canary"));
    let stack = bench.stack(chain);
    let told = Arc::new(Told::default());
    let up = Up::default().events(told.clone());
    let error = stack.up(up).await.expect_err("b fails");
    let text = error.diagnostics().to_string();
    assert!(text.contains("no room for (sensitive)"), "{text}");
    let deployed = error.deployed().expect("it had begun");
    assert_eq!(
        (deployed.summary().create, deployed.is_complete()),
        (1, false)
    );
    let events = told.0.lock().expect("no panic").join("\n");
    assert!(
        events.contains("StepDone") && events.contains("(sensitive)"),
        "{events}"
    );
    assert!(!events.contains("canary"), "{events}");
}

#[tokio::test]
async fn a_fault_of_the_program_is_told_before_anything_is_asked() {
    let bench = Bench::new();
    let stack = bench.stack(|_| Err(Diagnostic::error("no such team").into()));
    let error = stack
        .up(Up::default())
        .await
        .expect_err("the function fails");
    assert!(error.to_string().contains("no such team"), "{error}");
    let leaking = bench.stack(|stack| {
        stack.export("key", Output::known("canary").sensitive());
        Err(Diagnostic::error("canary is no key").into())
    });
    let error = leaking.up(Up::default()).await.expect_err("it fails");
    assert!(
        error.to_string().contains("(sensitive) is no key"),
        "{error}"
    );
    let panics = bench.stack(|_| panic!("a slip"));
    let error = panics
        .preview(Preview::default())
        .await
        .expect_err("it panics");
    assert!(
        error.to_string().contains("the stack function panicked"),
        "{error}"
    );
    assert_eq!(bench.provider.cloud.ledger(), "");
}

#[tokio::test]
async fn a_host_runs_no_more_operations_at_once_than_it_was_told() {
    let two = NonZeroUsize::new(2).expect("two");
    let host = DeploymentHost::with_operations(two).expect("a thread");
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let provider = FakeProvider::new();
    let stacks = (0..6).map(|n| {
        let (now, most) = (now.clone(), most.clone());
        let stack = Deployment::new(
            format!("stack-{n}"),
            move |stack: &mut Stack| {
                new_thing(&format!("thing-{n}")).declare(stack);
                Ok(())
            },
            &host,
        );
        let stack = stack
            .providers(Arc::new(provider.clone()))
            .store(Arc::new(MemoryBackend::new()));
        let up = Up::default().approve(move |_| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let now = now.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Decision::Yes
            }
        });
        tokio::spawn(async move { stack.up(up).await })
    });
    for stack in stacks.collect::<Vec<_>>() {
        stack.await.expect("no panic").expect("it goes up");
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
    assert_eq!(provider.cloud.names().len(), 6);
}

/// Stacks with a provider in that region, one for each.
fn regional(
    host: &DeploymentHost,
    provider: &Arc<FakeProvider>,
    regions: &[&'static str],
) -> Vec<Deployment> {
    let stacks = regions.iter().enumerate().map(|(n, &region)| {
        let function = move |stack: &mut Stack| {
            let provider = ProviderDeclaration::new(&TEST).set("region", region);
            stack.provider(provider);
            new_thing(&format!("thing-{n}")).declare(stack);
            Ok(())
        };
        Deployment::new(format!("stack-{n}"), function, host)
            .providers(provider.clone())
            .store(Arc::new(MemoryBackend::new()))
    });
    stacks.collect()
}

/// Every one says yes when all of them have asked.
async fn up_together(stacks: Vec<Deployment>) {
    let all = Arc::new(tokio::sync::Barrier::new(stacks.len()));
    let runs = stacks.into_iter().map(|stack| {
        let all = all.clone();
        let up = Up::default().approve(move |_| {
            let all = all.clone();
            async move {
                all.wait().await;
                Decision::Yes
            }
        });
        tokio::spawn(async move { stack.up(up).await })
    });
    for run in runs.collect::<Vec<_>>() {
        run.await.expect("no panic").expect("it goes up");
    }
}

#[tokio::test]
async fn stacks_side_by_side_share_one_process_where_configurations_are_equal() {
    let host = DeploymentHost::new().expect("a thread");
    let provider = Arc::new(FakeProvider::new());
    up_together(regional(&host, &provider, &["here"; 5])).await;
    assert_eq!(provider.cloud.most_processes(), 1);
    let ledger = provider.cloud.ledger();
    assert_eq!(ledger.matches("configure ").count(), 1, "{ledger}");
    // The last one ended it.
    assert_eq!(provider.cloud.processes(), 0);
    assert_eq!(provider.cloud.names().len(), 5);

    let others = Arc::new(FakeProvider::new());
    up_together(regional(&host, &others, &["here", "there", "here"])).await;
    assert_eq!(others.cloud.most_processes(), 2);
    assert_eq!(others.cloud.processes(), 0);
}

#[tokio::test]
async fn cancelling_one_stack_does_not_stop_the_process_of_another() {
    let host = DeploymentHost::new().expect("a thread");
    let provider = Arc::new(FakeProvider::new());
    let stacks = regional(&host, &provider, &["here", "here"]);
    let cancellation = Cancellation::new();
    let (asked, question) = tokio::sync::oneshot::channel();
    let asked = Mutex::new(Some(asked));
    let (answer, answered) = tokio::sync::oneshot::channel();
    let answered = Mutex::new(Some(answered));
    let waiting = Up::default().approve(move |_| {
        let _ = asked
            .lock()
            .expect("no panic")
            .take()
            .expect("once")
            .send(());
        let answered = answered.lock().expect("no panic").take().expect("once");
        async move { answered.await.expect("an answer") }
    });
    let first = stacks[0].clone();
    let first = tokio::spawn(async move { first.up(waiting).await });
    question.await.expect("a question");

    let cancelled = cancellation.clone();
    let up = Up::default().cancelled_by(cancellation).approve(move |_| {
        cancelled.cancel();
        std::future::ready(Decision::Yes)
    });
    let stopped = stacks[1].up(up).await;
    assert!(stopped.is_err());
    let _ = answer.send(Decision::Yes);
    first.await.expect("no panic").expect("it goes up");
    assert_eq!(provider.cloud.most_processes(), 1);
    assert!(!provider.cloud.ledger().contains("stop"));
}

#[tokio::test]
async fn a_stack_function_that_blocks_holds_up_no_neighbour() {
    let host = DeploymentHost::new().expect("a thread");
    let provider = Arc::new(FakeProvider::new());
    let (go_on, goes_on) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = std::sync::mpsc::channel::<()>();
    let both = Mutex::new((begun, goes_on));
    let slow = move |stack: &mut Stack| {
        let both = both.lock().expect("no panic");
        both.0.send(()).expect("a test");
        both.1.recv().expect("a test");
        chain(stack)
    };
    let slow = Deployment::new("slow", slow, &host)
        .providers(provider.clone())
        .store(Arc::new(MemoryBackend::new()));
    let waiting = tokio::spawn(async move { slow.preview(Preview::default()).await });
    let begun = tokio::task::spawn_blocking(move || has_begun.recv());
    begun.await.expect("no panic").expect("it has begun");
    let quick = regional(&host, &provider, &["here"]).remove(0);
    quick.up(Up::default()).await.expect("it goes up");
    go_on.send(()).expect("a function that waits");
    waiting.await.expect("no panic").expect("a plan");
}

#[tokio::test]
async fn a_saved_plan_is_applied_exactly_or_refused_with_the_reason() {
    let host = DeploymentHost::new().expect("a thread");
    let provider = Arc::new(FakeProvider::new());
    let stacks = regional(&host, &provider, &["here", "here"]);
    let [stack, other] = &stacks[..] else {
        panic!("two stacks")
    };
    let saved = async || {
        let previewed = stack.preview(Preview::default()).await.expect("a plan");
        stack.save(&previewed).await.expect("it is saved")
    };
    let refused = async |stack: &Deployment, up: Up| match stack.up(up).await {
        Err(error @ DeployError::Refused(_)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let plan = saved().await;
    // Through a file, and back.
    let plan = PlanBytes::new(plan.as_bytes());
    let text = refused(other, Up::default().saved_plan(plan.clone())).await;
    assert!(text.contains("the plan is for another stack"), "{text}");
    let wrong = "0".repeat(64);
    let text = refused(stack, Up::default().approved_plan(plan.clone(), wrong)).await;
    assert!(text.contains("is not the one that was approved"), "{text}");
    let text = refused(stack, Up::default().saved_plan(PlanBytes::new("no plan"))).await;
    assert!(text.contains("cannot be used"), "{text}");
    assert!(provider.cloud.names().is_empty());

    let late = saved().await;
    let digest = plan.digest();
    let up = Up::default().approved_plan(plan.clone(), digest);
    let deployed = stack.up(up).await.expect("exactly that");
    assert_eq!(deployed.summary().create, 1);
    let text = refused(stack, Up::default().saved_plan(plan)).await;
    assert!(text.contains("was applied already"), "{text}");
    let text = refused(stack, Up::default().saved_plan(late)).await;
    assert!(
        text.contains("there was no state when the plan was made"),
        "{text}"
    );
    assert_eq!(provider.cloud.names().len(), 1);
}
