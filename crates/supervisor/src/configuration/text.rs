//! How single values are written so that supervisord reads them back unchanged.

use super::Problem;

/// A plain value: `%` doubled, as supervisord expands `%(name)s`.
pub(crate) fn value(text: &str) -> Result<String, Problem> {
    if text.trim() != text {
        return Err(Problem::OuterWhiteSpace);
    }
    refuse_control_characters(text)?;
    // A value is written after "key = ", so that its first character follows white space.
    if begins_comment(' ', text) {
        return Err(Problem::Comment);
    }
    Ok(escape_percent(text))
}

/// A command line that supervisord splits into exactly these words.
pub(crate) fn command(words: &[String]) -> Result<String, Problem> {
    if words.first().is_none_or(String::is_empty) {
        return Err(Problem::Empty);
    }
    let mut line = String::new();
    for word in words {
        refuse_control_characters(word)?;
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&shell_word(word));
    }
    Ok(escape_percent(&line))
}

/// The value of `environment`: `NAME="value",…`. supervisord knows no escapes inside quotes.
pub(crate) fn environment(variables: &[(String, String)]) -> Result<String, Problem> {
    let mut line = String::new();
    for (name, text) in variables {
        check_variable_name(name)?;
        if !line.is_empty() {
            line.push(',');
        }
        let quote = quote_for(text)?;
        line.push_str(&format!("{name}={quote}{text}{quote}"));
    }
    value(&line)
}

/// Checks the name of a group, program, process or event listener.
pub(crate) fn name(text: &str) -> Result<(), Problem> {
    if text.is_empty() {
        return Err(Problem::Empty);
    }
    refuse_control_characters(text)?;
    let forbidden = |c: char| c.is_whitespace() || matches!(c, ':' | '/' | ',' | '[' | ']');
    if text.contains(forbidden) {
        return Err(Problem::NameCharacter);
    }
    Ok(())
}

fn refuse_control_characters(text: &str) -> Result<(), Problem> {
    // A tab is the only control character that survives the parser.
    if text.contains(|c: char| c.is_control() && c != '\t') {
        return Err(Problem::ControlCharacter);
    }
    Ok(())
}

fn begins_comment(before: char, text: &str) -> bool {
    std::iter::once(before)
        .chain(text.chars())
        .zip(text.chars())
        .any(|(previous, c)| previous.is_whitespace() && is_comment_mark(c))
}

fn is_comment_mark(c: char) -> bool {
    matches!(c, ';' | '#')
}

/// Doubles `%`, once for each time that supervisord expands a value.
pub(crate) fn escape_percent(text: &str) -> String {
    text.replace('%', "%%")
}

fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let mut quoted = String::from("'");
    let mut previous = '\'';
    for c in word.chars() {
        if c == '\'' {
            quoted.push_str(r#"'"'"'"#);
        } else {
            if is_comment_mark(c) && previous.is_whitespace() {
                // An empty pair of quotes parts the mark from the white space.
                quoted.push_str("''");
            }
            quoted.push(c);
        }
        previous = c;
    }
    quoted.push('\'');
    quoted
}

fn check_variable_name(name: &str) -> Result<(), Problem> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let continues_well = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if starts_well && continues_well {
        Ok(())
    } else {
        Err(Problem::VariableName)
    }
}

/// The kind of quotes that `text` can stand in: supervisord takes off every quote at the ends.
fn quote_for(text: &str) -> Result<char, Problem> {
    const QUOTES: [char; 2] = ['"', '\''];
    if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        return Err(Problem::Quotes);
    }
    QUOTES
        .into_iter()
        .find(|quote| !text.contains(*quote))
        .ok_or(Problem::Quotes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn variables(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        variables
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn percent_is_doubled() {
        assert_eq!(value("/srv/100%/log"), Ok("/srv/100%%/log".to_owned()));
    }

    #[test]
    fn comment_marks_inside_words_stay() {
        assert_eq!(value("/srv/a;b#c"), Ok("/srv/a;b#c".to_owned()));
    }

    #[test]
    fn values_that_the_parser_would_change_are_refused() {
        for (text, problem) in [
            ("a\nb", Problem::ControlCharacter),
            ("a\r[program:x]", Problem::ControlCharacter),
            ("a\0", Problem::ControlCharacter),
            ("a\u{85}b", Problem::ControlCharacter),
            ("a ;b", Problem::Comment),
            ("a\t#b", Problem::Comment),
            (";a", Problem::Comment),
            ("#a", Problem::Comment),
            (" a", Problem::OuterWhiteSpace),
            ("a\n", Problem::OuterWhiteSpace),
        ] {
            assert_eq!(value(text), Err(problem), "{text:?}");
        }
    }

    #[test]
    fn words_are_quoted_for_the_split() {
        for (word, quoted) in [
            ("/bin/a-b_c.d", "/bin/a-b_c.d"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r#"'it'"'"'s'"#),
            ("a ;b", "'a '';b'"),
            ("a  #b", "'a  ''#b'"),
            ("50%", "'50%%'"),
            ("\\", "'\\'"),
        ] {
            assert_eq!(
                command(&words(&["x", word])),
                Ok(format!("x {quoted}")),
                "{word:?}"
            );
        }
    }

    #[test]
    fn commands_without_a_program_or_with_line_breaks_are_refused() {
        assert_eq!(command(&[]), Err(Problem::Empty));
        assert_eq!(command(&words(&[""])), Err(Problem::Empty));
        assert_eq!(
            command(&words(&["x", "a\nb"])),
            Err(Problem::ControlCharacter)
        );
    }

    #[test]
    fn environment_takes_the_quotes_that_fit() {
        assert_eq!(
            environment(&variables(&[
                ("A", "x,y=z"),
                ("B", "say \"x\" now"),
                ("C", "1%")
            ])),
            Ok(r#"A="x,y=z",B='say "x" now',C="1%%""#.to_owned())
        );
    }

    #[test]
    fn environment_refuses_what_it_cannot_hold() {
        for (name, text, problem) in [
            ("A", "'x'", Problem::Quotes),
            ("A", "a'b\"c", Problem::Quotes),
            ("A", "a ;b", Problem::Comment),
            ("A", "a\nB=\"c", Problem::ControlCharacter),
            ("A,B", "x", Problem::VariableName),
            ("", "x", Problem::VariableName),
            ("1A", "x", Problem::VariableName),
        ] {
            assert_eq!(
                environment(&variables(&[(name, text)])),
                Err(problem),
                "{name} {text:?}"
            );
        }
    }

    #[test]
    fn names_that_supervisord_refuses_are_refused() {
        for text in ["a:b", "a/b", "a b", "a,b", "a]", "[a", "a\u{2003}b"] {
            assert_eq!(name(text), Err(Problem::NameCharacter), "{text:?}");
        }
        assert_eq!(name(""), Err(Problem::Empty));
        assert_eq!(name("a\n"), Err(Problem::ControlCharacter));
        assert_eq!(name("é%;#@x"), Ok(()));
    }
}
