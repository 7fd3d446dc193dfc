//! How long it takes to plan the platform in a test: the figures of `docs/testing.md`.
//!
//! ```sh
//! cargo bench -p terrane-platform --profile dev
//! ```

#![expect(clippy::print_stdout, reason = "figures are read by people")]

use std::time::Instant;

use terrane::Stack;
use terrane_platform::{Config, Platform};
use terrane_testkit::{TestCloud, TestStack};

fn main() {
    let stack = TestStack::new(|stack: &mut Stack| {
        let config: Config = stack.config()?;
        Platform::declare(stack, &config)?.export(stack);
        Ok(())
    });
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        println!("{what}: {:?}", begun.elapsed());
    };
    timed("first plan", &mut || drop(stack.plan()));
    timed("second plan", &mut || drop(stack.plan()));
    let mut cloud = TestCloud::new();
    timed("up", &mut || drop(cloud.up(&stack).succeeds()));
    timed("preview at rest", &mut || {
        cloud.preview(&stack).assert_empty();
    });
}
