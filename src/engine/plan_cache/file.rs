//! The file of a plan cache. It may be lost, so anything but a whole one of this form is read as an empty one.
//!
//! ```text
//! terrane-plan-cache 1 SHA-256 of everything that follows this line
//! {"providers":[{"source":…,"build":…,"config":…,"types":[…],…}],"answers":…,"readings":…}
//! ```
//!
//! Answers and readings are hashes; the only text of a stack in it are the names of types. An answer rests on values that a state holds, and
//! never on what no state may hold.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use terrane_core::schema::{
    Attribute, AttributeType, Block, FactsKind, IdentityAttribute, IdentitySchema, Schema,
    from_facts_line, to_facts_line,
};
use terrane_state::Sha256;

use super::digest::Digest;
use super::{KnownProvider, KnownType, PlanCache};

const MAGIC: &str = "terrane-plan-cache 1 ";

/// A reading is a hash and eight bytes of time.
const READING: usize = size_of::<Digest>() + size_of::<u64>();

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedCache {
    providers: Vec<SavedProvider>,
    answers: String,
    readings: String,
}

/// Schemas as facts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedProvider {
    source: String,
    build: String,
    config: String,
    meta: Option<String>,
    resources: Vec<String>,
    identities: Vec<String>,
    data_sources: Vec<String>,
}

impl PlanCache {
    /// The bytes of its file.
    pub fn write(&self) -> Vec<u8> {
        let mut answers: Vec<&Digest> = self.answers.iter().collect();
        answers.sort_unstable();
        let mut readings: Vec<(&Digest, &u64)> = self.readings.iter().collect();
        readings.sort_unstable();
        let readings = readings
            .into_iter()
            .flat_map(|(digest, at)| digest.iter().copied().chain(at.to_be_bytes()));
        let saved = SavedCache {
            providers: self.providers.iter().map(saved_provider).collect(),
            answers: BASE64.encode(answers.into_iter().flatten().copied().collect::<Vec<u8>>()),
            readings: BASE64.encode(readings.collect::<Vec<u8>>()),
        };
        let body = serde_json::to_vec(&saved).expect("invariant: a cache is serialisable");
        let mut file = format!("{MAGIC}{}\n", Sha256::of(&body)).into_bytes();
        file.extend(body);
        file
    }

    /// The cache in those bytes; an empty one where they are no whole one.
    pub fn read(bytes: &[u8]) -> Self {
        read(bytes).unwrap_or_default()
    }
}

fn read(bytes: &[u8]) -> Option<PlanCache> {
    let rest = bytes.strip_prefix(MAGIC.as_bytes())?;
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let (sum, body) = (&rest[..end], &rest[end + 1..]);
    if sum != Sha256::of(body).to_string().as_bytes() {
        return None;
    }
    let saved: SavedCache = serde_json::from_slice(body).ok()?;
    let answers = BASE64.decode(saved.answers).ok()?;
    let (answers, []) = answers.as_chunks() else {
        return None;
    };
    let answers: HashSet<Digest> = answers.iter().copied().collect();
    let readings = BASE64.decode(saved.readings).ok()?;
    let (readings, []) = readings.as_chunks::<READING>() else {
        return None;
    };
    let reading = |bytes: &[u8; READING]| {
        let (digest, at) = bytes.split_first_chunk::<16>()?;
        Some((*digest, u64::from_be_bytes(*at.first_chunk()?)))
    };
    let readings: Option<HashMap<Digest, u64>> = readings.iter().map(reading).collect();
    let mut providers = BTreeMap::new();
    for provider in saved.providers {
        let source = provider.source.parse().ok()?;
        providers.insert(source, known_provider(&provider)?);
    }
    Some(PlanCache {
        providers,
        answers,
        readings: readings?,
    })
}

fn saved_provider(
    (source, known): (&terrane_core::addr::ProviderSource, &KnownProvider),
) -> SavedProvider {
    let resources = known.resources.iter();
    let identities = known.resources.iter().filter_map(|(name, known)| {
        let identity = as_schema(known.identity.as_ref()?);
        Some(to_facts_line(FactsKind::Resource, name, &identity))
    });
    let data_sources = known.data_sources.iter();
    SavedProvider {
        source: source.to_string(),
        build: known.build.to_string(),
        config: to_facts_line(FactsKind::Provider, "config", &known.config),
        meta: (known.meta.as_ref()).map(|meta| to_facts_line(FactsKind::Provider, "meta", meta)),
        resources: resources
            .map(|(name, known)| to_facts_line(FactsKind::Resource, name, &known.schema))
            .collect(),
        identities: identities.collect(),
        data_sources: data_sources
            .map(|(name, schema)| to_facts_line(FactsKind::DataSource, name, schema))
            .collect(),
    }
}

fn known_provider(saved: &SavedProvider) -> Option<KnownProvider> {
    let schema = |line: &String| Some(Arc::new(from_facts_line(line).ok()?.2));
    let mut resources = BTreeMap::new();
    for line in &saved.resources {
        let (_, name, schema) = from_facts_line(line).ok()?;
        let known = KnownType {
            schema: Arc::new(schema),
            identity: None,
        };
        resources.insert(Arc::from(name), known);
    }
    for line in &saved.identities {
        let (_, name, schema) = from_facts_line(line).ok()?;
        resources.get_mut(name)?.identity = Some(Arc::new(as_identity(&schema)?));
    }
    let mut data_sources = BTreeMap::new();
    for line in &saved.data_sources {
        let (_, name, schema) = from_facts_line(line).ok()?;
        data_sources.insert(Arc::from(name), Arc::new(schema));
    }
    Some(KnownProvider {
        build: saved.build.as_str().into(),
        config: schema(&saved.config)?,
        meta: match &saved.meta {
            Some(line) => Some(schema(line)?),
            None => None,
        },
        resources,
        data_sources,
    })
}

/// An identity in the form of a schema, for facts know no other.
fn as_schema(identity: &IdentitySchema) -> Schema {
    let attributes = identity.attributes.iter().map(|attribute| {
        let known = Attribute {
            ty: AttributeType::Plain(attribute.ty.clone()),
            required: attribute.required_for_import,
            optional: attribute.optional_for_import,
            computed: !attribute.required_for_import && !attribute.optional_for_import,
            sensitive: false,
            write_only: false,
            deprecated: false,
        };
        (attribute.name.clone(), known)
    });
    let block = Block {
        attributes: attributes.collect(),
        ..Block::default()
    };
    Schema::new(identity.version, block)
}

fn as_identity(schema: &Schema) -> Option<IdentitySchema> {
    let attributes = schema.block.attributes.iter().map(|(name, attribute)| {
        let AttributeType::Plain(ty) = &attribute.ty else {
            return None;
        };
        Some(IdentityAttribute {
            name: name.clone(),
            ty: ty.clone(),
            required_for_import: attribute.required,
            optional_for_import: attribute.optional,
        })
    });
    let attributes: Option<Vec<_>> = attributes.collect();
    Some(IdentitySchema::new(schema.version, attributes?))
}
