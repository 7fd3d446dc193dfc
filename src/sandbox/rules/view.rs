//! The view that a rule has of the cloud: its objects, the region and the time of the operation.

use data_encoding::HEXLOWER;
use terrane_core::Value;
use terrane_core::value::Map;

use crate::chance;
use crate::clock::Timestamp;
use crate::cloud::Objects;
use crate::draft::Draft;

/// The only account of the sandbox.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The cloud as one operation sees it.
pub(crate) struct CloudView<'a> {
    pub(crate) objects: &'a Objects,
    pub(crate) region: &'a str,
    /// The address of the Kubernetes cluster that the provider is configured for; empty elsewhere.
    pub(crate) cluster: &'a str,
    pub(crate) now: Timestamp,
    /// Makes names that are made at the same time differ.
    pub(crate) sequence: u32,
}

impl<'a> CloudView<'a> {
    /// The key of an object under that id: two clusters have objects of one name.
    pub(crate) fn key(&self, id: &str) -> String {
        match self.cluster {
            "" => id.to_owned(),
            cluster => format!("{id} in {cluster}"),
        }
    }

    /// An object by type and id.
    pub(crate) fn find(&self, type_name: &str, id: &str) -> Option<&'a Map> {
        self.objects.get(type_name, id)
    }

    /// Ids and objects of a type.
    pub(crate) fn all(
        &self,
        type_name: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Map)> + use<'a> {
        self.objects.of_type(type_name)
    }

    /// The objects of a type with that text in an attribute.
    pub(crate) fn with<'b>(
        &self,
        type_name: &str,
        attribute: &'b str,
        value: &'b str,
    ) -> impl Iterator<Item = (&'a str, &'a Map)> + use<'a, 'b> {
        let all = self.all(type_name);
        all.filter(move |(_, object)| super::text(object, attribute) == value)
    }

    /// Whether there is such an object.
    pub(crate) fn has(&self, type_name: &str, attribute: &str, value: &str) -> bool {
        self.with(type_name, attribute, value).next().is_some()
    }

    /// A new id as EC2 makes them: `vpc-` and 17 hexadecimal digits.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}-0{}", &random_hex()[..16])
    }

    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{ACCOUNT}:{resource}", self.region)
    }

    /// An ARN of IAM, which is in no region.
    pub(crate) fn iam_arn(&self, resource: &str) -> String {
        format!("arn:aws:iam::{ACCOUNT}:{resource}")
    }

    /// A generated name, as the SDK makes them.
    pub(crate) fn unique_name(&self, prefix: &str) -> String {
        format!("{prefix}{}{:08x}", self.now.digits(), self.sequence)
    }

    /// The name of an object that is made: the one that was asked for, or one with the prefix that was.
    pub(crate) fn named(&self, draft: &mut Draft, argument: &str) -> String {
        let by_prefix = format!("{argument}_prefix");
        let name = self.unique_name(match draft.text(&by_prefix) {
            "" => "terraform-",
            prefix => prefix,
        });
        draft.fill(argument, name);
        draft.fill(&by_prefix, "");
        draft.text(argument).to_owned()
    }

    /// What an attribute that AWS decides most likely holds, going by its name.
    pub(crate) fn guess(&self, type_name: &str, attribute: &str, id: &str) -> Option<String> {
        let Some(short) = type_name.strip_prefix("aws_") else {
            let is_time = ["_at", "_time", "_date"]
                .iter()
                .any(|end| attribute.ends_with(end));
            return match attribute {
                "status" | "state" => Some("active".to_owned()),
                _ => is_time.then(|| self.now.rfc3339()),
            };
        };
        let (service, kind) = match short.split_once('_') {
            Some((service @ ("ec2" | "ecr" | "eks" | "iam" | "kms" | "s3" | "dynamodb"), kind)) => {
                (service, kind)
            }
            Some(("cloudwatch", kind)) => ("logs", kind),
            _ => ("ec2", short),
        };
        let kind = kind.replace('_', "-");
        match attribute {
            "arn" if service == "iam" => Some(self.iam_arn(&format!("{kind}/{id}"))),
            "arn" => Some(self.arn(service, &format!("{kind}/{id}"))),
            "owner_id" | "account_id" | "registry_id" => Some(ACCOUNT.to_owned()),
            "region" => Some(self.region.to_owned()),
            "name" => Some(self.unique_name("terraform-")),
            "state" => Some("available".to_owned()),
            "status" => Some("ACTIVE".to_owned()),
            "create_date" | "created_at" | "creation_date" | "created_date" | "create_time"
            | "creation_time" | "modified_at" => Some(self.now.rfc3339()),
            _ => None,
        }
    }
}

/// Random bytes; in a sandbox in memory the same ones in each run of the same operations.
pub(crate) fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    chance::fill(&mut bytes);
    bytes
}

/// 32 random hexadecimal digits.
pub(crate) fn random_hex() -> String {
    HEXLOWER.encode(&random_bytes(16))
}

/// A random UUID.
pub(crate) fn uuid() -> String {
    let hex = random_hex();
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}

/// IAM's ids of principals: a prefix that says of what, and 17 capitals and digits.
pub(crate) fn principal(prefix: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bytes = random_bytes(17);
    let letters = bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    prefix.chars().chain(letters).collect()
}

/// A list of texts.
pub(crate) fn text_set<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
    let texts = texts.into_iter().map(Value::from).collect();
    Value::set(texts, &terrane_core::Type::String)
}

/// A list with one block of those members.
pub(crate) fn one_block(members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::list(vec![Value::map(members)])
}

/// What Go's `crc32.ChecksumIEEE` says of a text; the SDK makes ids of it.
pub(crate) fn checksum(text: &str) -> u32 {
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_in_ids_of_routes() {
        assert_eq!(checksum("0.0.0.0/0"), 1_080_289_494);
    }

    #[test]
    fn ids_have_the_form_of_their_service() {
        assert_eq!(uuid().len(), 36);
        assert_eq!(principal("AROA").len(), 21);
    }
}
