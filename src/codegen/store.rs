//! Facts on disk: one text a service in a package's `schema/`, as it is or compressed with gzip.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

const PLAIN: &str = ".facts";
const COMPRESSED: &str = ".facts.gz";

/// The facts of a package by service, of those that `wanted` says yes to.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn read_facts(
    schema: &Path,
    wanted: impl Fn(&str) -> bool,
) -> io::Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(schema)? {
        let path = entry?.path();
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if let Some(service) = file.strip_suffix(COMPRESSED) {
            if wanted(service) {
                let mut text = String::new();
                GzDecoder::new(fs::File::open(&path)?).read_to_string(&mut text)?;
                all.insert(service.to_owned(), text);
            }
        } else if let Some(service) = file.strip_suffix(PLAIN)
            && wanted(service)
        {
            all.insert(service.to_owned(), fs::read_to_string(&path)?);
        }
    }
    Ok(all)
}

/// Makes a folder hold exactly these facts. A file whose text is the same stays as it is: compressors differ in the bytes that they make
/// of one text. New ones are as those that are there: compressed, unless the folder has texts.
///
/// # Errors
/// When the folder cannot be read or written.
pub fn write_facts(schema: &Path, facts: &BTreeMap<String, String>) -> io::Result<usize> {
    fs::create_dir_all(schema)?;
    let before = read_facts(schema, |_| true)?;
    let path = |service: &str, end: &str| schema.join(format!("{service}{end}"));
    let is_plain = before.keys().any(|service| path(service, PLAIN).exists());
    let end = if is_plain { PLAIN } else { COMPRESSED };
    let services: BTreeSet<&String> = before.keys().chain(facts.keys()).collect();
    let mut changed = 0;
    for service in services {
        if before.get(service) == facts.get(service) {
            continue;
        }
        changed += 1;
        match facts.get(service) {
            Some(text) if is_plain => fs::write(path(service, end), text)?,
            Some(text) => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(text.as_bytes())?;
                fs::write(path(service, end), encoder.finish()?)?;
            }
            None => fs::remove_file(path(service, end))?,
        }
    }
    Ok(changed)
}
