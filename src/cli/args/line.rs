//! Reads the command line of a program, of one stack or of many.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, FromArgMatches};
use terrane_core::Diagnostic;

use super::{Understood, instead_of, understood};
use crate::exit_code::Exit;
use crate::session::program_name;
use crate::streams::Streams;
use crate::view::text::diagnostics::diagnostics;
use crate::view::text::painter::Painter;

/// What a program is the command line of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// One stack.
    Stack(&'a str),
    /// A fleet of them.
    Fleet(&'a str),
}

impl Subject<'_> {
    /// `prod-stack (stack prod, terrane 0.1.0)`
    fn version(self) -> String {
        let (kind, name) = match self {
            Self::Stack(name) => ("stack", name),
            Self::Fleet(name) => ("fleet", name),
        };
        let program = program_name();
        let program = program.as_deref().unwrap_or(name);
        format!(
            "{program} ({kind} {name}, terrane {})\n",
            env!("CARGO_PKG_VERSION")
        )
    }
}

/// The arguments of this process, and the same as text in this program's words. Whatever they are instead is printed.
///
/// # Errors
/// When they are wrong, or ask for help or the version.
pub(crate) fn read_line<A: FromArgMatches>(
    command: Command,
    subject: Subject<'_>,
    streams: &Streams,
) -> Result<(A, Vec<String>), Exit> {
    let mut command = command.version(env!("CARGO_PKG_VERSION"));
    let Understood { arguments, tips } = understood(std::env::args_os(), &command);
    for tip in &tips {
        streams.err(&format!("tip: {tip}\n"));
    }
    let given = arguments.iter().skip(1);
    let given = given.map(|argument| argument.to_string_lossy().into_owned());
    let given = given.collect();
    let parsed = command
        .try_get_matches_from_mut(arguments)
        .and_then(|matches| A::from_arg_matches(&matches));
    let error = match parsed {
        Ok(arguments) => return Ok((arguments, given)),
        Err(error) => error,
    };
    let text = match error.kind() {
        ErrorKind::DisplayVersion => subject.version(),
        _ => error.render().to_string(),
    };
    if !error.use_stderr() {
        streams.out(text);
        return Err(Exit::DONE);
    }
    let unknown = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(unknown)) => Some(unknown),
        _ => None,
    };
    let has_many_stacks = matches!(subject, Subject::Fleet(_));
    let instead = unknown.and_then(|it| Some((it, instead_of(it, has_many_stacks)?)));
    let text = instead.map_or(text, |(unknown, instead)| {
        let none = Diagnostic::error(format!("there is no command `{unknown}`"));
        let none = none.hint(instead);
        diagnostics(&none.into(), Painter(streams.err_style))
    });
    streams.err(&text);
    Err(Exit::USAGE)
}
