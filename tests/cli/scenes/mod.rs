//! What people and programs see: every scene in every format, from the engine's own plans and events.
//!
//! **A new scene** is a function in `scene.rs` and its entry in `SCENES`; **a new format** is in here as soon as it is in the list of
//! formats. The snapshots lie in `snapshots/FORMAT/SCENE.snap`; with `TERRANE_SCENES=DIR` the whole documents lie there, too.

mod hostile;
mod readable;
mod scene;
mod types;

use std::path::Path;

use insta::assert_snapshot;
use terrane_cli::{Rendering, Scene};
use terrane_core::{Resource, Stack};
use terrane_tests::{Run, World, filtered};

/// A run, and the world that it left.
pub(crate) struct Played {
    pub(crate) world: World,
    pub(crate) run: Run,
}

impl Played {
    fn scene(&self) -> Scene<'_> {
        Scene {
            plan: self.run.made_plan(),
            program: self.run.program.as_ref().expect("a program"),
            events: &self.run.events,
            applied: self.run.applied.as_ref(),
            outputs: &self.world.state.outputs,
            serial: self.world.state.serial,
        }
    }
}

/// Formats that show resources and arrows alone, and the scenes that differ in them.
const GRAPHS: [&str; 4] = ["svg", "dot", "mermaid", "graph-json"];
const DRAWN: [&str; 4] = ["create_all", "replaced", "deferred", "five_hundred"];

#[test]
fn every_scene_is_as_it_was_reviewed_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let formats = Rendering::all();
    for (name, play) in scene::SCENES {
        let played = play();
        let scene = played.scene();
        for format in &formats {
            match format.name {
                "terminal" => ends_with_its_totals(name, format, &formats, &scene, folder.path()),
                graph if GRAPHS.contains(&graph) && !DRAWN.contains(name) => {}
                _ => reviewed(name, format, &scene, folder.path()),
            }
        }
    }
}

/// A password that is taken over by its value, as `random_password` is.
#[test]
fn an_import_by_an_id_that_is_a_secret_shows_it_in_no_format() {
    const PASSWORD: &str = "correct-horse-battery";
    let declare = |stack: &mut Stack| {
        Resource::dynamic("test_password", "main")
            .set("name", PASSWORD)
            .declare(stack)
    };
    let mut other = types::world();
    other
        .up(|stack| {
            declare(stack);
        })
        .succeeds();
    other.provider.cloud.disown(PASSWORD);
    let mut world = World::new(other.provider.clone());
    let run = world.up(|stack| {
        let password = declare(stack);
        stack.import(&password, PASSWORD);
    });
    let played = Played {
        world,
        run: run.succeeds(),
    };
    let scene = played.scene();
    let folder = tempfile::tempdir().expect("a folder");
    for format in Rendering::all() {
        let shown = format.plan(&scene, folder.path()).expect("it is written");
        let told = format.run(&scene, folder.path()).expect("it is written");
        for text in [shown].into_iter().chain(told) {
            assert!(!text.contains(PASSWORD), "{}: {text}", format.name);
        }
    }
}

/// Keeps a whole document in the folder that `TERRANE_SCENES` names: pages and pictures are for a browser.
fn keep(name: &str, format: &str, text: &str) {
    if let Some(folder) = std::env::var_os("TERRANE_SCENES") {
        let file = Path::new(&folder).join(format!("{name}.{format}"));
        std::fs::write(file, text).expect("a folder for documents");
    }
}

/// The plan and its run in one snapshot.
fn reviewed(name: &str, format: &Rendering, scene: &Scene<'_>, folder: &Path) {
    let lines = match (name, format.name) {
        ("five_hundred", _) => 50,
        (_, "json") => 200,
        _ => 300,
    };
    let shown = format.plan(scene, folder).expect("it is written");
    keep(name, format.name, &shown);
    let mut text = readable::readable(format.name, &shown, lines);
    let told = format.run(scene, folder).expect("it is written");
    if let Some(told) = told.filter(|_| scene.applied.is_some()) {
        // Begins as the plan, which nobody has to review twice.
        let told = told.strip_prefix(&*shown).unwrap_or(&told);
        let told = readable::readable(format.name, told, lines);
        text.push_str("\n================ the run ================\n");
        text.push_str(&told);
    }
    let text = filtered(&text, folder.to_str().expect("UTF-8"));
    insta::with_settings!({
        snapshot_path => format!("../snapshots/{}", format.name),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        assert_snapshot!(name, text);
    });
}

/// A terminal redraws rows, so its bytes depend on time; at the end it has what a log has.
fn ends_with_its_totals(
    name: &str,
    terminal: &Rendering,
    formats: &[Rendering],
    scene: &Scene<'_>,
    folder: &Path,
) {
    let text = formats.iter().find(|format| format.name == "text");
    let told = |format: &Rendering| {
        let told = format.run(scene, folder).expect("it is told");
        readable::without_escapes(&told.expect("it shows runs"))
    };
    let (told, log) = (told(terminal), told(text.expect("a format")));
    let last = log.lines().last().expect("a last line");
    assert!(told.trim_end().ends_with(last), "{name}: {told}");
}
