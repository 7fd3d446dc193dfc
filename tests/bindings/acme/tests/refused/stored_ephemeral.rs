use terrane_acme::net::Gateway;
use terrane_core::{Ephemeral, Output, Stack, interpolate};

fn gateway(stack: &mut Stack, token: Ephemeral<String>) {
    // An argument that is only written takes it, and what is computed from it.
    let gateway = Gateway::builder("main")
        .name("g")
        .token(token.map(|token| format!("Bearer {token}")));

    let gateway = gateway.secret(token);
    stack.export("token", token);
    let _: Output<String> = token.map(|token| format!("Bearer {token}"));
    let _ = interpolate!("Bearer {}", token);
    println!("{token}");
    let _ = gateway;
}

fn main() {}
