//! Man pages of the tools, from the definitions of their command lines.

use clap::Command;
use clap_mangen::Man;
use roff::{Roff, roman};

use crate::page::see_also;
use crate::tools::Tool;

/// How the help of a tool that tells its exit codes begins to do so.
const EXIT_CODES: &str = "Exit codes:\n";

/// The page of a tool, in roff. Its subcommands are sections of it.
///
/// # Errors
/// It cannot be rendered.
pub(crate) fn page(tool: &Tool, version: &str) -> std::io::Result<String> {
    let mut command = tool.command().disable_help_subcommand(true);
    command.build();
    let extra = command.get_after_help().map(ToString::to_string);
    let man = Man::new(command.clone())
        .section(tool.section.to_string())
        .source(format!("slapos-rs {version}"))
        .manual("SlapOS");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    subcommands(&command, &mut page)?;
    let mut end = Roff::new();
    if let Some(text) = extra {
        verbatim(&mut end, &text);
    }
    see_also(&mut end, &tool.related());
    page.extend(end.to_roff().into_bytes());
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// A section for each subcommand that does something.
fn subcommands(command: &Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    for subcommand in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        if subcommand.has_subcommands() {
            subcommands(subcommand, page)?;
            continue;
        }
        let name = subcommand.get_bin_name().unwrap_or(subcommand.get_name());
        let about = subcommand.get_about().map(ToString::to_string);
        let mut section = Roff::new();
        section.control("SH", [name]);
        section.text([roman(about.unwrap_or_default())]);
        page.extend(section.to_roff().into_bytes());
        // What every command has, and each of its subcommands, is told once.
        let own = subcommand.clone();
        let man = Man::new(own.mut_args(|argument| {
            let everywhere = argument.is_global_set() || argument.get_id() == "help";
            argument.hide(everywhere)
        }));
        page.extend(below_heading(".PP", |text| {
            man.render_synopsis_section(text)
        })?);
        page.extend(below_heading("", |text| man.render_options_section(text))?);
    }
    Ok(())
}

/// What is below the heading of a section, below another line instead.
fn below_heading(
    line: &str,
    render: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>,
) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    render(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let lines = text
        .lines()
        .map(|old| if old.starts_with(".SH") { line } else { old });
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    Ok((lines.join("\n") + "\n").into_bytes())
}

/// What a tool's help ends with, line by line as it is there.
fn verbatim(page: &mut Roff, text: &str) {
    let (title, text) = match text.strip_prefix(EXIT_CODES) {
        Some(codes) => ("EXIT STATUS", codes),
        None => ("NOTES", text),
    };
    page.control("SH", [title]).control("nf", []);
    for line in text.lines() {
        page.text([roman(line)]);
    }
    page.control("fi", []);
}
