//! Real processes that are killed by chance and go on with a changed program: undone, renamed, replaced, less of it, or destroyed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use terrane_state::crash::{Layer, Point};
use terrane_tests::{Dice, aws, number_in};

use crate::mortal::{Death, DeathPlan, MortalStack, Ran, Store};

/// Kills in every run of the tests, of each store.
const KILLS: [(Store, usize); 2] = [(Store::Local, 10), (Store::Table, 3)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Vpc,
    Subnet,
    Group,
    Bucket,
    Role,
}

/// One object of a program.
#[derive(Debug, Clone)]
struct Object {
    kind: Kind,
    label: String,
    /// Part of the arguments that cannot change in place.
    number: usize,
    /// Part of those that can.
    version: usize,
    /// The label of the VPC that it is in.
    on: String,
    create_first: bool,
}

/// A program, and names that none of its ancestors had.
#[derive(Debug, Clone, Default)]
struct Program {
    objects: Vec<Object>,
    used: usize,
}

impl Program {
    fn fresh(&mut self) -> usize {
        self.used += 1;
        self.used
    }

    fn add(&mut self, kind: Kind, dice: &Dice) {
        let vpcs: Vec<&Object> = self.of(Kind::Vpc);
        let needs = matches!(kind, Kind::Subnet | Kind::Group);
        let on = match vpcs.as_slice() {
            [] if needs => return,
            vpcs if needs => dice.pick(vpcs).label.clone(),
            _ => String::new(),
        };
        let number = self.fresh();
        let word = match kind {
            Kind::Vpc => "net",
            Kind::Subnet => "sub",
            Kind::Group => "group",
            Kind::Bucket => "bucket",
            Kind::Role => "role",
        };
        let object = Object {
            kind,
            label: format!("{word}{number}"),
            number,
            version: 1,
            on,
            create_first: kind == Kind::Vpc && dice.below(2) == 0,
        };
        // An object that contains others comes first.
        match kind {
            Kind::Vpc => self.objects.insert(0, object),
            _ => self.objects.push(object),
        }
    }

    fn of(&self, kind: Kind) -> Vec<&Object> {
        let objects = self.objects.iter();
        objects.filter(|object| object.kind == kind).collect()
    }

    fn new(dice: &Dice) -> Self {
        let mut program = Self::default();
        program.add(Kind::Vpc, dice);
        for _ in 0..1 + dice.below(4) {
            program.add(*dice.pick(&KINDS), dice);
        }
        program
    }

    /// Another program, of which some is as before.
    fn changed(&self, dice: &Dice) -> Self {
        let mut program = self.clone();
        for _ in 0..1 + dice.below(3) {
            program.change(dice);
        }
        program
    }

    fn change(&mut self, dice: &Dice) {
        if self.objects.is_empty() {
            return self.add(Kind::Vpc, dice);
        }
        let place = dice.below(self.objects.len());
        match dice.below(7) {
            0 => self.add(*dice.pick(&KINDS), dice),
            1 | 2 => {
                let gone = self.objects.remove(place);
                self.objects.retain(|other| other.on != gone.label);
            }
            3 => {
                let number = self.fresh();
                let object = &mut self.objects[place];
                let label = std::mem::replace(&mut object.label, format!("renamed{number}"));
                object.number = number;
                let renamed = object.label.clone();
                for other in self.objects.iter_mut().filter(|other| other.on == label) {
                    other.on.clone_from(&renamed);
                }
            }
            4 | 5 => self.objects[place].number = self.fresh(),
            _ => self.objects[place].version += 1,
        }
    }

    fn variable(&self) -> String {
        let objects = self.objects.iter().map(|object| {
            let kind = format!("{:?}", object.kind).to_lowercase();
            json!({
                "kind": kind, "label": object.label, "number": object.number, "version": object.version,
                "on": object.on, "create_first": object.create_first,
            })
        });
        let objects: Vec<_> = objects.collect();
        match objects.is_empty() {
            // A program of another kind, with nothing in it.
            true => "count=0".to_owned(),
            false => format!("objects={}", serde_json::Value::from(objects)),
        }
    }
}

const KINDS: [Kind; 5] = [
    Kind::Vpc,
    Kind::Subnet,
    Kind::Group,
    Kind::Bucket,
    Kind::Role,
];

/// One life of a stack: runs that are killed, and the one that brings everything in order.
struct Life<'a> {
    dice: Dice,
    stack: MortalStack,
    store: Store,
    /// How long a run takes.
    usual: Duration,
    kills: usize,
    /// The commands so far, for the person who has to find the fault.
    story: &'a Mutex<String>,
}

impl Life<'_> {
    fn tell(&self, line: &str) {
        let mut story = self.story.lock().expect("not poisoned");
        let _ = writeln!(story, "{line}");
    }

    /// Runs that, after freeing the lock of the run that died.
    fn freed(&mut self, arguments: &[&str], run: impl Fn(&mut Self, &[&str]) -> Ran) -> Ran {
        let ran = run(self, arguments);
        if ran.code != Some(4) || self.store == Store::Local {
            return ran;
        }
        let id = ran.lock_to_force().expect("the refusal names the lock");
        let forced = self.stack.run(&["force-unlock", "--yes", id]);
        assert_eq!(forced.code, Some(0), "LOCK: {}{}", forced.out, forced.err);
        run(self, arguments)
    }

    fn run(&mut self, arguments: &[&str]) -> Ran {
        let ran = self.freed(arguments, |life, arguments| life.stack.run(arguments));
        self.tell(&format!("{arguments:?}: {:?}\n{}", ran.code, ran.err));
        self.stack.nothing_is_lost(&ran.out);
        self.nothing_is_twice();
        ran
    }

    /// No two objects ever had one owner tag at a time: the tag of a creation is that creation's alone.
    fn nothing_is_twice(&self) {
        let mut tags: BTreeMap<String, String> = BTreeMap::new();
        for line in self.stack.ledger() {
            let id = line["id"].as_str().expect("an id").to_owned();
            if line["op"] == "delete" {
                tags.remove(&id);
                continue;
            }
            let tag = line["object"]["tags"]["terrane/owner"].as_str();
            let tag = tag.expect("every object carries an owner tag").to_owned();
            let twice = tags.iter().find(|(of, other)| **of != id && **other == tag);
            assert_eq!(twice, None, "DUP: {id} has the tag of another");
            tags.insert(id, tag);
        }
    }

    /// A run that is killed at a place or at a time.
    fn dies(&mut self, verb: &str, program: &Program) {
        let variable = program.variable();
        let arguments = [verb, "--yes", "--json", "--var", &variable];
        let places = Point::ALL.iter();
        let places = places
            .filter(|point| point.layer() != Layer::Transfer)
            .filter(|point| self.store != Store::Local || point.layer() != Layer::S3)
            .filter(|point| self.store == Store::Local || point.layer() != Layer::Local);
        let places: Vec<&Point> = places.collect();
        let place = *self.dice.pick(&places);
        let deaths = [Death::Kill, Death::Kill, Death::Abort, Death::BothKilled];
        let case = DeathPlan {
            place: place.name(),
            nth: 1 + self.dice.below(6),
            death: *self.dice.pick(&deaths),
            umask: "022",
            store: self.store,
            replaces: false,
            unread: false,
        };
        let by_time = self.dice.below(2) == 0;
        let part = u32::try_from(self.dice.below(1_000)).expect("small");
        let time = self.usual * part / 1_000;
        let with_provider = self.dice.below(2) == 0;
        let ran = self.freed(&arguments, |life, arguments| match by_time {
            true => life.stack.die_after(arguments, time, with_provider),
            false => life.stack.die(arguments, case),
        });
        let how = match by_time {
            true => format!("after {time:?}"),
            false => format!("at {} ({})", case.place, case.nth),
        };
        self.tell(&format!(
            "{verb} of {variable} killed {how}: {:?}\n{}",
            ran.code, ran.err
        ));
        assert_ne!(ran.code, Some(3), "ASKED");
        self.kills += usize::from(ran.code.is_none());
        self.stack.nothing_is_lost(&ran.out);
        self.nothing_is_twice();
    }

    fn live(mut self) -> usize {
        let first = Program::new(&self.dice);
        let mut before = Program::default();
        if self.dice.below(3) > 0 {
            let variable = first.variable();
            let ran = self.run(&["up", "--yes", "--var", &variable]);
            assert_eq!(ran.code, Some(0));
            before = first.clone();
        }
        let mut program = match before.objects.is_empty() {
            true => first,
            false => before.changed(&self.dice),
        };
        for _ in 0..1 + self.dice.below(2) {
            let verb = match self.dice.below(6) {
                0 if !before.objects.is_empty() => "destroy",
                _ => "up",
            };
            self.dies(verb, &program);
            let next = match self.dice.below(4) {
                // Undone.
                0 => before.clone(),
                1 => program.clone(),
                _ => program.changed(&self.dice),
            };
            before = std::mem::replace(&mut program, next);
            program.used = program.used.max(before.used);
        }
        let destroys = self.dice.below(4) == 0;
        self.ends(if destroys { "destroy" } else { "up" }, &program);
        self.kills
    }

    /// Checks the end: two runs at most, no question, and nothing left to do.
    fn ends(&mut self, verb: &str, program: &Program) {
        let variable = program.variable();
        if self.dice.below(3) == 0 {
            let lines = self.stack.lines();
            let found = self.stack.look();
            let looked = self.run(&["preview", "--var", &variable]);
            assert_eq!(looked.code, Some(0));
            assert_eq!((self.stack.lines(), self.stack.look()), (lines, found));
        }
        let mut runs = 0;
        loop {
            let ran = self.run(&[verb, "--yes", "--json", "--var", &variable]);
            assert_ne!(ran.code, Some(3), "ASKED");
            assert_eq!(ran.code, Some(0), "CONV");
            runs += 1;
            let mut preview = vec!["preview", "--detailed-exitcode", "--var", &variable];
            if verb == "destroy" {
                preview.push("--destroy");
            }
            match self.run(&preview).code {
                Some(0) => break,
                code => assert!(code == Some(2) && runs < 2, "CONV"),
            }
        }
        let (live, _) = self.stack.cloud(0);
        let (known, open) = self.stack.look();
        let wanted = match verb {
            "destroy" => 0,
            _ => program.objects.len(),
        };
        assert_eq!(live.len(), wanted, "ORPH: {live:?}");
        assert_eq!(live.into_keys().collect::<BTreeSet<_>>(), known, "ORPH");
        assert!(open.is_empty(), "{open:?}");
        if wanted > 0 {
            self.stack.nothing_is_locked();
        }
        self.stack.nothing_shows();
    }
}

/// Lives from one seed after another until so many processes were killed.
#[expect(clippy::print_stdout, reason = "its figures are read")]
fn kill(name: &str, store: Store, kills: usize) {
    let started = Instant::now();
    let (seeds, killed) = (AtomicU64::new(0), AtomicUsize::new(0));
    let only = number_in("TERRANE_SIMULATION_SEED");
    let failed = Mutex::new(Vec::new());
    let worker = || {
        while killed.load(Ordering::Relaxed) < kills && failed.lock().expect("whole").len() < 4 {
            let n = seeds.fetch_add(1, Ordering::Relaxed);
            let seed = only.unwrap_or(n);
            let story = Mutex::default();
            let life = || {
                let life = Life {
                    dice: Dice::new(seed),
                    stack: MortalStack::new(
                        ["000", "022", "077"][usize::try_from(seed % 3).expect("small")],
                        store,
                    ),
                    store,
                    usual: Duration::from_millis(if store == Store::Local { 700 } else { 2_500 }),
                    kills: 0,
                    story: &story,
                };
                life.live()
            };
            match catch_unwind(AssertUnwindSafe(life)) {
                Ok(its) => drop(killed.fetch_add(its, Ordering::Relaxed)),
                Err(_) => {
                    let story = story.into_inner().unwrap_or_default();
                    failed
                        .lock()
                        .expect("whole")
                        .push(format!("seed {seed}:\n{story}"));
                }
            }
            if only.is_some() {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        for worker in [0, 1].map(|_| scope.spawn(worker)) {
            worker.join().expect("panics of lives are caught");
        }
    });
    println!(
        "{name}: {} kills in {} lives, {} of them failed, {:.1} s",
        killed.into_inner(),
        seeds.into_inner(),
        failed.lock().expect("whole").len(),
        started.elapsed().as_secs_f64()
    );
    let failed = failed.into_inner().expect("whole");
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

fn kills(store: Store) -> usize {
    let few = KILLS.iter().find(|(of, _)| *of == store);
    let few = few.map_or(0, |(_, kills)| *kills);
    let asked = number_in("TERRANE_SIMULATION_KILLS");
    asked.map_or(few, |asked| usize::try_from(asked).expect("small"))
}

#[test]
fn a_changed_program_after_kills_loses_no_object_and_asks_no_person() {
    kill(
        "changed programs, local files",
        Store::Local,
        kills(Store::Local),
    );
}

#[test]
fn a_changed_program_after_kills_in_s3_loses_no_object_and_asks_no_person() {
    if aws().is_some() {
        kill("changed programs, S3", Store::Table, kills(Store::Table));
    }
}
