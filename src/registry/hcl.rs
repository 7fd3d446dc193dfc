//! The part of HCL 1 that a CLI configuration uses: blocks, attributes, strings, lists, maps; no expressions.
//!
//! `hcl-edit`, which keeps the lock file, reads HCL 2. Configurations that Terraform documents are none: `dev_overrides` has strings
//! as names of attributes, and blocks stand in one line.

use std::iter::Peekable;
use std::str::Chars;

/// One body: what stands between braces, or the whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) attributes: Vec<(String, Literal)>,
    pub(super) blocks: Vec<Block>,
}

/// `name "label" { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) name: String,
    pub(super) labels: Vec<String>,
    pub(super) body: Body,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Bool(bool),
    Number(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

/// Reads a file; the error names the line and the fault.
pub(super) fn parse(text: &str) -> Result<Body, String> {
    let mut parser = Parser {
        rest: text.chars().peekable(),
        line: 1,
    };
    parser
        .body(None, 0)
        .map_err(|reason| format!("line {}: {reason}", parser.line))
}

/// Deeper than any configuration goes.
const MAX_DEPTH: usize = 32;

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

type Parsed<T> = Result<T, String>;

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        if next == Some('\n') {
            self.line += 1;
        }
        next
    }

    /// Skips blanks, line ends and comments.
    fn skip(&mut self) -> Parsed<()> {
        loop {
            match self.rest.peek() {
                Some(blank) if blank.is_whitespace() => {
                    self.next();
                }
                Some('#') => self.skip_line(),
                Some('/') => {
                    self.next();
                    match self.next() {
                        Some('/') => self.skip_line(),
                        Some('*') => {
                            let mut last = ' ';
                            loop {
                                match self.next() {
                                    Some('/') if last == '*' => break,
                                    Some(other) => last = other,
                                    None => return Err("a comment does not end".to_owned()),
                                }
                            }
                        }
                        _ => return Err("unexpected `/`".to_owned()),
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|next| next != '\n') {}
    }

    fn expect(&mut self, expected: char) -> Parsed<()> {
        self.skip()?;
        match self.next() {
            Some(found) if found == expected => Ok(()),
            Some(found) => Err(format!("expected `{expected}`, found `{found}`")),
            None => Err(format!("expected `{expected}`, found the end")),
        }
    }

    /// Until `end`, which is taken; until the end of the text if there is none.
    fn body(&mut self, end: Option<char>, depth: usize) -> Parsed<Body> {
        if depth > MAX_DEPTH {
            return Err("too deeply nested".to_owned());
        }
        let mut body = Body::default();
        loop {
            self.skip()?;
            match self.rest.peek().copied() {
                None if end.is_none() => return Ok(body),
                None => return Err("a block does not end".to_owned()),
                found if found == end => {
                    self.next();
                    return Ok(body);
                }
                // Keys of dev_overrides are strings.
                Some('"') => {
                    let name = self.text()?;
                    self.skip()?;
                    self.sign()?;
                    let value = self.literal(depth)?;
                    body.attributes.push((name, value));
                }
                Some(_) => {
                    let name = self.word()?;
                    self.skip()?;
                    if matches!(self.rest.peek(), Some('=' | ':')) {
                        self.sign()?;
                        let value = self.literal(depth)?;
                        body.attributes.push((name, value));
                        continue;
                    }
                    let mut labels = Vec::new();
                    while self.rest.peek() == Some(&'"') {
                        labels.push(self.text()?);
                        self.skip()?;
                    }
                    self.expect('{')?;
                    let inner = self.body(Some('}'), depth + 1)?;
                    body.blocks.push(Block {
                        name,
                        labels,
                        body: inner,
                    });
                }
            }
            self.skip()?;
            if self.rest.peek() == Some(&',') {
                self.next();
            }
        }
    }

    fn sign(&mut self) -> Parsed<()> {
        match self.next() {
            Some('=' | ':') => Ok(()),
            Some(found) => Err(format!("expected `=`, found `{found}`")),
            None => Err("expected `=`, found the end".to_owned()),
        }
    }

    fn word(&mut self) -> Parsed<String> {
        let mut word = String::new();
        while let Some(next) = self.rest.peek().copied() {
            if !(next.is_alphanumeric() || matches!(next, '_' | '-' | '.')) {
                break;
            }
            word.push(next);
            self.next();
        }
        match (word.is_empty(), self.rest.peek()) {
            (false, _) => Ok(word),
            (true, Some(found)) => Err(format!("unexpected `{found}`")),
            (true, None) => Err("unexpected end".to_owned()),
        }
    }

    fn text(&mut self) -> Parsed<String> {
        self.expect('"')?;
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(match self.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some(other @ ('"' | '\\')) => other,
                    _ => return Err("unknown escape in a string".to_owned()),
                }),
                Some('\n') | None => return Err("a string does not end".to_owned()),
                Some(other) => text.push(other),
            }
        }
    }

    fn literal(&mut self, depth: usize) -> Parsed<Literal> {
        if depth > MAX_DEPTH {
            return Err("too deeply nested".to_owned());
        }
        self.skip()?;
        match self.rest.peek().copied() {
            Some('"') => Ok(Literal::Text(self.text()?)),
            Some('[') => {
                self.next();
                let mut elements = Vec::new();
                loop {
                    self.skip()?;
                    match self.rest.peek() {
                        Some(']') => {
                            self.next();
                            return Ok(Literal::List(elements));
                        }
                        Some(',') => {
                            self.next();
                        }
                        _ => elements.push(self.literal(depth + 1)?),
                    }
                }
            }
            Some('{') => {
                self.next();
                let body = self.body(Some('}'), depth + 1)?;
                Ok(Literal::Map(body.attributes))
            }
            _ => Ok(match self.word()? {
                word if word == "true" => Literal::Bool(true),
                word if word == "false" => Literal::Bool(false),
                word if word.parse::<f64>().is_ok() => Literal::Number(word),
                word => return Err(format!("unexpected `{word}`")),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_with_comments_of_all_kinds() {
        let body = parse(
            r#"
            # one
            plugin_cache_dir = "/c\"d" // two
            disable_checkpoint = true
            /* three
               lines */
            credentials "example.com" { token = "t" }
            provider_installation {
              dev_overrides { "hashicorp/null" = "/x" }
              direct { exclude = ["a/*", "b/*",] }
            }
            "#,
        )
        .expect("readable");
        assert_eq!(body.attributes[0].1, Literal::Text("/c\"d".to_owned()));
        let names: Vec<_> = body
            .blocks
            .iter()
            .map(|block| block.name.as_str())
            .collect();
        assert_eq!(names, ["credentials", "provider_installation"]);
        let inner = &body.blocks[1].body.blocks;
        assert_eq!(inner[0].body.attributes[0].0, "hashicorp/null");
        let excluded = Literal::List(vec![
            Literal::Text("a/*".to_owned()),
            Literal::Text("b/*".to_owned()),
        ]);
        assert_eq!(inner[1].body.attributes[0].1, excluded);
    }

    #[test]
    fn mistakes_name_their_line() {
        let error = |text| parse(text).expect_err("refused");
        insta::assert_snapshot!(error("a = \"x\nb = 1"), @"line 2: a string does not end");
        insta::assert_snapshot!(error("\n\na {\n"), @"line 4: a block does not end");
        insta::assert_snapshot!(error("a = b"), @"line 1: unexpected `b`");
        insta::assert_snapshot!(error("}"), @"line 1: unexpected `}`");
        let (blocks, lists) = ("a {".repeat(100), format!("a = {}", "[".repeat(100)));
        insta::assert_snapshot!(error(&blocks), @"line 1: too deeply nested");
        insta::assert_snapshot!(error(&lists), @"line 1: too deeply nested");
    }
}
