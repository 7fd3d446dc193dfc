//! Bindings among a user's own sources: made, made again, and never at the cost of what a person wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use terrane_codegen::{
    AddBindings, AddError, AddedBindings, MissingLine, Origin, add_bindings, from_terraform_json,
};

/// A provider with three resource types and a data source, one of them in a new version only.
fn document(version: &str) -> String {
    let block = r#"{"block": {"attributes": {"id": {"type": "string", "computed": true}, "name": {"type": "string", "required": true}}}}"#;
    let newer = match version {
        "1.0.0" => String::new(),
        _ => format!(r#", "acme_newer": {block}"#),
    };
    format!(
        r#"{{"provider_schemas": {{"registry.terraform.io/example/acme": {{
            "provider": {{"block": {{"attributes": {{"token": {{"type": "string", "required": true}}}}}}}},
            "resource_schemas": {{"acme_net": {block}, "acme_net_route": {block}, "acme_string": {block}{newer}}},
            "data_source_schemas": {{"acme_net": {block}}}
        }}}}}}"#
    )
}

/// Adds bindings of the provider in that version.
fn add<'a>(
    project: &'a Path,
    version: &str,
    change: impl FnOnce(&mut AddBindings<'a>),
) -> Result<AddedBindings, AddError> {
    let providers = from_terraform_json(document(version).as_bytes()).expect("schemas");
    let schemas = providers.values().next().expect("a provider");
    let origin = Origin {
        source: "example/acme",
        version,
        schemas,
    };
    let mut wanted = AddBindings {
        project,
        folder: Path::new("src/acme"),
        is_crate: false,
        patterns: &[],
        overwrite: false,
    };
    change(&mut wanted);
    add_bindings(&origin, &wanted)
}

/// A project with an empty program.
fn project() -> tempfile::TempDir {
    let project = tempfile::tempdir().expect("a folder");
    let write = |file: &str, text: &str| {
        let path = project.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    };
    let manifest = "[package]\nname = \"p\"\nedition = \"2021\"\n[dependencies]\nterrane = { git = \"https://example.com/terrane\" }\n";
    write("Cargo.toml", manifest);
    write("src/main.rs", "fn main() {}\n");
    project
}

/// Every file below a folder, with its text.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name").display().to_string();
        match path.is_dir() {
            true => {
                let below = texts_below(&path, &name);
                texts.extend(below);
            }
            false => drop(texts.insert(name, fs::read_to_string(&path).expect("text"))),
        }
    }
    texts
}

fn texts_below(folder: &Path, name: &str) -> Vec<(String, String)> {
    let below = texts(folder).into_iter();
    below
        .map(|(path, text)| (format!("{name}/{path}"), text))
        .collect()
}

#[test]
fn the_same_input_gives_the_same_files_and_touches_none_of_them_again() {
    let (one, other) = (project(), project());
    let added = add(one.path(), "1.0.0", |_| {}).expect("bindings");
    add(other.path(), "1.0.0", |_| {}).expect("bindings");
    let made = texts(&one.path().join("src/acme"));
    assert_eq!(made, texts(&other.path().join("src/acme")));
    assert_eq!((added.types, added.changed.len()), (4, made.len()));
    assert!(made["types/net.rs"].contains("pub struct Net("));
    assert!(made["mod.rs"].contains("use terrane::bindings as tr;"));
    // Its short name is Rust's own.
    assert!(made["types/acme_string.rs"].contains("pub struct AcmeString("));
    assert!(made["provider.rs"].contains("ProviderBuilder<missing::MissingToken>"));
    let again = add(one.path(), "1.0.0", |_| {}).expect("bindings");
    assert_eq!(again.changed, Vec::<std::path::PathBuf>::new());
}

#[test]
fn the_line_that_uses_them_is_named_until_it_is_there() {
    let project = project();
    let added = add(project.path(), "1.0.0", |_| {}).expect("bindings");
    let missing = added.missing.expect("a line");
    assert_eq!(
        missing,
        MissingLine {
            file: "src/main.rs".into(),
            line: "mod acme;".to_owned(),
        }
    );
    fs::write(project.path().join(missing.file), missing.line).expect("writable");
    let added = add(project.path(), "1.0.0", |_| {}).expect("bindings");
    assert_eq!(added.missing, None);
}

#[test]
fn patterns_choose_types_and_are_remembered() {
    let project = project();
    let folder = project.path().join("src/acme");
    let net = ["acme_*_route".to_owned(), "acme_string".to_owned()];
    let added = add(project.path(), "1.0.0", |wanted| wanted.patterns = &net);
    assert_eq!(added.expect("bindings").types, 2);
    assert!(texts(&folder).contains_key("types/net_route.rs"));
    // What a person writes into the settings stays.
    let settings = folder.join("provider.toml");
    let text = fs::read_to_string(&settings).expect("settings");
    let text = text.replace("[names]", "[names] # Ours.\nacme_net_route = \"Way\"");
    fs::write(&settings, &text).expect("writable");
    let added = add(project.path(), "1.1.0", |_| {}).expect("bindings");
    assert_eq!(added.types, 2);
    let made = texts(&folder);
    assert!(made["types/way.rs"].contains("pub struct Way("));
    assert!(!made.contains_key("types/net_route.rs"));
    let wanted = text.replace("version = \"1.0.0\"", "version = \"1.1.0\"");
    assert_eq!(made["provider.toml"], wanted);
    let all = ["*".to_owned()];
    let added = add(project.path(), "1.1.0", |wanted| wanted.patterns = &all);
    assert_eq!(added.expect("bindings").types, 5);
}

#[test]
fn what_a_person_wrote_is_neither_overwritten_nor_removed() {
    let project = project();
    let folder = project.path().join("src/acme");
    add(project.path(), "1.0.0", |_| {}).expect("bindings");
    let edit = |file: &str| {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, format!("{text}\n// Mine.\n")).expect("writable");
    };
    edit("helpers.rs");
    edit("types/net.rs");
    edit("types/net_route.rs");
    let before = texts(&folder);
    // One of the edited files would be written, the other one removed.
    let net = ["acme_net".to_owned()];
    let refused = add(project.path(), "1.1.0", |wanted| wanted.patterns = &net);
    let Err(AddError::Edited { files, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        files,
        ["types/net.rs", "types/net_route.rs"].map(Into::<std::path::PathBuf>::into)
    );
    assert_eq!(texts(&folder), before);
    let added = add(project.path(), "1.1.0", |wanted| {
        wanted.patterns = &net;
        wanted.overwrite = true;
    });
    added.expect("bindings");
    let after = texts(&folder);
    assert!(!after["types/net.rs"].contains("Mine"));
    assert!(!after.contains_key("types/net_route.rs"));
    assert_eq!(after["helpers.rs"], before["helpers.rs"]);
}

#[test]
fn a_crate_depends_on_terrane_as_its_project_does_and_keeps_its_manifest() {
    let project = project();
    let crate_of_its_own = |wanted: &mut AddBindings<'_>| {
        wanted.folder = Path::new("bindings/acme");
        wanted.is_crate = true;
    };
    let added = add(project.path(), "1.0.0", crate_of_its_own).expect("bindings");
    let missing = added.missing.expect("a line").line;
    assert_eq!(missing, "acme-bindings = { path = \"bindings/acme\" }");
    let folder = project.path().join("bindings/acme");
    let made = texts(&folder);
    assert!(
        made["Cargo.toml"].contains("terrane = { git = \"https://example.com/terrane\" }"),
        "{}",
        made["Cargo.toml"]
    );
    assert!(made.contains_key("src/lib.rs") && made.contains_key("src/types/net.rs"));
    fs::write(folder.join("Cargo.toml"), "# Mine.\n").expect("writable");
    // It remains a crate.
    let again = add(project.path(), "1.0.0", |wanted| {
        wanted.folder = Path::new("bindings/acme");
    });
    assert_eq!(again.expect("bindings").changed.len(), 0);
}

#[test]
fn mistakes_are_told_before_anything_is_written() {
    let project = project();
    let typo = ["acme_nett".to_owned()];
    let refused = add(project.path(), "1.0.0", |wanted| wanted.patterns = &typo);
    let Err(AddError::Unfit { closest, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(closest.as_deref(), Some("acme_net"));
    assert!(!project.path().join("src/acme").exists());
    add(project.path(), "1.0.0", |_| {}).expect("bindings");
    let settings = project.path().join("src/acme/provider.toml");
    let text = fs::read_to_string(&settings).expect("settings");
    fs::write(&settings, text.replace("example/acme", "example/other")).expect("writable");
    let refused = add(project.path(), "1.0.0", |_| {});
    assert!(
        matches!(refused, Err(AddError::OfAnother { .. })),
        "{refused:?}"
    );
    fs::write(&settings, "types = 3").expect("writable");
    let refused = add(project.path(), "1.0.0", |_| {});
    assert!(
        matches!(refused, Err(AddError::Settings { .. })),
        "{refused:?}"
    );
}
