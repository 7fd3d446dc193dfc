//! A planned value as a policy sees it: known, unknown or absent.

/// A value of a plan. An unknown one is not an absent one: it exists, and only an apply can tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<T> {
    /// This is the value.
    Known(T),
    /// There will be a value; which one is known after the apply.
    Unknown,
    /// There is no value.
    Absent,
}

impl<T> Fact<T> {
    /// The value, if it is known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown | Self::Absent => None,
        }
    }

    /// The same, as a reference.
    pub fn as_ref(&self) -> Fact<&T> {
        match self {
            Self::Known(value) => Fact::Known(value),
            Self::Unknown => Fact::Unknown,
            Self::Absent => Fact::Absent,
        }
    }

    /// The same, computed from the value.
    pub fn map<U>(self, function: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(function(value)),
            Self::Unknown => Fact::Unknown,
            Self::Absent => Fact::Absent,
        }
    }

    /// The same, with a value in place of none.
    #[must_use]
    pub fn or(self, default: T) -> Self {
        match self {
            Self::Absent => Self::Known(default),
            other => other,
        }
    }

    /// Whether it is known to be that.
    pub fn is(&self, value: &(impl ?Sized + PartialEq<T>)) -> bool {
        matches!(self, Self::Known(known) if value == known)
    }

    /// Whether it exists and is not known yet.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether there is none.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}
