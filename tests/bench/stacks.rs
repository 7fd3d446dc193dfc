//! Ten stacks in one process: side by side on one host, beside one after the other on hosts of their own.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use terrane_deploy::{Decision, Deployment, DeploymentHost, Preview, Up};
use terrane_provider::Plugins;

use crate::case::{Case, Shape, Subject};
use crate::meter::children;

const STACKS: usize = 10;

/// A table of both ways, with stacks of that many resources.
pub(crate) async fn table(subject: &Subject, sizes: &[usize], places: &Path) {
    println!("\nten stacks in one process");
    println!(
        "{:<26} {:>8} {:>8} {:>10}",
        "resources a stack", "up", "preview", "processes"
    );
    for &count in sizes {
        let together = run(
            subject,
            count,
            &places.join(format!("together-{count}")),
            true,
        )
        .await;
        row(&format!("{count} side by side"), &together);
        let apart = run(
            subject,
            count,
            &places.join(format!("apart-{count}")),
            false,
        )
        .await;
        row(&format!("{count} one by one"), &apart);
    }
}

struct Figures {
    up: Duration,
    preview: Duration,
    /// The most provider processes at once, as far as questions saw them.
    processes: usize,
}

fn row(name: &str, figures: &Figures) {
    let Figures {
        up,
        preview,
        processes,
    } = figures;
    println!(
        "{name:<26} {:>7.2}s {:>7.2}s {processes:>10}",
        up.as_secs_f64(),
        preview.as_secs_f64()
    );
}

async fn run(subject: &Subject, count: usize, place: &Path, together: bool) -> Figures {
    let most = Arc::new(AtomicUsize::new(0));
    let host = || {
        let operations = NonZeroUsize::new(STACKS).expect("ten");
        DeploymentHost::with_operations(operations).expect("a thread")
    };
    let (one, mut stacks) = (host(), Vec::new());
    let mut providers: Option<Arc<Plugins>> = None;
    for n in 0..STACKS {
        let case = Case {
            subject: subject.clone(),
            shape: Shape::Apart,
            count,
            place: place.join(n.to_string()),
        };
        std::fs::create_dir_all(&case.place).expect("a folder");
        let providers = providers.get_or_insert_with(|| Arc::new(case.plugins()));
        let state = case.place.join("terraform.tfstate");
        let folder = case.place.clone();
        let on = if together { one.clone() } else { host() };
        let stack = Deployment::new(format!("stack-{n}"), move |stack| case.declare(stack), &on);
        let stack = stack.providers(providers.clone()).folder(folder);
        stacks.push(stack.backend(&*state));
    }
    let began = Instant::now();
    let ups = stacks.iter().map(|stack| {
        let most = most.clone();
        let up = Up::default().approve(move |_| {
            most.fetch_max(children().len(), Ordering::Relaxed);
            std::future::ready(Decision::Yes)
        });
        async move { stack.up(up).await.expect("it goes up").summary().create }
    });
    let created: usize = all(ups, together).await.into_iter().sum();
    assert_eq!(created, STACKS * count);
    let up = began.elapsed();
    let began = Instant::now();
    let previews = stacks.iter();
    let previews = previews.map(async |stack| stack.preview(Preview::default()).await);
    for preview in all(previews, together).await {
        assert!(preview.expect("a plan").is_empty());
    }
    Figures {
        up,
        preview: began.elapsed(),
        processes: most.load(Ordering::Relaxed),
    }
}

/// All of them side by side, or one after the other.
async fn all<F: Future>(futures: impl Iterator<Item = F>, together: bool) -> Vec<F::Output> {
    if together {
        return futures_util::future::join_all(futures).await;
    }
    let mut done = Vec::new();
    for future in futures {
        done.push(future.await);
    }
    done
}
