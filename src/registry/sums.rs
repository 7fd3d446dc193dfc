//! SHA256SUMS: the signed list of a release's packages.

use crate::hash::PackageHash;

/// The lines of a SHA256SUMS document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sums(Vec<(String, PackageHash)>);

impl Sums {
    /// Reads `HEX  NAME` lines (`HEX *NAME` for binary mode); anything else makes the document unusable. The reason follows the
    /// document's name.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(document).map_err(|_| "is not UTF-8".to_owned())?;
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let entries = lines.map(|line| {
            let (sum, name) = line.split_once(char::is_whitespace)?;
            let name = name.trim_start().trim_start_matches('*').trim_end();
            let hash = PackageHash::from_sha256_hex(sum)?;
            (!name.is_empty()).then(|| (name.to_owned(), hash))
        });
        let entries: Option<Vec<_>> = entries.collect();
        entries
            .map(Self)
            .ok_or_else(|| "has a line that is not a sum and a file name".to_owned())
    }

    /// The hash of that file; `None` when it is not listed.
    pub(crate) fn get(&self, name: &str) -> Option<&PackageHash> {
        self.0
            .iter()
            .find(|(listed, _)| listed == name)
            .map(|(_, hash)| hash)
    }

    /// The hashes of all packages, of every platform.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &PackageHash> {
        self.0
            .iter()
            .filter(|(name, _)| name.ends_with(".zip"))
            .map(|(_, hash)| hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_and_a_broken_line_spoils_the_document() {
        let sum = "a".repeat(64);
        let document =
            format!("{sum}  terraform-provider-x_1.0.0_linux_amd64.zip\n{sum} *manifest.json\n\n");
        let sums = Sums::parse(document.as_bytes()).expect("readable");
        assert!(
            sums.get("terraform-provider-x_1.0.0_linux_amd64.zip")
                .is_some()
        );
        assert!(sums.get("manifest.json").is_some());
        assert_eq!(sums.packages().count(), 1);
        for broken in ["x  a.zip", &sum[1..], &format!("{sum}  ")] {
            assert!(Sums::parse(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_document_is_read_as_more_than_it_says(document in "(([0-9a-fA-F]{63,65}|[a-f ]{0,3})[ \t*]{0,3}[a-z.\u{e4}]{0,6}[\r\n]{0,2}){0,4}") {
            if let Ok(sums) = Sums::parse(document.as_bytes()) {
                for (name, hash) in &sums.0 {
                    proptest::prop_assert!(document.contains(name.as_str()));
                    let digits = hash.as_str().trim_start_matches("zh:");
                    proptest::prop_assert!(document.to_lowercase().contains(digits));
                }
            }
        }
    }
}
