//! A state whose sensitive values alone are encrypted, each in its place; everything else reads as before.

use std::ops::Range;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use terrane_vault::DataKey;

use super::envelope::{Forged, VERSION, WrappedKey, base64, decrypt, encrypt, is_mac, mac};
use super::whole::{GUARD, MEMBER};
use crate::file::node;
use crate::file::v4::sensitive_places;

/// How an encrypted value begins.
const PREFIX: &str = "\"terrane-encrypted:";

/// Encrypted values are multiples of so many bytes, so that their length tells little.
const BLOCK: usize = 32;

/// The member that makes a state such a file, its last.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) version: u32,
    /// The key service that encrypted the data key.
    pub(super) key: String,
    /// The data key, encrypted.
    #[serde(with = "base64")]
    pub(super) data_key: Vec<u8>,
    /// Authenticates the file as it is in clear: nothing in it can be changed, moved or left out.
    #[serde(with = "base64")]
    digest: Vec<u8>,
}

/// Such a file, as it was found.
#[derive(Debug)]
pub(super) struct Leaves<'a> {
    pub(super) header: Header,
    /// The text of the state, without what encryption put between.
    parts: [&'a str; 3],
    outline: Outline<'a>,
}

/// What encryption looks at in the text of a state.
#[derive(Debug)]
struct Outline<'a> {
    lineage: &'a str,
    serial: &'a str,
    /// Behind the bracket that opens `resources`.
    in_resources: usize,
    /// Behind the last member that is the state's own.
    after_members: usize,
    /// The header.
    header: Option<Range<usize>>,
}

impl<'a> Outline<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let root = node::document(text).ok()?;
        let (mut lineage, mut serial) = ("", "");
        let (mut in_resources, mut after_members, mut header) = (None, 0, None);
        for (name, value) in root.members().ok()?.into_iter() {
            let value = root.child(&name, value);
            let range = value.range();
            match &*name {
                MEMBER => {
                    header = Some(range);
                    continue;
                }
                "lineage" => lineage = value.text(),
                "serial" => serial = value.text(),
                "resources" if value.text().starts_with('[') => {
                    in_resources = Some(range.start + 1);
                }
                _ => {}
            }
            after_members = range.end;
        }
        Some(Self {
            lineage,
            serial,
            in_resources: in_resources?,
            after_members,
            header,
        })
    }

    /// The place of a value: in which file of which state, at which serial, and which one of its values it is.
    fn place(&self, kind: &str, number: usize) -> String {
        let (lineage, serial) = (self.lineage, self.serial);
        format!("terrane {kind}\n{lineage}\n{serial}\n{number}")
    }
}

/// What the digest authenticates.
fn authenticated<'a>(kind: &'a str, clear: &'a str) -> [&'a [u8]; 3] {
    [kind.as_bytes(), b"\n", clear.as_bytes()]
}

/// Encrypts what is sensitive in a state; `None` where that cannot be told from the rest.
pub(super) fn seal(key: &WrappedKey, kind: &str, state: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(state).ok()?;
    let outline = Outline::of(text).filter(|outline| outline.header.is_none())?;
    // Every value that begins so is one of ours.
    if text.contains(PREFIX) {
        return None;
    }
    let mut edits = Vec::new();
    for (number, place) in sensitive_places(text).ok()?.into_iter().enumerate() {
        let mut value = text[place.clone()].as_bytes().to_vec();
        value.resize(value.len().next_multiple_of(BLOCK), b' ');
        let value = encrypt(&key.key, &outline.place(kind, number), &value);
        edits.push((place, format!("{PREFIX}{}\"", BASE64.encode(&value))));
    }
    let is_empty = text[outline.in_resources..].starts_with(']');
    let guard = format!("{GUARD}{}", if is_empty { "" } else { "," });
    let start = outline.in_resources;
    edits.push((start..start, guard));
    let header = Header {
        version: VERSION,
        key: key.service.clone(),
        data_key: key.wrapped.clone(),
        digest: mac(&key.key, "file", authenticated(kind, text)),
    };
    let header = serde_json::to_string(&header).expect("invariant: a header is serialisable");
    let line = if text.starts_with("{\n") { "\n  " } else { "" };
    let end = outline.after_members;
    edits.push((end..end, format!(",{line}\"{MEMBER}\": {header}")));
    edits.sort_by_key(|(place, _)| place.start);

    let (mut sealed, mut done) = (String::with_capacity(text.len() * 2), 0);
    for (Range { start, end }, instead) in edits {
        sealed.push_str(&text[done..start]);
        sealed.push_str(&instead);
        done = end;
    }
    sealed.push_str(&text[done..]);
    Some(sealed.into_bytes())
}

impl<'a> Leaves<'a> {
    /// That file; `None` where the bytes are another one.
    pub(super) fn find(bytes: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let outline = Outline::of(text)?;
        let header = outline.header.clone()?;
        let resources = &text[outline.in_resources..];
        let start = resources.strip_prefix(GUARD).map(|guarded| {
            let guarded = guarded.strip_prefix(',').unwrap_or(guarded);
            text.len() - guarded.len()
        });
        // Without its guard, or in another order, it is not what was authenticated.
        let state = start.and_then(|start| text.get(start..outline.after_members));
        let state = state.unwrap_or_default();
        Some(Self {
            parts: [&text[..outline.in_resources], state, &text[header.end..]],
            header: serde_json::from_str(&text[header]).ok()?,
            outline,
        })
    }

    /// Decrypts what was encrypted as a file of that kind.
    pub(super) fn open(&self, key: &DataKey, kind: &str) -> Result<Vec<u8>, Forged> {
        let mut clear = String::new();
        let mut number = 0;
        for part in self.parts {
            let mut rest = part;
            while let Some((before, after)) = rest.split_once(PREFIX) {
                let (value, behind) = after.split_once('"').ok_or(Forged)?;
                let sealed = BASE64.decode(value.as_bytes()).map_err(|_| Forged)?;
                let value = decrypt(key, &self.outline.place(kind, number), &sealed)?;
                let value = String::from_utf8(value).map_err(|_| Forged)?;
                clear.push_str(before);
                clear.push_str(value.trim_end_matches(' '));
                (rest, number) = (behind, number + 1);
            }
            clear.push_str(rest);
        }
        match is_mac(
            key,
            "file",
            authenticated(kind, &clear),
            &self.header.digest,
        ) {
            true => Ok(clear.into_bytes()),
            false => Err(Forged),
        }
    }
}

/// Whether bytes have encrypted values in them, whatever else they are.
pub(super) fn has_encrypted_values(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes);
    text.is_ok_and(|text| text.contains(PREFIX))
}
