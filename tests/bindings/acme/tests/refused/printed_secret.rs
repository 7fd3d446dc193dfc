use terrane_core::{Secret, interpolate};

fn show(password: &Secret) {
    // Its source, and an output that is sensitive.
    println!("{password:?}");
    let _ = interpolate!("postgres://app:{}@db", password.output());

    println!("{password}");
    let _ = format!("postgres://app:{}@db", password);
    let _ = password.to_string();
}

fn main() {}
