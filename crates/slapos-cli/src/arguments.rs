//! Command lines as 0.27 takes them: `-` and `_` are the same in long options, which may be
//! shortened as long as they stay unambiguous.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::{Command, CommandFactory, Parser};

/// Parses the command line of this process; on a mistake, says it and exits with code 2.
pub fn parse<T: Parser>() -> T {
    or_exit(parse_from(std::env::args_os()))
}

/// As [`parse`], for a command line that several tools share: `tool` is the one that runs, and `about`
/// what it does, for its help. The program's name comes first.
pub fn parse_as<T: Parser>(
    tool: &'static str,
    about: &'static str,
    arguments: impl IntoIterator<Item = OsString>,
) -> T {
    let command = <T as CommandFactory>::command();
    or_exit(parse_by(command.name(tool).about(about), arguments))
}

fn or_exit<T>(parsed: Result<T, clap::Error>) -> T {
    parsed.unwrap_or_else(|error| error.exit())
}

/// Parses a command line, the program's name first.
///
/// # Errors
/// The command line is wrong, or help or the version is asked for.
pub fn parse_from<T: Parser>(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<T, clap::Error> {
    parse_by(<T as CommandFactory>::command(), arguments)
}

fn parse_by<T: Parser>(
    command: Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<T, clap::Error> {
    let mut command = command.infer_long_args(true);
    let matches = command.try_get_matches_from_mut(normalised(arguments))?;
    T::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Long options with dashes for underscores, up to a `--`; values stay as they are.
fn normalised(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut only_values = false;
    let normalise = |argument: OsString| {
        only_values |= argument == "--";
        if only_values {
            argument
        } else {
            with_dashes(&argument)
        }
    };
    arguments.into_iter().map(normalise).collect()
}

fn with_dashes(argument: &OsStr) -> OsString {
    let bytes = argument.as_bytes();
    if !bytes.starts_with(b"--") {
        return argument.to_owned();
    }
    let end = bytes
        .iter()
        .position(|byte| *byte == b'=')
        .unwrap_or(bytes.len());
    let (name, value) = bytes.split_at(end);
    let mut normalised: Vec<u8> = name
        .iter()
        .map(|byte| if *byte == b'_' { b'-' } else { *byte })
        .collect();
    normalised.extend_from_slice(value);
    OsString::from_vec(normalised)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Parser, Debug, PartialEq)]
    struct Example {
        #[arg(long)]
        master_url: Option<String>,
        #[arg(long)]
        master_ca_file: Option<String>,
        #[arg(long)]
        now: bool,
        file: String,
    }

    fn parsed(arguments: &[&str]) -> Result<Example, clap::Error> {
        parse_from(
            std::iter::once("tool")
                .chain(arguments.iter().copied())
                .map(OsString::from),
        )
    }

    #[test]
    fn underscores_and_abbreviations_are_understood() {
        for option in ["--master-url", "--master_url", "--master-u", "--master_u"] {
            let example = parsed(&[option, "a_b", "x_y"]).unwrap();
            assert_eq!(example.master_url.as_deref(), Some("a_b"), "{option}");
            assert_eq!(example.file, "x_y");
        }
        assert_eq!(
            parsed(&["--master_url=a_b", "f"])
                .unwrap()
                .master_url
                .as_deref(),
            Some("a_b")
        );
        assert_eq!(parsed(&["--no", "f"]).unwrap().file, "f");
        assert_eq!(parsed(&["--", "--a_b"]).unwrap().file, "--a_b");
    }

    #[test]
    fn mistakes_are_named() {
        for (arguments, part) in [
            (&["--master", "x", "f"][..], "--master"),
            (&["--nope", "f"], "--nope"),
            (&[], "FILE"),
            (&["a", "b"], "'b'"),
        ] {
            let error = parsed(arguments).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
