//! The memory between runs: the state, its v4 file, backends, locks and the journal.
//!
//! The life of a state in one run, as the engine sees it through [`Recorder`]:
//!
//! ```
//! # use terrane_state::{*, model::*};
//! # async fn operation(recorder: &dyn Recorder, address: terrane_core::addr::InstanceAddr,
//! #     provider: terrane_core::addr::ProviderConfigAddr, clock: &dyn Clock, random: &dyn Random) -> Result<(), RecordError> {
//! let op = OperationId::random(random);
//! let intent = Intent::new(op, address.clone(), IntentAction::Create, provider.clone(), clock.now());
//! recorder.intent(intent).await?; // durable: now the provider may be asked
//! let object = Object::new(0, RawJson::empty_object());
//! let result = OperationResult {
//!     op,
//!     address,
//!     outcome: OperationOutcome::Ok,
//!     instance: Some(Instance::with_current(provider, object).into()),
//!     undecoded: None,
//!     error_class: None,
//! };
//! recorder.result(result).await?; // durable: now "done" may be said
//! # Ok(())
//! # }
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`model`] | the state in memory: instances by address, objects as stored text; lineage and serial |
//! | [`mod@file`] | Terraform's format v4, byte for byte; refusals that name the place |
//! | [`backend`] | [`Backend`] and what passes its [`conformance`](backend::conformance) suite: memory, local files, S3 (feature `s3`); a [`BackendFactory`] for each scheme |
//! | [`edit`] | changes that a person orders: moves, removals, another provider |
//! | `exports` | what other stacks read of a state, without its lock |
//! | [`journal`] | records of intents and results, their frames, and how they are read back |
//! | `run` | [`Recorder`], the engine's view; [`Run`], the real one: lock, recovery, checkpoints, end; [`Repair`] of a damaged journal |
//! | [`crash`] | named places at which tests let a run die (feature `crash-points`) |
//! | `lock_info`, `clock`, `random`, `digest` | Terraform's lock text; time and chance behind traits; checksums |
//!
//! **Decisions.** Attributes stay text (`RawJson`) from file to file: only the engine, which has the schema, decodes them, so a
//! state of 20,000 instances is read without one value being built. An operation's result carries *all* that is at its
//! address (current and deposed), so that replaying a record twice changes nothing. A change that asks nothing of a
//! provider (deposing, drift, exports) is a `Change`: recorded in order, made durable with the next intent or result.
//! Each run has an epoch of the journal; a run that finds an epoch without an end seals it first, so a run that slept through
//! that can append nothing and therefore begin nothing. A run that records nothing writes nothing at all. Checkpoints come
//! with every 200th result or a quarter of the state's size, whichever is more: with a fixed number the bytes of all
//! snapshots together would grow with the square of the stack.
//!
//! **Why not** one serde structure for file and memory: members that a newer writer added would be lost, numbers would lose
//! digits, and every read would build a tree of everything.

pub mod backend;
mod chain;
mod clock;
mod counter;
pub mod crash;
mod digest;
pub mod edit;
mod encryption;
mod exports;
pub mod file;
pub mod journal;
mod lock_info;
pub mod model;
mod random;
mod run;

pub use backend::{
    Backend, BackendAddress, BackendConfig, BackendError, BackendFactory, Backends, BootstrapStep,
    LocalBackend, LockError, MemoryBackend, ParseBackendError, PrivateFile, S3Backend,
};
use chain::chain;
pub use clock::{Clock, ParseTimestampError, SystemClock, Timestamp};
pub use digest::{ParseSha256Error, Sha256};
pub use encryption::{EncryptedWith, Encryption, StackFile, is_sealed};
pub use exports::{read_backend, read_exports};
pub use journal::{
    Change, Damage, ErrorClass, Intent, IntentAction, JournalError, Open, OpenIntent, OperationId,
    OperationOutcome, OperationResult, PastRun, PlanUse, ProcessIdentity, Record, Resolution,
    Resolve, Tally, Transfer, TransferStep,
};
pub use lock_info::{LockInfo, Operation, ParseLockInfoError};
pub use model::{DeposedKey, Instance, Object, ObjectStatus, RawJson, State};
pub use random::{Random, SystemRandom};
pub use run::survey;
pub use run::{
    Closed, Failure, Kept, Liveness, MemoryRecorder, Origin, Patience, RecordError, Recorder,
    Recovered, Repair, Rescued, Restore, Run, RunError, RunOptions, TransferEnd, TransferError,
    TransferOrder, finish_transfers, transfer,
};
