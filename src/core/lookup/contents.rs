//! Rules about what no program declared and yet keeps an object from being deleted: things in it, or things that hang on it.

use crate::value::Value;

/// How a provider is asked what stands in the way of deleting an object.
#[derive(Debug, Clone, Copy)]
pub struct ContentsLookup {
    /// The resource type of the object.
    pub type_name: &'static str,
    /// One and many of what is found: `image`, `images`.
    pub words: (&'static str, &'static str),
    /// Whether it is in the object, or hangs on it.
    pub holds: Holding,
    /// The data source that lists it.
    pub data_source: &'static str,
    /// Its configuration for an object; `None` where there is nothing to ask about.
    pub config: fn(object: &Value) -> Option<Value>,
    /// The names of what the data source found.
    pub names: fn(found: &Value) -> Vec<String>,
    /// Where those are ids that say little: the data source with an argument `id`, and the attribute that says more.
    pub described_by: Option<(&'static str, &'static str)>,
    /// What is asked instead of a provider that does not have the data source yet.
    pub otherwise: Option<&'static Self>,
}

/// How an object holds what is found.
#[derive(Debug, Clone, Copy)]
pub enum Holding {
    /// As contents: while that attribute is true they are deleted with it.
    Inside {
        /// The attribute.
        emptied_by: &'static str,
        /// Whether an object may hold more than the data source shows (older versions, say), so that finding nothing proves nothing.
        may_hide: fn(object: &Value) -> bool,
    },
    /// Others made it, and use the object.
    Attached {
        /// What to do about it.
        remedy: &'static str,
    },
}
