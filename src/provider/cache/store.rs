//! The folder that keeps schemas between runs, safe to share by runs at the same time and to delete at any time.
//!
//! ```text
//! schemas/<key>   the schemas of one binary: magic, SHA-256 of the rest, and the rest as protobuf
//! binaries/<key>  the hash of the binary at one path, with the stamp that it was taken at
//! ```
//!
//! Every file is replaced as a whole. One that is damaged, of another version or not ours is removed and made again.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use prost::Message;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW};
use terrane_files::{create_folder, read_own, replace};
use terrane_registry::Stamp;

use super::binary::{Hash, finished, hash_of, hash_of_bytes};
use crate::client::SchemaResponse;
use crate::plugin::MAX_MESSAGE;
use crate::plugins::ProviderCommand;
use crate::wire::tfplugin6::get_resource_identity_schemas::Response as Identities;
use crate::wire::{LazyProviderSchema, Protocol};

/// Begins every file of schemas; the digit is the version of the form.
const MAGIC: &[u8; 16] = b"terrane schema 2";
/// Begins every remembered hash.
const BINARY: &str = "terrane binary 1";
/// How much disk schemas may take. The largest provider takes a tenth of it.
const MOST: u64 = 256 << 20;
/// How many paths of binaries are remembered.
const MOST_BINARIES: usize = 64;

/// A folder of schemas.
#[derive(Debug, Clone)]
pub(super) struct Store {
    folder: PathBuf,
    most: u64,
}

/// The content of a file of schemas.
#[derive(Clone, PartialEq, Message)]
struct StoredSchemas {
    #[prost(uint32, tag = "1")]
    protocol: u32,
    #[prost(message, optional, tag = "2")]
    schema: Option<LazyProviderSchema>,
    #[prost(message, optional, tag = "3")]
    identities: Option<Identities>,
}

impl Store {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, most: MOST }
    }

    /// The answer that the binary with that stamp gave to an earlier run.
    pub(super) fn find(
        &self,
        command: &ProviderCommand,
        stamp: Stamp,
    ) -> Option<(Protocol, SchemaResponse)> {
        let hash = self.remembered(&command.binary, stamp)?;
        let path = self.schemas(command, &hash);
        let most = MAX_MESSAGE as u64 + 4096;
        let read = match read_own(&path, most) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            read => read.ok().and_then(decode),
        };
        match read {
            Some(kept) => {
                mark_used(&path);
                Some(kept)
            }
            None => {
                let _ = std::fs::remove_file(&path);
                None
            }
        }
    }

    /// Keeps the answer of the binary with that stamp, unless the file has changed since.
    ///
    /// # Errors
    /// When something cannot be read or written; the run does not depend on it.
    pub(super) fn keep(
        &self,
        command: &ProviderCommand,
        stamp: Stamp,
        protocol: Protocol,
        answer: SchemaResponse,
    ) -> io::Result<()> {
        let Some(hash) = self.hash(&command.binary, stamp)? else {
            return Ok(());
        };
        let path = self.schemas(command, &hash);
        create_folder(&self.folder.join("schemas"))?;
        replace(&path, &encode(protocol, answer))?;
        self.evict(&path);
        Ok(())
    }

    /// The hash of the binary there, remembered for the next time; `None` where it is not, or no longer, the file with that stamp.
    ///
    /// # Errors
    /// When it cannot be read; that it cannot be remembered is none.
    pub(super) fn hash(&self, binary: &Path, stamp: Stamp) -> io::Result<Option<Hash>> {
        if let Some(hash) = self.remembered(binary, stamp) {
            return Ok(Some(hash));
        }
        let hash = hash_of(binary, stamp)?;
        if let Some(hash) = &hash {
            let record = format!("{BINARY}\n{stamp}\n{}\n", HEXLOWER.encode(hash));
            let kept = create_folder(&self.folder.join("binaries"))
                .and_then(|()| replace(&self.binary(binary), record.as_bytes()));
            drop(kept);
        }
        Ok(hash)
    }

    /// The hash of the binary there, if it was taken at that stamp.
    fn remembered(&self, binary: &Path, stamp: Stamp) -> Option<Hash> {
        let path = self.binary(binary);
        let text = match read_own(&path, 4096) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            read => read.ok().and_then(|bytes| String::from_utf8(bytes).ok()),
        };
        let Some((then, hash)) = text.as_deref().and_then(remembered) else {
            let _ = std::fs::remove_file(&path);
            return None;
        };
        let reliable = path
            .metadata()
            .is_ok_and(|record| stamp.is_reliable(&record));
        (reliable && then == stamp.to_string()).then_some(hash)
    }

    fn binary(&self, binary: &Path) -> PathBuf {
        let path = std::path::absolute(binary).unwrap_or_else(|_| binary.to_owned());
        let key = key([path.as_os_str().as_bytes()]);
        self.folder.join("binaries").join(key)
    }

    /// A binary may serve another schema under another name or with other variables of its own.
    fn schemas(&self, command: &ProviderCommand, hash: &Hash) -> PathBuf {
        let name = command.binary.file_name().unwrap_or(OsStr::new(""));
        let vars = command.vars.iter();
        let vars = vars.flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let key = key([&hash[..], name.as_bytes()].into_iter().chain(vars));
        self.folder.join("schemas").join(key)
    }

    /// Removes schemas, the longest unused first, until the rest fits; never the one at `kept`.
    fn evict(&self, kept: &Path) {
        let mut room = self.most;
        for (path, size) in by_use(&self.folder.join("schemas")) {
            if path == kept || size <= room {
                room = room.saturating_sub(size);
            } else {
                let _ = std::fs::remove_file(path);
            }
        }
        for (path, _) in by_use(&self.folder.join("binaries"))
            .into_iter()
            .skip(MOST_BINARIES)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The regular files of a folder with their sizes, the last used first.
fn by_use(folder: &Path) -> Vec<(PathBuf, u64)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter(|entry| !entry.file_name().as_bytes().starts_with(b"."))
        .filter_map(|entry| {
            let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((metadata.modified().ok()?, entry.path(), metadata.len()))
        })
        .collect();
    files.sort_by(|a, b| b.cmp(a));
    let files = files.into_iter().map(|(_, path, size)| (path, size));
    files.collect()
}

fn mark_used(path: &Path) {
    const NOW: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    if let Ok(file) = File::open(path) {
        let now = Timestamps {
            last_access: NOW,
            last_modification: NOW,
        };
        let _ = rustix::fs::futimens(file, &now);
    }
}

fn encode(protocol: Protocol, answer: SchemaResponse) -> Vec<u8> {
    let kept = StoredSchemas {
        protocol: protocol.major(),
        schema: Some(answer.schema),
        identities: answer.identities.map(|identity_schemas| Identities {
            identity_schemas,
            ..Identities::default()
        }),
    };
    let kept = kept.encode_to_vec();
    [&MAGIC[..], &hash_of_bytes(&kept), &kept].concat()
}

/// The answer shares the buffer.
fn decode(bytes: Vec<u8>) -> Option<(Protocol, SchemaResponse)> {
    let mut rest = Bytes::from(bytes);
    let (sum, kept) = rest.strip_prefix(MAGIC)?.split_at_checked(32)?;
    if hash_of_bytes(kept) != *sum {
        return None;
    }
    let kept = StoredSchemas::decode(rest.split_off(MAGIC.len() + 32)).ok()?;
    let protocol = [Protocol::V5, Protocol::V6]
        .into_iter()
        .find(|protocol| protocol.major() == kept.protocol)?;
    let answer = SchemaResponse {
        schema: kept.schema?,
        identities: Some(kept.identities?.identity_schemas),
    };
    Some((protocol, answer))
}

/// The stamp and the hash in a file of `binaries`.
fn remembered(text: &str) -> Option<(&str, Hash)> {
    let mut lines = text.lines();
    if lines.next()? != BINARY {
        return None;
    }
    let (stamp, digits) = (lines.next()?, lines.next()?);
    let hash = HEXLOWER.decode(digits.as_bytes()).ok()?;
    Some((stamp, hash.try_into().ok()?))
}

/// The name of the file for those parts.
fn key<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Context::new(&SHA256);
    for part in parts {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    HEXLOWER.encode(&finished(hash))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::LazySchema;

    struct Rig {
        folder: tempfile::TempDir,
        store: Store,
        command: ProviderCommand,
    }

    /// A cache, and a binary that was written a while ago.
    fn rig() -> Rig {
        let folder = tempfile::tempdir().expect("a folder");
        let binary = folder.path().join("terraform-provider-x");
        std::fs::write(&binary, "one").expect("written");
        Rig {
            store: Store::new(folder.path().join("cache")),
            command: binary.into(),
            folder,
        }
    }

    fn answer(size: usize) -> SchemaResponse {
        SchemaResponse {
            schema: LazyProviderSchema {
                resources: vec![LazySchema {
                    name: "x_thing".to_owned(),
                    schema: vec![7; size].into(),
                }],
                ..LazyProviderSchema::default()
            },
            identities: Some([("x_thing".to_owned(), Default::default())].into()),
        }
    }

    impl Rig {
        fn stamp(&self) -> Stamp {
            Stamp::of(&self.command.binary).expect("there")
        }

        /// Keeps an answer, and lets so much time pass that the binary's times can be relied on.
        fn keep(&self, answer: SchemaResponse) {
            let kept = self
                .store
                .keep(&self.command, self.stamp(), Protocol::V5, answer);
            kept.expect("kept");
            let record = self.store.binary(&self.command.binary);
            let record = File::options().write(true).open(record).expect("there");
            let modified = self.command.binary.metadata().and_then(|it| it.modified());
            let later = modified.expect("kept") + Duration::from_secs(10);
            record.set_modified(later).expect("set");
        }

        fn find(&self) -> Option<(Protocol, SchemaResponse)> {
            self.store.find(&self.command, self.stamp())
        }

        fn files(&self, folder: &str) -> Vec<PathBuf> {
            let files = by_use(&self.folder.path().join("cache").join(folder));
            files.into_iter().map(|(path, _)| path).collect()
        }
    }

    #[test]
    fn an_answer_is_found_again_for_the_same_binary_alone() {
        let mut rig = rig();
        assert_eq!(rig.find(), None);
        rig.keep(answer(10));
        assert_eq!(rig.find(), Some((Protocol::V5, answer(10))));

        // Other variables may lead to another schema, and so may another name.
        rig.command.vars.push(("MODE".into(), "two".into()));
        assert_eq!(rig.find(), None);
        rig.command.vars.clear();
        let other = rig.folder.path().join("terraform-provider-y");
        std::fs::hard_link(&rig.command.binary, &other).expect("a link");
        let y = ProviderCommand::from(other);
        assert_eq!(
            rig.store.find(&y, Stamp::of(&y.binary).expect("there")),
            None
        );

        // Another build under the same name.
        std::fs::write(&rig.command.binary, "two").expect("written");
        assert_eq!(rig.find(), None);
        rig.keep(answer(20));
        assert_eq!(rig.find(), Some((Protocol::V5, answer(20))));
        assert_eq!(rig.files("schemas").len(), 2);
    }

    #[test]
    fn a_hash_of_a_binary_that_was_just_written_is_not_relied_on() {
        let rig = rig();
        let kept = rig
            .store
            .keep(&rig.command, rig.stamp(), Protocol::V5, answer(10));
        kept.expect("kept");
        assert_eq!(rig.find(), None);
    }

    #[test]
    fn a_damaged_foreign_or_old_file_is_thrown_away() {
        use std::os::unix::fs::PermissionsExt as _;

        let rig = rig();
        for folder in ["schemas", "binaries"] {
            let spoil: [fn(&Path); 5] = [
                |file| {
                    let mut bytes = std::fs::read(file).expect("readable");
                    *bytes.last_mut().expect("bytes") ^= 1;
                    std::fs::write(file, bytes).expect("written");
                },
                |file| {
                    let bytes = std::fs::read(file).expect("readable");
                    std::fs::write(file, &bytes[..bytes.len() / 2]).expect("written");
                },
                |file| std::fs::write(file, "").expect("written"),
                |file| {
                    let mut bytes = std::fs::read(file).expect("readable");
                    // The version of the form.
                    bytes[15] = b'0';
                    std::fs::write(file, bytes).expect("written");
                },
                |file| {
                    let everybody = std::fs::Permissions::from_mode(0o666);
                    std::fs::set_permissions(file, everybody).expect("set");
                },
            ];
            for spoil in spoil {
                rig.keep(answer(10));
                assert!(rig.find().is_some());
                let [file] = &*rig.files(folder) else {
                    panic!("one file in {folder}");
                };
                let record = rig.store.binary(&rig.command.binary);
                let written = record.metadata().and_then(|it| it.modified());
                spoil(file);
                if let Ok(file) = File::options().write(true).open(&record) {
                    file.set_modified(written.expect("kept")).expect("set");
                }
                assert_eq!(rig.find(), None);
                assert!(!file.exists(), "{folder}");
            }
        }
    }

    #[test]
    fn the_longest_unused_schemas_make_room() {
        let mut rig = rig();
        rig.store.most = 3000;
        let mut kept = Vec::new();
        for build in ["one", "two", "three"] {
            std::fs::write(&rig.command.binary, build).expect("written");
            rig.keep(answer(1000));
            let newest = rig.files("schemas");
            let newest = newest.into_iter().find(|path| !kept.contains(path));
            let newest = newest.expect("a new file");
            // The later the build, the longer ago it was used.
            let used = File::options().write(true).open(&newest).expect("there");
            let modified = used.metadata().and_then(|it| it.modified()).expect("kept");
            let ago = Duration::from_secs(100 * (kept.len() as u64 + 1));
            used.set_modified(modified - ago).expect("set");
            kept.push(newest);
        }
        // The newest stays, however it is dated.
        let left = rig.files("schemas");
        assert!(
            left.contains(&kept[2]) && !left.contains(&kept[1]),
            "{left:?}"
        );
        assert!(rig.find().is_some());
        // It was used now.
        assert_eq!(rig.files("schemas").first(), kept.get(2));
    }

    #[test]
    fn runs_at_the_same_time_share_the_folder() {
        let rig = rig();
        rig.keep(answer(1 << 16));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let stamp = rig.stamp();
                        let kept =
                            (rig.store).keep(&rig.command, stamp, Protocol::V5, answer(1 << 16));
                        kept.expect("kept");
                        let found = rig.store.find(&rig.command, stamp);
                        assert!(found.is_none_or(|found| found.1 == answer(1 << 16)));
                    }
                });
            }
        });
        rig.keep(answer(1 << 16));
        assert!(rig.find().is_some());
        assert_eq!(rig.files("schemas").len(), 1);
    }
}
