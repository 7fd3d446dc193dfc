//! Functions of files and their paths, relative to the folder that a program runs in.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use terrane_core::{Type, Value};

use super::Dyn;
use super::calls::at;
use super::conversions::text;
use super::hashes::digest;

/// The answer of a function of this file.
pub(super) fn answer(name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
    let path = || at(arguments, 0).and_then(text).map(PathBuf::from);
    let shown = |path: &Path| Ok(path.display().to_string().into());
    Some(match name {
        "file" => path().and_then(|path| {
            let read = fs::read_to_string(&path);
            Ok(read.map_err(|error| unread(&path, &error))?.into())
        }),
        "fileexists" => path().map(|path| path.is_file().into()),
        "fileset" => path().and_then(|folder| fileset(&folder, &text(at(arguments, 1)?)?)),
        "basename" => at(arguments, 0)
            .and_then(text)
            .map(|path| base(&path).into()),
        "dirname" => at(arguments, 0)
            .and_then(text)
            .map(|path| folder(&path).into()),
        "abspath" => path().and_then(|path| {
            let absolute = std::path::absolute(&path).map_err(|error| unread(&path, &error))?;
            Ok(clean(&absolute.to_string_lossy()).into())
        }),
        "pathexpand" => path().and_then(|path| match path.strip_prefix("~") {
            Ok(rest) => shown(&std::env::home_dir().unwrap_or_default().join(rest)),
            Err(_) => shown(&path),
        }),
        _ => {
            of_bytes(name, b"")?;
            path().and_then(|path| {
                let made = of_bytes(name, &bytes(&path)?);
                made.map(Value::from)
                    .ok_or_else(|| "has no result".to_owned())
            })
        }
    })
}

/// What one of these functions makes of a file with that content: `filebase64`, `filesha256`.
#[must_use]
pub fn file_bytes(name: &str, content: &[u8]) -> Dyn {
    match of_bytes(name, content) {
        Some(text) => text.into(),
        None => Dyn::failed(format!("{name} is not a function of a file's bytes")),
    }
}

fn of_bytes(name: &str, content: &[u8]) -> Option<String> {
    match name.strip_prefix("file")? {
        "base64" => Some(BASE64.encode(content)),
        of_text @ ("md5" | "sha1" | "sha256" | "sha512" | "base64sha256" | "base64sha512") => {
            digest(of_text, content)
        }
        _ => None,
    }
}

/// The last name of a path, as Go has it.
fn base(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.is_empty() => ".",
        "" => "/",
        path => path.rsplit('/').next().unwrap_or(path),
    }
}

/// All but the last name, as Go has it: in its shortest form.
fn folder(path: &str) -> String {
    let until = path.rfind('/').map_or(0, |slash| slash + 1);
    clean(&path[..until])
}

/// The shortest path that means the same, without a look at the disk.
fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match (name, names.last()) {
            ("" | ".", _) => {}
            ("..", Some(&last)) if last != ".." => {
                names.pop();
            }
            ("..", None) if is_absolute => {}
            _ => names.push(name),
        }
    }
    match (is_absolute, names.join("/")) {
        (true, names) => format!("/{names}"),
        (false, names) if names.is_empty() => ".".to_owned(),
        (false, names) => names,
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| unread(path, &error))
}

fn unread(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

fn fileset(folder: &Path, pattern: &str) -> Result<Value, String> {
    let whole = format!(
        "{}/{pattern}",
        glob::Pattern::escape(&folder.to_string_lossy())
    );
    let found = glob::glob(&whole).map_err(|error| error.to_string())?;
    let files = found.filter_map(Result::ok).filter(|path| path.is_file());
    let names = files.filter_map(|path| {
        let name = path.strip_prefix(folder).ok()?.to_str()?.to_owned();
        Some(Value::from(name))
    });
    Ok(Value::set(names.collect(), &Type::String))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_file_are_read_or_given() {
        for (name, made) in [
            ("filebase64", "/wA="),
            ("filemd5", "e0e8bfafbb0689563b2fba789c97b3cc"),
        ] {
            let given = file_bytes(name, &[0xff, 0x00]).known().expect("a value");
            assert_eq!(given, Value::from(made));
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/lib.rs");
            let read = answer(name, &[path.into()]).expect("a function");
            let given = file_bytes(name, include_bytes!("../lib.rs")).known();
            assert_eq!(read, Ok(given.expect("a value")));
        }
        assert!(file_bytes("file", b"a").known().is_err());
    }
}
