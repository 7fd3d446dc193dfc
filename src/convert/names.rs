//! Names that a Rust programmer expects, each used once in its scope.

use std::collections::BTreeSet;

use terrane_codegen::ident;

/// The words of a name in small letters: `vpcName` and `vpc-name` are `vpc_name`.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut before_is_small = false;
    for letter in name.chars() {
        if !letter.is_ascii_alphanumeric() {
            if !snake.ends_with('_') && !snake.is_empty() {
                snake.push('_');
            }
            before_is_small = false;
            continue;
        }
        if letter.is_ascii_uppercase() && before_is_small {
            snake.push('_');
        }
        before_is_small = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        snake.push(letter.to_ascii_lowercase());
    }
    let snake = snake.trim_end_matches('_').to_owned();
    match snake.chars().next() {
        None => "it".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{snake}"),
        Some(_) => snake,
    }
}

/// The same as the name of a type.
pub(crate) fn pascal(name: &str) -> String {
    let snake = snake(name);
    let mut pascal = String::new();
    for word in snake.split('_') {
        let mut letters = word.chars();
        pascal.extend(letters.next().map(|it| it.to_ascii_uppercase()));
        pascal.push_str(letters.as_str());
    }
    pascal
}

/// Names that are in use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    pub(crate) fn with(taken: &[&str]) -> Self {
        Self {
            taken: taken.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    /// A variable or field: that name, or the first of the others that is free, or the name with a number.
    pub(crate) fn take(&mut self, wanted: &[&str]) -> String {
        for name in wanted {
            let name = ident(&snake(name));
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
        let last = snake(wanted.last().unwrap_or(&"it"));
        let mut number = 2;
        loop {
            let name = format!("{last}_{number}");
            if self.taken.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    }

    /// A type, by the same rule.
    pub(crate) fn take_type(&mut self, wanted: &[&str]) -> String {
        for name in wanted {
            let name = pascal(name);
            if name != "Self" && self.taken.insert(name.clone()) {
                return name;
            }
        }
        let last = pascal(wanted.last().unwrap_or(&"It"));
        let mut number = 2;
        loop {
            let name = format!("{last}{number}");
            if self.taken.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    }
}
