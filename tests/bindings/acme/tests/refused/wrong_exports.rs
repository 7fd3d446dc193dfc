use terrane_core::{Output, Stack, StackRef};
use terrane_macros::Exports;

#[derive(Exports)]
#[exports(crate = "terrane_core")]
struct NotOutputs {
    vpc_id: String,
}

#[derive(Exports)]
#[exports(crate = "terrane_core")]
struct Twice {
    vpc_id: Output<String>,
    #[exports(name = "vpc_id")]
    vpc: Output<String>,
}

#[derive(Exports)]
enum NoStruct {
    One,
}

struct Underived {}

fn consumer(stack: &mut Stack, network: &StackRef<Underived>) {
    stack.exports_of(network);
}

fn main() {}
