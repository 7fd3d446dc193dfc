//! ECR.

use terrane_core::Value;
use terrane_core::value::Map;

use super::view::one_block;
use super::{ACCOUNT, CloudView, Rule, Verdict, refuse, text};
use crate::draft::Draft;

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_ecr_repository", "ECR Repository")
        .creates(create_repository)
        .deletes(delete_repository),
    Rule::new("aws_ecr_lifecycle_policy", "ECR Lifecycle Policy").creates(part_of_repository),
    Rule::new("aws_ecr_repository_policy", "ECR Repository Policy").creates(part_of_repository),
];

fn create_repository(repository: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let name = repository.text("name").to_owned();
    if view.find("aws_ecr_repository", &name).is_some() {
        return refuse(
            "RepositoryAlreadyExistsException",
            format!(
                "The repository with name '{name}' already exists in the registry with id '{ACCOUNT}'"
            ),
        );
    }
    repository.put("arn", view.arn("ecr", &format!("repository/{name}")));
    repository.put(
        "repository_url",
        format!("{ACCOUNT}.dkr.ecr.{}.amazonaws.com/{name}", view.region),
    );
    repository.put("registry_id", ACCOUNT);
    repository.put("id", name);
    if repository.block("encryption_configuration").is_none() {
        let block = one_block([("encryption_type", "AES256".into()), ("kms_key", "".into())]);
        repository.put("encryption_configuration", block);
    }
    if repository.block("image_scanning_configuration").is_none() {
        let block = one_block([("scan_on_push", false.into())]);
        repository.put("image_scanning_configuration", block);
    }
    Ok(())
}

/// No type is an image: whoever pushes one leaves it in the sandbox as an object of `aws_ecr_image`.
fn delete_repository(repository: &Map, view: &CloudView<'_>) -> Verdict {
    let name = text(repository, "name");
    let forced = repository.get("force_delete").and_then(Value::as_bool) == Some(true);
    if !forced && view.has("aws_ecr_image", "repository_name", name) {
        return refuse(
            "RepositoryNotEmptyException",
            format!(
                "The repository with name '{name}' in registry with id '{ACCOUNT}' cannot be deleted because it still contains images"
            ),
        );
    }
    Ok(())
}

fn part_of_repository(part: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let name = part.text("repository").to_owned();
    if view.find("aws_ecr_repository", &name).is_none() {
        return refuse(
            "RepositoryNotFoundException",
            format!(
                "The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'"
            ),
        );
    }
    part.put("registry_id", ACCOUNT);
    part.put("id", name);
    Ok(())
}
