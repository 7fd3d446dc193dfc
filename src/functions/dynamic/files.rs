//! Functions of files and their paths, relative to the folder that a program runs in.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use terrane_core::{Type, Value};

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
        "filebase64" => path().and_then(|path| Ok(BASE64.encode(&bytes(&path)?).into())),
        "fileset" => path().and_then(|folder| fileset(&folder, &text(at(arguments, 1)?)?)),
        "basename" => path().map(|path| {
            path.file_name()
                .map_or_else(String::new, |it| it.to_string_lossy().into_owned())
                .into()
        }),
        "dirname" => path().and_then(|path| match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Ok(".".into()),
            Some(parent) => shown(parent),
            None => shown(&path),
        }),
        "abspath" => path().and_then(|path| {
            shown(&std::path::absolute(&path).map_err(|error| unread(&path, &error))?)
        }),
        "pathexpand" => path().and_then(|path| match path.strip_prefix("~") {
            Ok(rest) => shown(&std::env::home_dir().unwrap_or_default().join(rest)),
            Err(_) => shown(&path),
        }),
        _ => {
            let of_text = match name.strip_prefix("file")? {
                "base64sha256" => "base64sha256",
                "base64sha512" => "base64sha512",
                rest @ ("md5" | "sha1" | "sha256" | "sha512") => rest,
                _ => return None,
            };
            path().and_then(|path| {
                let made = digest(of_text, &bytes(&path)?);
                made.map(Value::from)
                    .ok_or_else(|| "has no result".to_owned())
            })
        }
    })
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
