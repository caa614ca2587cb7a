//! What is told of a pull, and to whom.

use rexpect::session::spawn_command;

use super::{assert_pulled, hasty, pull};
use crate::support::fault_registry::{Answer, FaultRegistry, Gate, Step};
use crate::support::made::Made;

/// How long the terminal may take to show something, in milliseconds.
const TIMEOUT: Option<u64> = Some(20_000);

#[test]
fn each_layer_has_a_line_where_nobody_watches() {
    let (registry, tank) = hasty();
    let image = Made::large(3, 4000);
    let name = registry.serve("image:1", &image);
    let output = pull(&tank, &name).ok();
    for layer in &image.layers {
        let lines = output.stderr.lines().filter(|line| line.contains(layer.short())).count();
        assert_eq!(lines, 1, "{} in\n{output}", layer.short());
    }
    assert!(!output.stderr.contains(['\u{1b}', '\r']), "{output}");
    assert!(output.stdout.contains(&name), "{output}");
    let again = pull(&tank, &name).ok();
    assert!(again.stdout.contains(&name), "{again}");
}

#[test]
fn nothing_is_told_where_nobody_wants_to_know() {
    let (registry, tank) = hasty();
    let name = registry.serve("image:1", &Made::small());
    let output = tank.run(["-q", "image", "pull", &name]).ok();
    assert_eq!(output.stderr, "", "{output}");
    let failed = tank.run(["-q", "image", "pull", &format!("{}/none:1", registry.host())]);
    assert!(!failed.stderr.is_empty(), "an error is always told");
}

#[test]
fn repetitions_are_told() {
    let (registry, tank) = hasty();
    let name = registry.serve("image:1", &Made::small());
    registry.rule_times(1, |request| {
        request.path.contains("/blobs/").then(|| Answer::with(503, "the disk is on fire"))
    });
    let output = pull(&tank, &name).ok();
    assert!(output.stderr.contains("503"), "{output}");
}

#[test]
fn json_is_one_object() {
    let (registry, tank) = hasty();
    let image = Made::small();
    let name = registry.serve("image:1", &image);
    let told = tank.run(["image", "pull", "-o", "json", &name]).ok().json();
    let text = told.to_string();
    assert!(told.is_object() && text.contains(&image.manifest.digest), "{told}");
}

#[test]
fn terminal_shows_a_bar_for_each_layer_and_is_left_clean() {
    let (registry, tank) = hasty();
    super::configure(&tank, &registry.settings());
    let image = Made::large(2, 400_000);
    let name = registry.serve("image:1", &image);
    let gate = hold_back(&registry, &image);
    let mut command = tank.command(["image", "pull", &name]);
    command.env("TERM", "xterm");
    let mut session = spawn_command(command, TIMEOUT).unwrap();
    gate.await_arrivals(2);
    // Both stand still now, and are still shown. Which is the upper one, is the program's choice.
    let [one, other] = [image.layers[0].short(), image.layers[1].short()];
    session.exp_regex(&format!("({one}|{other})")).unwrap();
    session.exp_regex("(KiB|MiB|kB|MB|%)").unwrap();
    gate.open();
    let rest = session.exp_eof().unwrap();
    let shown_last = rest.rsplit('\n').find(|line| !line.trim().is_empty()).unwrap_or_default();
    assert!(shown_last.contains(&name), "{rest:?}");
    // The cursor is shown again if it was hidden.
    let (hidden, shown) = (rest.rfind("\u{1b}[?25l"), rest.rfind("\u{1b}[?25h"));
    assert!(shown >= hidden, "{rest:?}");
    drop(session);
    assert_pulled(&tank, &name);
}

/// Lets every layer wait in its middle.
fn hold_back(registry: &FaultRegistry, image: &Made) -> Gate {
    let gate = Gate::new();
    let (blobs, at) = (image.layers.clone(), gate.clone());
    registry.rule(move |request| {
        let blob = blobs.iter().find(|blob| request.path.ends_with(&blob.digest))?;
        let (first, last) = blob.content.split_at(blob.content.len() / 2);
        let answer = Answer::new(200).length(blob.content.len()).then(Step::Send(first.to_vec()));
        Some(answer.then(Step::Wait(at.clone())).then(Step::Send(last.to_vec())))
    });
    gate
}
