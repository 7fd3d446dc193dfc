//! Unpacks the zip of a provider, trusting nothing that it says about itself.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::Path;

use thiserror::Error;
use zip::ZipArchive;

/// How much a package may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnpackLimits {
    /// Bytes of all files together, as they come out, whatever the headers say.
    pub(crate) bytes: u64,
    /// Number of entries.
    pub(crate) entries: usize,
}

impl Default for UnpackLimits {
    /// Four times the largest provider known (AWS, 0.8 GB).
    fn default() -> Self {
        Self {
            bytes: 4 << 30,
            entries: 10_000,
        }
    }
}

/// A package cannot be unpacked safely.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// It is not a zip, or a damaged one.
    #[error("it is not a readable zip")]
    Zip(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An entry would be written somewhere else.
    #[error("its entry `{name}` points outside of the package")]
    Outside {
        /// The entry's name.
        name: String,
    },
    /// An entry is not a plain file or folder.
    #[error("its entry `{name}` is a link or a special file")]
    Special {
        /// The entry's name.
        name: String,
    },
    /// Two entries have the same place.
    #[error("its entry `{name}` is there twice, or differs from another only in case")]
    Twice {
        /// The entry's name.
        name: String,
    },
    /// Two entries have the same name.
    #[error("two of its entries have the same name")]
    Ambiguous,
    /// A file would lie below another file.
    #[error("its entry `{name}` is a file and a folder")]
    FileAndFolder {
        /// The file's name.
        name: String,
    },
    /// It holds more than a provider does.
    #[error("it holds more than {limit} {what}")]
    TooLarge {
        /// The limit.
        limit: u64,
        /// Of what.
        what: &'static str,
    },
    /// The folder cannot be written.
    #[error("cannot write its entry `{name}`: {source}")]
    Write {
        /// The entry's name.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// Unpacks into a folder that exists and is empty.
///
/// # Errors
/// At the first entry that is not what a provider's package holds; what was written until then stays for the caller to remove.
pub(crate) fn unpack(
    zip: impl Read + Seek,
    folder: &Path,
    limits: UnpackLimits,
) -> Result<(), UnpackError> {
    let mut archive = ZipArchive::new(zip).map_err(damaged)?;
    if archive.has_duplicate_names() {
        // The archive lists only one of them, so that nobody can say which is meant.
        return Err(UnpackError::Ambiguous);
    }
    if archive.len() > limits.entries {
        return Err(UnpackError::TooLarge {
            limit: limits.entries as u64,
            what: "entries",
        });
    }
    let mut left = limits.bytes;
    let mut places = Places::default();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        if !stays_inside(&name) {
            return Err(UnpackError::Outside { name });
        }
        let mode = entry.unix_mode().unwrap_or(0o644);
        let kind = mode & 0o170_000;
        let special = !matches!(kind, 0 | 0o100_000 | 0o040_000);
        if special || entry.is_symlink() {
            return Err(UnpackError::Special { name });
        }
        let target = folder.join(&name);
        let failed = |source: io::Error| UnpackError::Write {
            name: name.clone(),
            source,
        };
        places.take(&name, entry.is_dir())?;
        if entry.is_dir() {
            fs::create_dir_all(&target).map_err(failed)?;
            continue;
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        let mut file = create(&target, mode & 0o111 != 0).map_err(failed)?;
        let written = copy(&mut entry, &mut file, &name, left)?;
        left = left.checked_sub(written).ok_or(UnpackError::TooLarge {
            limit: limits.bytes,
            what: "bytes",
        })?;
    }
    Ok(())
}

/// The places of a package that are taken, without regard to case: two names that differ only in it are one file on some systems.
#[derive(Default)]
struct Places {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Places {
    fn take(&mut self, name: &str, is_folder: bool) -> Result<(), UnpackError> {
        let place = name.trim_end_matches('/').to_lowercase();
        let name = || name.to_owned();
        for (end, _) in place.match_indices('/') {
            let folder = &place[..end];
            if self.files.contains(folder) {
                return Err(UnpackError::FileAndFolder { name: name() });
            }
            if !self.folders.contains(folder) {
                self.folders.insert(folder.to_owned());
            }
        }
        match is_folder {
            true if self.files.contains(&place) => Err(UnpackError::FileAndFolder { name: name() }),
            false if self.folders.contains(&place) => {
                Err(UnpackError::FileAndFolder { name: name() })
            }
            true => {
                self.folders.insert(place);
                Ok(())
            }
            false if self.files.insert(place) => Ok(()),
            false => Err(UnpackError::Twice { name: name() }),
        }
    }
}

/// Whether a name can only mean a place below the package, on any system; stricter than needed, for providers have plain names.
fn stays_inside(name: &str) -> bool {
    let parts = name.strip_suffix('/').unwrap_or(name);
    !name.contains(['\\', ':', '\0'])
        && parts
            .split('/')
            .all(|part| !matches!(part, "" | "." | ".."))
}

/// At most one byte more than what is left is written.
fn copy(entry: &mut impl Read, file: &mut File, name: &str, left: u64) -> Result<u64, UnpackError> {
    let mut buffer = vec![0; 1 << 16];
    let mut entry = entry.take(left.saturating_add(1));
    let mut written = 0;
    loop {
        // What comes out is checked against the entry's own sum here.
        let count = match entry.read(&mut buffer) {
            Ok(0) => return Ok(written),
            Ok(count) => count,
            Err(error) => return Err(UnpackError::Zip(Box::new(error))),
        };
        io::Write::write_all(file, &buffer[..count]).map_err(|source| UnpackError::Write {
            name: name.to_owned(),
            source,
        })?;
        written += count as u64;
    }
}

#[cfg(unix)]
fn create(path: &Path, executable: bool) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mode = if executable { 0o755 } else { 0o644 };
    (fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode))
    .open(path)
}

#[cfg(not(unix))]
fn create(path: &Path, _executable: bool) -> io::Result<File> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
}

fn damaged(error: zip::result::ZipError) -> UnpackError {
    UnpackError::Zip(Box::new(error))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};
    use std::os::unix::fs::PermissionsExt as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zip(fill: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Cursor<Vec<u8>> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        fill(&mut writer);
        writer.finish().expect("finished")
    }

    fn file(writer: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, mode: u32, content: &[u8]) {
        let options = SimpleFileOptions::default().unix_permissions(mode);
        writer.start_file(name, options).expect("started");
        writer.write_all(content).expect("written");
    }

    fn refused(archive: Cursor<Vec<u8>>, limits: UnpackLimits) -> String {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("package");
        fs::create_dir(&folder).expect("made");
        let error = unpack(archive, &folder, limits).expect_err("refused");
        let beside = fs::read_dir(parent.path()).expect("readable").count();
        assert_eq!(beside, 1, "nothing is written outside of the package");
        error.to_string()
    }

    #[test]
    fn a_package_is_unpacked_with_its_executable_bits() {
        let archive = zip(|writer| {
            file(writer, "terraform-provider-null_v1.0.0", 0o755, b"binary");
            file(writer, "docs/README.md", 0o666, b"text");
        });
        let folder = tempfile::tempdir().expect("a folder");
        unpack(archive, folder.path(), UnpackLimits::default()).expect("unpacked");
        let binary = folder.path().join("terraform-provider-null_v1.0.0");
        assert_eq!(fs::read(&binary).expect("there"), b"binary");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o7777;
        assert_eq!(mode(&binary) & 0o700, 0o700);
        assert_eq!(mode(&folder.path().join("docs/README.md")) & 0o133, 0);
    }

    #[test]
    fn nothing_leaves_the_package() {
        for name in [
            "../evil",
            "/etc/evil",
            "a/../../evil",
            "a/../b",
            "..\\evil",
            "C:\\evil",
        ] {
            let archive = zip(|writer| file(writer, name, 0o644, b"x"));
            let said = refused(archive, UnpackLimits::default());
            assert!(said.contains("outside of the package"), "{name}: {said}");
        }
    }

    #[test]
    fn links_and_second_files_of_one_name_are_refused() {
        let link = zip(|writer| {
            let options = SimpleFileOptions::default();
            writer.add_symlink("link", "/etc", options).expect("added");
            file(writer, "link/evil", 0o644, b"x");
        });
        let said = refused(link, UnpackLimits::default());
        assert!(said.contains("is a link"), "{said}");
        let twice = zip(|writer| {
            file(writer, "binary", 0o755, b"x");
            file(writer, "Binary", 0o755, b"y");
        });
        let said = refused(twice, UnpackLimits::default());
        assert!(said.contains("there twice"), "{said}");
    }

    #[test]
    fn a_package_that_unpacks_to_more_than_it_may_is_stopped() {
        let bomb = || zip(|writer| file(writer, "bomb", 0o644, &vec![0; 1 << 20]));
        assert!(bomb().get_ref().len() < 1 << 13);
        let limits = UnpackLimits {
            bytes: 1 << 16,
            entries: 2,
        };
        insta::assert_snapshot!(refused(bomb(), limits), @"it holds more than 65536 bytes");
        let many = zip(|writer| {
            for index in 0..3 {
                file(writer, &format!("f{index}"), 0o644, b"");
            }
        });
        insta::assert_snapshot!(refused(many, limits), @"it holds more than 2 entries");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_done_to_a_zip_nothing_leaves_the_package(
            changes in proptest::collection::vec((proptest::prelude::any::<u16>(), proptest::prelude::any::<u8>()), 0..6),
            name in "[./a\\\\:]{1,6}",
        ) {
            let archive = zip(|writer| {
                file(writer, "terraform-provider-null_v1.0.0", 0o755, b"binary");
                let options = SimpleFileOptions::default().unix_permissions(0o644);
                let _ = writer.start_file(&name, options);
            });
            let mut bytes = archive.into_inner();
            for (at, to) in changes {
                let at = usize::from(at) % bytes.len();
                bytes[at] = to;
            }
            let parent = tempfile::tempdir().expect("a folder");
            let folder = parent.path().join("package");
            fs::create_dir(&folder).expect("made");
            let limits = UnpackLimits { bytes: 1 << 16, entries: 8 };
            let _ = unpack(Cursor::new(bytes), &folder, limits);
            proptest::prop_assert_eq!(fs::read_dir(parent.path()).expect("readable").count(), 1);
            // Its links would be read through.
            let mut folders = vec![folder];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(folder).expect("readable") {
                    let entry = entry.expect("readable");
                    let kind = entry.file_type().expect("there");
                    proptest::prop_assert!(kind.is_file() || kind.is_dir());
                    if kind.is_dir() {
                        folders.push(entry.path());
                    }
                }
            }
        }
    }

    #[test]
    fn a_damaged_package_is_refused() {
        insta::assert_snapshot!(refused(Cursor::new(b"no zip".to_vec()), UnpackLimits::default()), @"it is not a readable zip");
        let mut archive = zip(|writer| file(writer, "binary", 0o755, &[7; 4096])).into_inner();
        let middle = archive.len() / 3;
        archive[middle] ^= 0xff;
        let said = refused(Cursor::new(archive), UnpackLimits::default());
        insta::assert_snapshot!(said, @"it is not a readable zip");
    }
}
