//! What the literals of a template keep: `~` takes spaces from its neighbours, `<<-` the indentation that all lines share.
//!
//! Both follow HCL to the letter, which counts by lines: a `~` takes spaces of the one line it stands in or before, and a line that begins
//! with a sequence, or with one that a `~` emptied, has no indentation, so that none is taken from any other.

use hcl_edit::template::{Directive, Element, Strip, Template};

/// A literal's line, or a sequence between literals.
enum Token {
    Line { literal: usize, text: String },
    Sequence(Strip),
}

/// How a template is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// In quotes, where a newline is an escape and no end of a line.
    Quoted,
    /// Over several lines: `<<`, a file.
    Lines,
    /// `<<-`.
    Indented,
}

/// The literals of a template and of all directives in it, in the order in which they stand.
pub(crate) fn literals(template: &[&Element], written: Written) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut count = 0;
    flatten(template, written, &mut count, &mut tokens);
    strip(&mut tokens);
    if written == Written::Indented {
        outdent(&mut tokens);
    }
    let mut all = vec![String::new(); count];
    for token in &tokens {
        if let Token::Line { literal, text } = token {
            all[*literal].push_str(text);
        }
    }
    all
}

fn flatten(elements: &[&Element], written: Written, count: &mut usize, tokens: &mut Vec<Token>) {
    for element in elements {
        match element {
            Element::Literal(text) => {
                let literal = *count;
                *count += 1;
                let line = |text: &str| Token::Line {
                    literal,
                    text: text.to_owned(),
                };
                match written {
                    Written::Quoted => tokens.push(line(text)),
                    _ => tokens.extend(text.split_inclusive('\n').map(line)),
                }
            }
            Element::Interpolation(it) => tokens.push(Token::Sequence(it.strip)),
            Element::Directive(it) => {
                let mut part = |strip: Strip, template: &Template| {
                    tokens.push(Token::Sequence(strip));
                    let inner: Vec<&Element> = template.iter().collect();
                    flatten(&inner, written, count, tokens);
                };
                let end = match &**it {
                    Directive::If(it) => {
                        part(it.if_expr.strip, &it.if_expr.template);
                        if let Some(other) = &it.else_expr {
                            part(other.strip, &other.template);
                        }
                        it.endif_expr.strip
                    }
                    Directive::For(it) => {
                        part(it.for_expr.strip, &it.for_expr.template);
                        it.endfor_expr.strip
                    }
                };
                tokens.push(Token::Sequence(end));
            }
        }
    }
}

fn strip(tokens: &mut [Token]) {
    for at in 0..tokens.len() {
        let Token::Sequence(strip) = tokens[at] else {
            continue;
        };
        if matches!(strip, Strip::Start | Strip::Both)
            && let Some(Token::Line { text, .. }) =
                at.checked_sub(1).and_then(|it| tokens.get_mut(it))
        {
            text.truncate(text.trim_end().len());
        }
        if matches!(strip, Strip::End | Strip::Both)
            && let Some(Token::Line { text, .. }) = tokens.get_mut(at + 1)
        {
            *text = text.trim_start().to_owned();
        }
    }
}

fn outdent(tokens: &mut [Token]) {
    let mut least = usize::MAX;
    let mut first = Vec::new();
    let mut begins = true;
    for (at, token) in tokens.iter().enumerate() {
        let (indentation, ends) = match token {
            // A line of spaces alone stays as it is.
            Token::Line { text, .. } if text.trim().is_empty() && text.ends_with('\n') => {
                (None, true)
            }
            Token::Line { text, .. } => {
                let spaces = text.chars().take_while(|it| it.is_whitespace()).count();
                (Some(spaces), text.ends_with('\n'))
            }
            Token::Sequence(_) => (Some(0), false),
        };
        if begins && let Some(indentation) = indentation {
            least = least.min(indentation);
            first.push(at);
        }
        begins = ends;
    }
    for at in first {
        if let Token::Line { text, .. } = &mut tokens[at] {
            *text = text.chars().skip(least).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(template: &str, written: Written) -> String {
        let template = hcl_edit::parser::parse_template(template).expect("a template");
        let elements: Vec<&Element> = template.iter().collect();
        literals(&elements, written).join("|")
    }

    /// The answers are Terraform's.
    #[test]
    fn indentation_is_taken_where_hcl_takes_it() {
        for (template, kept) in [
            ("       a ${f}\n    b\n       c\n", "   a |\nb\n   c\n"),
            ("${f} x\n    b\n", " x\n    b\n"),
            ("    a\n\n    b\n", "a\n\nb\n"),
            ("      a\n    \n      b\n", "a\n    \nb\n"),
            ("    a ${f ~}\n      more\n    b\n", "a |      more\nb\n"),
            (
                "    a\n    %{~ if f }\n    in\n    %{~ endif }\n    b\n",
                "    a\n|\n    in\n|\n    b\n",
            ),
            ("      a\n\t  b\n", "   a\nb\n"),
            (
                "      a\n        ${~ f }\n      b\n",
                "      a\n|\n      b\n",
            ),
            (
                "    %{for n in f~}\n    name ${n}\n    %{endfor~}\n    %{if f}p%{else}t%{endif}\n",
                "|    name |\n|    |p|t|\n",
            ),
        ] {
            assert_eq!(of(template, Written::Indented), kept, "{template}");
        }
    }

    #[test]
    fn a_tilde_takes_the_spaces_of_one_line() {
        let text = "a ${1 ~}\n   more\n\n  ${~ 2 ~}\n\n   end\n";
        assert_eq!(of(text, Written::Lines), "a |   more\n\n|\n   end\n");
        assert_eq!(of(text, Written::Quoted), "a |more|end\n");
    }
}
