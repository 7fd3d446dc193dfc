//! States in a folder that several machines mount, such as an NFS export: `share:///mnt/team/prod`.
//!
//! A backend as anybody can write one outside of terrane. A program adds it with `Cli::backends(ShareFactory)`.
//!
//! | module | what |
//! |---|---|
//! | `address` | the scheme, and what its addresses mean |
//! | `folder` | the one thing that a shared file system promises: of all who create a name, one succeeds |
//! | `store` | snapshot, journal and lock, made of that |

mod address;
mod folder;
mod store;

pub use address::{ShareAddress, ShareFactory};
