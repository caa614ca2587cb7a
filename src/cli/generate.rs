//! Completions and manual pages, from the same definitions as the parser.

use std::io;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::Cli;

/// The completions for a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tank", &mut script);
    script
}

/// The manual pages, by file name: one for the program and one for every verb.
pub fn man_pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut tank = Cli::command().disable_help_subcommand(true);
    tank.build();
    let mut pages = Vec::new();
    add_pages(&tank, &mut pages)?;
    Ok(pages)
}

fn add_pages(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let man = Man::new(command.clone().after_long_help(None::<&str>))
        .source(concat!("tank ", env!("CARGO_PKG_VERSION")))
        .manual("tank manual");
    let mut page = Vec::new();
    man.render(&mut page)?;
    if let Some(help) = command.get_after_long_help() {
        page.extend(sections(&help.to_string()).render().into_bytes());
    }
    pages.push((man.get_filename(), page));
    command.get_subcommands().try_for_each(|verb| add_pages(verb, pages))
}

/// The end of a help text as sections, whose lines stay as they are. A line that ends in a colon
/// and is not indented is a heading.
fn sections(help: &str) -> Roff {
    let mut roff = Roff::new();
    let mut open = false;
    for line in help.lines() {
        match line.strip_suffix(':').filter(|_| !line.starts_with(' ')) {
            Some(heading) => {
                open_section(&mut roff, &heading.to_uppercase(), open);
                open = true;
            }
            None if !open => {
                open_section(&mut roff, "NOTES", open);
                open = true;
                roff.text([roman(line)]);
            }
            None => {
                roff.text([roman(line)]);
            }
        }
    }
    roff.control("fi", []);
    roff
}

fn open_section(roff: &mut Roff, heading: &str, after_another: bool) {
    if after_another {
        roff.control("fi", []);
    }
    roff.control("SH", [heading]).control("nf", []);
}
