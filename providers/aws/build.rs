//! Generates the bindings of the services whose features are on from the facts in `schema/`.

#![allow(clippy::disallowed_methods)] // a build script is told by its environment

fn main() -> Result<(), Box<dyn std::error::Error>> {
    print!("{}", terrane_codegen::build(|name| std::env::var_os(name))?);
    Ok(())
}
