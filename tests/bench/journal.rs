//! The cost of the journal: requests, bytes and time, over a store that counts the requests to S3 and DynamoDB.
//!
//! ```sh
//! cargo bench -p terrane-tests --bench journal
//! ```
//!
//! The store keeps everything in memory and answers after a latency on a clock that only moves when all wait, so that the figures say
//! nothing of this machine. `docs/state.md` has the figures.

#![allow(
    clippy::print_stdout,
    reason = "a benchmark is for people, and this is its command line"
)]

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use terrane_state::backend::{
    Expected, Holder, Position, Restart, Segment, Snapshot, StoredVersion, Written,
};
use terrane_state::file::Layout;
use terrane_state::{
    Backend, BackendError, Clock, Instance, Intent, IntentAction, LocalBackend, LockError,
    LockInfo, MemoryBackend, Object, Operation, OperationId, OperationOutcome, OperationResult,
    ProcessIdentity, RawJson, Recorder as _, Run, RunOptions, SystemClock, SystemRandom, Timestamp,
};
use tokio::sync::Semaphore;

/// Operations at once; the command line's default.
const PARALLELISM: usize = 10;

/// The requests, by purpose.
#[derive(Debug, Default)]
struct Sent {
    requests: AtomicUsize,
    journal: AtomicUsize,
    snapshots: AtomicUsize,
    writes: AtomicUsize,
}

/// A store in memory that counts as S3 with a lock table would, and takes as long.
#[derive(Debug)]
struct Counting {
    inner: MemoryBackend,
    latency: Duration,
    clock: Arc<Paused>,
    sent: Sent,
}

impl Counting {
    fn new(latency: Duration, clock: Arc<Paused>) -> Self {
        Self {
            inner: MemoryBackend::new(),
            latency,
            clock,
            sent: Sent::default(),
        }
    }

    /// That many requests, one after the other.
    async fn requests(&self, count: usize) {
        self.sent.requests.fetch_add(count, Ordering::Relaxed);
        let latency = self.latency * u32::try_from(count).expect("few requests");
        self.clock.sleep(latency).await;
    }

    /// The counts since the last time.
    fn take(&self) -> [usize; 4] {
        let sent = &self.sent;
        let counts = [&sent.requests, &sent.journal, &sent.snapshots, &sent.writes];
        counts.map(|count| count.swap(0, Ordering::Relaxed))
    }
}

#[async_trait]
impl Backend for Counting {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn lock_path(&self) -> String {
        self.inner.lock_path()
    }

    fn layout(&self) -> Layout {
        Layout::Compact
    }

    async fn read(&self) -> Result<Option<Snapshot>, BackendError> {
        // The object and its digest.
        self.requests(2).await;
        self.inner.read().await
    }

    async fn write(&self, bytes: Bytes, over: &Expected) -> Result<Written, BackendError> {
        self.sent
            .snapshots
            .fetch_add(bytes.len(), Ordering::Relaxed);
        self.sent.writes.fetch_add(1, Ordering::Relaxed);
        // The object, its digest, and a look at that.
        self.requests(3).await;
        self.inner.write(bytes, over).await
    }

    async fn read_journal(&self) -> Result<Vec<Segment>, BackendError> {
        let segments = self.inner.read_journal().await?;
        // A listing, and the objects sixteen at once.
        self.requests(1 + segments.len().div_ceil(16)).await;
        Ok(segments)
    }

    async fn append_journal(&self, at: Position, bytes: Bytes) -> Result<(), BackendError> {
        self.sent.journal.fetch_add(bytes.len(), Ordering::Relaxed);
        self.requests(if at.segment == 0 { 2 } else { 1 }).await;
        self.inner.append_journal(at, bytes).await
    }

    async fn trim_journal(&self, before: Position) -> Result<(), BackendError> {
        // A listing, and a thousand objects a request.
        let there = self.inner.read_journal().await?.len();
        self.requests(1 + there.div_ceil(1000)).await;
        self.inner.trim_journal(before).await
    }

    async fn restart_journal(&self, restart: Restart) -> Result<String, BackendError> {
        self.inner.restart_journal(restart).await
    }

    async fn lock(&self, info: &LockInfo) -> Result<(), LockError> {
        // The item, and a look at it.
        self.requests(2).await;
        self.inner.lock(info).await
    }

    async fn unlock(&self, id: &str) -> Result<(), BackendError> {
        self.requests(2).await;
        self.inner.unlock(id).await
    }

    async fn heartbeat(&self, id: &str, now: Timestamp) -> Result<(), BackendError> {
        self.requests(1).await;
        self.inner.heartbeat(id, now).await
    }

    async fn holder(&self) -> Result<Option<Holder>, BackendError> {
        self.inner.holder().await
    }

    async fn force_unlock(&self, id: &str) -> Result<(), BackendError> {
        self.inner.force_unlock(id).await
    }

    async fn history(&self) -> Result<Vec<StoredVersion>, BackendError> {
        self.inner.history().await
    }

    async fn read_version(&self, id: &str) -> Result<Bytes, BackendError> {
        self.inner.read_version(id).await
    }
}

/// A clock that stands still while anything can be done, and then goes to the next moment that somebody waits for.
#[derive(Debug, Default)]
struct Paused {
    now: Mutex<Duration>,
    waiting: Mutex<BTreeMap<(Duration, usize), Waker>>,
    sleeps: AtomicUsize,
}

impl Paused {
    /// Goes to the next moment.
    fn advance(&self) {
        let next = self.waiting.lock().expect("not poisoned").pop_first();
        let ((moment, _), waker) = next.expect("somebody waits for time only");
        *self.now.lock().expect("not poisoned") = moment;
        waker.wake();
    }

    /// Drives a future to its end.
    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        struct Woken(AtomicBool);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(woken.clone());
        let mut future = pin!(future);
        loop {
            if !woken.0.swap(false, Ordering::Relaxed) {
                self.advance();
                continue;
            }
            let polled = future
                .as_mut()
                .poll(&mut std::task::Context::from_waker(&waker));
            if let Poll::Ready(value) = polled {
                return value;
            }
        }
    }
}

#[async_trait]
impl Clock for Paused {
    fn now(&self) -> Timestamp {
        Timestamp::new(1_800_000_000, 0).after(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        *self.now.lock().expect("not poisoned")
    }

    async fn sleep(&self, duration: Duration) {
        let end = self.monotonic() + duration;
        let number = self.sleeps.fetch_add(1, Ordering::Relaxed);
        poll_fn(|context| {
            if self.monotonic() >= end {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            let mut waiting = self.waiting.lock().expect("not poisoned");
            waiting.insert((end, number), waker);
            Poll::Pending
        })
        .await;
    }
}

async fn open(backend: Arc<dyn Backend>, clock: Arc<dyn Clock>) -> Run {
    let options = RunOptions {
        operation: Operation::Apply,
        engine: "bench".into(),
        process: ProcessIdentity::default(),
        lock_timeout: Duration::ZERO,
    };
    let opened = Run::open(backend, options, clock, Arc::new(SystemRandom), &());
    opened.await.expect("opened").0
}

fn intent(number: usize) -> Intent {
    Intent::new(
        OperationId::random(&SystemRandom),
        format!("module.network.aws_subnet.private[{number}]")
            .parse()
            .expect("an address"),
        IntentAction::Create,
        "provider[\"registry.terraform.io/hashicorp/aws\"]"
            .parse()
            .expect("an address"),
        Timestamp::new(1_800_000_000, 0),
    )
}

/// As large as a small AWS resource: half a kilobyte.
fn result(intent: &Intent, round: usize) -> OperationResult {
    let attributes = format!(
        "{{\"arn\":\"arn:aws:ec2:us-east-1:123456789012:subnet/{}\",\"id\":\"{}\",\"round\":{round},\"tags\":{{\"text\":\"{}\"}}}}",
        intent.op,
        intent.op,
        "x".repeat(300)
    );
    let object = Object::new(1, RawJson::new(&attributes).expect("JSON"));
    let instance = Instance::with_current(intent.provider.clone(), object);
    OperationResult {
        op: intent.op,
        address: intent.address.clone(),
        outcome: OperationOutcome::Ok,
        instance: Some(instance.into()),
        undecoded: None,
        error_class: None,
    }
}

/// Does operations as an apply does: intent, call, result.
async fn operate(run: &Run, clock: &Paused, numbers: std::ops::Range<usize>, round: usize) {
    // As the engine does: an operation keeps its place until the provider has answered.
    let places = Semaphore::new(PARALLELISM);
    let operations = stream::iter(numbers).map(|number| {
        let places = &places;
        async move {
            let place = places.acquire().await.expect("never closed");
            let intent = intent(number);
            run.intent(intent.clone()).await.expect("recorded");
            clock.sleep(about_a_second(number)).await;
            drop(place);
            run.result(result(&intent, round)).await.expect("recorded");
        }
    });
    operations
        .buffer_unordered(4 * PARALLELISM)
        .collect::<()>()
        .await;
}

/// Between half a second and one and a half, the same for the same number.
fn about_a_second(number: usize) -> Duration {
    let spread = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
    Duration::from_millis(500) + Duration::from_micros(spread * 977)
}

fn requests_and_bytes() {
    println!(
        "requests and bytes of a run (S3 and a lock table; {PARALLELISM} operations at once, about a second each)\n"
    );
    println!(
        "{:<34} {:>9} {:>12} {:>14} {:>10} {:>16}",
        "run", "requests", "journal KB", "KB an operation", "snapshots", "snapshots KB"
    );
    for count in [100, 1_000, 10_000] {
        let clock = Arc::new(Paused::default());
        let backend = Arc::new(Counting::new(Duration::from_millis(50), clock.clone()));
        let rounds = [
            (format!("{count} created"), 0..count),
            (format!("10 of {count} changed"), 0..10),
            (format!("nothing of {count} changed"), 0..0),
        ];
        for (round, (name, numbers)) in rounds.into_iter().enumerate() {
            let operations = numbers.len();
            clock.run(async {
                let run = open(backend.clone(), clock.clone()).await;
                operate(&run, &clock, numbers, round).await;
                run.close().await.expect("closed");
            });
            let [requests, journal, snapshots, writes] = backend.take();
            let kb = |bytes: usize| bytes as f64 / 1000.0;
            println!(
                "{name:<34} {requests:>9} {:>12.1} {:>14.2} {writes:>10} {:>16.1}",
                kb(journal),
                kb(journal) / operations.max(1) as f64,
                kb(snapshots)
            );
        }
    }
}

/// How long 500 creations take, from lock to unlock.
fn wall(latency: Option<Duration>) -> Duration {
    let clock = Arc::new(Paused::default());
    clock.run(async {
        let Some(latency) = latency else {
            let calls = stream::iter(0..500).map(|number| clock.sleep(about_a_second(number)));
            return calls.buffer_unordered(PARALLELISM).collect::<()>().await;
        };
        let backend = Arc::new(Counting::new(latency, clock.clone()));
        let run = open(backend, clock.clone()).await;
        operate(&run, &clock, 0..500, 0).await;
        run.close().await.expect("closed");
    });
    clock.monotonic()
}

fn time() {
    println!("\n500 creations of about a second, {PARALLELISM} at once, from lock to unlock\n");
    let bare = wall(None);
    println!("{:<34} {:>9.2} s", "the calls alone", bare.as_secs_f64());
    for milliseconds in [1, 20, 50, 100] {
        let took = wall(Some(Duration::from_millis(milliseconds)));
        let more = (took.as_secs_f64() / bare.as_secs_f64() - 1.0) * 100.0;
        let name = format!("a store that answers in {milliseconds} ms");
        println!("{name:<34} {:>9.2} s  {more:>+6.1} %", took.as_secs_f64());
    }
}

/// How long a record takes on this machine's disk.
async fn local() {
    let folder = tempfile::tempdir().expect("a folder");
    let backend = LocalBackend::new(folder.path().join("terraform.tfstate")).expect("a place");
    let run = open(Arc::new(backend), Arc::new(SystemClock::default())).await;
    let times = Mutex::new(Vec::new());
    for number in 0..500 {
        let intent = intent(number);
        let started = std::time::Instant::now();
        run.intent(intent.clone()).await.expect("recorded");
        times.lock().expect("not poisoned").push(started.elapsed());
        run.result(result(&intent, 0)).await.expect("recorded");
    }
    run.close().await.expect("closed");
    let mut times = times.into_inner().expect("not poisoned");
    times.sort();
    println!(
        "\na record in a file on this machine: p50 {:.3} ms, p99 {:.3} ms",
        times[250].as_secs_f64() * 1e3,
        times[495].as_secs_f64() * 1e3
    );
}

fn main() {
    requests_and_bytes();
    time();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(local());
}
