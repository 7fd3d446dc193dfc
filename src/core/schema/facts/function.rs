//! The signature of a function as a line of facts.

use super::ParseFactsError;
use super::read::{Read, Reader};
use super::write::{push_name, push_type};
use crate::schema::{Function, Parameter};

/// The line of a function.
pub fn to_function_line(name: &str, function: &Function) -> String {
    let mut line = format!("function {name} ");
    if !function.deprecation.is_empty() {
        line.push('!');
    }
    line.push('(');
    let fixed = function.parameters.iter().map(|one| ("", one));
    let rest = function.variadic.iter().map(|one| ("...", one));
    for (place, (sign, parameter)) in fixed.chain(rest).enumerate() {
        if place > 0 {
            line.push(',');
        }
        line.push_str(sign);
        push_name(&parameter.name, &mut line);
        if parameter.allows_null {
            line.push('?');
        }
        line.push(':');
        push_type(&parameter.ty, &mut line);
    }
    line.push_str(") ");
    push_type(&function.result, &mut line);
    line
}

/// Reads such a line. Of a deprecated function it knows no more than that.
///
/// # Errors
/// When the line does not follow the form, with the place where it does not.
pub fn from_function_line(line: &str) -> Result<(&str, Function), ParseFactsError> {
    let mut reader = Reader::new(line);
    reader.need("function ", "`function`")?;
    let name = reader.until(' ', "a name")?;
    let deprecation = match reader.eat("!") {
        true => "deprecated".to_owned(),
        false => String::new(),
    };
    let mut function = Function {
        parameters: Vec::new(),
        variadic: None,
        result: crate::Type::Dynamic,
        deprecation,
    };
    reader.need("(", "`(`")?;
    while !reader.eat(")") {
        if !function.parameters.is_empty() {
            reader.need(",", "`,` or `)`")?;
        }
        if reader.eat("...") {
            function.variadic = Some(parameter(&mut reader)?);
            reader.need(")", "`)`")?;
            break;
        }
        function.parameters.push(parameter(&mut reader)?);
    }
    reader.need(" ", "a space")?;
    function.result = reader.ty()?;
    match reader.rest.is_empty() {
        true => Ok((name, function)),
        false => reader.expected("the end of the line"),
    }
}

fn parameter(reader: &mut Reader<'_>) -> Read<Parameter> {
    let name = reader.name("the name of a parameter")?;
    let allows_null = reader.eat("?");
    reader.need(":", "`:`")?;
    Ok(Parameter {
        name,
        ty: reader.ty()?,
        allows_null,
        allows_unknown: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_reads_back_as_it_was_written() {
        for line in [
            "function now () string",
            "function arn_parse (arn:string) any",
            "function join !(separator?:string,...parts:list(object(a:number))) map(string)",
            "function all (...parts:bool) bool",
        ] {
            let (name, function) = from_function_line(line).expect("a function");
            assert_eq!(to_function_line(name, &function), line);
        }
    }

    #[test]
    fn a_damaged_signature_is_refused() {
        for line in [
            "function",
            "function f",
            "function f ()",
            "function f (a) string",
            "function f (a:text) string",
            "function f (...a:string,b:string) string",
            "function f () string ",
            "resource f () string",
        ] {
            assert!(from_function_line(line).is_err(), "{line}");
        }
    }
}
