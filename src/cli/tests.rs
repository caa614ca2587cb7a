use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

fn refused(line: &str) -> clap::error::ErrorKind {
    parse(line).unwrap_err().kind()
}

#[test]
fn the_definitions_are_sound() {
    Cli::command().debug_assert();
}

#[test]
fn global_flags_go_anywhere_before_a_program() {
    assert!(parse("tank --root /x list -o json").is_ok());
    assert!(parse("tank list --root /x -v").is_ok());
    assert!(parse("tank list -v -q").is_err());
}

fn exec(line: &str) -> exec::ExecArgs {
    match parse(line).unwrap().command {
        Command::Exec(args) => args,
        other => panic!("{other:?}"),
    }
}

#[test]
fn options_of_exec_end_at_the_program() {
    for (line, program) in [
        ("tank exec web ls -la --root /x", "ls -la --root /x"),
        ("tank exec -T web/app -- ls -- -t", "ls -- -t"),
        ("tank exec web -T -e A=b=c ls -e", "ls -e"),
        ("tank exec web sh -c --help", "sh -c --help"),
    ] {
        let program: Vec<_> = program.split(' ').map(OsString::from).collect();
        assert_eq!(exec(line).program(), program, "{line}");
    }
    assert_eq!(refused("tank exec web"), clap::error::ErrorKind::MissingRequiredArgument);
}

#[test]
fn what_contradicts_itself_is_refused() {
    for line in [
        "tank delete",
        "tank delete web -f x",
        "tank apply",
        "tank apply -f x --wait=x",
        "tank reconcile --every 5s --dry-run",
        "tank image load",
        "tank image load x -i y",
        "tank get",
        "tank get web -o yaml",
        "tank logs ../web",
        "tank exec -e =x web ls",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn a_wait_has_a_default_and_never_eats_the_next_word() {
    assert!(parse("tank apply -f x --wait").is_ok());
    assert!(parse("tank delete --wait web").is_ok());
    assert!(parse("tank delete --wait=5s web").is_ok());
}
