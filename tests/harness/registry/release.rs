//! A release of a provider: its packages, their sums, the signature over these.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use terrane_registry::Platform;

use super::signer::Signer;
use super::zips::zip_of;

/// What a publisher and a registry say about one version. Every member may be made wrong after it was made right.
pub struct Release {
    /// Who publishes it.
    pub namespace: String,
    /// The provider's type.
    pub type_name: String,
    /// The version.
    pub version: String,
    /// The zips by platform.
    pub packages: BTreeMap<String, Vec<u8>>,
    /// The registry's own sums of the zips.
    pub shasums: BTreeMap<String, String>,
    /// The SHA256SUMS document.
    pub sums: String,
    /// The signature over that document.
    pub signature: Vec<u8>,
    /// The keys that the registry lists.
    pub keys: Vec<String>,
    /// Members that the answers to download requests have instead of, or besides, the right ones.
    pub answer: Value,
    /// The plugin protocols that the list of versions names.
    pub protocols: Vec<String>,
    /// Hashes that a network mirror states, by platform.
    pub mirrored: BTreeMap<String, Vec<String>>,
}

impl Release {
    /// A good release for this platform and a foreign one. Its provider is a script that says its version.
    pub fn new(type_name: &str, version: &str) -> Self {
        let script = format!("#!/bin/sh\necho {type_name} {version}\n");
        let binary = format!("terraform-provider-{type_name}_v{version}");
        Self::of(
            type_name,
            version,
            &[
                (&binary, script.as_bytes()),
                ("README.md", b"A provider.\n"),
            ],
        )
    }

    /// A good release whose packages hold these files; the first is executable.
    pub fn of(type_name: &str, version: &str, files: &[(&str, &[u8])]) -> Self {
        let mut foreign = files.to_vec();
        foreign.push(("FOREIGN", b"For another platform.\n"));
        let mut release = Self {
            namespace: "acme".to_owned(),
            type_name: type_name.to_owned(),
            version: version.to_owned(),
            packages: BTreeMap::from([
                (Platform::current().to_string(), zip_of(files)),
                ("plan9_mips".to_owned(), zip_of(&foreign)),
            ]),
            shasums: BTreeMap::new(),
            sums: String::new(),
            signature: Vec::new(),
            keys: Vec::new(),
            answer: json!({}),
            protocols: vec!["5.0".to_owned(), "6.0".to_owned()],
            mirrored: BTreeMap::new(),
        };
        release.seal(&Signer::new(1), 60);
        release
    }

    /// The same release with that zip for this platform, and everything that belongs to it.
    #[must_use]
    pub fn with_zip(mut self, zip: Vec<u8>) -> Self {
        self.packages.insert(Platform::current().to_string(), zip);
        self.seal(&Signer::new(1), 60);
        self
    }

    /// Sums of the packages as they are now, signed so many seconds after the key was made; it is the only key that is listed.
    pub fn seal(&mut self, signer: &Signer, after: u32) {
        self.shasums = (self.packages.iter())
            .map(|(platform, zip)| (platform.clone(), sum_of(zip)))
            .collect();
        let lines = (self.shasums.iter())
            .map(|(platform, sum)| format!("{sum}  {}\n", self.filename(platform)));
        self.sums = lines.collect();
        self.sign(signer, after);
        self.keys = vec![signer.published()];
    }

    /// Signs SHA256SUMS as it is now.
    pub fn sign(&mut self, signer: &Signer, after: u32) {
        self.signature = signer.sign(self.sums.as_bytes(), after);
    }

    /// The name of a package.
    pub fn filename(&self, platform: &str) -> String {
        let Self {
            type_name, version, ..
        } = self;
        format!("terraform-provider-{type_name}_{version}_{platform}.zip")
    }

    /// The folder of its files on the server.
    fn folder(&self) -> String {
        format!("/files/{}/{}", self.type_name, self.version)
    }

    fn document(&self, end: &str) -> String {
        let Self {
            type_name, version, ..
        } = self;
        let folder = self.folder();
        format!("{folder}/terraform-provider-{type_name}_{version}_SHA256SUMS{end}")
    }

    fn package(&self, platform: &str) -> String {
        format!("{}/{}", self.folder(), self.filename(platform))
    }

    /// The registry's answer for one platform.
    fn download(&self, platform: &str) -> Value {
        let (os, arch) = platform.split_once('_').unwrap_or((platform, ""));
        let keys = self.keys.iter().map(|key| json!({ "ascii_armor": key }));
        let mut answer = json!({
            "protocols": self.protocols,
            "os": os,
            "arch": arch,
            "filename": self.filename(platform),
            // Relative to the request, as the protocol allows.
            "download_url": self.package(platform),
            "shasum": self.shasums[platform],
            "shasums_url": self.document(""),
            "shasums_signature_url": self.document(".sig"),
            "signing_keys": { "gpg_public_keys": keys.collect::<Vec<_>>() },
        });
        for (name, value) in self.answer.as_object().into_iter().flatten() {
            answer[name] = value.clone();
        }
        answer
    }

    /// `NAMESPACE/TYPE`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.namespace, self.type_name)
    }

    /// Its line in the list of versions.
    pub(super) fn listed(&self) -> Value {
        let platforms = self.packages.keys().filter_map(|platform| {
            let (os, arch) = platform.split_once('_')?;
            Some(json!({ "os": os, "arch": arch }))
        });
        json!({
            "version": self.version,
            "protocols": self.protocols,
            "platforms": platforms.collect::<Vec<_>>(),
        })
    }

    /// Every path of it in a registry below `/v1/providers` and in a mirror below that folder, with its content.
    pub(super) fn files(&self, mirror: &str) -> Vec<(String, Vec<u8>)> {
        let version = &self.version;
        let name = self.name();
        let mut files = vec![
            (self.document(""), self.sums.clone().into_bytes()),
            (self.document(".sig"), self.signature.clone()),
        ];
        let mut archives = json!({});
        for (platform, zip) in &self.packages {
            files.push((self.package(platform), zip.clone()));
            let path = platform.replace('_', "/");
            let path = format!("/v1/providers/{name}/{version}/download/{path}");
            files.push((path, self.download(platform).to_string().into_bytes()));
            archives[platform] = json!({ "url": self.package(platform) });
            if let Some(hashes) = self.mirrored.get(platform) {
                archives[platform]["hashes"] = json!(hashes);
            }
        }
        let archives = json!({ "archives": archives }).to_string();
        files.push((
            format!("{mirror}/{name}/{version}.json"),
            archives.into_bytes(),
        ));
        files
    }
}

/// A SHA-256 as SHA256SUMS has it.
fn sum_of(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}
