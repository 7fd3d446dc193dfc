//! Who runs this: the names in locks and journals.

use terrane_provider::Environment;
use terrane_state::ProcessIdentity;

/// `user@host`.
pub fn who(environment: &Environment) -> String {
    let get = |name| environment.get(name).map(str::to_owned);
    let user = get("USER").or_else(|| get("LOGNAME")).or_else(user_name);
    let names = rustix::system::uname();
    format!(
        "{}@{}",
        user.as_deref().unwrap_or("unknown"),
        names.nodename().to_string_lossy()
    )
}

/// This process, as locks and journals name it.
pub fn process(environment: &Environment) -> ProcessIdentity {
    ProcessIdentity {
        folder: working_folder(),
        ..ProcessIdentity::current(who(environment), ci_url(environment))
    }
}

/// The folder that this process works in.
pub fn working_folder() -> Option<String> {
    Some(std::env::current_dir().ok()?.to_str()?.to_owned())
}

/// The page of the CI job that runs this, where there is one.
fn ci_url(environment: &Environment) -> Option<String> {
    let get = |name| environment.get(name);
    if let Some(url) = get("CI_JOB_URL") {
        return Some(url.to_owned());
    }
    let (server, repository) = (get("GITHUB_SERVER_URL")?, get("GITHUB_REPOSITORY")?);
    Some(format!(
        "{server}/{repository}/actions/runs/{}",
        get("GITHUB_RUN_ID")?
    ))
}

/// The name of this process's user: in containers and CI jobs the variables that say it are often missing.
fn user_name() -> Option<String> {
    let own = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut users = users.lines().map(|line| line.split(':'));
    users.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)? == own).then(|| name.to_owned())
    })
}
