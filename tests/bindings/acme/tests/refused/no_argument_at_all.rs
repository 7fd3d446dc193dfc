use std::process::Command;
use terrane_core::Resource;

fn main() {
    let _ = Resource::dynamic("acme_thing", "a").set("command", Command::new("true"));
}
