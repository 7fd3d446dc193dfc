//! Names in Rust for names in schemas.

/// Words that cannot stand alone as a name in edition 2024.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// Keywords that not even `r#` makes a name of.
const NEVER: [&str; 4] = ["self", "super", "crate", "Self"];

/// The name of a type: `VpcConfig` for `vpc_config`.
pub(crate) fn pascal(name: &str) -> String {
    let mut pascal = String::with_capacity(name.len());
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        pascal.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        pascal.push_str(letters.as_str());
    }
    if pascal.starts_with(|first: char| first.is_ascii_digit()) {
        pascal.insert(0, '_');
    }
    pascal
}

/// The name of a method for an argument: the same, with `_` for what Rust's names cannot have; one that is taken ends in `_`.
pub(crate) fn method(name: &str, taken: &[&str]) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut method: String = name.chars().map(fit).collect();
    if method.starts_with(|first: char| first.is_ascii_digit()) {
        method.insert(0, '_');
    }
    match taken.contains(&&*method) {
        true => format!("{method}_"),
        false => ident(&method),
    }
}

/// The name of a type parameter by its place.
pub(crate) fn letter(place: usize) -> String {
    match u8::try_from(place) {
        Ok(place @ 0..26) => char::from(b'A' + place).to_string(),
        _ => format!("A{place}"),
    }
}

/// The name of a function or parameter: the same, made fit where it is a keyword (`r#type`, `self_`).
pub fn ident(name: &str) -> String {
    if NEVER.contains(&name) {
        format!("{name}_")
    } else if KEYWORDS.contains(&name) {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

/// Whether the text can be a Rust name at all.
pub(crate) fn is_ident(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_fit_for_rust() {
        assert_eq!(pascal("s3_bucket"), "S3Bucket");
        assert_eq!(pascal("ipv6_cidr_block"), "Ipv6CidrBlock");
        assert_eq!(ident("type"), "r#type");
        assert_eq!(ident("self"), "self_");
        assert_eq!(ident("cidr_block"), "cidr_block");
        assert!(is_ident("cidr_block") && !is_ident("a-b") && !is_ident("3d"));
        assert_eq!(method("type", &[]), "r#type");
        assert_eq!(method("clone", &["clone"]), "clone_");
        assert_eq!(method("max-age.3", &[]), "max_age_3");
        assert_eq!((&*method("3d", &[]), &*pascal("3d")), ("_3d", "_3d"));
        assert_eq!((&*letter(25), &*letter(26)), ("Z", "A26"));
    }
}
