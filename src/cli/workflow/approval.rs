//! Applies only what was approved: compares the digest of a plan with the one that `--plan-digest` names.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use terrane_core::Diagnostic;
use terrane_state::Sha256;

use crate::args::PlanDigestArg;
use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::{Session, quoted_if_needed};
use crate::view::printable::one_line;
use crate::view::{Approval, PlanDigest};

/// How long a file with a digest may be: a plan as JSON has it.
const LONGEST: u64 = 1 << 30;

/// What was approved.
pub(crate) struct Approved {
    sha256: Sha256,
    /// Where the approved plan acts, and the digests of its parts; a bare digest does not say.
    known: Option<(String, BTreeMap<String, String>)>,
}

/// The part of a plan's JSON, or of its summary, that is read here.
#[derive(Deserialize)]
struct Document {
    plan_digest: DigestDocument,
}

#[derive(Deserialize)]
struct DigestDocument {
    sha256: String,
    place: Option<String>,
    parts: Option<BTreeMap<String, String>>,
}

/// Reads what `--plan-digest` names, before any work is done.
pub(crate) fn read(argument: Option<&PlanDigestArg>) -> Result<Option<Approved>, CommandError> {
    let argument = match argument {
        None => return Ok(None),
        Some(PlanDigestArg::Sha256(sha256)) => {
            return Ok(Some(Approved {
                sha256: *sha256,
                known: None,
            }));
        }
        Some(PlanDigestArg::File(file)) => file,
    };
    document(argument).map(Some).map_err(|reason| {
        let file = one_line(&argument.display().to_string());
        let refused = Diagnostic::error(format!("`--plan-digest {file}` names no digest"));
        CommandError::usage(refused.detail(reason).hint(
            "pass the 64 digits of the digest, or a file that `preview --json-file FILE` wrote",
        ))
    })
}

fn document(file: &Path) -> Result<Approved, String> {
    let text = terrane_files::read_text(file, LONGEST).map_err(|error| error.to_string())?;
    let read: Result<Document, _> = serde_json::from_str(&text);
    let Document { plan_digest } = read.map_err(|error| error.to_string())?;
    let sha256 = plan_digest.sha256.parse();
    Ok(Approved {
        sha256: sha256.map_err(|error: terrane_state::ParseSha256Error| error.to_string())?,
        known: plan_digest.place.zip(plan_digest.parts),
    })
}

impl Approved {
    /// Refuses any other plan.
    pub(crate) fn check(&self, now: &PlanDigest) -> Result<(), CommandError> {
        if self.sha256 == now.sha256 {
            return Ok(());
        }
        let mut lines = vec![format!(
            "its digest is {}, and {} was approved",
            now.sha256, self.sha256
        )];
        let mut refused = Diagnostic::error("this plan is not the one that was approved");
        match &self.known {
            Some((place, parts)) => lines.extend(differences(place, parts, now)),
            None => {
                refused = refused.hint(
                    "pass the file of `preview --json-file FILE` instead of the digest to see what differs",
                );
            }
        }
        let refused = refused.detail(lines.join("\n")).hint(
            "nothing was changed; review the plan with `preview` again, and approve its digest",
        );
        Err(CommandError::new(Exit::REFUSED, refused))
    }
}

/// What differs between the approved plan and this one.
fn differences(place: &str, approved: &BTreeMap<String, String>, now: &PlanDigest) -> Vec<String> {
    /// More are counted instead of named.
    const NAMED: usize = 10;
    let mut lines = Vec::new();
    if place != now.place {
        lines.push(format!(
            "approved for `{}`; this is `{}`",
            one_line(place),
            now.place
        ));
    }
    let of_now = now.parts.iter().filter_map(|(name, part)| {
        let said = match approved.get(name) {
            Some(approved) if approved == part => return None,
            Some(_) => "planned with other values",
            None => "not in the approved plan",
        };
        Some((name, said))
    });
    let gone = approved
        .keys()
        .filter(|name| !now.parts.contains_key(*name));
    let gone = gone.map(|name| (name, "no longer planned"));
    let mut differing: Vec<_> = of_now.chain(gone).collect();
    differing.sort_unstable();
    let named = differing.iter().take(NAMED);
    lines.extend(named.map(|(name, said)| format!("{}: {said}", one_line(name))));
    if differing.len() > NAMED {
        lines.push(format!("and {} more", differing.len() - NAMED));
    }
    lines
}

/// The approval of a plan that is shown to be applied later: `verb` applies it, with these flags. Values of the configuration may be
/// secret, and a command that lacks them is no help.
pub(crate) fn offered(session: &Session<'_>, verb: &str, flags: &[String]) -> Approval {
    if !session.common.vars.is_empty() {
        return Approval::default();
    }
    let files = session.common.var_files.iter();
    let files = files.map(|file| format!("--var-file={}", file.display()));
    let words: String = files
        .chain(flags.iter().cloned())
        .map(|word| format!(" {}", quoted_if_needed(&word)))
        .collect();
    Approval::by_command(|approving| session.again(&format!("{verb} {approving}{words}")))
}
