//! Checked-in bindings match their facts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use terrane_codegen::{Catalogue, differences, format, generate};

fn check(provider: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(provider);
    let catalogue = fs::read_to_string(folder.join("provider.toml")).expect("a catalogue");
    let catalogue = Catalogue::parse(&catalogue).expect("a catalogue");
    let mut facts = BTreeMap::new();
    for entry in fs::read_dir(folder.join("schema")).expect("facts") {
        let path = entry.expect("a file").path();
        let service = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("a name");
        let text = fs::read_to_string(&path).expect("a text");
        facts.insert(service.to_owned(), text);
    }
    let files = generate(&catalogue, &facts).expect("bindings");
    let files = format(&files).expect("rustfmt, which is part of the toolchain");
    let (changed, stale) = differences(&folder.join("src/generated"), &files).expect("a folder");
    assert!(
        changed.is_empty() && stale.is_empty(),
        "run `cargo run -p terrane-codegen -- generate {provider}`: {changed:?} {stale:?}"
    );
}

#[test]
fn the_bindings_of_the_made_up_provider_match_their_facts() {
    check("bindings/acme");
}

#[test]
fn the_bindings_of_every_provider_match_their_facts() {
    let providers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../providers");
    for entry in fs::read_dir(providers).expect("a folder") {
        let name = entry.expect("readable").file_name();
        check(&format!("../providers/{}", name.display()));
    }
}
