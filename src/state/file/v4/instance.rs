//! Objects of one instance, as files and the journal store them.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use terrane_core::addr::{ConfigAddr, InstanceKey, ProviderConfigAddr, ProviderSource};

use super::json::{Layout, Writer};
use super::paths;
use crate::file::FileError;
use crate::file::node::{self, Node};
use crate::model::{
    Attributes, DeposedKey, Identity, Instance, Object, ObjectStatus, RawJson, SensitiveAttributes,
};

/// Addresses that were read before: in a large state every dependency occurs hundreds of times, and so do whole lists of them.
#[derive(Default)]
pub(super) struct Interned<'a> {
    dependencies: HashMap<std::borrow::Cow<'a, str>, ConfigAddr>,
    /// By their text in the file.
    lists: HashMap<&'a str, Arc<[ConfigAddr]>>,
    providers: HashMap<std::borrow::Cow<'a, str>, ProviderConfigAddr>,
}

impl<'a> Interned<'a> {
    pub(super) fn provider(
        &mut self,
        node: &Node<'a, '_>,
    ) -> Result<ProviderConfigAddr, FileError> {
        let text = node.string()?;
        if let Some(known) = self.providers.get(&text) {
            return Ok(known.clone());
        }
        let provider = parse_provider(&text).map_err(|reason| node.damaged(reason))?;
        self.providers.insert(text, provider.clone());
        Ok(provider)
    }

    fn dependencies(&mut self, node: &Node<'a, '_>) -> Result<Arc<[ConfigAddr]>, FileError> {
        if let Some(known) = self.lists.get(node.text()) {
            return Ok(known.clone());
        }
        let mut dependencies = Vec::new();
        node.elements(|dependency| {
            dependencies.push(self.dependency(&dependency)?);
            Ok(())
        })?;
        let dependencies: Arc<[ConfigAddr]> = dependencies.into();
        self.lists.insert(node.text(), dependencies.clone());
        Ok(dependencies)
    }

    fn dependency(&mut self, node: &Node<'a, '_>) -> Result<ConfigAddr, FileError> {
        let text = node.string()?;
        if let Some(known) = self.dependencies.get(&text) {
            return Ok(known.clone());
        }
        let address: ConfigAddr = text.parse().map_err(|error| node.damaged(error))?;
        self.dependencies.insert(text, address.clone());
        Ok(address)
    }
}

/// `provider["host/ns/type"].alias`, or the form from before 0.13: `provider.type.alias`.
fn parse_provider(text: &str) -> Result<ProviderConfigAddr, String> {
    let error = match text.parse() {
        Ok(provider) => return Ok(provider),
        Err(error) => error,
    };
    if text.contains("provider[\"") && text.ends_with("\"]") {
        return Err(format!(
            "{error}; instances of providers (OpenTofu's `for_each` in a provider block) are not supported"
        ));
    }
    let (module, name) = match text.strip_prefix("provider.") {
        Some(name) => ("", name),
        None => text
            .rsplit_once(".provider.")
            .ok_or_else(|| error.to_string())?,
    };
    let (provider, alias) = match name.split_once('.') {
        Some((provider, alias)) => (provider, Some(alias)),
        None => (name, None),
    };
    let plain = |part: &str| !part.is_empty() && !part.contains(['.', '[', '"', '/']);
    if !plain(provider) || alias.is_some_and(|alias| !plain(alias)) {
        return Err(error.to_string());
    }
    let module = if module.is_empty() {
        Ok(terrane_core::addr::ModuleAddr::root())
    } else {
        module.parse()
    };
    Ok(ProviderConfigAddr {
        module: module.map_err(|error| error.to_string())?,
        source: ProviderSource {
            // Only Terraform has written addresses of this form.
            host: ProviderSource::TERRAFORM_HOST.into(),
            type_name: provider.into(),
            ..ProviderSource::implied_by(provider)
        },
        alias: alias.map(Into::into),
    })
}

/// One entry of `instances`.
pub(super) struct Entry {
    pub(super) key: Option<InstanceKey>,
    pub(super) deposed: Option<DeposedKey>,
    pub(super) provider: Option<ProviderConfigAddr>,
    pub(super) object: Object,
}

pub(super) fn read_entry<'a>(
    node: &Node<'a, '_>,
    interned: &mut Interned<'a>,
) -> Result<Entry, FileError> {
    let mut members = node.members()?;
    let key = members
        .take(node, "index_key")
        .map(|key| match key.text().as_bytes()[0] {
            b'"' => key.string().map(InstanceKey::string),
            _ => InstanceKey::int(key.u64()?).map_err(|too_large| key.damaged(too_large)),
        });
    let status = match members.take(node, "status") {
        None => ObjectStatus::Ready,
        Some(status) => match &*status.string()? {
            "" => ObjectStatus::Ready,
            "tainted" => ObjectStatus::Tainted,
            other => return Err(status.damaged(format_args!("unknown status {other:?}"))),
        },
    };
    let deposed = match members.take(node, "deposed") {
        None => None,
        Some(deposed) => match &*deposed.string()? {
            "" => None,
            key => Some(key.parse().map_err(|error| deposed.damaged(error))?),
        },
    };
    let provider = members.take(node, "provider");
    let provider = provider
        .map(|provider| interned.provider(&provider))
        .transpose()?;
    let schema_version = members
        .take(node, "schema_version")
        .map_or(Ok(0), |version| version.u64())?;
    let attributes = members.take(node, "attributes");
    let flat = members.take(node, "attributes_flat");
    let attributes = match (attributes, flat) {
        (Some(attributes), _) => Attributes::Json(object_text(&attributes)?),
        (None, Some(flat)) => Attributes::Flat(object_text(&flat)?),
        (None, None) => Attributes::Json(RawJson::empty_object()),
    };
    let sensitive_attributes = match members.take(node, "sensitive_attributes") {
        Some(sensitive) => paths::read(&sensitive)?,
        None => SensitiveAttributes::default(),
    };
    let identity_version = members
        .take(node, "identity_schema_version")
        .map_or(Ok(0), |version| version.u64())?;
    let identity = match members.take(node, "identity") {
        None => None,
        Some(identity) => Some(Identity {
            json: object_text(&identity)?,
            schema_version: identity_version,
        }),
    };
    let private = match members.take(node, "private") {
        None => Bytes::new(),
        Some(private) => {
            let decoded = BASE64.decode(private.string()?.as_bytes());
            decoded
                .map_err(|error| private.damaged(format_args!("not base64: {error}")))?
                .into()
        }
    };
    let dependencies = match members.take(node, "dependencies") {
        None => Arc::default(),
        Some(stored) => interned.dependencies(&stored)?,
    };
    let flag = |member: Option<Node<'_, '_>>| member.map_or(Ok(false), |flag| flag.bool());
    let create_before_destroy = flag(members.take(node, "create_before_destroy"))?;
    let skip_destroy = flag(members.take(node, "skip_destroy"))?;
    Ok(Entry {
        key: key.transpose()?,
        deposed,
        provider,
        object: Object {
            status,
            schema_version,
            attributes,
            sensitive_attributes,
            private,
            dependencies,
            create_before_destroy,
            skip_destroy,
            identity,
            extra: members.rest(node)?,
        },
    })
}

fn object_text(node: &Node<'_, '_>) -> Result<RawJson, FileError> {
    if node.text().starts_with('{') {
        node.raw()
    } else {
        Err(node.damaged("expected an object"))
    }
}

/// Writes the entries of one instance: the current object first, then the deposed ones by key.
pub(super) fn write_entries<'s>(
    key: Option<&InstanceKey>,
    instance: &'s Instance,
    out: &mut Writer<'s>,
) {
    if let Some(current) = &instance.current {
        write_entry(key, None, current, out);
    }
    for (deposed, object) in &instance.deposed {
        write_entry(key, Some(*deposed), object, out);
    }
}

fn write_entry<'s>(
    key: Option<&InstanceKey>,
    deposed: Option<DeposedKey>,
    object: &'s Object,
    out: &mut Writer<'s>,
) {
    out.open('{');
    if let Some(key) = key {
        out.name("index_key");
        match key {
            InstanceKey::Int(index) => out.literal(&index.to_string()),
            InstanceKey::String(key) => out.string(key),
        }
    }
    if object.status == ObjectStatus::Tainted {
        out.name("status");
        out.string("tainted");
    }
    if let Some(deposed) = deposed {
        out.name("deposed");
        out.string(&deposed.to_string());
    }
    out.name("schema_version");
    out.literal(&object.schema_version.to_string());
    match &object.attributes {
        Attributes::Json(raw) => {
            out.name("attributes");
            out.literal(raw.as_str());
        }
        Attributes::Flat(raw) => {
            out.name("attributes_flat");
            out.literal(raw.as_str());
        }
    }
    out.name("sensitive_attributes");
    paths::write(&object.sensitive_attributes, out);
    if let Some(identity) = &object.identity {
        out.name("identity_schema_version");
        out.literal(&identity.schema_version.to_string());
        out.name("identity");
        out.literal(identity.json.as_str());
    }
    if !object.private.is_empty() {
        out.name("private");
        out.string(&BASE64.encode(&object.private));
    }
    if !object.dependencies.is_empty() {
        out.name("dependencies");
        out.dependencies(&object.dependencies);
    }
    if object.create_before_destroy {
        out.name("create_before_destroy");
        out.literal("true");
    }
    if object.skip_destroy {
        out.name("skip_destroy");
        out.literal("true");
    }
    super::write::write_extra(&object.extra, out);
    out.close('}');
}

/// One instance as text of its own, for the journal.
pub(crate) fn write_instance(instance: &Instance) -> String {
    let mut out = Writer::new(Layout::Compact);
    out.open('{');
    out.name("provider");
    out.string(&instance.provider.to_string());
    out.name("instances");
    out.open('[');
    write_entries(None, instance, &mut out);
    out.close(']');
    out.close('}');
    out.finish().into_string()
}

/// Reads what [`write_instance`] wrote.
pub(crate) fn read_instance(text: &str) -> Result<Instance, FileError> {
    let node = node::document(text)?;
    let mut interned = Interned::default();
    let mut members = node.members()?;
    let provider = interned.provider(&members.need(&node, "provider")?)?;
    let mut instance = Instance {
        provider,
        current: None,
        deposed: std::collections::BTreeMap::new(),
    };
    members_into(
        &members.need(&node, "instances")?,
        &mut interned,
        &mut instance,
    )?;
    Ok(instance)
}

fn members_into<'a>(
    node: &Node<'a, '_>,
    interned: &mut Interned<'a>,
    instance: &mut Instance,
) -> Result<(), FileError> {
    node.elements(|node| {
        let entry = read_entry(&node, interned)?;
        insert(&node, instance, entry.deposed, entry.object)
    })
}

/// Puts an object in its place; each place only once.
pub(super) fn insert(
    node: &Node<'_, '_>,
    instance: &mut Instance,
    deposed: Option<DeposedKey>,
    object: Object,
) -> Result<(), FileError> {
    let object = Arc::new(object);
    let before = match deposed {
        None => instance.current.replace(object),
        Some(key) => instance.deposed.insert(key, object),
    };
    match before {
        None => Ok(()),
        Some(_) if node.text().is_ascii() => Err(node.damaged("the same instance occurs twice")),
        Some(_) => Err(node.damaged(
            "the same instance occurs twice (keys are compared in Unicode normal form C)",
        )),
    }
}
