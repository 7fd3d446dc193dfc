use std::sync::Arc;
use std::time::Instant;

use insta::assert_snapshot;
use terrane_core::{Diagnostics, Id as _};
use terrane_engine::{Event, Step, StepId, StepKind};

use super::*;
use crate::view::UsualTimes;

fn step(place: usize, address: &str, kind: StepKind) -> Step {
    Step {
        id: StepId::at(place),
        address: Arc::new(address.parse().expect("an address")),
        deposed: None,
        kind,
    }
}

fn creation(place: usize, address: &str) -> Event {
    Event::StepStarted(step(place, address, StepKind::Create))
}

fn tracker(total: usize, events: impl IntoIterator<Item = Event>) -> Tracker {
    let mut tracker = Tracker::new();
    let started = Event::ApplyStarted { total };
    for event in [started].into_iter().chain(events) {
        tracker.event(&event);
    }
    tracker
}

fn rows(run: &Tracker, columns: usize, lines: usize) -> String {
    let tree = Tree {
        run,
        size: Size { columns, lines },
        is_stopping: false,
        painter: Painter::PLAIN,
    };
    let rows = tree.rows().expect("a phase");
    assert!(rows.len() < lines);
    for row in &rows {
        assert!(console::measure_text_width(row) < columns, "{row:?}");
    }
    rows.join("\n")
}

#[test]
fn running_steps_stand_under_their_modules_with_their_usual_times() {
    let mut usual = UsualTimes::default();
    let took = vec![Duration::from_secs(125)];
    usual.add("aws_nat_gateway", StepKind::Create, took);
    let mut run = tracker(
        49,
        [
            creation(0, "module.network.aws_nat_gateway.main[\"eu-central-1a\"]"),
            creation(1, "aws_vpc.main"),
            creation(2, "module.network.aws_subnet.private[0]"),
            Event::StepStarted(step(3, "module.a.module.b.aws_eip.x", StepKind::Delete)),
        ],
    );
    run.remember(usual);
    assert_snapshot!(rows(&run, 80, 24), @r#"
    0 of 49 steps done 0s
          0s  aws_vpc.main creating
      module.a.module.b
            0s  aws_eip.x destroying
      module.network
            0s  aws_nat_gateway.main["eu-central-1a"] creating, usually 2m05s
            0s  aws_subnet.private[0] creating
    "#);
}

#[test]
fn a_narrow_terminal_shortens_names_and_keeps_the_words() {
    let address =
        "module.network.module.subnets.aws_route_table_association.private[\"eu-central-1a\"]";
    let run = tracker(2, [creation(0, address)]);
    assert_snapshot!(rows(&run, 60, 20), @r#"
    0 of 2 steps done 0s
      module.network.module.subnets
            0s  aws_route_table_ass…e["eu-central-1a"] creating
    "#);
    assert_snapshot!(rows(&run, 30, 5), @r#"
    0 of 2 steps done 0s
      module.networ…odule.subnets
            0s  aws_…a"] creating
    "#);
}

#[test]
fn of_five_hundred_running_steps_the_oldest_are_shown_and_the_others_counted() {
    let events = (0..500).map(|place| creation(place, &format!("module.m.aws_thing.n[{place}]")));
    let run = tracker(10_000, events);
    assert_snapshot!(rows(&run, 80, 12), @"
    0 of 10000 steps done 0s
          0s  module.m.aws_thing.n[0] creating
          0s  module.m.aws_thing.n[1] creating
          0s  module.m.aws_thing.n[2] creating
          0s  module.m.aws_thing.n[3] creating
          0s  module.m.aws_thing.n[4] creating
          0s  module.m.aws_thing.n[5] creating
              and 494 more
    ");
}

#[test]
fn a_step_that_takes_much_longer_than_usual_is_marked() {
    let mut usual = UsualTimes::default();
    usual.add("aws_vpc", StepKind::Create, vec![Duration::from_secs(2)]);
    let mut run = tracker(2, [creation(0, "aws_vpc.main")]);
    run.remember(usual);
    let tree = Tree {
        run: &run,
        size: Size {
            columns: 80,
            lines: 24,
        },
        is_stopping: false,
        painter: Painter(crate::streams::Ink::Coloured),
    };
    let row = |seconds| {
        let running = Running {
            step: step(0, "aws_vpc.main", StepKind::Create),
            since: Instant::now() - Duration::from_secs(seconds),
        };
        tree.row(&running, words::name_within, 0)
    };
    assert!(row(9).contains("\u{1b}[2m, usually 2s"), "{}", row(9));
    assert!(row(11).contains("\u{1b}[1;33m, usually 2s"), "{}", row(11));
}

#[test]
fn warnings_stand_under_their_step_a_line_each_and_the_many_are_counted() {
    let warning = |text: &str| terrane_core::Diagnostic::warning(text);
    let warnings: Diagnostics = [
        warning("Argument is deprecated\nuse another"),
        warning("\u{1b}[2Jhostile"),
        warning(&"long ".repeat(200)),
        warning("fourth"),
        warning("fifth"),
    ]
    .into_iter()
    .collect();
    let text = words::warnings(&warnings, Painter::PLAIN);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[0], "  warning: Argument is deprecated");
    assert_eq!(lines[1], "  warning: \\u{1b}[2Jhostile");
    assert!(lines[2].chars().count() < 240);
    assert_eq!(lines[3], "  and 2 more warnings");
}

#[test]
fn hostile_names_move_nothing() {
    let run = tracker(
        2,
        [creation(0, "module.m.aws_vpc.main[\"\u{202e}x\u{7}\"]")],
    );
    let shown = rows(&run, 80, 24);
    assert!(!shown.contains(|c: char| c.is_control() && c != '\n'));
    assert!(!shown.contains('\u{202e}'), "{shown}");
}
