//! The versions that a program accepts, as Terraform writes them.

use std::fmt;
use std::str::FromStr;

use semver::Version;
use thiserror::Error;

/// The versions that a program accepts: `5.31.0`, `~> 5.31`, `>= 5.0, < 6.0`. The rules are Terraform's, not Cargo's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRequirement {
    text: String,
    clauses: Vec<Clause>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Clause {
    operator: Operator,
    version: Version,
    /// How many numbers were written: `~> 5.31` lets the second grow, `~> 5.31.0` the third.
    written: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Pessimistic,
}

/// Longest first, for each is looked for at the start of the text.
const OPERATORS: [(&str, Operator); 7] = [
    ("~>", Operator::Pessimistic),
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("!=", Operator::NotEqual),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

/// The text is not a version, or no requirement on one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a version")]
#[non_exhaustive]
pub struct ParseVersionError {
    /// The text.
    pub text: String,
}

/// A version and how many of its numbers were written.
fn parse(text: &str) -> Result<(Version, usize), ParseVersionError> {
    let error = || ParseVersionError {
        text: text.to_owned(),
    };
    let plain = text.split('+').next().unwrap_or(text);
    let (plain, prerelease) = plain.split_once('-').unwrap_or((plain, ""));
    let mut numbers = [0; 3];
    let mut written = 0;
    for part in plain.split('.') {
        let number = numbers.get_mut(written).ok_or_else(error)?;
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        *number = part.parse().map_err(|_| error())?;
        written += 1;
    }
    let [major, minor, patch] = numbers;
    let version = Version {
        pre: semver::Prerelease::new(prerelease).map_err(|_| error())?,
        ..Version::new(major, minor, patch)
    };
    Ok((version, written))
}

fn numbers(version: &Version) -> [u64; 3] {
    [version.major, version.minor, version.patch]
}

impl VersionRequirement {
    /// As Terraform writes it into lock files: by version, each clause once, with all numbers.
    pub fn canonical(&self) -> String {
        let mut clauses: Vec<&Clause> = self.clauses.iter().collect();
        clauses.sort_by(|a, b| (&a.version, a.rank()).cmp(&(&b.version, b.rank())));
        let mut clauses: Vec<String> = clauses.into_iter().map(Clause::canonical).collect();
        clauses.dedup();
        clauses.join(", ")
    }

    /// Whether it accepts that version. A pre-release is accepted only by a requirement that names exactly it.
    pub fn allows(&self, version: &Version) -> bool {
        if !version.pre.is_empty() {
            return (self.clauses.iter())
                .any(|clause| clause.operator == Operator::Equal && clause.version == *version);
        }
        self.clauses.iter().all(|clause| clause.allows(version))
    }
}

impl Clause {
    /// The order of clauses about one version, which is that of Terraform's own signs for them.
    fn rank(&self) -> char {
        match self.operator {
            Operator::Less => '<',
            Operator::Equal => '=',
            Operator::Greater => '>',
            Operator::Pessimistic if self.written < 3 => '^',
            Operator::Pessimistic => '~',
            Operator::NotEqual => '≠',
            Operator::LessOrEqual => '≤',
            Operator::GreaterOrEqual => '≥',
        }
    }

    fn canonical(&self) -> String {
        let version = &self.version;
        match self.operator {
            Operator::Equal => version.to_string(),
            Operator::Pessimistic if self.written < 3 => {
                format!("~> {}.{}", version.major, version.minor)
            }
            operator => {
                let sign = OPERATORS.iter().find(|(_, known)| *known == operator);
                format!("{} {version}", sign.map_or("", |(sign, _)| sign))
            }
        }
    }

    fn allows(&self, version: &Version) -> bool {
        let order = version.cmp_precedence(&self.version);
        match self.operator {
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::Greater => order.is_gt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Pessimistic => {
                let fixed = self.written.saturating_sub(1);
                order.is_ge() && numbers(version)[..fixed] == numbers(&self.version)[..fixed]
            }
        }
    }
}

impl FromStr for VersionRequirement {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let clauses = text.split(',').map(|clause| {
            let clause = clause.trim();
            let (operator, rest) = (OPERATORS.iter())
                .find_map(|(sign, operator)| Some((*operator, clause.strip_prefix(sign)?)))
                .unwrap_or((Operator::Equal, clause));
            let (version, written) = parse(rest.trim())?;
            Ok(Clause {
                operator,
                version,
                written,
            })
        });
        Ok(Self {
            text: text.to_owned(),
            clauses: clauses.collect::<Result<_, _>>()?,
        })
    }
}

impl fmt::Display for VersionRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().expect("a version")
    }

    #[test]
    fn requirements_allow_what_they_say() {
        let cases = [
            ("5.31.0", "5.31.0", true),
            ("= 5.31.0", "5.31.1", false),
            ("~> 5.31", "5.40.2", true),
            ("~> 5.31", "6.0.0", false),
            ("~> 5.31.0", "5.31.9", true),
            ("~> 5.31.0", "5.32.0", false),
            ("~> 5", "9.0.0", true),
            (">= 5.0, < 6.0", "5.9.9", true),
            (">= 5.0, < 6.0", "6.0.0", false),
            ("!= 5.1.0", "5.1.0", false),
            (">= 1.0", "2.0.0-beta1", false),
            ("2.0.0-beta1", "2.0.0-beta1", true),
        ];
        for (requirement, candidate, allowed) in cases {
            let requirement: VersionRequirement = requirement.parse().expect("a requirement");
            assert_eq!(
                requirement.allows(&version(candidate)),
                allowed,
                "{requirement} {candidate}"
            );
        }
    }

    /// What `terraform providers lock` 1.11.4 wrote for each.
    #[test]
    fn requirements_are_recorded_as_terraform_records_them() {
        let cases = [
            ("= 5.100.0", "5.100.0"),
            ("~> 5.31", "~> 5.31"),
            ("~> 5.31, >= 5.1", ">= 5.1.0, ~> 5.31"),
            ("< 6, > 5.0.0, >= 5", "> 5.0.0, >= 5.0.0, < 6.0.0"),
            ("!= 6.0.0-beta1, >= 5.2", ">= 5.2.0, != 6.0.0-beta1"),
            ("~> 5", "~> 5.0"),
            (">= 5.0.0, >= 5.0, <= 5.100.0", ">= 5.0.0, <= 5.100.0"),
            ("~> 5.100.0, ~> 5.31", "~> 5.31, ~> 5.100.0"),
        ];
        for (written, recorded) in cases {
            let requirement: VersionRequirement = written.parse().expect("a requirement");
            assert_eq!(requirement.canonical(), recorded, "{written}");
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "v1", "1.2.3.4", "1..2", "~>", ">= x", "1.0.0-a..b"] {
            assert!(text.parse::<VersionRequirement>().is_err(), "{text}");
        }
    }
}
