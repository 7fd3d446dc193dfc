use terrane_acme::net::Gateway;
use terrane_core::Stack;

fn stack(stack: &mut Stack) {
    Gateway::builder("main").name("g").declare(stack);
}

fn main() {}
