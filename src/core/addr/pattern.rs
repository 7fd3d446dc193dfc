//! Address patterns, as a command line gives them: `*` stands for any run of characters.

use std::fmt;
use std::str::FromStr;

use super::{InstanceAddr, InstanceKey, ModuleAddr, ParseAddrError};
use crate::quote::{Reading, closing_quote, escape, unescape};
use crate::text::{is_printable, nfc};

/// A pattern of addresses: a module, a resource, an instance, each with `*` for any run of characters.
///
/// A key is read leniently and compared in the form in which addresses print, so a printed address names what it was printed for, and
/// so does every other way of writing the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    glob: Glob,
    /// The same without any star, where the text is an address as it stands: `["*"]` is a key, too.
    address: Option<Glob>,
}

/// Bytes of a printed address; `None` stands for any run of them.
type Glob = Vec<Option<u8>>;

impl FromStr for Pattern {
    type Err = ParseAddrError;

    /// Accepts any address of a module, resource or instance, and the same with `*` in it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = match ModuleAddr::parse_lenient(text) {
            Ok(module) => Ok(module.to_string()),
            Err(_) => InstanceAddr::parse_lenient(text).map(|address| address.to_string()),
        };
        let (glob, address) = match address {
            Ok(address) if !text.contains('*') => (literal(&address), None),
            Ok(address) => (glob(text), Some(literal(&address))),
            Err(_) if text.contains('*') => (glob(text), None),
            Err(error) => return Err(error),
        };
        Ok(Self {
            text: text.to_owned(),
            glob,
            address,
        })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pattern {
    /// The pattern for choosing among these addresses: where one of them has a star at that very place, the pattern names only it.
    #[must_use]
    pub fn among<'a>(&self, addresses: impl IntoIterator<Item = &'a InstanceAddr>) -> Self {
        let mut addresses = addresses.into_iter();
        match &self.address {
            Some(literal) if addresses.any(|address| names(literal, address)) => Self {
                glob: literal.clone(),
                address: None,
                text: self.text.clone(),
            },
            _ => self.clone(),
        }
    }

    /// Whether the pattern names this instance, its resource, or a module around it.
    pub fn matches(&self, address: &InstanceAddr) -> bool {
        names(&self.glob, address)
    }
}

impl Pattern {
    /// Whether the pattern can name an instance in this module, whichever there are.
    pub fn reaches(&self, module: &ModuleAddr) -> bool {
        self.covers(module) || begins(&self.glob, &format!("{module}."))
    }

    /// Whether the pattern names all that is in this module, whatever there is.
    pub fn covers(&self, module: &ModuleAddr) -> bool {
        let ends_in_star = self.glob.last() == Some(&None);
        names_module(&self.glob, module) || ends_in_star && fits(&self.glob, &format!("{module}."))
    }
}

fn names(glob: &Glob, address: &InstanceAddr) -> bool {
    if fits(glob, &address.to_string()) {
        return true;
    }
    if address.key.is_some() && fits(glob, &address.resource.to_string()) {
        return true;
    }
    names_module(glob, &address.resource.module)
}

/// Whether the pattern names a module, or one around it.
fn names_module(glob: &Glob, address: &ModuleAddr) -> bool {
    let mut module = ModuleAddr::root();
    address.steps().iter().any(|step| {
        let unkeyed = module.child(step.name.clone(), None::<InstanceKey>);
        module = module.child(step.name.clone(), step.key.clone());
        fits(glob, &module.to_string()) || fits(glob, &unkeyed.to_string())
    })
}

fn literal(text: &str) -> Glob {
    text.bytes().map(Some).collect()
}

/// The text with its stars, and with its keys as addresses print them.
fn glob(text: &str) -> Glob {
    let mut glob = Glob::new();
    let mut rest = text;
    while let Some((before, quoted)) = rest.split_once("[\"") {
        push_with_stars(before, &mut glob, bare);
        glob.extend(literal("[\""));
        // A key that a star cuts off has no closing quote.
        let end = closing_quote(quoted).unwrap_or(quoted.len());
        push_with_stars(&quoted[..end], &mut glob, printed);
        rest = &quoted[end..];
    }
    push_with_stars(rest, &mut glob, bare);
    glob
}

fn push_with_stars(text: &str, glob: &mut Glob, form: impl Fn(&str) -> String) {
    for (place, part) in text.split('*').enumerate() {
        if place > 0 {
            glob.push(None);
        }
        glob.extend(literal(&form(part)));
    }
}

/// A part outside of quotes, or of a pattern that has none, in the form in which addresses print it.
fn bare(part: &str) -> String {
    let mut printed = String::new();
    for c in nfc(part).chars() {
        match is_printable(c) {
            true => printed.push(c),
            false => push_escaped(&c.to_string(), &mut printed),
        }
    }
    printed
}

/// A part of a key in the form in which addresses print it.
fn printed(part: &str) -> String {
    // A backslash that begins no escape stands for itself: patterns are matched, never refused.
    let text = unescape(part, Reading::Lenient).unwrap_or_else(|_| part.to_owned());
    let mut printed = String::new();
    push_escaped(&nfc(text), &mut printed);
    printed
}

fn push_escaped(text: &str, printed: &mut String) {
    escape(text, printed).expect("invariant: writing to a string never fails");
}

/// Matches in linear space and without backtracking over more than the last star.
fn fits(glob: &Glob, text: &str) -> bool {
    let text = text.as_bytes();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match glob.get(p) {
            Some(None) => {
                star = Some((p, t));
                p += 1;
            }
            Some(Some(byte)) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((star_p, star_t)) => {
                    p = star_p + 1;
                    t = star_t + 1;
                    star = Some((star_p, star_t + 1));
                }
                None => return false,
            },
        }
    }
    glob[p..].iter().all(Option::is_none)
}

/// Whether a text that fits can begin so.
fn begins(glob: &Glob, text: &str) -> bool {
    // The places in the pattern up to which the text may have been read.
    let mut places = vec![false; glob.len() + 1];
    places[0] = true;
    for &byte in text.as_bytes() {
        let mut next = vec![false; glob.len() + 1];
        for place in 0..=glob.len() {
            // A star may also stand for nothing.
            if place > 0 && glob[place - 1].is_none() && places[place - 1] {
                places[place] = true;
            }
            if places[place] {
                match glob.get(place) {
                    Some(None) => next[place] = true,
                    Some(&Some(wanted)) if wanted == byte => next[place + 1] = true,
                    _ => {}
                }
            }
        }
        places = next;
    }
    places.contains(&true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().expect("a pattern")
    }

    fn matches(text: &str, address: &str) -> bool {
        pattern(text).matches(&address.parse().expect("an address"))
    }

    #[test]
    fn a_pattern_reaches_into_a_module_whatever_is_in_it() {
        let module: ModuleAddr = "module.net.module.subnets".parse().expect("a module");
        for (text, reaches, covers) in [
            ("module.net", true, true),
            ("module.net.module.subnets", true, true),
            ("module.net.module.subnets.*", true, true),
            ("*", true, true),
            ("module.net.module.subnets.aws_subnet.a", true, false),
            ("module.net.module.subnets.aws_subnet.a[\"b\"]", true, false),
            ("*.aws_subnet.a", true, false),
            ("module.net.*.a", true, false),
            ("module.net.aws_vpc.main", false, false),
            ("module.other", false, false),
            ("aws_subnet.a", false, false),
            ("module.net.module.sub", false, false),
        ] {
            let found = (
                pattern(text).reaches(&module),
                pattern(text).covers(&module),
            );
            assert_eq!(found, (reaches, covers), "{text}");
        }
    }

    fn keyed(key: &str) -> InstanceAddr {
        let resource = super::super::ResourceAddr::managed(ModuleAddr::root(), "t_x", "a");
        resource.instance(Some(key.into()))
    }

    #[test]
    fn a_pattern_names_instances_resources_and_modules() {
        let subnet = "module.network.aws_subnet.private[\"a\"]";
        assert!(matches(subnet, subnet));
        assert!(matches("module.network.aws_subnet.private", subnet));
        assert!(matches("module.network", subnet));
        assert!(matches("module.*.aws_subnet.*", subnet));
        assert!(matches("*private*", subnet));
        assert!(!matches("module.net", subnet));
        assert!(!matches("aws_subnet.private", subnet));
        assert!(!matches("module.network.aws_subnet.private[\"b\"]", subnet));
    }

    #[test]
    fn what_is_neither_an_address_nor_a_glob_is_refused() {
        assert!("aws_subnet".parse::<Pattern>().is_err());
        assert!("module.network".parse::<Pattern>().is_ok());
    }

    #[test]
    fn a_key_matches_however_it_is_written() {
        let home = keyed("home/${aws:username}");
        for text in [
            r#"t_x.a["home/$${aws:username}"]"#,
            r#"t_x.a["home/${aws:username}"]"#,
            r#"t_x.a["home/\u0024{aws:username}"]"#,
            r#"t_x.*["home/${aws:*}"]"#,
            r#"t_x.a["home/$*"]"#,
        ] {
            assert!(pattern(text).matches(&home), "{text}");
        }
        let accent = keyed("e\u{301}\u{200b}x");
        for text in [
            "t_x.a[\"\u{e9}\\u200bx\"]",
            "t_x.a[\"e\u{301}\u{200b}x\"]",
            "t_x.a[\"e\u{301}*\"]",
            "*[\"\u{e9}\\u{200b}*",
            "*e\u{301}*",
            "*\u{e9}\u{200b}*",
        ] {
            assert!(pattern(text).matches(&accent), "{text}");
        }
    }

    #[test]
    fn a_star_in_a_key_is_itself_where_something_has_that_key() {
        let (star, other) = (keyed("*"), keyed("a"));
        let text = star.to_string();
        assert!(pattern(&text).matches(&other));
        let among = pattern(&text).among([&star, &other]);
        assert!(among.matches(&star) && !among.matches(&other));
        let glob = pattern(&text).among([&other]);
        assert!(glob.matches(&other));
        let escaped = pattern(r#"t_x.a["\u002a"]"#);
        assert!(escaped.matches(&star) && !escaped.matches(&other));
    }

    proptest! {
        #[test]
        fn a_printed_address_names_what_it_was_printed_for(key in any::<String>(), other in any::<String>()) {
            let (address, other) = (keyed(&key), keyed(&other));
            let pattern = pattern(&address.to_string()).among([&other, &address]);
            prop_assert!(pattern.matches(&address));
            prop_assert_eq!(pattern.matches(&other), address == other);
        }
    }
}
