//! Pages in a real browser: what a person sees and does, with 5, with 500 and with 5,000 changes.

mod chromium;
mod comment;
mod page;

use terrane_tests::TestEnvironment;

use chromium::{Chromium, installed};

/// A stack of that many objects.
fn stack(count: usize) -> TestEnvironment {
    let mut stack = TestEnvironment::new(env!("CARGO_BIN_EXE_test-stack"), &[]);
    stack.set("TERRANE_VAR_SCENE", "many");
    stack.set("TERRANE_VAR_SIZE", &count.to_string());
    stack
}

/// A browser, unless there is none.
fn browser() -> Option<Chromium> {
    let Some(program) = installed() else {
        #[allow(clippy::print_stderr, reason = "a test that is left out is named")]
        {
            eprintln!("note: no Chromium is installed; the tests in a browser are left out");
        }
        return None;
    };
    Some(Chromium::start(&program))
}
