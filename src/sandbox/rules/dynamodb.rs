//! DynamoDB.

use super::{CloudView, Rule, Verdict, refuse};
use crate::draft::Draft;

pub(super) const RULES: &[Rule] = &[
    Rule::new("aws_dynamodb_table", "DynamoDB Table")
        .creates(create_table)
        .deletes(|table, _| {
            let flag = table.get("deletion_protection_enabled");
            if flag.and_then(terrane_core::Value::as_bool) == Some(true) {
                return refuse(
                    "ValidationException",
                    "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
                );
            }
            Ok(())
        })
        .takes(8.0, 5.0, 4.0),
];

fn create_table(table: &mut Draft, view: &CloudView<'_>) -> Verdict {
    let name = table.text("name").to_owned();
    if view.find("aws_dynamodb_table", &name).is_some() {
        return refuse(
            "ResourceInUseException",
            format!("Table already exists: {name}"),
        );
    }
    let arn = view.arn("dynamodb", &format!("table/{name}"));
    if table.get("stream_enabled").as_bool() == Some(true) {
        let label = view.now.rfc3339().replace('Z', ".000");
        table.put("stream_arn", format!("{arn}/stream/{label}"));
        table.put("stream_label", label);
    }
    table.put("arn", arn);
    table.put("id", name);
    Ok(())
}
