//! Finds secrets again: in attributes that a provider copies them into, in its messages, in its log.
//!
//! A secret is looked for as it is and as others write it: in JSON, once and twice, in URLs, in a shell's quotes, in base64, and a long line
//! at a time. Texts of less than six bytes, numbers of less than eight digits and one character over and over are looked for nowhere: they
//! would hide more harmless text than secrets.

mod constants;
mod forms;
mod matcher;

pub use constants::secrets_of;
pub use matcher::{SecretMatcher, forms_of, secrets_in, texts_in};
