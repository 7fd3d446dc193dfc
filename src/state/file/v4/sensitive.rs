//! Where the sensitive values of a state are in its text.

use std::collections::BTreeMap;
use std::ops::Range;

use terrane_core::secrets::{SecretMatcher, texts_in};
use terrane_core::{Path, PathStep, Value};

use super::paths;
use crate::file::FileError;
use crate::file::node::{self, Node};

/// Deeper values than any provider has; attributes nest less deep.
const MAX_DEPTH: usize = 128;

/// Members of a resource and of its instances that make its address, or say what kind of object it is.
const STRUCTURE: [&str; 11] = [
    "module",
    "mode",
    "type",
    "name",
    "provider",
    "index_key",
    "status",
    "deposed",
    "schema_version",
    "identity_schema_version",
    "dependencies",
];

/// The places of everything that is sensitive, in order, none within another: outputs and attributes that the state says are, the
/// providers' private bytes, and every value in which one of these secrets turns up again.
///
/// # Errors
/// When the text is no state of version 4, or something in it is not understood. Nothing is known of its secrets then.
pub(crate) fn sensitive_places(text: &str) -> Result<Vec<Range<usize>>, FileError> {
    let root = node::document(text)?;
    let mut members = root.members()?;
    let version = members.need(&root, "version")?;
    if version.text() != "4" {
        return Err(version.damaged("not version 4"));
    }
    let mut found = Found::default();
    let outputs = members.take(&root, "outputs");
    if let Some(outputs) = &outputs {
        each_member(outputs, |_, output| {
            let mut members = output.members()?;
            let sensitive = members.take(output, "sensitive");
            let sensitive = sensitive.map_or(Ok(false), |flag| flag.bool())?;
            match members.take(output, "value").filter(|_| sensitive) {
                Some(value) => found.add(&value),
                None => Ok(()),
            }
        })?;
    }
    let resources = members.need(&root, "resources")?;
    let each_instance = |visit: &mut dyn FnMut(&Node<'_, '_>) -> Result<(), FileError>| {
        resources.elements(|resource| {
            let instances = resource.members()?.need(&resource, "instances")?;
            instances.elements(|instance| visit(&instance))
        })
    };
    each_instance(&mut |instance| found.marked(instance))?;

    let Some(matcher) = SecretMatcher::new(found.secrets.iter().map(String::as_str)) else {
        return Ok(found.places());
    };
    let mut copies = Copies {
        known: &mut found.ends,
        matcher,
    };
    if let Some(outputs) = &outputs {
        each_member(outputs, |_, output| {
            each_member(output, |name, member| match name {
                "type" | "sensitive" => Ok(()),
                _ => copies.look(member, 0),
            })
        })?;
    }
    resources.elements(|resource| {
        each_member(&resource, |name, member| match name {
            "instances" => Ok(()),
            name if STRUCTURE.contains(&name) => Ok(()),
            _ => copies.look(member, 0),
        })
    })?;
    each_instance(&mut |instance| {
        each_member(instance, |name, member| match name {
            name if STRUCTURE.contains(&name) => Ok(()),
            // Its own names are those of the schema.
            "attributes" | "attributes_flat" => {
                each_member(member, |_, attribute| copies.look(attribute, 1))
            }
            _ => copies.look(member, 0),
        })
    })?;
    // Results of checks, and what later versions add.
    each_member(&root, |name, member| match name {
        "version" | "terraform_version" | "serial" | "lineage" | "outputs" | "resources" => Ok(()),
        _ => copies.look(member, 0),
    })?;
    Ok(found.places())
}

/// Calls `visit` with every member of an object and its name; `null` has none.
fn each_member<'a>(
    object: &Node<'a, '_>,
    mut visit: impl FnMut(&str, &Node<'a, '_>) -> Result<(), FileError>,
) -> Result<(), FileError> {
    if object.is_null() {
        return Ok(());
    }
    let mut members = object.members()?.into_iter();
    members.try_for_each(|(name, text)| visit(&name, &object.child(&name, text)))
}

/// What the state itself says is sensitive.
#[derive(Default)]
struct Found {
    /// Ends of places by their starts.
    ends: BTreeMap<usize, usize>,
    secrets: Vec<String>,
}

impl Found {
    fn places(self) -> Vec<Range<usize>> {
        let mut places: Vec<Range<usize>> = Vec::with_capacity(self.ends.len());
        for (start, end) in self.ends {
            if places.last().is_none_or(|last| last.end <= start) {
                places.push(start..end);
            }
        }
        places
    }

    fn add(&mut self, node: &Node<'_, '_>) -> Result<(), FileError> {
        if node.is_null() {
            return Ok(());
        }
        let value = Value::from_json_stored(node.text().as_bytes());
        let value = value.map_err(|error| node.damaged(error))?;
        texts_in(&value, &mut |text| self.secrets.push(text.to_owned()));
        self.hide(node);
        Ok(())
    }

    fn hide(&mut self, node: &Node<'_, '_>) {
        let Range { start, end } = node.range();
        self.ends.insert(start, end);
    }

    /// The parts of an instance that its marks name, and its private bytes.
    fn marked(&mut self, instance: &Node<'_, '_>) -> Result<(), FileError> {
        let mut members = instance.members()?;
        if let Some(private) = members.take(instance, "private") {
            self.hide(&private);
        }
        if let Some(flat) = members.take(instance, "attributes_flat") {
            // Nothing says which of these are sensitive.
            each_member(&flat, |_, attribute| {
                self.hide(attribute);
                Ok(())
            })?;
        }
        let attributes = members.take(instance, "attributes");
        let marks = members.take(instance, "sensitive_attributes");
        let (Some(attributes), Some(marks)) = (attributes, marks) else {
            return Ok(());
        };
        let marks = paths::read(&marks)?;
        if !marks.unrecognised.is_empty() {
            each_member(&attributes, |_, attribute| self.add(attribute))?;
        }
        (marks.paths.iter()).try_for_each(|path| self.follow(&attributes, path, 0))
    }

    /// The value that a path leads to, or the innermost one on the way that can be told.
    fn follow(&mut self, node: &Node<'_, '_>, path: &Path, depth: usize) -> Result<(), FileError> {
        let Some(step) = path.steps().get(depth) else {
            return self.add(node);
        };
        match (node.text().as_bytes()[0], step) {
            (b'{', PathStep::Attribute(name) | PathStep::Key(name)) => {
                let members: Vec<_> = node.members()?.into_iter().collect();
                let mut seen = depth == 0;
                for (member, text) in &members {
                    // A value of any type is stored beside its type, and paths do not say so.
                    let wrapped = members.len() == 2 && members[1].0 == "type" && member == "value";
                    let child = node.child(member, text);
                    if member == &**name {
                        self.follow(&child, path, depth + 1)?;
                        seen = true;
                    } else if wrapped && depth > 0 {
                        self.follow(&child, path, depth)?;
                        seen = true;
                    }
                }
                if seen { Ok(()) } else { self.add(node) }
            }
            (b'[', PathStep::Index(index)) => {
                let (mut at, mut seen) = (0, false);
                node.elements(|element| {
                    at += 1;
                    match at == index + 1 {
                        true => {
                            seen = true;
                            self.follow(&element, path, depth + 1)
                        }
                        false => Ok(()),
                    }
                })?;
                if seen { Ok(()) } else { self.add(node) }
            }
            // An element of a set, which has no place.
            _ => self.add(node),
        }
    }
}

/// Secrets that turn up where nothing says that they are.
struct Copies<'f> {
    known: &'f mut BTreeMap<usize, usize>,
    matcher: SecretMatcher,
}

impl Copies<'_> {
    fn look(&mut self, node: &Node<'_, '_>, depth: usize) -> Result<(), FileError> {
        let Range { start, end } = node.range();
        if self.known.get(&start) == Some(&end) {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            return Err(node.damaged("nested too deep"));
        }
        let is_secret = match node.text().as_bytes()[0] {
            b'"' => self.matcher.is_in(&node.string()?),
            b'[' => {
                node.elements(|element| self.look(&element, depth + 1))?;
                false
            }
            b'{' => {
                let mut named = false;
                each_member(node, |name, member| {
                    named |= self.matcher.is_in(name);
                    self.look(member, depth + 1)
                })?;
                named
            }
            _ => self.matcher.is_in(node.text()),
        };
        if is_secret {
            self.known.insert(start, end);
        }
        Ok(())
    }
}
