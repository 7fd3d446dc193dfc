//! `csvdecode`: rows with the names of the first one.

use csv::ReaderBuilder;
use terrane_core::Value;

/// The rows of the text, each a map from the names in the first row.
pub(super) fn decode(text: &str) -> Result<Value, String> {
    let mut reader = ReaderBuilder::new().from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    if names.is_empty() {
        return Err("finds no row of names".to_owned());
    }
    for (place, name) in names.iter().enumerate() {
        if names.iter().take(place).any(|earlier| earlier == name) {
            return Err(format!("finds the name `{name}` twice"));
        }
    }
    let rows = reader.records().map(|row| {
        let row = row.map_err(|error| error.to_string())?;
        Ok(Value::map(names.iter().zip(row.iter().map(Value::from))))
    });
    Ok(Value::list(rows.collect::<Result<_, String>>()?))
}
