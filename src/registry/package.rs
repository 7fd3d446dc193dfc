//! Fetches one package: downloads it, proves it, unpacks it into the store.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use semver::Version;
use terrane_core::addr::ProviderSource;
use thiserror::Error;
use url::Url;

use crate::hash::PackageHash;
use crate::http::{Http, HttpError, Piece};
use crate::lock_file::LockedProvider;
use crate::network_mirror;
use crate::platform::Platform;
use crate::protocol;
use crate::signature::{self, SignatureError, Signer};
use crate::store::{Place, Store};
use crate::sums::Sums;
use crate::unpack::{self, UnpackError, UnpackLimits};

/// The largest zip that is taken.
const LARGEST_ZIP: u64 = 2 << 30;
/// SHA256SUMS and its signature are a few kilobytes.
const LARGEST_SUMS: u64 = 1 << 20;

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A registry, by its base URL.
    Registry(Url),
    /// A network mirror, by its base URL.
    Mirror(Url),
}

/// A package that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The unpacked package.
    pub folder: PathBuf,
    /// What may be recorded in the lock file, for every platform that something trusted states it for.
    pub hashes: Vec<PackageHash>,
    /// Who signed the release; none for a mirror.
    pub signer: Option<Signer>,
}

/// How far a download is.
pub trait DownloadProgress: Send + Sync {
    /// So many bytes are there, of that many if it is known.
    fn downloaded(&self, source: &ProviderSource, bytes: u64, of: Option<u64>);
}

/// A package cannot be fetched, or must not be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The registry or the mirror does not answer as it should.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// There is no package for this machine.
    #[error("it has no package for {platform}")]
    NoPackage {
        /// The platform.
        platform: Platform,
    },
    /// The zip is not the one that the registry describes.
    #[error("the downloaded package is not the one that {from} describes: expected {expected}, got {found}")]
    WrongPackage {
        /// The host that described it.
        from: String,
        /// The hash it should have.
        expected: PackageHash,
        /// The hash it has.
        found: PackageHash,
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
pub(crate) struct Wanted<'a> {
    pub(crate) source: &'a ProviderSource,
    pub(crate) version: &'a Version,
    pub(crate) platform: &'a Platform,
    /// What the lock file records of that version.
    pub(crate) locked: Option<&'a LockedProvider>,
}

/// Fetches a package into the store; when another process was faster, `None`.
pub(crate) async fn fetch(
    http: &Http,
    origin: &Origin,
    wanted: &Wanted<'_>,
    store: &Store,
    progress: &dyn DownloadProgress,
) -> Result<Option<Fetched>, FetchError> {
    let path = store.package(wanted.source, wanted.version, wanted.platform);
    let failed = |source: io::Error| FetchError::Store { path: path.clone(), source };
    let reserved = {
        let (store, source) = (store.clone(), wanted.source.clone());
        let (version, platform) = (wanted.version.clone(), wanted.platform.clone());
        blocking(move || store.reserve(&source, &version, &platform)).await.map_err(failed)?
    };
    let Some(place) = reserved else { return Ok(None) };
    let described = describe(http, origin, wanted).await?;
    let zip_hash = download(http, &described, wanted.source, &place, progress, failed).await?;
    if let Some(expected) = described.zip_hashes().find(|expected| **expected != zip_hash) {
        return Err(FetchError::WrongPackage {
            from: described.from.clone(),
            expected: expected.clone(),
            found: zip_hash,
        });
    }
    let locked = wanted.locked.cloned();
    let path = path.clone();
    blocking(move || install(place, described, zip_hash, locked.as_ref(), path)).await.map(Some)
}

/// What the origin states about a package, already verified as far as the origin can be.
struct Described {
    from: String,
    package: Url,
    /// What the package itself must match.
    expected: Vec<PackageHash>,
    /// What is trusted about other platforms.
    others: Vec<PackageHash>,
    signer: Option<Signer>,
}

impl Described {
    fn zip_hashes(&self) -> impl Iterator<Item = &PackageHash> {
        self.expected.iter().filter(|hash| hash.scheme() == "zh")
    }
}

async fn describe(
    http: &Http,
    origin: &Origin,
    wanted: &Wanted<'_>,
) -> Result<Described, FetchError> {
    let no_package = || FetchError::NoPackage { platform: wanted.platform.clone() };
    match origin {
        Origin::Mirror(mirror) => {
            let mut archives = network_mirror::archives(http, mirror, wanted.source, wanted.version).await?;
            let archive = archives.remove(wanted.platform).ok_or_else(no_package)?;
            Ok(Described {
                from: crate::http::host(mirror),
                package: archive.package,
                expected: archive.hashes,
                others: archives.into_values().flat_map(|archive| archive.hashes).collect(),
                signer: None,
            })
        }
        Origin::Registry(registry) => {
            let download = protocol::download(http, registry, wanted.source, wanted.version, wanted.platform).await;
            let download = download.map_err(|error| match error {
                HttpError::NotFound { .. } => no_package(),
                error => error.into(),
            })?;
            let sums = http.document(&download.sums, LARGEST_SUMS).await?;
            let signed = http.document(&download.signature, LARGEST_SUMS).await?;
            let signer = signature::verify(&sums.bytes, &signed.bytes, &download.keys).map_err(FetchError::Signature)?;
            let sums = Sums::parse(&sums.bytes).map_err(|reason| FetchError::Sums { reason })?;
            match sums.get(&download.filename) {
                Some(listed) if *listed == download.zip_hash => {}
                Some(_) => return Err(FetchError::Sums {
                    reason: format!("states another sum for {} than the registry", download.filename),
                }),
                None => return Err(FetchError::Sums {
                    reason: format!("does not list {}", download.filename),
                }),
            }
            // The registry states `h1:` hashes of every platform beside the signed sums, over the same connection.
            let stated = download.packages.values().flat_map(|package| &package.hashes);
            let stated = stated.filter_map(|hash| hash.parse::<PackageHash>().ok()).filter(|hash| hash.scheme() == "h1");
            Ok(Described {
                from: crate::http::host(registry),
                package: download.package.clone(),
                others: sums.packages().cloned().chain(stated).collect(),
                expected: vec![download.zip_hash],
                signer: Some(signer),
            })
        }
    }
}

/// Downloads the zip; returns its hash.
async fn download(
    http: &Http,
    described: &Described,
    source: &ProviderSource,
    place: &Place,
    progress: &dyn DownloadProgress,
    failed: impl Fn(io::Error) -> FetchError,
) -> Result<PackageHash, FetchError> {
    let mut file = File::options().create(true).truncate(true).read(true).write(true).open(place.zip()).map_err(&failed)?;
    let (mut there, mut length, mut broken) = (0_u64, None, None);
    let mut keep = |piece: Piece<'_>| {
        let written = match piece {
            Piece::Start { length: stated } => {
                (there, length) = (0, stated);
                file.set_len(0).and_then(|()| io::Seek::rewind(&mut file))
            }
            Piece::Bytes(bytes) => {
                there += bytes.len() as u64;
                file.write_all(bytes)
            }
        };
        progress.downloaded(source, there, length);
        written.map_err(|error| {
            let reason = error.to_string();
            broken = Some(error);
            HttpError::Unreachable { url: described.package.clone(), reason }
        })
    };
    let streamed = http.stream(&described.package, LARGEST_ZIP, &mut keep).await;
    if let Some(error) = broken {
        return Err(failed(error));
    }
    streamed?;
    drop(file);
    let zip = place.zip();
    blocking(move || PackageHash::of_zip(File::open(zip)?)).await.map_err(failed)
}

/// Unpacks, compares with the lock file and publishes.
fn install(
    place: Place,
    described: Described,
    zip_hash: PackageHash,
    locked: Option<&LockedProvider>,
    path: PathBuf,
) -> Result<Fetched, FetchError> {
    let failed = |source: io::Error| FetchError::Store { path: path.clone(), source };
    let folder = place.unpacked().map_err(failed)?;
    let zip = File::open(place.zip()).map_err(failed)?;
    unpack::unpack(zip, &folder, UnpackLimits::default()).map_err(FetchError::Unpack)?;
    let own = vec![PackageHash::of_directory(&folder).map_err(failed)?, zip_hash];
    if let Some(stated) = described.expected.iter().find(|hash| hash.scheme() == "h1" && **hash != own[0]) {
        return Err(FetchError::WrongPackage {
            from: described.from,
            expected: stated.clone(),
            found: own[0].clone(),
        });
    }
    // An entry without hashes records only the version.
    if locked.is_some_and(|locked| !locked.hashes.is_empty() && locked.matches(&own) != Some(true)) {
        return Err(FetchError::NotLocked { found: own });
    }
    let folder = place.publish().map_err(failed)?;
    let mut hashes = own;
    hashes.extend(described.others);
    hashes.sort_unstable();
    hashes.dedup();
    Ok(Fetched { folder, hashes, signer: described.signer })
}

/// Runs file work off the runtime's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
