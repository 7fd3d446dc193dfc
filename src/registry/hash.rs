//! Hashes of provider packages, in the two schemes of the dependency lock file.
//!
//! `zh:` is the SHA-256 of the zip; only who holds the zip can check it. `h1:` is Go's module hash (`dirhash.Hash1`) over the
//! files of the unpacked package; it can be checked at any time.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// `h1:…` or `zh:…`; a scheme of a later version is kept as it is and matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageHash(String);

/// The text is not a hash of the form `SCHEME:VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a package hash such as `h1:…`")]
#[non_exhaustive]
pub struct ParseHashError {
    /// The text.
    pub text: String,
}

impl PackageHash {
    /// The `h1:` hash of an unpacked package. Links to files are read through, as Terraform does.
    ///
    /// # Errors
    /// When a file cannot be read, a name cannot be hashed unambiguously, or a link inside leads to a folder.
    pub fn of_directory(directory: &Path) -> io::Result<Self> {
        let mut summary = Context::new(&SHA256);
        for name in files_of(directory)? {
            let digest = sha256(File::open(directory.join(&name))?)?;
            summary.update(format!("{digest}  {name}\n").as_bytes());
        }
        Ok(Self(format!("h1:{}", STANDARD.encode(summary.finish()))))
    }

    /// The `zh:` hash of a package's zip.
    ///
    /// # Errors
    /// When the zip cannot be read.
    pub fn of_zip(zip: impl Read) -> io::Result<Self> {
        Ok(Self(format!("zh:{}", sha256(zip)?)))
    }

    /// The `zh:` hash that a SHA256SUMS document or a registry states in hexadecimal digits.
    pub fn from_sha256_hex(digits: &str) -> Option<Self> {
        let hexadecimal = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        hexadecimal.then(|| Self(format!("zh:{}", digits.to_ascii_lowercase())))
    }

    /// The part before the colon.
    pub fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// As it stands in the lock file.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PackageHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_graphic() && !b"\"\\$%".contains(&b))
        };
        match text.split_once(':') {
            Some((scheme, value)) if plain(scheme) && plain(value) => Ok(Self(text.to_owned())),
            _ => Err(ParseHashError {
                text: text.to_owned(),
            }),
        }
    }
}

/// The SHA-256 of a stream, in lower-case hexadecimal digits.
fn sha256(stream: impl Read) -> io::Result<String> {
    let mut digest = Context::new(&SHA256);
    terrane_files::each_piece(stream, |piece| digest.update(piece))?;
    Ok(data_encoding::HEXLOWER.encode(digest.finish().as_ref()))
}

/// The slash-separated names of all files of a package, in the order of the bytes.
pub(crate) fn files_of(directory: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    collect(directory, String::new(), &mut files)?;
    files.sort_unstable();
    Ok(files)
}

fn collect(directory: &Path, prefix: String, files: &mut Vec<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name
            .to_str()
            .filter(|name| !name.contains('\n'))
            .ok_or_else(|| {
                let message = format!("the name of {} cannot be hashed", entry.path().display());
                io::Error::new(io::ErrorKind::InvalidData, message)
            })?;
        let path = match prefix.is_empty() {
            true => name.to_owned(),
            false => format!("{prefix}/{name}"),
        };
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), path, files)?;
        } else if std::fs::metadata(entry.path())?.is_dir() {
            // Terraform fails here, too: to it the link is a file, which cannot be read. Following it may also never end.
            let message = format!("{} is a link to a folder", entry.path().display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sha256` of `hello\n` is 5891b5b5…; the summary line's own digest was computed with `sha256sum`.
    #[test]
    fn the_hash_of_a_directory_is_gos_module_hash() {
        let package = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(package.path().join("docs")).expect("made");
        std::fs::write(
            package.path().join("terraform-provider-null_v1.0.0"),
            "hello\n",
        )
        .expect("written");
        std::fs::write(package.path().join("docs/a"), "hello\n").expect("written");
        let hash = PackageHash::of_directory(package.path()).expect("hashed");
        assert_eq!(hash.as_str(), EXPECTED);
    }

    const EXPECTED: &str = "h1:IVIm5H9daRcc9cfwBpMaEbYF7sqpLSn5dqIxsl5LwJ4=";

    #[test]
    fn a_link_to_a_file_is_read_and_one_to_a_folder_refused() {
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(outside.path().join("package")).expect("made");
        let package = outside.path().join("package");
        std::fs::write(outside.path().join("shared"), "hello\n").expect("written");
        std::os::unix::fs::symlink("../shared", package.join("a")).expect("linked");
        std::fs::create_dir(package.join("docs")).expect("made");
        std::fs::write(package.join("docs/a"), "hello\n").expect("written");
        let linked = PackageHash::of_directory(&package).expect("hashed");
        std::fs::remove_file(package.join("a")).expect("removed");
        std::fs::write(package.join("a"), "hello\n").expect("written");
        assert_eq!(PackageHash::of_directory(&package).expect("hashed"), linked);

        // The package itself may be a link, as in Terraform's plugin cache.
        let link = outside.path().join("link");
        std::os::unix::fs::symlink("package", &link).expect("linked");
        assert_eq!(PackageHash::of_directory(&link).expect("hashed"), linked);

        // To itself: following it would never end.
        std::os::unix::fs::symlink("..", package.join("docs/up")).expect("linked");
        let refused = PackageHash::of_directory(&package).expect_err("refused");
        assert!(
            refused
                .to_string()
                .ends_with("docs/up is a link to a folder"),
            "{refused}"
        );
    }

    #[test]
    fn hashes_of_unknown_schemes_are_kept_and_others_refused() {
        let later: PackageHash = "h2:abc=".parse().expect("kept");
        assert_eq!(
            (later.scheme(), later.to_string().as_str()),
            ("h2", "h2:abc=")
        );
        for text in ["", "h1", "h1:", ":x", "h1:a b", "h1:\"", "zh:${x}"] {
            assert!(text.parse::<PackageHash>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_stated_sum_is_a_zip_hash_only_when_it_has_64_digits() {
        let digits = "5891B5B522D5DF086D0FF0B110FBD9D21BB4FC7163AF34D08286A2E846F6BE03";
        let hash = PackageHash::from_sha256_hex(digits).expect("a sum");
        assert_eq!(hash, PackageHash::of_zip(&b"hello\n"[..]).expect("hashed"));
        assert_eq!(PackageHash::from_sha256_hex(&digits[1..]), None);
    }
}
