use terrane_acme::net::Gateway;
use terrane_core::{Output, Secret, Stack};
use terrane_macros::Exports;

#[derive(Exports)]
#[exports(crate = "terrane_core")]
struct DatabaseExports {
    url: Output<String>,
    password: Secret,
}

fn database(stack: &mut Stack, password: &Secret) {
    // Sensitive, and sent without being stored.
    let gateway = Gateway::builder("main").name("g").secret(password).token(password);
    stack.export("password", password.output());

    stack.export("password", password);
    let _: String = password.output();
    let _ = gateway;
}

fn main() {}
