//! A provider's conversation in a file: recorded beside a run, and answered from later, without the provider.
//!
//! | module | holds |
//! |---|---|
//! | `form` | values, diagnostics and identities as JSON, without secrets |
//! | `exchange` | requests and responses as JSON |
//! | `features` | those of functions, ephemeral resources, lists and actions |
//! | `tape` | [`Recorder`]: the file, line by line |
//! | `recorded` | a provider beside which everything is written down |
//! | `replay` | [`Recording`]: the file as providers that answer from it |
//! | `compare` | whether a request is the recorded one, and the first place where it is not |
//!
//! The file has a JSON document a line:
//!
//! | line | means |
//! |---|---|
//! | `{"terrane_recording":1}` | the first: the form |
//! | `{"provider":…,"process":1,"capabilities":{…}}` | a process was started |
//! | `{"provider":…,"schema":"resource …"}` | a schema, as facts; with `"missing"` instead a type that the provider does not have |
//! | `{"provider":…,"identity":TYPE,"version":1,"attributes":[…]}` | the schema of a type's identity |
//! | `{"provider":…,"feature":"function","name":NAME,"is":…}` | the signature of a function, or the schema of an `ephemeral` resource, a `list` or an `action`; null where there is none |
//! | `{"provider":…,"process":1,"ask":7,"call":"ReadResource","type":…,"request":{…}}` | a request |
//! | `{"answer":7,"response":{…}}`, `{"answer":7,"failed":{…}}` | its response, or why there is none |
//!
//! **Secrets.** What the schema says to be sensitive or write-only, and every value of a provider configuration, reads `(sensitive)`. So
//! does any text that is known to be a secret. Private data are opaque, and only a digest of them is written. A replay puts the
//! secrets of its own requests into the answers, in the same places.
//!
//! All that an ephemeral resource gives is a secret. What a function makes of a secret that its arguments hold is one only where it holds
//! the same text.

mod compare;
mod exchange;
mod features;
mod form;
mod recorded;
mod replay;
mod tape;

pub use replay::{Recording, RecordingError};
pub use tape::{RecordObserver, Recorder};

pub(crate) use recorded::Recorded;

/// Stands in place of a secret.
const HIDDEN: &str = "(sensitive)";
