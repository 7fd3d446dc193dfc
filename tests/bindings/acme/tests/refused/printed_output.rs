use terrane_core::Output;

fn show(endpoint: &Output<String>) -> String {
    println!("{}", endpoint);
    format!("https://{endpoint}")
}

fn main() {}
