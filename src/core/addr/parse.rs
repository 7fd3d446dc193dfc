//! Reads addresses from text.
//!
//! `FromStr` reads what HCL reads. Command lines, and files that an earlier version may have written, are read leniently: there a text
//! that HCL refuses still has one meaning.

use std::str::FromStr;

use thiserror::Error;

use super::{
    ConfigAddr, InstanceAddr, InstanceKey, KeyTooLarge, Mode, ModuleAddr, ModuleStep,
    ProviderConfigAddr, ProviderSource, ResourceAddr,
};
use crate::quote::{Reading, closing_quote, unescape};

/// The text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a valid {what}: {reason}")]
#[non_exhaustive]
pub struct ParseAddrError {
    /// The text.
    pub text: String,
    /// The kind of address that was expected.
    pub what: &'static str,
    /// The fault.
    pub reason: &'static str,
}

/// A cursor over dotted names with optional bracketed keys.
struct Cursor<'a> {
    text: &'a str,
    rest: &'a str,
    what: &'static str,
    reading: Reading,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str, what: &'static str) -> Self {
        Self::reading(text, what, Reading::Hcl)
    }

    fn reading(text: &'a str, what: &'static str, reading: Reading) -> Self {
        Self {
            text,
            rest: text,
            what,
            reading,
        }
    }

    fn error(&self, reason: &'static str) -> ParseAddrError {
        ParseAddrError {
            text: self.text.to_owned(),
            what: self.what,
            reason,
        }
    }

    /// The next name; the cursor stands behind it.
    fn name(&mut self) -> Result<&'a str, ParseAddrError> {
        let end = self
            .rest
            .find(['.', '[', ']', '"', '/'])
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(self.error("a name is missing"));
        }
        self.rest = rest;
        Ok(name)
    }

    fn dot(&mut self) -> Result<(), ParseAddrError> {
        self.rest = self
            .rest
            .strip_prefix('.')
            .ok_or_else(|| self.error("expected `.`"))?;
        Ok(())
    }

    /// `[0]` or `["key"]`, if the cursor stands before one.
    fn key(&mut self) -> Result<Option<InstanceKey>, ParseAddrError> {
        let Some(inside) = self.rest.strip_prefix('[') else {
            return Ok(None);
        };
        let (key, after) = if let Some(quoted) = inside.strip_prefix('"') {
            let end = closing_quote(quoted).ok_or_else(|| self.error("the key is not closed"))?;
            let key = unescape(&quoted[..end], self.reading).map_err(|why| self.error(why))?;
            (InstanceKey::string(key), &quoted[end + 1..])
        } else {
            let end = inside.find(']').ok_or_else(|| self.error("expected `]`"))?;
            (self.index(&inside[..end])?, &inside[end..])
        };
        self.rest = after
            .strip_prefix(']')
            .ok_or_else(|| self.error("expected `]`"))?;
        Ok(Some(key))
    }

    fn index(&self, digits: &str) -> Result<InstanceKey, ParseAddrError> {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.error(match self.reading {
                Reading::Hcl => "the key is neither a number nor a quoted string",
                // A shell takes quotes for its own.
                Reading::Lenient => {
                    "the key is neither a number nor a quoted string; in a shell, put the address in single quotes"
                }
            }));
        }
        // A number that fits no u64 is too large as well.
        let index = digits.parse().unwrap_or(u64::MAX);
        InstanceKey::int(index).map_err(|_| self.error(KeyTooLarge::REASON))
    }

    /// Leading `module.<name>[key].` steps.
    fn modules(&mut self) -> Result<ModuleAddr, ParseAddrError> {
        let mut steps = Vec::new();
        while let Some(rest) = self.rest.strip_prefix("module.") {
            self.rest = rest;
            let name = self.name()?.into();
            let key = self.key()?;
            steps.push(ModuleStep { name, key });
            if self.rest.is_empty() {
                break;
            }
            self.dot()?;
        }
        Ok(steps.into_iter().collect())
    }

    fn end(&self) -> Result<(), ParseAddrError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error("unexpected text at its end"))
        }
    }
}

fn module(mut cursor: Cursor<'_>) -> Result<ModuleAddr, ParseAddrError> {
    let module = cursor.modules()?;
    cursor.end()?;
    Ok(module)
}

const MODULE: &str = "module address";

impl FromStr for ModuleAddr {
    type Err = ParseAddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        module(Cursor::new(text, MODULE))
    }
}

impl ModuleAddr {
    /// Reads what a person typed or an earlier version stored: also a key with `${` or `%{` in it, or with an escape of JSON or Rust.
    ///
    /// # Errors
    /// When the text is no module address even so.
    pub fn parse_lenient(text: &str) -> Result<Self, ParseAddrError> {
        module(Cursor::reading(text, MODULE, Reading::Lenient))
    }
}

fn instance(mut cursor: Cursor<'_>) -> Result<InstanceAddr, ParseAddrError> {
    let module = cursor.modules()?;
    let mut mode = Mode::Managed;
    for prefixed in [Mode::Data, Mode::Ephemeral] {
        if let Some(rest) = cursor.rest.strip_prefix(prefixed.prefix()) {
            cursor.rest = rest;
            mode = prefixed;
            break;
        }
    }
    let type_name = cursor.name()?.into();
    cursor.dot()?;
    let name = cursor.name()?.into();
    let key = cursor.key()?;
    cursor.end()?;
    Ok(ResourceAddr {
        module,
        mode,
        type_name,
        name,
    }
    .instance(key))
}

const INSTANCE: &str = "resource address";

impl FromStr for InstanceAddr {
    type Err = ParseAddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        instance(Cursor::new(text, INSTANCE))
    }
}

impl InstanceAddr {
    /// Reads what a person typed or an earlier version stored; see [`ModuleAddr::parse_lenient`].
    ///
    /// # Errors
    /// When the text is no resource address even so.
    pub fn parse_lenient(text: &str) -> Result<Self, ParseAddrError> {
        instance(Cursor::reading(text, INSTANCE, Reading::Lenient))
    }
}

impl FromStr for ResourceAddr {
    type Err = ParseAddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let what = "resource address without a key";
        let addr = instance(Cursor::new(text, what))?;
        match addr.key {
            None => Ok(addr.resource),
            Some(_) => Err(Cursor::new(text, what).error("it has an instance key")),
        }
    }
}

impl FromStr for ConfigAddr {
    type Err = ParseAddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse::<ResourceAddr>()?.config())
    }
}

impl FromStr for ProviderSource {
    type Err = ParseAddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let cursor = Cursor::new(text, "provider source");
        let parts: Vec<&str> = text.split('/').collect();
        let (host, namespace, type_name) = match parts[..] {
            [host, namespace, type_name] => (host, namespace, type_name),
            [namespace, type_name] => (Self::DEFAULT_HOST, namespace, type_name),
            _ => return Err(cursor.error("expected `namespace/type` or `host/namespace/type`")),
        };
        let valid = |part: &str, extra: &[char]| {
            let allowed = |c: char| c.is_alphanumeric() || c == '-' || extra.contains(&c);
            !part.is_empty() && part.chars().all(allowed)
        };
        if !valid(host, &['.', ':']) || !valid(namespace, &['_']) || !valid(type_name, &['_']) {
            return Err(cursor.error("a part is empty or has a character that is not allowed"));
        }
        let lower = |part: &str| part.to_lowercase().into();
        Ok(Self {
            host: lower(host),
            namespace: lower(namespace),
            type_name: lower(type_name),
        })
    }
}

impl FromStr for ProviderConfigAddr {
    type Err = ParseAddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut cursor = Cursor::new(text, "provider configuration address");
        let module = cursor.modules()?;
        let rest = cursor.rest.strip_prefix("provider[\"");
        let (source, rest) = rest
            .and_then(|rest| rest.split_once("\"]"))
            .ok_or_else(|| cursor.error("expected `provider[\"host/namespace/type\"]`"))?;
        let source = source.parse()?;
        cursor.rest = rest;
        let alias = if rest.is_empty() {
            None
        } else {
            cursor.dot()?;
            Some(cursor.name()?.into())
        };
        cursor.end()?;
        Ok(Self {
            module,
            source,
            alias,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_addresses_round_trip() {
        for text in [
            "aws_vpc.main",
            "data.aws_caller_identity.current",
            "module.network.aws_subnet.private[\"eu-west-1a\"]",
            "module.a[0].module.b[\"x\\\"]\"].data.t_x.y[3]",
        ] {
            assert_eq!(
                text.parse::<InstanceAddr>()
                    .expect("an address")
                    .to_string(),
                text
            );
        }
    }

    #[test]
    fn a_key_is_read_as_hcl_reads_it_and_a_template_is_refused_with_the_reason() {
        let key = |text: &str| match text.parse::<ModuleAddr>() {
            Ok(module) => module.steps()[0].key.clone().ok_or_else(String::new),
            Err(error) => Err(error.to_string()),
        };
        for (text, expected) in [
            (
                r#"module.home["home/$${aws:username}"]"#,
                "home/${aws:username}",
            ),
            (r#"module.m["tag\U000e0041"]"#, "tag\u{e0041}"),
            (r#"module.m["\u200b\u007f"]"#, "\u{200b}\u{7f}"),
            ("module.m[\"e\u{301}\"]", "\u{e9}"),
        ] {
            assert_eq!(key(text), Ok(InstanceKey::from(expected)), "{text}");
        }
        assert_eq!(
            key(r#"module.home["home/${aws:username}"]"#),
            Err(r#"`module.home["home/${aws:username}"]` is not a valid module address: `${` in a key begins a template; the text `${` is written `$${`"#.into())
        );
        assert!(key(r#"module.m["%{if}"]"#).is_err_and(|error| error.contains("`%%{`")));
    }

    #[test]
    fn what_a_person_types_is_read_leniently() {
        let home =
            InstanceAddr::parse_lenient(r#"module.home["home/${aws:username}"].t.x["\u{200b}"]"#);
        assert_eq!(
            home.expect("an address").to_string(),
            r#"module.home["home/$${aws:username}"].t.x["\u200b"]"#
        );
        let unquoted = InstanceAddr::parse_lenient("t.x[a]").expect_err("no key");
        assert!(unquoted.reason.contains("single quotes"), "{unquoted}");
    }

    #[test]
    fn an_integer_key_that_a_float_cannot_hold_is_refused_with_the_reason() {
        assert!("t.x[9007199254740992]".parse::<InstanceAddr>().is_ok());
        for index in [
            "9007199254740993",
            "7227701560655103598",
            "99999999999999999999999",
        ] {
            let error = format!("t.x[{index}]").parse::<InstanceAddr>();
            let error = error.expect_err("too large").to_string();
            assert!(
                error.ends_with(
                    "is at most 9007199254740992 (2^53), because Terraform reads it as a float"
                ),
                "{error}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn a_printed_address_is_read_back_by_everybody(module in proptest::prelude::any::<String>(), key in proptest::prelude::any::<String>()) {
            let module = ModuleAddr::root().child("m", Some(module.into()));
            let address = ResourceAddr::managed(module, "t", "x").instance(Some(key.into()));
            let printed = address.to_string();
            proptest::prop_assert_eq!(printed.parse(), Ok(address.clone()));
            proptest::prop_assert_eq!(InstanceAddr::parse_lenient(&printed), Ok(address.clone()));
            let word = address.in_shell().to_string();
            let pasted = word.strip_prefix('\'').and_then(|word| word.strip_suffix('\''));
            let pasted = pasted.expect("between single quotes");
            proptest::prop_assert!(!pasted.contains(['\'', '`']), "{}", pasted);
            proptest::prop_assert_eq!(pasted.parse(), Ok(address));
        }
    }

    #[test]
    fn provider_addresses_round_trip_and_default_their_host() {
        let source: ProviderSource = "Hashicorp/AWS".parse().expect("a source");
        assert_eq!(source.to_string(), "registry.opentofu.org/hashicorp/aws");
        for text in [
            "provider[\"registry.opentofu.org/hashicorp/aws\"]",
            "module.m.provider[\"example.com/ns/x\"].west",
        ] {
            assert_eq!(
                text.parse::<ProviderConfigAddr>()
                    .expect("an address")
                    .to_string(),
                text
            );
        }
    }

    #[test]
    fn declarations_sort_as_their_texts() {
        let sorted = [
            "data.t.z",
            "module.a.module.b.t.x",
            "module.a.t.x",
            "module.a.t_thing.x",
            "module.a_b.t.x",
            "random_id.x",
            "t.x",
            "t.x-y",
            "t_thing.y",
        ];
        assert!(sorted.is_sorted());
        let addresses = sorted.map(|text| text.parse::<ConfigAddr>().expect("an address"));
        assert!(addresses.is_sorted());
    }

    #[test]
    fn what_is_no_address_says_what_is_wrong() {
        for text in [
            "",
            "aws_vpc",
            "aws_vpc.",
            "aws_vpc.a[",
            "aws_vpc.a[x]",
            "aws_vpc.a.b",
            "module.m",
        ] {
            assert!(text.parse::<InstanceAddr>().is_err(), "{text}");
        }
        let error = "aws_vpc.a[-1]"
            .parse::<InstanceAddr>()
            .expect_err("no address");
        assert_eq!(
            error.to_string(),
            "`aws_vpc.a[-1]` is not a valid resource address: the key is neither a number nor a quoted string"
        );
    }
}
