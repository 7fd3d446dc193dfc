//! The provider registry protocol: which versions a provider has, and where a version's package is.
//!
//! Source: OpenTofu's `provider-registry-protocol` page.

use std::collections::BTreeMap;

use semver::Version;
use serde::Deserialize;
use terrane_core::addr::ProviderSource;
use url::Url;

use crate::hash::PackageHash;
use crate::http::{Http, HttpError};
use crate::platform::Platform;

/// A version that a registry or a mirror offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedVersion {
    /// The version.
    pub version: Version,
    /// Plugin protocols it speaks (`5.0`); empty when that is not said.
    pub protocols: Vec<String>,
    /// Platforms it was built for; empty when that is not said.
    pub platforms: Vec<Platform>,
}

impl OfferedVersion {
    /// Whether it speaks a plugin protocol that we speak.
    pub(crate) fn speaks_ours(&self) -> bool {
        let ours = |protocol: &String| matches!(protocol.split('.').next(), Some("5" | "6"));
        self.protocols.is_empty() || self.protocols.iter().any(ours)
    }

    /// Whether there is a package for that platform.
    pub(crate) fn is_for(&self, platform: &Platform) -> bool {
        self.platforms.is_empty() || self.platforms.contains(platform)
    }
}

/// Where a package is and what vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Download {
    pub(crate) filename: String,
    pub(crate) package: Url,
    /// The SHA-256 of the zip.
    pub(crate) zip_hash: PackageHash,
    pub(crate) sums: Url,
    pub(crate) signature: Url,
    /// ASCII-armored OpenPGP public keys.
    pub(crate) keys: Vec<String>,
    /// Hashes by platform, where the registry states them.
    pub(crate) packages: BTreeMap<String, StatedPackage>,
}

impl Download {
    /// The `h1:` hashes that the registry states, with their platforms. They stand beside the signed sums, on the same connection.
    pub(crate) fn stated_h1(&self) -> impl Iterator<Item = (&String, PackageHash)> {
        (self.packages.iter()).flat_map(|(platform, package)| {
            let hashes = package.hashes.iter();
            let parsed = hashes.filter_map(|hash| hash.parse::<PackageHash>().ok());
            parsed
                .filter(|hash| hash.scheme() == "h1")
                .map(move |hash| (platform, hash))
        })
    }
}

/// What the registry states about one platform's package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct StatedPackage {
    #[serde(default)]
    pub(crate) hashes: Vec<String>,
}

#[derive(Deserialize)]
struct VersionsAnswer {
    #[serde(default)]
    versions: Vec<VersionAnswer>,
}

#[derive(Deserialize)]
struct VersionAnswer {
    version: String,
    #[serde(default)]
    protocols: Vec<String>,
    #[serde(default)]
    platforms: Vec<PlatformAnswer>,
}

#[derive(Deserialize)]
struct PlatformAnswer {
    os: String,
    arch: String,
}

#[derive(Deserialize)]
struct DownloadAnswer {
    os: Option<String>,
    arch: Option<String>,
    filename: String,
    download_url: String,
    shasum: String,
    shasums_url: String,
    shasums_signature_url: String,
    #[serde(default)]
    signing_keys: SigningKeys,
    #[serde(default)]
    packages: BTreeMap<String, StatedPackage>,
}

#[derive(Default, Deserialize)]
struct SigningKeys {
    #[serde(default)]
    gpg_public_keys: Vec<SigningKey>,
}

#[derive(Deserialize)]
struct SigningKey {
    ascii_armor: String,
}

/// All versions of a provider, in no order. Versions that are not semantic versions are left out, as peers do.
pub(crate) async fn versions(
    http: &Http,
    registry: &Url,
    source: &ProviderSource,
) -> Result<Vec<OfferedVersion>, HttpError> {
    let url = join(
        registry,
        &[&source.namespace, &source.type_name, "versions"],
    );
    let (answer, _) = http.json::<VersionsAnswer>(&url).await?;
    let offered = answer.versions.into_iter().filter_map(|offered| {
        Some(OfferedVersion {
            version: offered.version.parse().ok()?,
            protocols: offered.protocols,
            platforms: (offered.platforms.into_iter())
                .filter_map(|platform| format!("{}_{}", platform.os, platform.arch).parse().ok())
                .collect(),
        })
    });
    Ok(offered.collect())
}

/// Where the package of a version is.
pub(crate) async fn download(
    http: &Http,
    registry: &Url,
    source: &ProviderSource,
    version: &Version,
    platform: &Platform,
) -> Result<Download, HttpError> {
    let version = version.to_string();
    let url = join(
        registry,
        &[
            &source.namespace,
            &source.type_name,
            &version,
            "download",
            platform.os(),
            platform.arch(),
        ],
    );
    let (answer, from) = http.json::<DownloadAnswer>(&url).await?;
    let malformed = |reason: String| HttpError::Malformed {
        url: from.clone(),
        reason,
    };
    let relative = |text: &str| {
        from.join(text)
            .map_err(|error| malformed(format!("`{text}`: {error}")))
    };
    let is_for =
        |stated: &Option<String>, asked: &str| stated.as_ref().is_none_or(|it| it == asked);
    if !is_for(&answer.os, platform.os()) || !is_for(&answer.arch, platform.arch()) {
        let stated = [answer.os, answer.arch]
            .map(Option::unwrap_or_default)
            .join("_");
        return Err(malformed(format!("it describes a package for {stated}")));
    }
    let plain = !answer.filename.is_empty() && !answer.filename.contains(['/', '\\', '\n']);
    if !plain {
        return Err(malformed(format!(
            "`{}` is not a file name",
            answer.filename
        )));
    }
    let zip_hash = PackageHash::from_sha256_hex(&answer.shasum)
        .ok_or_else(|| malformed(format!("`{}` is not a SHA-256 sum", answer.shasum)))?;
    Ok(Download {
        package: relative(&answer.download_url)?,
        zip_hash,
        sums: relative(&answer.shasums_url)?,
        signature: relative(&answer.shasums_signature_url)?,
        filename: answer.filename,
        keys: (answer.signing_keys.gpg_public_keys.into_iter())
            .map(|key| key.ascii_armor)
            .collect(),
        packages: answer.packages,
    })
}

/// Adds path components, escaped.
fn join(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}
