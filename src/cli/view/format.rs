//! Every format, the flags that ask for it, and the one choice between them.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

use super::text::TextView;
use super::{ChangeView, FORMATS, View};
use crate::args::EVERYWHERE;
use crate::streams::Streams;

/// A format, and how it is asked for.
pub(super) struct Format {
    /// Takes the place of text on stdout.
    pub(super) on_stdout: Option<(Flag, MakeForStdout)>,
    /// Goes to a file that the flag names, beside the output on stdout.
    pub(super) in_file: Option<(Flag, MakeForFile)>,
}

/// A flag of the command line.
#[derive(Debug)]
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
}

pub(super) type MakeForStdout = fn(Arc<Streams>) -> Arc<dyn View>;
/// Gets the file and the name of the stack.
pub(super) type MakeForFile = fn(PathBuf, &str) -> Arc<dyn ChangeView>;

/// The format of stdout, as the flags of every command choose it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OnStdout(Option<MakeForStdout>);

impl OnStdout {
    /// The view in that format.
    pub(crate) fn view(self, streams: Arc<Streams>) -> Arc<dyn View> {
        match self.0 {
            Some(make) => make(streams),
            None => Arc::new(TextView::new(streams)),
        }
    }

    /// Whether it is for people.
    pub(crate) fn is_text(self) -> bool {
        self.0.is_none()
    }

    /// The names of its flags.
    pub(crate) fn flags() -> Vec<&'static str> {
        Self::all().map(|(flag, _)| flag.name).collect()
    }

    fn all() -> impl Iterator<Item = &'static (Flag, MakeForStdout)> {
        FORMATS
            .iter()
            .filter_map(|format| format.on_stdout.as_ref())
    }
}

impl Args for OnStdout {
    fn augment_args(command: Command) -> Command {
        Self::all().fold(command, |command, (flag, _)| {
            let others = Self::flags().into_iter();
            let arg = Arg::new(flag.name)
                .long(flag.name)
                .help(flag.help)
                .action(ArgAction::SetTrue)
                .conflicts_with_all(others.filter(|other| *other != flag.name))
                .help_heading(EVERYWHERE)
                .global(true);
            command.arg(arg)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for OnStdout {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut chosen = Self::all().filter(|(flag, _)| matches.get_flag(flag.name));
        Ok(Self(chosen.next().map(|(_, make)| *make)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The files beside stdout, as the flags of commands that show a plan name them.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFiles(Vec<(&'static Flag, MakeForFile, PathBuf)>);

impl InFiles {
    /// A view for each of them.
    pub(super) fn views(&self, stack: &str) -> impl Iterator<Item = Arc<dyn ChangeView>> {
        self.0
            .iter()
            .map(move |(_, make, path)| make(path.clone(), stack))
    }

    /// The flag of the first one, if a file is named.
    pub(crate) fn first(&self) -> Option<&'static str> {
        self.first_but("")
    }

    /// The flag of the first one besides that flag.
    pub(crate) fn first_but(&self, but: &str) -> Option<&'static str> {
        let mut names = self.0.iter().map(|(flag, ..)| flag.name);
        names.find(|name| *name != but)
    }

    /// The file that a flag names.
    pub(crate) fn of(&self, name: &str) -> Option<&std::path::Path> {
        let mut all = self.0.iter();
        all.find_map(|(flag, _, path)| (flag.name == name).then_some(&**path))
    }

    fn all() -> impl Iterator<Item = &'static (Flag, MakeForFile)> {
        FORMATS.iter().filter_map(|format| format.in_file.as_ref())
    }
}

impl Args for InFiles {
    fn augment_args(command: Command) -> Command {
        Self::all().fold(command, |command, (flag, _)| {
            let arg = Arg::new(flag.name)
                .long(flag.name)
                .help(flag.help)
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf));
            command.arg(arg)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for InFiles {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let named = Self::all().filter_map(|(flag, make)| {
            let path = matches.get_one::<PathBuf>(flag.name)?;
            Some((flag, *make, path.clone()))
        });
        Ok(Self(named.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
