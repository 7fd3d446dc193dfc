use terrane_core::{Secret, Stack};

fn publish(stack: &mut Stack, password: Secret) {
    stack.export("password", password.output());
    println!("{}", password);
    stack.export("password", &password);
}

fn main() {}
