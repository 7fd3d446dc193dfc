//! Events at places: decided by a simulation's hook, or the death that this process is armed with.

use std::cell::RefCell;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Signal, getpid, kill_process};
use thiserror::Error;

use super::Point;

/// Decides what becomes of the run at a place.
pub type Hook = Rc<dyn Fn(Point) -> Fate>;

/// What becomes of a run at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes on.
    GoesOn,
    /// It goes on when it is polled again.
    Waits,
    /// It never goes on, and is dropped by its driver.
    Ends,
}

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

/// Lets a hook decide at every place that this thread passes, or none.
pub fn install(hook: Option<Hook>) {
    HOOK.with(|slot| *slot.borrow_mut() = hook);
}

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    /// SIGKILL.
    Kill,
    /// SIGABRT, without unwinding.
    Abort,
    /// A panic that unwinds.
    Panic,
    /// SIGSTOP: it sleeps until it is woken or killed.
    Stop,
}

/// One death of this process.
#[derive(Debug)]
struct Armed {
    point: Point,
    /// How often the place is passed before.
    left: AtomicUsize,
    death: Death,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// The text is not a death: `<point>:<n>:<kind>`, with kind one of `kill`, `abort`, `panic`, `stop`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not `<point>:<n>:kill|abort|panic|stop`")]
#[non_exhaustive]
pub struct InvalidCrash {
    /// The given text.
    pub text: String,
}

impl FromStr for Armed {
    type Err = InvalidCrash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| InvalidCrash {
            text: text.to_owned(),
        })
    }
}

fn parse(text: &str) -> Option<Armed> {
    let mut parts = text.split(':');
    let (name, nth, kind) = (parts.next()?, parts.next()?, parts.next()?);
    let death = match kind {
        "kill" => Death::Kill,
        "abort" => Death::Abort,
        "panic" => Death::Panic,
        "stop" => Death::Stop,
        _ => return None,
    };
    let nth: usize = nth.parse().ok()?;
    Some(Armed {
        point: Point::ALL
            .iter()
            .copied()
            .find(|point| point.name() == name)?,
        left: AtomicUsize::new(nth.checked_sub(1)?),
        death,
    })
    .filter(|_| parts.next().is_none())
}

/// Lets this process die when it passes a place for the n-th time, as `<point>:<n>:<kind>` says.
///
/// # Errors
/// When the text says something else.
pub fn arm(text: &str) -> Result<(), InvalidCrash> {
    let armed = text.parse()?;
    // Only the first one counts: a process dies once.
    let _ = ARMED.set(armed);
    Ok(())
}

pub(super) async fn reach(point: Point) {
    reach_blocking(point);
    match asked(point) {
        Fate::GoesOn => {}
        Fate::Waits => tokio::task::yield_now().await,
        Fate::Ends => std::future::pending().await,
    }
}

fn asked(point: Point) -> Fate {
    let hook = HOOK.with(|slot| slot.borrow().clone());
    hook.map_or(Fate::GoesOn, |hook| hook(point))
}

pub(super) fn reach_blocking(point: Point) {
    let Some(armed) = ARMED.get().filter(|armed| armed.point == point) else {
        return;
    };
    let passed = armed
        .left
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
    // The place where it dies is passed once only, also when it merely sleeps there.
    if passed != Err(0) || armed.left.swap(usize::MAX, Ordering::SeqCst) != 0 {
        return;
    }
    let signal = |signal| {
        let _ = kill_process(getpid(), signal);
    };
    match armed.death {
        Death::Kill => signal(Signal::KILL),
        Death::Abort => std::process::abort(),
        Death::Panic => panic!("crash point {}", point.name()),
        Death::Stop => signal(Signal::STOP),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_a_place_a_number_and_a_kind() {
        let armed: Armed = "intent.durable:3:kill".parse().expect("a death");
        assert_eq!(
            (armed.point, armed.death),
            (Point::IntentDurable, Death::Kill)
        );
        assert_eq!(armed.left.into_inner(), 2);
        for text in [
            "",
            "intent.durable",
            "intent.durable:1",
            "intent.durable:0:kill",
            "intent.durable:1:smite",
            "no.such.place:1:kill",
            "intent.durable:1:kill:",
        ] {
            assert!(text.parse::<Armed>().is_err(), "{text}");
        }
    }
}
