//! The script of one schedule, which with its seed determines everything.

use std::fmt;

use crate::program::Thing;

/// Something that happens when a run passes a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Which run, from 0: the one that the schedule is about, then those that follow it.
    pub(crate) run: usize,
    /// Which place, or [`ANY`] of them.
    pub(crate) place: &'static str,
    /// At which time of passing it, from 1.
    pub(crate) nth: usize,
    /// The event.
    pub(crate) what: What,
}

/// The place of events that count every place.
pub(crate) const ANY: &str = "any place";
/// The place of events that count faults.
pub(crate) const ANY_REQUEST: &str = "any request";

/// Another run beside one of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rival {
    /// Beside which.
    pub(crate) run: usize,
    /// It breaks whatever lock it finds, though its holder lives.
    pub(crate) steals: bool,
    /// When it begins.
    pub(crate) begins: Begins,
}

/// When a rival begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begins {
    /// That many milliseconds later.
    After(u16),
    /// When the run beside it sleeps, or has ended.
    WhenItSleeps,
}

/// The kinds of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The engine is killed; its provider goes on with its requests.
    EngineDies,
    /// Engine and provider are killed.
    BothDie,
    /// The provider is killed.
    ProviderDies,
    /// The engine panics.
    Panic,
    /// SIGINT, SIGTERM 7.5 s later, SIGKILL 2.5 s after that.
    Cancelled,
    /// The engine is killed, and something that is no record lies behind the last one.
    Garbles,
    /// The engine sleeps until no other run is left.
    Sleeps,
    /// A request to the store, or an operation of the cloud, goes wrong.
    Fault(Fault),
}

/// How a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails; where it was done already, only its answer is lost.
    Fails,
    /// Its answer is lost, so it is sent again.
    Repeated,
    /// It is answered as if it were done, and is not.
    Dropped,
    /// The same, and half of the deletions happen.
    Halved,
}

/// Every way.
pub(crate) const FAULTS: [Fault; 4] =
    [Fault::Fails, Fault::Repeated, Fault::Dropped, Fault::Halved];

/// The faults at a place.
pub(crate) fn faults(place: &str) -> &'static [Fault] {
    match place {
        // A store that sends it again knows that it did.
        "store.unlock.done" => &[Fault::Fails],
        _ if place.starts_with("store.") && place.ends_with(".done") => {
            &[Fault::Fails, Fault::Repeated]
        }
        "store.trim.asked" => &[Fault::Fails, Fault::Dropped, Fault::Halved],
        _ if place.starts_with("store.") => &[Fault::Fails, Fault::Dropped],
        // AWS refuses.
        "cloud.asked" => &[Fault::Fails],
        _ => &[],
    }
}

/// The kinds of death.
pub(crate) const DEATHS: [What; 5] = [
    What::EngineDies,
    What::BothDie,
    What::ProviderDies,
    What::Panic,
    What::Cancelled,
];

/// The fate of an operation that the cloud had received and not begun when its run died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// It never takes place.
    Never,
    /// It takes place before anyone looks.
    BeforeLook,
    /// It takes place when the next run has looked already.
    AfterLook,
}

pub(crate) const LATES: [Late; 3] = [Late::Never, Late::BeforeLook, Late::AfterLook];

/// Who resolves operations that recovery cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// A person who looks first.
    Truth,
    /// Nobody: then nothing may be made twice, and the run says that it waits.
    Nobody,
}

impl Schedule {
    /// The last run that anything goes wrong in.
    pub(crate) fn last_disturbed(&self) -> Option<usize> {
        let events = self.events.iter().map(|event| event.run);
        events
            .chain(self.rivals.iter().map(|rival| rival.run))
            .max()
    }
}

/// One schedule.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    /// The objects at first.
    pub(crate) before: Vec<Thing>,
    /// The declarations of the program.
    pub(crate) after: Vec<Thing>,
    /// Whether objects carry the tag by which they are found again.
    pub(crate) tagged: bool,
    pub(crate) parallelism: usize,
    pub(crate) events: Vec<Event>,
    pub(crate) rivals: Vec<Rival>,
    pub(crate) late: Late,
    pub(crate) answers: Answers,
}

impl Schedule {
    /// From one program to another, without anything going wrong.
    pub(crate) fn new(before: Vec<Thing>, after: Vec<Thing>) -> Self {
        Self {
            seed: 1,
            before,
            after,
            tagged: false,
            parallelism: 1,
            events: Vec::new(),
            rivals: Vec::new(),
            late: Late::Never,
            answers: Answers::Truth,
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            before,
            after,
            tagged,
            parallelism,
            events,
            rivals,
            late,
            answers,
        } = self;
        writeln!(
            f,
            "seed {seed}, tagged {tagged}, parallelism {parallelism}, late {late:?}, answers {answers:?}"
        )?;
        for (what, things) in [("before", before), ("after", after)] {
            let things: Vec<String> = things.iter().map(ToString::to_string).collect();
            writeln!(f, "  {what}: {}", things.join(", "))?;
        }
        for Rival {
            run,
            steals,
            begins,
        } in rivals
        {
            let steals = if *steals {
                "breaks its lock"
            } else {
                "waits for nobody"
            };
            writeln!(f, "  beside run {run}: one that {steals}, {begins:?}")?;
        }
        for event in events {
            writeln!(
                f,
                "  run {} at {} #{}: {:?}",
                event.run, event.place, event.nth, event.what
            )?;
        }
        Ok(())
    }
}
