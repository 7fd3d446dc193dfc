//! Generated files on disk: formatting, writing, comparing.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Separates the files on their way through rustfmt.
const SEPARATOR: &str = "//~ file ";

/// Formats files of Rust as the repository does, and leaves others as they are.
///
/// # Errors
/// When rustfmt cannot be started or does not understand the text.
pub fn format(files: &BTreeMap<String, String>) -> io::Result<BTreeMap<String, String>> {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024", "--config", "max_width=100"]);
    format_with(rustfmt, files)
}

/// The same with that rustfmt. The files go through it as one text: starting it once a file takes a minute.
pub(crate) fn format_with(
    mut rustfmt: Command,
    files: &BTreeMap<String, String>,
) -> io::Result<BTreeMap<String, String>> {
    let mut text = String::new();
    let mut result = BTreeMap::new();
    for (path, content) in files {
        if !path.ends_with(".rs") {
            result.insert(path.clone(), content.clone());
            continue;
        }
        text.push_str(SEPARATOR);
        text.push_str(path);
        text.push('\n');
        text.push_str(content);
    }
    let mut rustfmt = rustfmt
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = rustfmt
        .stdin
        .take()
        .expect("invariant: stdin was asked for");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = rustfmt.wait_with_output()?;
    writer
        .join()
        .expect("invariant: writing to a pipe does not panic")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!(
            "rustfmt failed: {}",
            said.trim_end()
        )));
    }
    let formatted = String::from_utf8(output.stdout).map_err(io::Error::other)?;
    for part in formatted.split(SEPARATOR).skip(1) {
        let (path, content) = part.split_once('\n').unwrap_or((part, ""));
        result.insert(path.to_owned(), format!("{}\n", content.trim_end()));
    }
    Ok(result)
}

/// The differences between a folder and its intended content: files to write, files to remove.
///
/// # Errors
/// When the folder cannot be read.
pub fn differences<'a>(
    folder: &Path,
    files: &'a BTreeMap<String, String>,
) -> io::Result<(Vec<&'a str>, Vec<PathBuf>)> {
    let mut write = Vec::new();
    for (path, content) in files {
        match fs::read_to_string(folder.join(path)) {
            Ok(found) if found == *content => {}
            Ok(_) => write.push(path.as_str()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => write.push(path.as_str()),
            Err(error) => return Err(error),
        }
    }
    let mut stale = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let entries = match fs::read_dir(&next) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap_or(&path);
            if !name.to_str().is_some_and(|name| files.contains_key(name)) {
                stale.push(path);
            }
        }
    }
    stale.sort();
    Ok((write, stale))
}

/// Makes a folder hold exactly these files, touching only those that differ.
///
/// # Errors
/// When the folder cannot be read or written.
pub fn write(folder: &Path, files: &BTreeMap<String, String>) -> io::Result<usize> {
    let (changed, stale) = differences(folder, files)?;
    for path in &changed {
        let target = folder.join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(target, &files[*path])?;
    }
    for path in &stale {
        fs::remove_file(path)?;
    }
    Ok(changed.len() + stale.len())
}
