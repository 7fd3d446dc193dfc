//! The hashes of unpacked packages, remembered with the stamps of their files, so that a check costs no second look at each byte.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use terrane_files::{create_folder, read_own, replace};

use crate::hash::{self, PackageHash};
use crate::stamp::Stamp;

/// Begins every record; the digit is the version of the form.
const MAGIC: &str = "terrane package 1";
/// No package has so many files that its record is longer.
const LONGEST: u64 = 4 << 20;

/// A folder of records; without one, each package is hashed each time.
#[derive(Debug, Clone)]
pub(crate) struct PackageRecords {
    folder: Option<PathBuf>,
}

/// What is remembered of a package.
struct Record {
    hashes: Vec<PackageHash>,
    /// Whether every later change of a file would show.
    is_reliable: bool,
}

impl PackageRecords {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The hashes of the package there: its `h1:`, and the `zh:` of the zip it was unpacked from if that is known.
    pub(crate) fn hashes(&self, package: &Path) -> io::Result<Vec<PackageHash>> {
        match self.find(package) {
            Some(record) if record.is_reliable => Ok(record.hashes),
            _ => self.hash_again(package),
        }
    }

    /// The same, from the bytes of the files.
    pub(crate) fn hash_again(&self, package: &Path) -> io::Result<Vec<PackageHash>> {
        // What was known of its zip still counts if the files are the same.
        let known = self.find(package).map(|record| record.hashes);
        let tree = PackageHash::of_directory(package)?;
        let hashes = match known {
            Some(known) if known.contains(&tree) => known,
            _ => vec![tree],
        };
        self.remember(package, &hashes);
        Ok(hashes)
    }

    /// Remembers the hashes of a package. That it cannot be remembered costs time, and nothing else.
    pub(crate) fn remember(&self, package: &Path, hashes: &[PackageHash]) {
        let Some(record) = self.path(package) else {
            return;
        };
        let Ok(stamps) = stamps(package) else {
            return;
        };
        let mut text = format!("{MAGIC}\n");
        for hash in hashes {
            let _ = writeln!(text, "{hash}");
        }
        let text = format!("{text}\n{stamps}");
        let folder = record.parent().map_or(Ok(()), create_folder);
        let _ = folder.and_then(|()| replace(&record, text.as_bytes()));
    }

    fn find(&self, package: &Path) -> Option<Record> {
        let path = self.path(package)?;
        let text = String::from_utf8(read_own(&path, LONGEST).ok()?).ok()?;
        let (hashes, then) = text
            .strip_prefix(MAGIC)?
            .strip_prefix('\n')?
            .split_once("\n\n")?;
        let record = path.metadata().ok()?;
        if then != stamps(package).ok()? {
            return None;
        }
        let files = hash::files_of(package).ok()?;
        let is_reliable = files.iter().all(|name| {
            Stamp::of(&package.join(name)).is_ok_and(|stamp| stamp.is_reliable(&record))
        });
        Some(Record {
            hashes: hashes
                .lines()
                .map(str::parse)
                .collect::<Result<_, _>>()
                .ok()?,
            is_reliable,
        })
    }

    fn path(&self, package: &Path) -> Option<PathBuf> {
        let package = package.canonicalize().ok()?;
        let key = digest(&SHA256, package.as_os_str().as_encoded_bytes());
        Some(self.folder.as_ref()?.join(HEXLOWER.encode(key.as_ref())))
    }
}

/// One line a file: its stamp and its name.
fn stamps(package: &Path) -> io::Result<String> {
    let mut text = String::new();
    for name in hash::files_of(package)? {
        let stamp = Stamp::of(&package.join(&name))?;
        let _ = writeln!(text, "{stamp} {name}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::Duration;

    use super::*;

    struct Rig {
        root: tempfile::TempDir,
        records: PackageRecords,
    }

    impl Rig {
        fn new() -> Self {
            let root = tempfile::tempdir().expect("a folder");
            fs::create_dir(root.path().join("package")).expect("made");
            let records = PackageRecords::new(Some(root.path().join("records")));
            Self { root, records }
        }

        fn package(&self) -> PathBuf {
            self.root.path().join("package")
        }

        fn write(&self, content: &str) {
            fs::write(self.package().join("binary"), content).expect("written");
        }

        /// Lets the record be so much younger than the files that it counts.
        fn let_time_pass(&self) {
            let record = self.records.path(&self.package()).expect("a path");
            let written = record
                .metadata()
                .and_then(|it| it.modified())
                .expect("there");
            let file = File::options().write(true).open(record).expect("there");
            let later = written + Duration::from_secs(10);
            file.set_modified(later).expect("set");
        }

        fn hashes(&self) -> Vec<String> {
            let hashes = self.records.hashes(&self.package()).expect("hashed");
            hashes.iter().map(ToString::to_string).collect()
        }
    }

    #[test]
    fn what_is_remembered_counts_until_a_file_changes() {
        let rig = Rig::new();
        rig.write("one");
        let own = rig.hashes();
        assert_eq!(own.len(), 1);
        // A record that says something else shows that it is believed.
        let other: PackageHash = "h1:remembered=".parse().expect("a hash");
        rig.records.remember(&rig.package(), &[other]);
        assert_eq!(rig.hashes(), own, "it is too young to be believed");
        let zip: PackageHash = "zh:of-the-zip".parse().expect("a hash");
        rig.records
            .remember(&rig.package(), &[own[0].parse().expect("a hash"), zip]);
        assert_eq!(
            rig.hashes().len(),
            2,
            "the zip is still known after another look"
        );
        rig.let_time_pass();
        assert_eq!(rig.hashes().len(), 2);
        rig.write("two");
        let now = rig.hashes();
        assert_eq!(now.len(), 1, "it came from another zip");
        assert_ne!(now, own);
        rig.let_time_pass();
        fs::write(rig.package().join("more"), "").expect("written");
        assert_ne!(rig.hashes(), now, "a file more");
    }

    #[test]
    fn a_damaged_record_is_none() {
        let rig = Rig::new();
        rig.write("one");
        let own = rig.hashes();
        let record = rig.records.path(&rig.package()).expect("a path");
        for text in ["", "terrane package 1\n", "terrane package 9\nh1:x\n\n"] {
            fs::write(&record, text).expect("written");
            assert_eq!(rig.hashes(), own);
        }
    }
}
