//! Reads HCL's JSON syntax: files that end in `.tf.json`, which CDKTF writes as well.

use serde_json::{Map, Value as Json};

use crate::ast::{Attribute, Block, Body, Kind, Node, Place};
use crate::native;

/// How many labels the blocks of a kind have; blocks of other kinds are not of Terraform's language.
fn labels(kind: &str) -> Option<usize> {
    Some(match kind {
        "resource" | "data" | "ephemeral" => 2,
        "variable" | "output" | "module" | "provider" | "check" => 1,
        "locals" | "terraform" | "moved" | "import" | "removed" => 0,
        _ => return None,
    })
}

/// Arguments that hold references and no texts, though JSON has only texts.
const REFERENCES: [&str; 9] = [
    "depends_on",
    "ignore_changes",
    "replace_triggered_by",
    "provider",
    "providers",
    "from",
    "to",
    "type",
    "alias_of",
];

/// The body of a file.
pub(crate) fn body(file: usize, text: &str) -> Result<Body> {
    let json: Json = serde_json::from_str(text).map_err(|error| native::Unreadable {
        line: error.line(),
        reason: error.to_string(),
    })?;
    let reader = Reader {
        place: Place {
            file,
            start: 0,
            end: 0,
        },
    };
    let Json::Object(members) = json else {
        return Err(reader.wrong("the file has to be an object"));
    };
    let mut body = Body::default();
    for (kind, value) in members {
        if kind == "//" {
            continue;
        }
        let Some(labels) = labels(&kind) else {
            return Err(reader.wrong(&format!("`{kind}` is not a block type")));
        };
        reader.blocks(&kind, labels, value, &mut Vec::new(), &mut body)?;
    }
    Ok(body)
}

/// The values of a `.tfvars.json` file.
pub(crate) fn values(place: Place, text: &str) -> Result<Body> {
    let json: Map<String, Json> =
        serde_json::from_str(text).map_err(|error| native::Unreadable {
            line: error.line(),
            reason: error.to_string(),
        })?;
    let reader = Reader { place };
    let attributes = json.into_iter().map(|(name, value)| {
        Ok(Attribute {
            name,
            value: reader.node(value, false)?,
            comments: Vec::new(),
            place,
        })
    });
    Ok(Body {
        attributes: attributes.collect::<Result<_>>()?,
        blocks: Vec::new(),
    })
}

struct Reader {
    place: Place,
}

type Result<T> = std::result::Result<T, native::Unreadable>;

impl Reader {
    fn wrong(&self, reason: &str) -> native::Unreadable {
        native::Unreadable {
            line: 1,
            reason: reason.to_owned(),
        }
    }

    fn blocks(
        &self,
        kind: &str,
        labels: usize,
        value: Json,
        said: &mut Vec<String>,
        body: &mut Body,
    ) -> Result<()> {
        match value {
            Json::Array(all) => {
                for one in all {
                    self.blocks(kind, labels, one, said, body)?;
                }
            }
            Json::Object(members) if labels == said.len() => {
                let body_of = self.content(kind, members)?;
                body.blocks.push(Block {
                    kind: kind.to_owned(),
                    labels: said.clone(),
                    body: body_of.0,
                    comments: body_of.1,
                    place: self.place,
                });
            }
            Json::Object(members) => {
                for (label, inner) in members {
                    if label == "//" {
                        continue;
                    }
                    said.push(label);
                    self.blocks(kind, labels, inner, said, body)?;
                    said.pop();
                }
            }
            Json::Null => {}
            _ => return Err(self.wrong(&format!("`{kind}` has to be an object"))),
        }
        Ok(())
    }

    /// The content of a block, and its comments. Which members are blocks only a schema knows, but for those of the language.
    fn content(&self, kind: &str, members: Map<String, Json>) -> Result<(Body, Vec<String>)> {
        let mut body = Body::default();
        let mut comments = Vec::new();
        for (name, value) in members {
            if name == "//" {
                if let Json::String(text) = value {
                    comments.push(text);
                }
                continue;
            }
            let inner = match (kind, &*name) {
                ("resource" | "data", "lifecycle" | "connection")
                | ("terraform", "required_providers" | "cloud")
                | ("variable", "validation")
                | ("output" | "check" | "lifecycle", "precondition" | "postcondition" | "assert")
                | ("removed", "lifecycle") => Some(0),
                ("resource", "provisioner")
                | ("terraform", "backend" | "provider_meta")
                | ("check", "data") => Some(1),
                (_, "dynamic") => Some(1),
                _ => None,
            };
            // The provider of a block of its own is one, inside others a reference.
            match inner {
                Some(labels) => {
                    let labels = if (kind, &*name) == ("check", "data") {
                        2
                    } else {
                        labels
                    };
                    self.blocks(&name, labels, value, &mut Vec::new(), &mut body)?;
                }
                None if (kind, &*name) == ("dynamic", "content") => {
                    self.blocks("content", 0, value, &mut Vec::new(), &mut body)?;
                }
                None => {
                    let is_reference = REFERENCES.contains(&&*name)
                        && match kind {
                            "variable" => name == "type",
                            "moved" | "import" | "removed" => {
                                matches!(&*name, "from" | "to" | "provider")
                            }
                            "lifecycle" => true,
                            "module" => matches!(&*name, "providers" | "depends_on"),
                            "resource" | "data" | "output" | "ephemeral" => {
                                matches!(&*name, "provider" | "depends_on")
                            }
                            _ => false,
                        };
                    let value = self.node(value, is_reference)?;
                    body.attributes.push(Attribute {
                        name,
                        value,
                        comments: Vec::new(),
                        place: self.place,
                    });
                }
            }
        }
        Ok((body, comments))
    }

    fn node(&self, value: Json, is_reference: bool) -> Result<Node> {
        let kind = match value {
            Json::Null => Kind::Null,
            Json::Bool(truth) => Kind::Bool(truth),
            Json::Number(number) => Kind::Number(number.to_string()),
            Json::String(text) if is_reference => {
                let text = text
                    .strip_prefix("${")
                    .and_then(|it| it.strip_suffix('}'))
                    .unwrap_or(&text);
                return native::expression(self.place, text);
            }
            Json::String(text) if text.contains("${") || text.contains("%{") => {
                return native::template(self.place, &text);
            }
            Json::String(text) => Kind::Text(text),
            Json::Array(all) => {
                let all = all.into_iter().map(|one| self.node(one, is_reference));
                Kind::List(all.collect::<Result<_>>()?)
            }
            Json::Object(members) => {
                let members = members.into_iter().filter(|(key, _)| key != "//");
                let members = members.map(|(key, one)| {
                    let key = self.node(Json::String(key), false)?;
                    Ok((key, self.node(one, is_reference)?))
                });
                Kind::Object(members.collect::<Result<_>>()?)
            }
        };
        Ok(Node::new(kind, self.place))
    }
}
