//! `tank apply --prune-label`.

use crate::support::Tank;
use crate::support::pods::script;

/// A pod with a label.
fn labelled(name: &str, site: &str) -> String {
    let labels = format!("labels = {{ site = '{site}' }}");
    script(name, &labels, "trap 'exit 0' TERM; sleep 1000 & wait")
}

fn names(tank: &Tank) -> Vec<String> {
    let listed = tank.run(["list", "-o", "json"]).ok().json();
    let pods = listed["pods"].as_array().unwrap();
    pods.iter().map(|pod| pod["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn pods_of_the_label_that_the_files_do_not_name_are_deleted() {
    let tank = Tank::new();
    for (name, site) in [("one", "shop"), ("two", "shop"), ("other", "blog")] {
        tank.apply(&labelled(name, site)).ok();
    }
    let apply = |args: &[&str]| {
        let words = [&["apply", "-f", "-", "--prune-label", "site=shop"], args].concat();
        tank.run_with(&mut tank.command(words), labelled("one", "shop").as_bytes()).ok()
    };
    let preview = apply(&["--dry-run"]).stdout;
    assert!(preview.contains("pod/two deleted (dry run)") && preview.contains("stop"), "{preview}");
    assert_eq!(names(&tank), ["one", "other", "two"]);
    let report = apply(&["-o", "json"]).json();
    let result = |place: usize| report["pods"][place]["result"].as_str().unwrap().to_owned();
    assert_eq!([result(0), result(1)], ["unchanged", "deleted"], "{report}");
    assert_eq!(report["failed"], 0);
    assert_eq!(names(&tank), ["one", "other"]);
    let again = apply(&[]).stdout;
    assert_eq!(again, "pod/one unchanged\nplanned 0, executed 0, failed 0\n");
    let wrong = tank.run(["apply", "-f", "-", "--prune-label", "site"]).exits(2);
    assert!(wrong.stderr.contains("NAME=VALUE"), "{wrong}");
}

#[test]
fn nothing_is_deleted_where_what_is_applied_fails() {
    let tank = Tank::new();
    tank.apply(&labelled("old", "shop")).ok();
    let broken = labelled("new", "shop").replace("'/bin/sh', '-c',", "'/no/such/program',");
    let mut command = tank.command(["apply", "-f", "-", "--prune-label", "site=shop"]);
    tank.run_with(&mut command, broken.as_bytes()).exits(1);
    assert_eq!(names(&tank), ["new", "old"]);
}
