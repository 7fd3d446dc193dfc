use terrane_acme::net::Gateway;
use terrane_core::{Output, Stack, StackRef};
use terrane_macros::Exports;

#[derive(Exports)]
#[exports(crate = "terrane_core")]
struct NetworkExports {
    vpc_id: Output<String>,
    ports: Output<Vec<String>>,
}

fn consumer(stack: &mut Stack, network: &StackRef<NetworkExports>) {
    let network = stack.exports_of(network);
    let _ = Gateway::builder("a").name(network.vpc);
    let _ = Gateway::builder("b").name(network.ports);
}

fn main() {}
