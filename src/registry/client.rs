//! Asks registries and mirrors which versions of a provider there are, and fetches its packages.

use std::collections::BTreeMap;
use std::path::Path;

use terrane_core::addr::ProviderSource;
use url::Url;

use crate::discovery;
use crate::hash::PackageHash;
use crate::http::{Http, HttpError, HttpOptions};
use crate::network_mirror;
use crate::package::{
    self, DownloadProgress, FetchError, Fetched, PackageDescription, WantedPackage,
};
use crate::protocol::{self, OfferedVersion};
use crate::store::{IfThere, Store};

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A registry, by its base URL.
    Registry(Url),
    /// A network mirror, by its base URL.
    Mirror(Url),
}

impl Origin {
    /// Its host, with the port if it is not the usual one.
    pub fn host(&self) -> String {
        let (Self::Registry(url) | Self::Mirror(url)) = self;
        crate::http::host(url)
    }
}

/// Talks to all registries and mirrors of one run.
#[derive(Debug, Clone)]
pub struct RegistryClient {
    http: Http,
    /// Services that the CLI configuration states for a host, in place of asking it.
    services: BTreeMap<String, BTreeMap<String, String>>,
}

impl RegistryClient {
    /// A client that makes requests in that way; it makes none yet.
    ///
    /// # Errors
    /// When a certificate or the system's proxy settings cannot be read.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpError> {
        Ok(Self {
            http: Http::new(options)?,
            services: options.services.clone(),
        })
    }

    /// The provider registry of a host, by discovery.
    ///
    /// # Errors
    /// When the host does not answer, or offers no provider registry.
    pub async fn registry(&self, host: &str) -> Result<Origin, FetchError> {
        let found = discovery::provider_registry(&self.http, host, self.services.get(host)).await?;
        found
            .map(Origin::Registry)
            .ok_or_else(|| FetchError::NoRegistry {
                host: host.to_owned(),
            })
    }

    /// All versions of a provider, in no order; none when the origin does not know the provider.
    ///
    /// # Errors
    /// When the origin does not answer as it should.
    pub async fn versions(
        &self,
        origin: &Origin,
        source: &ProviderSource,
    ) -> Result<Vec<OfferedVersion>, FetchError> {
        let answer = match origin {
            Origin::Registry(registry) => protocol::versions(&self.http, registry, source).await,
            Origin::Mirror(mirror) => network_mirror::versions(&self.http, mirror, source).await,
        };
        match answer {
            Err(HttpError::NotFound { .. }) => Ok(Vec::new()),
            answer => Ok(answer?),
        }
    }

    /// What the origin states about a package; of a registry, after the signature of the release was verified.
    ///
    /// # Errors
    /// When there is none for that platform, or its author does not vouch for it.
    pub async fn describe(
        &self,
        origin: &Origin,
        wanted: &WantedPackage<'_>,
    ) -> Result<PackageDescription, FetchError> {
        package::describe(&self.http, origin, wanted).await
    }

    /// Downloads the zip of a package into a new file; returns its hash.
    ///
    /// # Errors
    /// When it cannot be downloaded, or is not the one that was described.
    pub async fn download(
        &self,
        description: &PackageDescription,
        source: &ProviderSource,
        file: &Path,
        progress: &dyn DownloadProgress,
    ) -> Result<PackageHash, FetchError> {
        package::download(&self.http, description, source, file, progress).await
    }

    /// Fetches a package into the store: downloads it, proves it, unpacks it. `None` when it is there already and stays.
    ///
    /// # Errors
    /// When there is none for that platform, or it must not be used; the store is as it was.
    pub async fn fetch(
        &self,
        origin: &Origin,
        wanted: &WantedPackage<'_>,
        store: &Store,
        if_there: IfThere,
        progress: &dyn DownloadProgress,
    ) -> Result<Option<Fetched>, FetchError> {
        package::fetch(&self.http, origin, wanted, store, if_there, progress).await
    }
}
