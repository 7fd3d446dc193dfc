//! Packages as zips, good ones and hostile ones.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A zip with these files; the first is executable.
///
/// # Panics
/// When a name cannot be written.
pub fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (index, (name, content)) in files.iter().enumerate() {
        let mode = if index == 0 { 0o755 } else { 0o644 };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .unix_permissions(mode);
        writer.start_file(*name, options).expect("started");
        writer.write_all(content).expect("written");
    }
    writer.finish().expect("finished").into_inner()
}

/// A zip with a symbolic link, and a file behind it.
///
/// # Panics
/// Never.
pub fn zip_with_link(name: &str, target: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    writer.add_symlink(name, target, options).expect("added");
    writer
        .start_file(format!("{name}/behind"), options)
        .expect("started");
    writer.finish().expect("finished").into_inner()
}

/// The same zip after one name became another of the same length, wherever it stands.
///
/// # Panics
/// When the lengths differ.
pub fn renamed(zip: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut zip = zip.to_vec();
    for start in 0..zip.len().saturating_sub(from.len()) {
        if zip[start..].starts_with(from.as_bytes()) {
            zip[start..start + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    zip
}
