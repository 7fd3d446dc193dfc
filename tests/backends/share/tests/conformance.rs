//! The store keeps the promises of every store.

use std::sync::Arc;

use terrane_share::ShareAddress;
use terrane_state::backend::conformance;
use terrane_state::{BackendAddress as _, SystemClock};

#[tokio::test]
async fn a_shared_folder_passes_the_conformance_suite() {
    let folders = tempfile::tempdir().expect("a folder");
    let count = std::cell::Cell::new(0);
    conformance::check(async || {
        count.set(count.get() + 1);
        let folder = folders.path().join(count.get().to_string());
        let address = ShareAddress::new(folder);
        let clock = Arc::new(SystemClock::default());
        let steps = address.plan_bootstrap(clock.clone()).await;
        for step in steps.expect("planned").expect("a folder is needed") {
            step.run().await.expect("done");
            step.run().await.expect("done twice");
        }
        let connect = || async { address.connect(clock.clone()).await.expect("connected") };
        (connect().await, connect().await)
    })
    .await;
}
