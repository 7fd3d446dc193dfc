//! A state that is encrypted whole, as a file of version 4: what tells states apart is in clear, all else is in one member.

use serde::{Deserialize, Serialize};

use super::envelope::{Envelope, WrappedKey};

/// The file. Its order is that of Terraform's members, so that readers of its beginning find serial and lineage.
#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    terraform_version: String,
    serial: u64,
    lineage: String,
    outputs: serde_json::Map<String, serde_json::Value>,
    resources: [Guard; 1],
    check_results: (),
    terrane_encryption: Envelope,
}

/// The name of the member that has what opens a file.
pub(super) const MEMBER: &str = "terrane_encryption";

/// One resource of a mode that no tool knows: to Terraform and OpenTofu an encrypted state is an error. They would take one without
/// resources for an empty state and create every object a second time, and ciphertexts for values.
pub(super) const GUARD: &str = r#"{"mode":"encrypted","type":"terrane_encrypted","name":"state","provider":"provider[\"terraform.io/builtin/terraform\"]","instances":[]}"#;

#[derive(Serialize, Deserialize)]
struct Guard {
    mode: String,
    #[serde(rename = "type")]
    type_name: String,
    name: String,
    provider: String,
    instances: [(); 0],
}

/// The members of a state that stay in clear.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Header {
    terraform_version: String,
    serial: u64,
    lineage: String,
}

/// The place of a state: which one, and at which serial.
fn place(lineage: &str, serial: u64) -> String {
    format!("terrane state\n{lineage}\n{serial}")
}

/// A file with that state encrypted.
pub(super) fn seal(key: &WrappedKey, state: &[u8]) -> Vec<u8> {
    // Bytes that are no state are somebody's damage, which is kept as well.
    let Header {
        terraform_version,
        serial,
        lineage,
    } = serde_json::from_slice(state).unwrap_or_default();
    let envelope = Envelope::seal(key, &place(&lineage, serial), state);
    let file = File {
        version: 4,
        terraform_version,
        serial,
        lineage,
        outputs: serde_json::Map::new(),
        resources: [serde_json::from_str(GUARD).expect("invariant: the guard is a resource")],
        check_results: (),
        terrane_encryption: envelope,
    };
    let mut bytes = serde_json::to_vec_pretty(&file).expect("invariant: a file is serialisable");
    bytes.push(b'\n');
    bytes
}

/// The envelope of a file and the place that it must be for; `None` where the file is in clear.
pub(super) fn envelope(file: &[u8]) -> Option<(Envelope, String)> {
    let file: File = serde_json::from_slice(file).ok()?;
    let place = place(&file.lineage, file.serial);
    Some((file.terrane_encryption, place))
}
