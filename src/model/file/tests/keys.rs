//! Unknown keys and wrong types.

use super::{check, in_container, in_pod, text};

#[test]
fn unknown_keys_name_the_nearest_known_one() {
    check(&[
        (in_container("comand = []"), &[r#"6:1 unknown key "comand" (did you mean "command"?)"#]),
        (
            in_container("workingDir = \"/\""),
            &[r#"6:1 unknown key "workingDir" (did you mean "working_dir"?)"#],
        ),
        (
            in_pod("comand = []"),
            &[r#"3:1 unknown key "comand" (did you mean "command", a key of a container?)"#],
        ),
        (
            in_container("volumes = []"),
            &[r#"6:1 unknown key "volumes" (did you mean "volume", a key of a mount?)"#],
        ),
        (
            in_container("hostname = \"a\""),
            &[r#"6:1 unknown key "hostname" ("hostname" is a key of a pod)"#],
        ),
        (in_container("xyz = 1"), &[r#"6:1 unknown key "xyz""#]),
        (
            in_container(
                "[[containers.mounts]]\ntarget = \"/a\"\nhost = \"/b\"\nmemory = \"1GiB\"",
            ),
            &[r#"9:1 unknown key "memory" ("memory" is a key of a container)"#],
        ),
        (
            in_container("capabilities = { ad = [] }"),
            &[r#"6:18 unknown key "ad" (did you mean "add"?)"#],
        ),
        (
            in_container("[containers.liveness]\nport = 80\nexec = [\"a\"]"),
            &[r#"7:1 unknown key "port" ("port" is a key of an http check)"#],
        ),
        (in_container("\"two\\nlines\" = 1"), &[r#"6:1 unknown key "two\nlines""#]),
    ]);
}

#[test]
fn values_of_wrong_types_say_what_was_expected() {
    check(&[
        (
            in_pod("hostname = 5"),
            &[r#"3:12 hostname: expected a string, found an integer (write it in quotes: "5")"#],
        ),
        (
            in_pod("hostname = 2024-01-01"),
            &[
                r#"3:12 hostname: expected a string, found a date or time (for example: hostname = "web")"#,
            ],
        ),
        (
            in_pod("hostname = 12:30:00"),
            &[
                r#"3:12 hostname: expected a string, found a date or time (for example: hostname = "web")"#,
            ],
        ),
        (
            in_pod("stop_timeout = 30"),
            &[
                r#"3:16 stop_timeout: expected a string, found an integer (for example: stop_timeout = "30s")"#,
            ],
        ),
        (
            in_pod("labels = { a = 1, b = true, c = 1.5 }"),
            &[
                r#"3:16 labels: expected a string, found an integer (write it in quotes: "1")"#,
                r#"3:23 labels: expected a string, found a boolean (write it in quotes: "true")"#,
                r#"3:33 labels: expected a string, found a float (write it in quotes: "1.5")"#,
            ],
        ),
        (
            in_pod("labels = []"),
            &[
                r#"3:10 labels: expected a table, found an array (for example: labels = { tier = "front" })"#,
            ],
        ),
        (
            in_pod("depends_on = \"db\""),
            &[
                r#"3:14 depends_on: expected an array of strings, found a string (for example: depends_on = ["db"])"#,
            ],
        ),
        (
            in_pod("restart = 1"),
            &[
                r#"3:11 restart: expected a string or a table, found an integer (for example: restart = "on-failure")"#,
            ],
        ),
        (
            in_container("args = [1, \"a\", []]"),
            &[
                r#"6:9 args: expected a string, found an integer (write it in quotes: "1")"#,
                r#"6:17 args: expected a string, found an array (for example: args = ["-g", "daemon off;"])"#,
            ],
        ),
        (
            in_container("tty = \"yes\""),
            &["6:7 tty: expected true or false, found a string (for example: tty = true)"],
        ),
        (
            in_container("pids = 1.5"),
            &["6:8 pids: expected an integer, found a float (for example: pids = 2048)"],
        ),
        (
            in_container("pids = \"1\""),
            &["6:8 pids: expected an integer, found a string (for example: pids = 2048)"],
        ),
        (
            in_container("cpus = \"0.5\""),
            &["6:8 cpus: expected a number, found a string (for example: cpus = 0.5)"],
        ),
        (
            in_container("memory = 0.5"),
            &[
                r#"6:10 memory: expected a string or an integer, found a float (for example: memory = "256MiB")"#,
            ],
        ),
        (
            in_container("user = 101"),
            &[r#"6:8 user: expected a string, found an integer (write it in quotes: "101")"#],
        ),
        (
            in_container("capabilities = [\"NET_RAW\"]"),
            &[
                r#"6:16 capabilities: expected a table, found an array (for example: capabilities = { drop = ["ALL"], add = ["NET_RAW"] })"#,
            ],
        ),
        (
            in_container("ulimits = { core = [] }"),
            &[
                r#"6:20 ulimits: expected a string or an integer, found an array (for example: ulimits = { nofile = "1024:4096" })"#,
            ],
        ),
        (
            in_container("mounts = [1]"),
            &[
                "6:11 mounts: expected a table, found an integer (for example: [[containers.mounts]])",
            ],
        ),
        (
            in_container("liveness = true"),
            &[
                r#"6:12 liveness: expected a table, found a boolean (for example: liveness = { exec = ["/check"] })"#,
            ],
        ),
        (
            text("name = \"a\"\nnetwork = \"none\"\n[containers]\nname = \"a\""),
            &[
                "3:1 containers: expected an array of tables, found a table (for example: [[containers]])",
            ],
        ),
        (
            text("name = \"a\"\nnetwork = \"none\"\ncontainers = [1]"),
            &["3:15 containers: expected a table, found an integer (for example: [[containers]])"],
        ),
        (
            text("name = 1979-05-27T07:32:00Z\nnetwork = \"none\"\ncontainers = []"),
            &[
                r#"1:8 name: expected a string, found a date or time (for example: name = "web")"#,
                "3:1 containers has no entries, at least one is needed",
            ],
        ),
    ]);
}
