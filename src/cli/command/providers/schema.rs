//! `providers schema`: what the providers' types look like, in Terraform's JSON. Installs a provider that is not there.

use terrane_deploy::{DeployError, required_providers};

use crate::error::CommandError;
use crate::exit_code::Exit;
use crate::session::Session;

pub(super) async fn run(session: &Session<'_>) -> Result<Exit, CommandError> {
    let program = session.program_without_secrets().await?;
    let plugins = session.providers(&program).await?;
    let mut schemas = Vec::new();
    for required in required_providers(&program) {
        let json = plugins.schemas_json(&required.source).await;
        schemas.push((required.source, json.map_err(DeployError::from)?));
    }
    session.view().schemas(&schemas);
    Ok(Exit::DONE)
}
