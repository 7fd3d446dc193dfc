use terrane_acme::net::Gateway;
use terrane_core::{Ephemeral, Resource, Secret, Stack};

fn gateway(stack: &mut Stack, secret: Secret, password: Ephemeral<String>) {
    let gateway = Gateway::builder("main").token(&password);
    gateway.name(password.clone());
    Gateway::builder("other").name(&secret).token(&secret);
    Resource::dynamic("acme_thing", "a").set("password", &password);
    stack.export("password", password);
}

fn main() {}
