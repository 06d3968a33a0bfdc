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

/// Options whose number may be left out. A number that follows one is its own, and no argument.
const OF_OPTIONAL_NUMBER: [&str; 2] = ["--wait", "--watch"];

/// Long options with dashes for underscores, numbers joined to the options that may have one, up to a
/// `--`; values stay as they are.
fn normalised(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut only_values = false;
    let mut normalised: Vec<OsString> = Vec::new();
    for argument in arguments {
        only_values |= argument == "--";
        let before = normalised.last_mut();
        match before.filter(|before| OF_OPTIONAL_NUMBER.iter().any(|option| before == option)) {
            Some(option) if !only_values && is_number(&argument) => {
                option.push("=");
                option.push(argument);
            }
            _ if only_values => normalised.push(argument),
            _ => normalised.push(with_dashes(&argument)),
        }
    }
    normalised
}

/// Whether this is a number in digits. `inf` and `nan`, which `f64` takes, may be names of files.
fn is_number(argument: &OsStr) -> bool {
    let text = argument.to_str();
    text.is_some_and(|text| {
        text.contains(|character: char| character.is_ascii_digit()) && text.parse::<f64>().is_ok()
    })
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
        #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "60")]
        watch: Option<f64>,
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
    fn a_number_may_be_left_out_and_stand_on_its_own() {
        for (arguments, expected) in [
            (&["f"][..], None),
            (&["--watch", "f"], Some(60.0)),
            (&["f", "--watch"], Some(60.0)),
            (&["--watch", "5", "f"], Some(5.0)),
            (&["--watch=5", "f"], Some(5.0)),
            (&["f", "--watch", "0.5"], Some(0.5)),
            (&["--watch", "--", "f"], Some(60.0)),
        ] {
            let example = parsed(arguments).unwrap();
            assert_eq!(example.watch, expected, "{arguments:?}");
            assert_eq!(example.file, "f", "{arguments:?}");
        }
    }

    #[test]
    fn what_is_no_number_in_digits_is_an_argument() {
        for file in ["inf", "nan", "infinity", "5e"] {
            let example = parsed(&["--watch", file]).unwrap();
            assert_eq!(example.watch, Some(60.0), "{file}");
            assert_eq!(example.file, file);
        }
        assert_eq!(parsed(&["--watch", ".5", "f"]).unwrap().watch, Some(0.5));
        let error = parsed(&["--watch", "1x", "f"]).unwrap_err();
        assert!(error.to_string().contains("'f'"), "{error}");
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
