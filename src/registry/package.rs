//! Fetches one package: downloads it, proves it, unpacks it into the store.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use semver::Version;
use terrane_core::addr::ProviderSource;
use thiserror::Error;
use url::Url;

use crate::client::Origin;
use crate::hash::PackageHash;
use crate::http::{self, Http, HttpError, Sink};
use crate::locate::executable;
use crate::lock_file::LockedProvider;
use crate::network_mirror;
use crate::platform::Platform;
use crate::protocol::{self, Download};
use crate::signature::{self, SignatureError, Signer};
use crate::store::{IfThere, Place, Reservation, Store};
use crate::sums::Sums;
use crate::unpack::{self, UnpackError, UnpackLimits};

/// The largest zip that is taken.
const LARGEST_ZIP: u64 = 2 << 30;
/// Most publishers have not given their keys to this registry. OpenTofu accepts their releases, too.
const KEYS_ARE_OPTIONAL: &str = "registry.opentofu.org";
/// SHA256SUMS and its signature are a few kilobytes.
const LARGEST_SUMS: u64 = 1 << 20;

/// A package that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The unpacked package.
    pub folder: PathBuf,
    /// The hashes of this package: of its files, and of its zip.
    pub own: Vec<PackageHash>,
    /// What may be recorded in the lock file, for every platform that something trusted states it for.
    pub hashes: Vec<PackageHash>,
    /// Who signed the release; none for a mirror, or when the registry lists no key.
    pub signer: Option<Signer>,
}

/// How far a download is.
pub trait DownloadProgress: Send + Sync {
    /// So many bytes are there, of that many if it is known; fewer than before when a download starts again.
    fn downloaded(&self, source: &ProviderSource, bytes: u64, of: Option<u64>);

    /// Another process installs the same package; this one waits for it.
    fn waiting(&self, source: &ProviderSource);
}

/// A package cannot be fetched, or must not be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The registry or the mirror does not answer as it should.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The host is there, but is no registry.
    #[error("{host} offers no provider registry")]
    NoRegistry {
        /// The host.
        host: String,
    },
    /// The release was not built for that platform.
    #[error("{from} has no package of this version for {platform}")]
    NoPackage {
        /// The host that was asked.
        from: String,
        /// The platform.
        platform: Platform,
    },
    /// The zip is not the one that the registry describes.
    #[error(
        "the downloaded package is not the one that {from} describes: expected {expected}, got {found}"
    )]
    WrongPackage {
        /// The host that described it.
        from: String,
        /// The hash it should have.
        expected: PackageHash,
        /// The hash it has.
        found: PackageHash,
    },
    /// A file that the registry names does not exist.
    #[error("the release has no {what}: {url} does not exist")]
    Incomplete {
        /// The file.
        what: &'static str,
        /// Where it should be.
        url: Url,
    },
    /// SHA256SUMS does not describe the package.
    #[error("SHA256SUMS {reason}")]
    Sums {
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody whom the registry names vouches for the release.
    #[error("the signature of the release is not good: {0}")]
    Signature(#[source] SignatureError),
    /// The package is not the one that the lock file records.
    #[error("the package is not the one that the lock file records")]
    NotLocked {
        /// The package's own hashes.
        found: Vec<PackageHash>,
    },
    /// There is no executable in it.
    #[error("the package holds no file terraform-provider-{type_name}")]
    NoProvider {
        /// The provider's type.
        type_name: String,
    },
    /// The zip cannot be unpacked safely.
    #[error("the package cannot be unpacked: {0}")]
    Unpack(#[source] UnpackError),
    /// The store cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Store {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// One package to fetch.
#[derive(Debug, Clone)]
pub struct WantedPackage<'a> {
    /// The provider.
    pub source: &'a ProviderSource,
    /// Its version.
    pub version: &'a Version,
    /// The platform it must be built for.
    pub platform: &'a Platform,
    /// What the lock file records of that version.
    pub locked: Option<&'a LockedProvider>,
}

/// How often a place that another process fills is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// Fetches a package into the store; `None` when another process was faster.
pub(crate) async fn fetch(
    http: &Http,
    origin: &Origin,
    wanted: &WantedPackage<'_>,
    store: &Store,
    if_there: IfThere,
    progress: &dyn DownloadProgress,
) -> Result<Option<Fetched>, FetchError> {
    let Some(place) = reserve(wanted, store, if_there, progress).await? else {
        return Ok(None);
    };
    let described = describe(http, origin, wanted).await?;
    let stated = described.zip_hash();
    let zip = stated.map_or_else(|| place.zip(), |stated| place.partial(stated));
    let zip_hash = download(http, &described, wanted.source, &zip, progress).await?;
    let (source, locked) = (wanted.source.clone(), wanted.locked.cloned());
    let unpacking = blocking(move || {
        let opened = File::open(&zip);
        // While the place is ours; whatever comes of it, nothing is left to go on with.
        let _ = std::fs::remove_file(&zip);
        let opened = opened.map_err(|source| FetchError::Store { path: zip, source })?;
        unpack(place, opened, &source, described, zip_hash, locked.as_ref())
    });
    unpacking.await.map(Some)
}

/// Unpacks a zip of this machine into the store; `None` when another process was faster.
pub(crate) async fn take(
    zip: &Path,
    wanted: &WantedPackage<'_>,
    store: &Store,
    progress: &dyn DownloadProgress,
) -> Result<Option<Fetched>, FetchError> {
    let Some(place) = reserve(wanted, store, IfThere::Keep, progress).await? else {
        return Ok(None);
    };
    let described = PackageDescription {
        from: String::new(),
        package: None,
        expected: Vec::new(),
        others: Vec::new(),
        signer: None,
    };
    let (zip, source) = (zip.to_owned(), wanted.source.clone());
    let locked = wanted.locked.cloned();
    let unpacking = blocking(move || {
        let read = File::open(&zip).and_then(|mut file| {
            let hash = PackageHash::of_zip(&mut file)?;
            Ok((file, hash))
        });
        let (file, hash) = read.map_err(|source| FetchError::Store { path: zip, source })?;
        unpack(place, file, &source, described, hash, locked.as_ref())
    });
    unpacking.await.map(Some)
}

/// The right to fill a package's place; `None` when it is filled.
async fn reserve(
    wanted: &WantedPackage<'_>,
    store: &Store,
    if_there: IfThere,
    progress: &dyn DownloadProgress,
) -> Result<Option<Place>, FetchError> {
    let mut told = false;
    loop {
        let reservation = store.reserve(wanted.source, wanted.version, wanted.platform, if_there);
        let reservation = reservation.map_err(|source| FetchError::Store {
            path: store.package(wanted.source, wanted.version, wanted.platform),
            source,
        })?;
        match reservation {
            Reservation::Free(place) => return Ok(Some(place)),
            Reservation::Filled => return Ok(None),
            Reservation::Busy => {
                if !told {
                    progress.waiting(wanted.source);
                    told = true;
                }
                tokio::time::sleep(GLANCE).await;
            }
        }
    }
}

/// What an origin states about a package, verified as far as that is possible without the package.
#[derive(Debug, Clone)]
pub struct PackageDescription {
    from: String,
    /// None for a zip of this machine.
    package: Option<Url>,
    /// What the package itself must match.
    expected: Vec<PackageHash>,
    /// What is trusted about other platforms.
    others: Vec<PackageHash>,
    signer: Option<Signer>,
}

impl PackageDescription {
    /// What may be recorded in the lock file without a look at any package.
    pub fn hashes(&self) -> impl Iterator<Item = &PackageHash> {
        self.expected.iter().chain(&self.others)
    }

    /// Whether the `h1:` hash of this package is stated, so that the lock file does not need the package for it.
    pub fn has_tree_hash(&self) -> bool {
        self.expected.iter().any(|hash| hash.scheme() == "h1")
    }

    /// The hash that the zip must have, if one is stated.
    fn zip_hash(&self) -> Option<&PackageHash> {
        self.expected.iter().find(|hash| hash.scheme() == "zh")
    }

    /// Refuses a package with that hash if hashes of its scheme are stated and this is none of them.
    fn check(&self, found: &PackageHash) -> Result<(), FetchError> {
        let stated = || (self.expected.iter()).filter(|hash| hash.scheme() == found.scheme());
        match stated().next() {
            Some(expected) if !stated().any(|hash| hash == found) => {
                Err(FetchError::WrongPackage {
                    from: self.from.clone(),
                    expected: expected.clone(),
                    found: found.clone(),
                })
            }
            _ => Ok(()),
        }
    }
}

pub(crate) async fn describe(
    http: &Http,
    origin: &Origin,
    wanted: &WantedPackage<'_>,
) -> Result<PackageDescription, FetchError> {
    let (Origin::Registry(base) | Origin::Mirror(base)) = origin;
    let from = http::host(base);
    let no_package = || FetchError::NoPackage {
        from: from.clone(),
        platform: wanted.platform.clone(),
    };
    let missing = |error: HttpError| match error {
        HttpError::NotFound { .. } => no_package(),
        error => error.into(),
    };
    match origin {
        Origin::Mirror(mirror) => {
            let archives =
                network_mirror::archives(http, mirror, wanted.source, wanted.version).await;
            let mut archives = archives.map_err(missing)?;
            let archive = archives.remove(wanted.platform).ok_or_else(no_package)?;
            Ok(PackageDescription {
                from,
                package: Some(archive.package),
                expected: archive.hashes,
                others: (archives.into_values())
                    .flat_map(|archive| archive.hashes)
                    .collect(),
                signer: None,
            })
        }
        Origin::Registry(registry) => {
            let release = release(
                http,
                registry,
                wanted.source,
                wanted.version,
                wanted.platform,
            )
            .await;
            let Release {
                download,
                sums,
                signer,
            } = release.map_err(|error| match error {
                FetchError::Http(error) => missing(error),
                error => error,
            })?;
            let platform = wanted.platform.to_string();
            let mut expected = vec![download.zip_hash.clone()];
            let mut others: Vec<PackageHash> = sums.packages().cloned().collect();
            for (stated, hash) in download.stated_h1() {
                let to = if *stated == platform {
                    &mut expected
                } else {
                    &mut others
                };
                to.push(hash);
            }
            Ok(PackageDescription {
                from,
                package: Some(download.package),
                expected,
                others,
                signer,
            })
        }
    }
}

/// A release as its registry describes it: the signed sums name its packages.
struct Release {
    download: Download,
    sums: Sums,
    signer: Option<Signer>,
}

async fn release(
    http: &Http,
    registry: &Url,
    source: &ProviderSource,
    version: &Version,
    platform: &Platform,
) -> Result<Release, FetchError> {
    let download = protocol::download(http, registry, source, version, platform).await?;
    let document = async |what: &'static str, url: &Url| {
        let document = http.document(url, LARGEST_SUMS).await;
        document.map_err(|error| match error {
            HttpError::NotFound { url } => FetchError::Incomplete { what, url },
            error => error.into(),
        })
    };
    let sums = document("SHA256SUMS", &download.sums).await?;
    let signed = document("signature of SHA256SUMS", &download.signature).await?;
    let signer = match signature::verify(&sums.bytes, &signed.bytes, &download.keys) {
        Ok(signer) => Some(signer),
        Err(SignatureError::NoKeys) if *source.host == *KEYS_ARE_OPTIONAL => None,
        Err(error) => return Err(FetchError::Signature(error)),
    };
    let sums = Sums::parse(&sums.bytes).map_err(|reason| FetchError::Sums { reason })?;
    match sums.get(&download.filename) {
        Some(listed) if *listed == download.zip_hash => Ok(Release {
            download,
            sums,
            signer,
        }),
        Some(_) => Err(FetchError::Sums {
            reason: format!(
                "states another sum for {} than the registry",
                download.filename
            ),
        }),
        None => Err(FetchError::Sums {
            reason: format!("does not list {}", download.filename),
        }),
    }
}

/// Downloads the zip into a file; returns its hash, which is the stated one if one is stated. If the hash is stated, a download that
/// broke off goes on from what the file holds.
pub(crate) async fn download(
    http: &Http,
    described: &PackageDescription,
    source: &ProviderSource,
    zip: &Path,
    progress: &dyn DownloadProgress,
) -> Result<PackageHash, FetchError> {
    let failed = |source: io::Error| FetchError::Store {
        path: zip.to_owned(),
        source,
    };
    let url = described
        .package
        .as_ref()
        .expect("invariant: only packages of an origin are downloaded");
    let file = (File::options().create(true).write(true))
        .truncate(described.zip_hash().is_none())
        .open(zip)
        .map_err(failed)?;
    let mut download = ZipDownload {
        has: file.metadata().map_err(failed)?.len(),
        is_resumed: false,
        length: None,
        broken: None,
        file,
        url,
        source,
        progress,
    };
    loop {
        let streamed = http.stream(url, LARGEST_ZIP, &mut download).await;
        if let Some(error) = download.broken {
            return Err(failed(error));
        }
        streamed.map_err(|error| match error {
            HttpError::NotFound { url } => FetchError::Incomplete {
                what: "package for this platform",
                url,
            },
            error => error.into(),
        })?;
        let written = zip.to_owned();
        let hash = blocking(move || PackageHash::of_zip(File::open(written)?)).await;
        let hash = hash.map_err(failed)?;
        match described.check(&hash) {
            Ok(()) => return Ok(hash),
            // What was there may have been the beginning of something else.
            Err(_) if download.is_resumed => (download.is_resumed, download.has) = (false, 0),
            Err(error) => {
                let _ = std::fs::remove_file(zip);
                return Err(error);
            }
        }
    }
}

/// A zip on its way into a file.
struct ZipDownload<'a> {
    file: File,
    has: u64,
    length: Option<u64>,
    /// Whether the file began with bytes of an earlier answer.
    is_resumed: bool,
    /// Why the file cannot be written.
    broken: Option<io::Error>,
    url: &'a Url,
    source: &'a ProviderSource,
    progress: &'a dyn DownloadProgress,
}

impl ZipDownload<'_> {
    fn written(&mut self, written: io::Result<()>) -> Result<(), HttpError> {
        (self.progress).downloaded(self.source, self.has, self.length);
        written.map_err(|error| {
            let reason = error.to_string();
            self.broken = Some(error);
            HttpError::Unreachable {
                url: self.url.clone(),
                reason,
            }
        })
    }
}

impl Sink for ZipDownload<'_> {
    fn has(&self) -> u64 {
        self.has
    }

    fn start(&mut self, at: u64, length: Option<u64>) -> Result<(), HttpError> {
        (self.has, self.length) = (at, length);
        self.is_resumed = at > 0;
        let there = self.file.set_len(at);
        let there = there.and_then(|()| self.file.seek(io::SeekFrom::Start(at)));
        self.written(there.map(drop))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), HttpError> {
        self.has += bytes.len() as u64;
        let written = self.file.write_all(bytes);
        self.written(written)
    }
}

/// Unpacks, compares with what is stated and with the lock file, and publishes.
fn unpack(
    place: Place,
    zip: File,
    source: &ProviderSource,
    described: PackageDescription,
    zip_hash: PackageHash,
    locked: Option<&LockedProvider>,
) -> Result<Fetched, FetchError> {
    let failed = |source: io::Error| FetchError::Store {
        path: place.target().to_owned(),
        source,
    };
    let folder = place.unpacked().map_err(failed)?;
    unpack::unpack(zip, &folder, UnpackLimits::default()).map_err(FetchError::Unpack)?;
    // One without a provider would stay in the place of the right one.
    if executable(&folder, source).is_none() {
        return Err(FetchError::NoProvider {
            type_name: source.type_name.to_string(),
        });
    }
    let tree_hash = PackageHash::of_directory(&folder).map_err(failed)?;
    described.check(&tree_hash)?;
    let own = vec![tree_hash, zip_hash];
    if locked.is_some_and(|locked| !locked.accepts(&own)) {
        return Err(FetchError::NotLocked { found: own });
    }
    let target = place.target().to_owned();
    let folder = place.publish(&own).map_err(|source| FetchError::Store {
        path: target,
        source,
    })?;
    let mut hashes = own.clone();
    hashes.extend(described.hashes().cloned());
    hashes.sort_unstable();
    hashes.dedup();
    Ok(Fetched {
        folder,
        own,
        hashes,
        signer: described.signer,
    })
}

/// Runs file work off the runtime's threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
