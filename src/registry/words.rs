//! What is said about a provider that cannot be installed.

use std::path::Path;

use semver::Version;
use terrane_core::addr::ProviderSource;

use crate::error::InstallError;
use crate::hash::PackageHash;
use crate::http::HttpError;
use crate::installation::RequiredProvider;
use crate::lock_file::LockedProvider;
use crate::package::{FetchError, WantedPackage};
use crate::platform::Platform;
use crate::protocol::OfferedVersion;
use crate::signature::SignatureError;
use crate::unpack::UnpackError;
use crate::version::VersionRequirement;

/// More versions than that are counted instead of named.
const NAMED: usize = 8;

/// The lock file has a version that the program does not accept.
pub(crate) fn other_version_locked(
    required: &RequiredProvider,
    versions: &VersionRequirement,
    locked: &LockedProvider,
    lock_file: &Path,
) -> InstallError {
    let source = &required.source;
    InstallError::new(format!(
        "the lock file records {source} {}, but the program accepts {versions}",
        locked.version
    ))
    .detail(format!("{}", lock_file.display()))
    .hint("`providers lock --upgrade` selects the newest version that the program accepts")
}

/// A package is not the recorded one.
pub(crate) fn not_locked(
    source: &ProviderSource,
    locked: &LockedProvider,
    found: &[PackageHash],
    folder: Option<&Path>,
    lock_file: &Path,
) -> InstallError {
    let version = &locked.version;
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    let mut detail = format!(
        "it has {}; {} records {} other hash{}",
        found.join(" and "),
        lock_file.display(),
        locked.hashes.len(),
        if locked.hashes.len() == 1 { "" } else { "es" },
    );
    let error = InstallError::new(format!(
        "the package of {source} {version} is not the one that the lock file records"
    ));
    let error = match folder {
        Some(folder) => {
            detail = format!("{}: {detail}", folder.display());
            error.hint(format!(
                "if the package was damaged or changed: `rm -r '{}'`, and it is installed again",
                folder.display()
            ))
        }
        None => error,
    };
    error
        .detail(detail)
        .hint("if the lock file only lacks this platform or this mirror: `providers lock` adds the hashes that its registry vouches for")
        .refusal()
}

/// A package cannot be hashed.
pub(crate) fn unreadable(
    source: &ProviderSource,
    version: &Version,
    path: &Path,
    error: &std::io::Error,
) -> InstallError {
    let unread = InstallError::new(format!("cannot read the package of {source} {version}"));
    unread.detail(format!("{}: {error}", path.display()))
}

/// The registry vouches for other packages than the recorded ones.
pub(crate) fn replaced(
    source: &ProviderSource,
    locked: &LockedProvider,
    lock_file: &Path,
) -> InstallError {
    let version = &locked.version;
    InstallError::new(format!("{source} {version} was replaced at its source"))
        .detail(format!(
            "none of its zips is one that {} records; a release is never changed by its publisher",
            lock_file.display()
        ))
        .hint("ask the publisher before you go on; another registry's release of the same version also has other hashes")
        .refusal()
}

/// The lock file decides the version.
pub(crate) fn with_lock(error: InstallError, locked: Option<&LockedProvider>) -> InstallError {
    match locked {
        None => error,
        Some(locked) => {
            let version = &locked.version;
            let hint = format!(
                "the lock file asks for {version}; `providers lock --upgrade` selects another"
            );
            error.hint(hint)
        }
    }
}

/// `provider SOURCE VERSION`, as far as the version is known.
fn named(required: &RequiredProvider, version: Option<&Version>) -> String {
    let source = &required.source;
    match (version, &required.versions) {
        (Some(version), _) => format!("provider {source} {version}"),
        (None, Some(versions)) => format!("provider {source} {versions}"),
        (None, None) => format!("provider {source}"),
    }
}

/// The network must not be used.
pub(crate) fn offline(
    required: &RequiredProvider,
    version: Option<&Version>,
    searched: &[String],
) -> InstallError {
    let what = named(required, version);
    let said = format!("{what} is not installed, and `--offline` forbids a download");
    let said = InstallError::new(said).hint("run the same command once without `--offline`");
    match searched {
        [] => said,
        _ => said.detail(format!("searched:\n{}", searched.join("\n"))),
    }
}

/// The configuration wants the provider from where we cannot get it.
pub(crate) fn oci_mirror(source: &ProviderSource, file: Option<&Path>) -> InstallError {
    let config = file.map_or_else(String::new, |file| format!(" of {}", file.display()));
    InstallError::new(format!("cannot install provider {source}"))
        .detail(format!(
            "the CLI configuration{config} has it from an `oci_mirror`, which is not supported"
        ))
        .hint(
            "fill a folder with `tofu providers mirror DIRECTORY`, and name it in a `filesystem_mirror` block before the `oci_mirror`",
        )
}

/// A registry or mirror does not answer as it should.
pub(crate) fn unanswered(source: &ProviderSource, error: &FetchError) -> InstallError {
    let said = InstallError::new(format!("cannot install provider {source}"));
    with_remedy(said.detail(error.to_string()), error)
}

/// Versions of a provider that will do are not what the registry has instead.
pub(crate) fn stored_instead(
    error: &InstallError,
    source: &ProviderSource,
    version: &Version,
) -> InstallError {
    let said = format!(
        "{source} {version} is used, which an earlier run has downloaded; there may be newer ones"
    );
    InstallError::new(said).detail(format!("{}: {}", error.summary, error.detail))
}

/// The registry lists no key, and is one that need not.
pub(crate) fn unsigned(source: &ProviderSource, version: &Version, host: &str) -> InstallError {
    let said =
        format!("nobody vouches for {source} {version}: {host} lists no key of its publisher");
    InstallError::new(said).detail("the lock file records what was downloaded now")
}

/// The registry does not know the provider.
pub(crate) fn unknown(source: &ProviderSource, host: &str) -> InstallError {
    InstallError::new(format!("{host} has no provider {source}"))
        .hint("check its spelling; a provider of another registry is written `HOST/NAMESPACE/TYPE`")
}

fn listed<'a>(versions: impl Iterator<Item = &'a Version>) -> String {
    let mut versions: Vec<&Version> = versions.collect();
    versions.sort_by(|a, b| b.cmp(a));
    let named: Vec<String> = versions
        .iter()
        .take(NAMED)
        .map(ToString::to_string)
        .collect();
    match versions.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// The registry has none of the accepted versions.
pub(crate) fn no_version(
    required: &RequiredProvider,
    host: &str,
    offered: &[OfferedVersion],
) -> InstallError {
    let what = named(required, None);
    let versions = listed(offered.iter().map(|offered| &offered.version));
    InstallError::new(format!("{host} has no version that will do of {what}"))
        .detail(format!("it has {versions}"))
        .hint("the bindings that the program uses, or its own requirement, say which versions will do")
}

/// The accepted versions are of no use here.
pub(crate) fn no_build(
    required: &RequiredProvider,
    host: &str,
    platform: &Platform,
    allowed: &[&OfferedVersion],
) -> InstallError {
    let what = named(required, None);
    let versions = listed(allowed.iter().map(|offered| &offered.version));
    InstallError::new(format!("{host} has no package of {what} for {platform}")).detail(format!(
        "{versions}: not built for {platform}, or for another plugin protocol than 5 and 6"
    ))
}

/// A package could not be fetched, or must not be used.
pub(crate) fn not_fetched(
    wanted: &WantedPackage<'_>,
    host: Option<&str>,
    error: &FetchError,
) -> InstallError {
    let (source, version) = (wanted.source, wanted.version);
    let is_refusal = matches!(
        error,
        FetchError::WrongPackage { .. }
            | FetchError::Sums { .. }
            | FetchError::Signature(_)
            | FetchError::NotLocked { .. }
            | FetchError::NoProvider { .. }
            | FetchError::Unpack(_)
    ) && !matches!(error, FetchError::Unpack(UnpackError::Write { .. }));
    let from = host.map_or_else(String::new, |host| format!(" from {host}"));
    let summary = match is_refusal {
        true => format!("provider {source} {version}{from} is refused"),
        false => format!("cannot install provider {source} {version}{from}"),
    };
    let said = InstallError::new(summary).detail(error.to_string());
    let said = with_remedy(said, error);
    match is_refusal {
        true => said.refusal(),
        false => said,
    }
}

fn with_remedy(said: InstallError, error: &FetchError) -> InstallError {
    match error {
        FetchError::Http(HttpError::Refused { url, .. }) => {
            let host = crate::http::host(url);
            let variable = host.replace('-', "__").replace('.', "_");
            said.hint(format!(
                "`terraform login {host}`, a `credentials` block of the CLI configuration or TF_TOKEN_{variable} gives a token for this host"
            ))
        }
        FetchError::Http(
            HttpError::Unreachable { .. } | HttpError::BrokenOff { .. } | HttpError::Status { .. },
        ) => {
            said.hint("try again later; a `filesystem_mirror` or `network_mirror` of the CLI configuration needs no registry")
        }
        FetchError::Http(HttpError::Untrusted { .. }) => {
            said.hint("if an authority of your own signs certificates here: SSL_CERT_FILE names the file with its certificate")
        }
        FetchError::Http(HttpError::WebPage { url }) => {
            said.hint(format!("a proxy or a sign-in may answer in its place: open {url} in a browser"))
        }
        FetchError::Http(
            HttpError::Redirected { .. }
            | HttpError::Insecure { .. }
            | HttpError::TooLong { .. }
            | HttpError::Malformed { .. },
        ) => said.hint("the registry or mirror is at fault: tell those who run it"),
        FetchError::NoRegistry { .. } => {
            said.hint("check the spelling of the host; a provider is written `HOST/NAMESPACE/TYPE`")
        }
        FetchError::Incomplete { .. }
        | FetchError::NoProvider { .. }
        | FetchError::Signature(
            SignatureError::Unreadable { .. }
            | SignatureError::Key { .. }
            | SignatureError::NoKeys
            | SignatureError::ForeignKey { .. },
        ) => said.hint("nothing of it was kept; the release or its registry is at fault: tell its publisher"),
        FetchError::Unpack(UnpackError::Write { .. }) => said,
        FetchError::WrongPackage { .. }
        | FetchError::Sums { .. }
        | FetchError::Signature(_)
        | FetchError::Unpack(_) => {
            said.hint("nothing of it was kept; somebody between its publisher and this machine may have changed it, so ask the publisher before you go on")
        }
        FetchError::NoPackage { platform, .. } => {
            said.hint(format!("its publisher may have built another version for {platform}"))
        }
        _ => said,
    }
}
