//! Hashes of everything that an answer or a reading rests on.

use serde::Serialize;
use terrane_core::Value;
use terrane_core::addr::InstanceAddr;
use terrane_core::value::saved::Borrowed;
use terrane_state::model::Attributes;
use terrane_state::{Object, Sha256};

/// Half of a SHA-256: enough to tell what chance could mistake.
pub(crate) type Digest = [u8; 16];

/// The parts of something that is hashed, each with its length.
pub(super) struct Parts(Vec<u8>);

impl Parts {
    /// Those of a kind of thing.
    pub(super) fn of(kind: &str) -> Self {
        Self(Vec::with_capacity(1024)).text(kind)
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend((bytes.len() as u64).to_be_bytes());
        self.0.extend(bytes);
        self
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// A list of anything by its debug form, which tells each value from every other.
    pub(super) fn debug(self, it: &impl std::fmt::Debug) -> Self {
        self.text(&format!("{it:?}"))
    }

    pub(super) fn value(self, value: &Value) -> Self {
        self.json(&Borrowed(value))
    }

    fn json(mut self, it: &impl Serialize) -> Self {
        let start = self.0.len();
        self.0.extend([0; 8]);
        serde_json::to_writer(&mut self.0, it).expect("invariant: a value is serialisable");
        let length = (self.0.len() - start - 8) as u64;
        self.0[start..start + 8].copy_from_slice(&length.to_be_bytes());
        self
    }

    pub(super) fn digest(&self) -> Digest {
        let whole = Sha256::of(&self.0);
        let half = whole.as_bytes().first_chunk();
        *half.expect("invariant: a SHA-256 has 32 bytes")
    }
}

/// Of a stored object: everything in it but its dependencies, which no provider sees.
pub(super) fn of_object(address: &InstanceAddr, object: &Object) -> Digest {
    let form = match &object.attributes {
        Attributes::Json(_) => "json",
        Attributes::Flat(_) => "flat",
    };
    let parts = Parts::of("object")
        .text(&address.to_string())
        .text(form)
        .text(object.attributes.raw().as_str())
        .bytes(&object.schema_version.to_be_bytes())
        .bytes(&object.private)
        .debug(&object.status)
        .debug(&object.sensitive_attributes.paths)
        .debug(&object.create_before_destroy);
    let parts = match &object.identity {
        None => parts.text("no identity"),
        Some(identity) => parts
            .text(identity.json.as_str())
            .bytes(&identity.schema_version.to_be_bytes()),
    };
    parts.digest()
}
