//! Whether somebody else on this machine could put another program in the place of a provider's binary.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use terrane_core::addr::ProviderSource;

use crate::error::InstallError;

const WRITABLE_BY_OTHERS: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Refuses a binary that every user of this machine may replace: it would run with our credentials.
///
/// That is one that others may write, or that lies below a folder in which they may rename what is not theirs. In a folder like
/// `/tmp`, where they may only add (the sticky bit), the file must be ours or root's.
pub(crate) fn check(binary: &Path, source: &ProviderSource, user: u32) -> Result<(), InstallError> {
    // A link leads to what is started; what cannot be looked at is refused with a better reason when it is started.
    let Ok(binary) = binary.canonicalize() else {
        return Ok(());
    };
    let Ok(file) = binary.metadata() else {
        return Ok(());
    };
    if file.permissions().mode() & WRITABLE_BY_OTHERS != 0 {
        return Err(refused(&binary, "every user may write it", source));
    }
    for folder in binary.ancestors().skip(1) {
        let Ok(metadata) = folder.metadata() else {
            continue;
        };
        let mode = metadata.permissions().mode();
        if mode & WRITABLE_BY_OTHERS == 0 {
            continue;
        }
        if mode & STICKY == 0 {
            return Err(refused(
                folder,
                "every user may change what is in it",
                source,
            ));
        }
        if file.uid() != 0 && file.uid() != user {
            let mut error = refused(
                &binary,
                "it is another user's, in a folder for everybody",
                source,
            );
            error.hints = vec!["install a copy of your own in a folder of your own".to_owned()];
            return Err(error);
        }
    }
    Ok(())
}

fn refused(place: &Path, why: &str, source: &ProviderSource) -> InstallError {
    let mut error = InstallError::new(format!(
        "provider {source} is not started: others can replace it"
    ));
    error.detail = format!("{}: {why}", place.display());
    error.hints = vec![
        "make sure that it is still what you installed, for it runs with your credentials"
            .to_owned(),
        format!("then: `chmod o-w '{}'`", place.display()),
    ];
    error
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    #[test]
    fn a_binary_that_everybody_can_replace_is_refused() {
        let root = tempfile::tempdir().expect("a folder");
        let user = root.path().metadata().expect("a folder").uid();
        let folder = root.path().join("plugins");
        let binary = folder.join("terraform-provider-null");
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(&binary, "").expect("a file");
        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
        };
        let source = ProviderSource::implied_by("null_resource");
        let verdict = |user| check(&binary, &source, user).map_err(|error| error.detail);
        set(&folder, 0o755);
        set(&binary, 0o755);
        assert_eq!(verdict(user), Ok(()));
        set(&binary, 0o777);
        assert!(
            verdict(user).is_err_and(|detail| detail.ends_with("null: every user may write it"))
        );
        set(&binary, 0o755);
        set(&folder, 0o777);
        assert!(
            verdict(user).is_err_and(
                |detail| detail.ends_with("plugins: every user may change what is in it")
            )
        );
        set(&folder, 0o1777);
        assert_eq!(verdict(user), Ok(()));
    }
}
