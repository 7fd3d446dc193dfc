//! Terraform's functions that Rust and its crates lack, with Terraform's exact results.
//!
//! ```
//! use terrane_functions::{cidrsubnet, format, formatdate};
//!
//! assert_eq!(cidrsubnet("10.0.0.0/16", 8, 2)?, "10.0.2.0/24");
//! assert_eq!(format("%s-%03d", &["node".into(), 7.into()])?, "node-007");
//! assert_eq!(formatdate("YYYY-MM-DD", "2018-01-02T23:12:01Z")?, "2018-01-02");
//! # Ok::<(), terrane_functions::FunctionError>(())
//! ```
//!
//! Names are Terraform's, so that they are found; arguments have the types that Rust has for them. Each function is tested against a table
//! of Terraform's own answers (`answers.txt`). What Rust says as shortly is not here:
//!
//! | Terraform | Rust |
//! |---|---|
//! | `abs`, `ceil`, `floor`, `log`, `max`, `min`, `pow`, `signum` | the methods of numbers |
//! | `parseint(text, base)` | `i64::from_str_radix(text, base)` |
//! | `alltrue`, `anytrue`, `contains`, `index`, `sum` | `all`, `any`, `contains`, `position`, `sum` of iterators and slices |
//! | `chunklist`, `concat`, `reverse`, `slice`, `sort` | `chunks`, `concat`, `reverse`, ranges, `sort` of slices |
//! | `compact`, `matchkeys`, `keys`, `values`, `zipmap` | `filter`, `zip`, `keys`, `values` and `collect` |
//! | `coalesce(a, b)`, `lookup(map, key, b)`, `try(a, b)`, `can(a)` | `a.or(b)`, `map.get(key).unwrap_or(b)`, `a.or_else(…)`, `a.is_ok()` |
//! | `distinct`, `setunion`, `setintersection`, `setsubtract`, `toset` | `BTreeSet` |
//! | `merge(a, b)` | `a.into_iter().chain(b).collect()` |
//! | `range(a, b)` | `a..b` |
//! | `chomp`, `join`, `split`, `trim…`, `startswith`, `endswith`, `strcontains` | the methods of `str` and slices |
//! | `regex`, `regexall`, `replace` with a pattern | the crate `regex`, whose patterns are the same |
//! | `basename`, `dirname`, `file`, `fileexists` | `std::path`, `std::fs`, `include_str!` |
//! | `base64encode`, `md5`, `sha256`, `uuidv5`, `csvdecode`, … | `data-encoding`, `sha2`, `uuid`, `csv`, … |
//! | `jsondecode` | `serde_json` |
//! | `sensitive`, `nonsensitive`, `ephemeralasnull` | `Output::sensitive`; the others have no place in a program |
//!
//! | module | holds |
//! |---|---|
//! | `ip` | networks and their subnets |
//! | `printf` | `format` and `formatlist` |
//! | `text` | texts by what people see as characters, and in upper and lower case |
//! | `dates` | moments: how they are written, and what lies between them |
//! | `encoding` | JSON, URLs and other encodings |
//! | `yaml` | `yamlencode` |
//! | `collections` | lists, sets and maps |
//! | [`dynamic`] | all of them on values without a type, for programs that were converted from HCL |
//!
//! Why not all of Terraform's functions: two ways of saying `a.or(b)` are one too many. `fn call(name, values)`, whose types are checked
//! when the program runs, is what people leave HCL for; [`dynamic`] has it for the feature of that name.

mod collections;
mod dates;
#[cfg(feature = "dynamic")]
pub mod dynamic;
mod encoding;
mod error;
mod ip;
mod printf;
#[cfg(test)]
mod tests;
mod text;
mod yaml;

pub use collections::{at, element, flatten, member, one, setproduct, transpose};
pub use dates::{formatdate, timeadd, timecmp};
pub use encoding::{Charset, jsonencode, textdecodebase64, textencodebase64, urlencode};
pub use error::FunctionError;
pub use ip::{cidrhost, cidrnetmask, cidrsubnet, cidrsubnets};
pub use printf::{format, formatlist};
pub use text::{indent, lower, strrev, substr, title, upper};
pub use yaml::yamlencode;
