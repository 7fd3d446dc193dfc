//! The provider network mirror protocol: a folder of JSON documents and zips behind HTTPS.
//!
//! Source: Terraform's `provider-network-mirror-protocol` page. A mirror vouches for its packages itself: there is no signature,
//! and the lock file's hashes are what guards them.

use std::collections::BTreeMap;

use semver::Version;
use serde::Deserialize;
use terrane_core::addr::ProviderSource;
use url::Url;

use crate::hash::PackageHash;
use crate::http::{Http, HttpError};
use crate::platform::Platform;
use crate::protocol::OfferedVersion;

/// A package on a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    pub(crate) package: Url,
    /// What the mirror states; may be empty.
    pub(crate) hashes: Vec<PackageHash>,
}

#[derive(Deserialize)]
struct Index {
    versions: BTreeMap<String, serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Packages {
    archives: BTreeMap<String, ArchiveAnswer>,
}

#[derive(Deserialize)]
struct ArchiveAnswer {
    url: String,
    #[serde(default)]
    hashes: Vec<String>,
}

/// All versions of a provider that the mirror holds; none when it does not know the provider.
pub(crate) async fn versions(
    http: &Http,
    mirror: &Url,
    source: &ProviderSource,
) -> Result<Vec<OfferedVersion>, HttpError> {
    let index = match http
        .json::<Index>(&document(mirror, source, "index.json"))
        .await
    {
        Ok((index, _)) => index,
        Err(HttpError::NotFound { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let versions = index
        .versions
        .keys()
        .filter_map(|version| version.parse().ok());
    let offered = versions.map(|version| OfferedVersion {
        version,
        protocols: Vec::new(),
        platforms: Vec::new(),
    });
    Ok(offered.collect())
}

/// The packages of a version by platform.
pub(crate) async fn archives(
    http: &Http,
    mirror: &Url,
    source: &ProviderSource,
    version: &Version,
) -> Result<BTreeMap<Platform, Archive>, HttpError> {
    let url = document(mirror, source, &format!("{version}.json"));
    let (answer, from) = http.json::<Packages>(&url).await?;
    let malformed = |reason: String| HttpError::Malformed {
        url: from.clone(),
        reason,
    };
    let mut archives = BTreeMap::new();
    for (platform, archive) in answer.archives {
        let Ok(platform) = platform.parse() else {
            continue;
        };
        let package = from
            .join(&archive.url)
            .map_err(|error| malformed(format!("`{}`: {error}", archive.url)))?;
        let hashes = archive.hashes.iter().map(|hash| hash.parse());
        let hashes = hashes
            .collect::<Result<_, _>>()
            .map_err(|error| malformed(format!("{error}")))?;
        archives.insert(platform, Archive { package, hashes });
    }
    Ok(archives)
}

fn document(mirror: &Url, source: &ProviderSource, name: &str) -> Url {
    let mut url = mirror.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
        path.extend([&*source.host, &*source.namespace, &*source.type_name, name]);
    }
    url
}
