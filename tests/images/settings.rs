//! `config.toml`.

use crate::support::Tank;

#[test]
fn its_errors_are_shown_in_their_places_and_nothing_is_done() {
    let tank = Tank::new();
    // Makes the root.
    tank.run(["image", "rm", "nothing"]).exits(3);
    std::fs::write(tank.root().join("config.toml"), "[images]\nparalel = 2\nretries = \"x\"\n")
        .unwrap();
    let refused = tank.run(["image", "pull", "localhost:1/a"]).exits(2);
    for text in ["config.toml:2:1", "did you mean \"parallel\"?", "config.toml:3:11", "2 errors in"]
    {
        assert!(refused.stderr.contains(text), "{text}: {refused}");
    }
    // Who needs no setting does not read it.
    tank.run(["image", "list"]).ok();
    tank.run(["list"]).ok();
}

#[test]
fn its_schema_is_printed() {
    let tank = Tank::new();
    let schema = tank.run(["schema", "--config"]).ok().json();
    assert_eq!(schema["$defs"]["images"]["properties"]["parallel"]["default"], 4);
}
