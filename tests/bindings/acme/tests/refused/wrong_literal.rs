use terrane_acme::net::Gateway;
use terrane_core::Output;

fn gateway(port: Output<String>) {
    let gateway = Gateway::builder("main").name(7);
    gateway.ports(["http"]);
    Gateway::builder("other").name("g").self_(port);
}

fn main() {}
