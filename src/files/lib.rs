//! Private files and folders: readable by their owner alone, written whole or not at all, and swept when their writer died.
//!
//! Everything that terrane writes to this machine's disk goes through here: states and what lies beside them, saved plans, the files
//! of `--json-file`, the sandbox, the folders of plugins' sockets.
//!
//! | module | holds |
//! |---|---|
//! | `whole` | [`replace`]: a file takes the place of another in one step |
//! | `output` | [`write_output`], [`create_output`]: a file that a person names for output |
//! | `input` | [`read_text`]: a file that a person names |
//! | `own` | [`read_own`]: a file that an earlier run left for this one |
//! | `pieces` | [`each_piece`]: content that is too large to hold |
//! | `folder` | [`create_folder`]: mode 0700, and `.terrane` kept out of Git |
//! | `temporary` | names that say whose they are; [`sweep`] removes those whose writer died |
//! | `sockets` | [`SocketFolder`]: a folder for one socket, swept like a temporary file |
//!
//! **Decisions.** A live process holds a lock of the operating system on its temporary files, and the kernel frees it at death: a process
//! number would prove nothing across containers that share a folder, an age nothing about a machine that slept. File systems
//! without modes (FAT) or without syncable folders (some network ones) are used as they are; everything else that fails is an error.

mod folder;
mod input;
mod output;
mod own;
mod pieces;
mod sockets;
mod temporary;
mod whole;

pub use folder::create_folder;
pub use input::{is_pipe, read_text};
pub use output::{create_output, write_output};
pub use own::read_own;
pub use pieces::each_piece;
pub use sockets::SocketFolder;
pub use temporary::sweep;
pub use whole::{Moment, replace, replace_at, restrict, sync_folder};
