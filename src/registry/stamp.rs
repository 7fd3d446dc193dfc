//! Tells whether a file is still the one that was looked at, by its metadata alone.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// How many seconds a file must have been left alone until its times tell every later change: file systems keep them in ticks.
const TICK: i64 = 2;

/// The metadata of a file that change with its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds since 1970.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of the file that a path leads to.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(path: &Path) -> io::Result<Self> {
        path.metadata().map(|metadata| Self::from(&metadata))
    }

    /// Whether a change of the file would change its stamp if it came after that record of it was written.
    pub fn is_reliable(&self, record: &Metadata) -> bool {
        record.mtime() > self.modified.0.max(self.changed.0) + TICK
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            device,
            inode,
            size,
            modified,
            changed,
        } = self;
        let ((modified, m), (changed, c)) = (modified, changed);
        write!(
            f,
            "{device} {inode} {size} {modified}.{m:09} {changed}.{c:09}"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_file_that_is_rewritten_in_place_with_its_old_time_has_another_stamp() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("binary");
        std::fs::write(&path, "one").expect("written");
        let stamp = Stamp::of(&path).expect("there");
        let record = path.metadata().expect("there");
        assert!(
            !stamp.is_reliable(&record),
            "it may change within this tick"
        );
        let modified = path.metadata().and_then(|it| it.modified()).expect("kept");
        // A file system with coarse times needs a while to show that something changed.
        while Stamp::of(&path).expect("there").changed == stamp.changed {
            std::fs::write(&path, "two").expect("written");
            let file = File::options().write(true).open(&path).expect("there");
            file.set_modified(modified).expect("set");
        }
        let now = Stamp::of(&path).expect("there");
        assert_eq!((now.modified, now.size), (stamp.modified, stamp.size));
        assert_ne!(now, stamp);
    }
}
