//! What each format adds to a preview of many creations, as processes: text on stdout, and each of the others in a file beside it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Prints the table.
pub(crate) fn table(sizes: &[usize], runs: usize, folder: &Path) {
    println!("\nformats: a preview of creations on the built-in provider");
    println!("{:<26} {:>8} {:>8}", "resources", "wall", "file");
    println!("{:<26} {:>8} {:>8}", "", "s", "MB");
    for &count in sizes {
        for format in [None, Some("markdown"), Some("json-file"), Some("html")] {
            let file = folder.join("document");
            let mut arguments = vec!["preview".to_owned()];
            if let Some(format) = format {
                arguments.push(format!("--{format}={}", file.display()));
            }
            let wall = (0..runs).map(|_| preview(&arguments, count, folder));
            let wall = wall.fold(f64::MAX, f64::min);
            let size = match format {
                Some(_) => std::fs::metadata(&file).expect("a file").len(),
                None => 0,
            };
            #[expect(clippy::cast_precision_loss, reason = "files are small")]
            let size = size as f64 / 1_048_576.0;
            let name = format!("{count} {}", format.unwrap_or("text alone"));
            println!("{name:<26} {wall:>8.3} {size:>8.1}");
        }
    }
}

fn preview(arguments: &[String], count: usize, folder: &Path) -> f64 {
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_test-stack"))
        .args(arguments)
        .current_dir(folder)
        .env("TERRANE_VAR_SCENE", "many")
        .env("TERRANE_VAR_SIZE", count.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("the stack runs").success());
    start.elapsed().as_secs_f64()
}
