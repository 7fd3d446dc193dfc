//! Texts of others inside HTML: they stand as text, and nothing in them means anything.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{self, Display, Write};

use crate::view::printable::shortened;

/// Shows a text as HTML, in an element or between the quotes of an attribute.
pub(super) struct Html<'a>(pub(super) &'a str);

impl Display for Html<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(place) = rest.find(['&', '<', '>', '"', '\'']) {
            let (before, after) = rest.split_at(place);
            f.write_str(before)?;
            f.write_str(match after.as_bytes()[0] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &after[1..];
        }
        f.write_str(rest)
    }
}

/// How many characters of a name are shown.
const LONGEST_NAME: usize = 600;

/// A name or an address: its beginning, where it is so long that nobody reads it.
pub(super) fn brief(name: &str) -> Cow<'_, str> {
    shortened(name, LONGEST_NAME)
}

/// The same as HTML.
pub(super) fn name(name: &str) -> String {
    Html(&brief(name)).to_string()
}

/// JSON that may stand in a `script` element, and in a script.
pub(super) fn json(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(value).expect("invariant: numbers and texts are JSON");
    // All of them can only be inside strings.
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// The changes of a page by their addresses, for links to them.
pub(super) struct Links {
    by_address: HashMap<String, (usize, &'static str)>,
    /// The number of the next one.
    next: usize,
}

impl Links {
    /// None yet; they are numbered from there.
    pub(super) fn from(next: usize) -> Self {
        Self {
            by_address: HashMap::new(),
            next,
        }
    }

    /// Adds the next change, with the verb of its action.
    pub(super) fn add(&mut self, address: &str, verb: &'static str) {
        self.by_address
            .insert(address.to_owned(), (self.next, verb));
        self.next += 1;
    }

    /// The change of that address, and the verb of its action.
    pub(super) fn change(&self, address: &str) -> Option<(usize, &'static str)> {
        self.by_address.get(address).copied()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }

    /// The address, as a link to its change if it has one.
    pub(super) fn address(&self, address: &str) -> String {
        let text = name(address);
        match self.change(address) {
            Some((change, _)) => format!("<a href=\"#c{change}\"><code>{text}</code></a>"),
            None => format!("<code>{text}</code>"),
        }
    }

    /// A cause, in which each replaced resource is a link: `vpc ← t_vpc.main is replaced ← cidr changes`.
    pub(super) fn cause(&self, text: &str) -> String {
        const BEFORE: &str = " ← ";
        const AFTER: &str = " is replaced";
        let mut html = String::with_capacity(text.len() + 64);
        let mut rest = text;
        while let Some(start) = rest.find(BEFORE) {
            let (before, after) = rest.split_at(start + BEFORE.len());
            let _ = write!(html, "{}", Html(before));
            rest = after;
            let address = after.find(AFTER).map(|end| &after[..end]);
            if let Some(address) = address.filter(|address| self.by_address.contains_key(*address))
            {
                html.push_str(&self.address(address));
                rest = &after[address.len()..];
            }
        }
        let _ = write!(html, "{}", Html(rest));
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let hostile = "</script></details><img src=x onerror='a' b=\"c\">&amp;";
        assert_eq!(
            Html(hostile).to_string(),
            "&lt;/script&gt;&lt;/details&gt;&lt;img src=x onerror=&#39;a&#39; b=&quot;c&quot;&gt;&amp;amp;"
        );
        let data = json(&["</script><!--\u{2028}&"]);
        assert_eq!(data, r#"["\u003c/script\u003e\u003c!--\u2028\u0026"]"#);
        let read: Vec<String> = serde_json::from_str(&data).expect("JSON");
        assert_eq!(read, ["</script><!--\u{2028}&"]);
    }

    #[test]
    fn a_cause_links_to_the_changes_that_it_names_and_to_nothing_else() {
        let mut links = Links::from(0);
        links.add("t.z", "create");
        links.add("t.a", "replace");
        let cause = links.cause("x ← t.a is replaced ← <t.b> is replaced ← y changes");
        assert_eq!(
            cause,
            "x ← <a href=\"#c1\"><code>t.a</code></a> is replaced ← &lt;t.b&gt; is replaced ← y changes"
        );
    }
}
