//! A planned value: known, unknown with its origins, sensitive, or absent; a test says which of them it means.

use std::fmt;

use terrane_core::{FromValue, Marked};

/// A value of a plan. What it is has to be said before it can be compared, so that no test passes on a value that nobody knows.
#[derive(Clone)]
#[must_use]
pub struct PlannedValue<T> {
    /// What it is the value of, for messages.
    subject: String,
    content: Content<T>,
}

#[derive(Clone)]
enum Content<T> {
    Known(T),
    Unknown(Unknown),
    Sensitive(Concealed<T>),
    Absent,
}

/// A value that only an apply makes known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    origins: Vec<String>,
}

/// A sensitive value. Nothing prints it.
#[derive(Clone)]
pub struct Concealed<T> {
    subject: String,
    value: Result<T, Unknown>,
}

impl Unknown {
    /// The attributes that the cloud decides and this value is made from: `aws_vpc.main.id`. Of a value that the provider itself decides,
    /// that very attribute.
    pub fn origins(&self) -> Vec<&str> {
        self.origins.iter().map(String::as_str).collect()
    }

    /// Whether it is made from that attribute, among others perhaps.
    pub fn comes_from(&self, attribute: &str) -> bool {
        self.origins.iter().any(|origin| origin == attribute)
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.origins {
            [] => f.write_str("known after apply"),
            origins => write!(f, "known after apply: {}", origins.join(", ")),
        }
    }
}

impl<T> Concealed<T> {
    /// The value itself.
    ///
    /// # Panics
    /// When it is unknown.
    #[track_caller]
    pub fn reveal(self) -> T {
        match self.value {
            Ok(value) => value,
            Err(unknown) => panic!("{} is unknown ({unknown})", self.subject),
        }
    }

    /// Why it cannot be revealed, if only an apply makes it known.
    pub fn unknown(&self) -> Option<&Unknown> {
        self.value.as_ref().err()
    }
}

impl<T> fmt::Debug for Concealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

impl<T: FromValue> PlannedValue<T> {
    /// That value; `origins` is asked where it is unknown.
    #[track_caller]
    pub(crate) fn new(
        subject: String,
        marked: &Marked,
        origins: impl FnOnce() -> Vec<String>,
    ) -> Self {
        let value = &marked.value;
        let content = if value.is_null() {
            Content::Absent
        } else {
            let known = match value.is_wholly_known() {
                false => Err(Unknown { origins: origins() }),
                true => match T::from_value(value) {
                    Ok(value) => Ok(value),
                    Err(mismatch) => panic!("{subject} is of another type: {mismatch}"),
                },
            };
            match (marked.is_sensitive(), known) {
                (true, value) => Content::Sensitive(Concealed {
                    subject: subject.clone(),
                    value,
                }),
                (false, Ok(value)) => Content::Known(value),
                (false, Err(unknown)) => Content::Unknown(unknown),
            }
        };
        Self { subject, content }
    }
}

impl<T> PlannedValue<T> {
    pub(crate) fn absent_of(subject: String) -> Self {
        let content = Content::Absent;
        Self { subject, content }
    }

    /// The value, which everybody may see.
    ///
    /// # Panics
    /// When it is unknown, sensitive or absent.
    #[track_caller]
    pub fn known(self) -> T {
        match self.content {
            Content::Known(value) => value,
            other => panic!(
                "{} is {}, and the test compares it with a known value{}",
                self.subject,
                other.article(),
                other.remedy()
            ),
        }
    }

    /// Why it is unknown.
    ///
    /// # Panics
    /// When it is not; its value is not printed if it is sensitive.
    #[track_caller]
    pub fn unknown(self) -> Unknown {
        match self.content {
            Content::Unknown(unknown) => unknown,
            other => panic!("{} is not unknown: it is {}", self.subject, other.article()),
        }
    }

    /// The value, which is sensitive.
    ///
    /// # Panics
    /// When everybody may see it.
    #[track_caller]
    pub fn sensitive(self) -> Concealed<T> {
        match self.content {
            Content::Sensitive(concealed) => concealed,
            other => panic!(
                "{} is not sensitive: it is {}",
                self.subject,
                other.article()
            ),
        }
    }

    /// Asserts that there is no value.
    ///
    /// # Panics
    /// When there is one.
    #[track_caller]
    pub fn absent(self) {
        match self.content {
            Content::Absent => {}
            other => panic!("{} is not absent: it is {}", self.subject, other.article()),
        }
    }

    /// Whether everybody may see it, and it is known.
    pub fn is_known(&self) -> bool {
        matches!(self.content, Content::Known(_))
    }

    /// Whether only an apply makes it known.
    pub fn is_unknown(&self) -> bool {
        matches!(self.content, Content::Unknown(_))
    }

    /// Whether it is sensitive.
    pub fn is_sensitive(&self) -> bool {
        matches!(self.content, Content::Sensitive(_))
    }

    /// Whether there is none.
    pub fn is_absent(&self) -> bool {
        matches!(self.content, Content::Absent)
    }
}

impl<T> Content<T> {
    fn article(&self) -> String {
        match self {
            Self::Known(_) => "a known value".to_owned(),
            Self::Unknown(unknown) => format!("unknown ({unknown})"),
            Self::Sensitive(_) => "sensitive".to_owned(),
            Self::Absent => "absent".to_owned(),
        }
    }

    fn remedy(&self) -> &'static str {
        match self {
            Self::Known(_) => "",
            Self::Unknown(_) => "; assert on `.unknown().origins()`, or on the value after `up`",
            Self::Sensitive(_) => "; `.sensitive().reveal()` is the value",
            Self::Absent => "; `.absent()` asserts that",
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for PlannedValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Known(value) => value.fmt(f),
            other => write!(f, "({})", other.article()),
        }
    }
}
