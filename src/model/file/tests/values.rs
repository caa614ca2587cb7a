//! Values that are not what they should be.

use super::{check, in_container, in_pod, text};

#[test]
fn numbers_have_a_range() {
    check(&[
        (
            in_container("pids = 99999999999999999999"),
            &["6:8 pids: expected an integer from 0 to 4194304, found 99999999999999999999"],
        ),
        (
            in_container("pids = 0xffffffffffffffffff"),
            &["6:8 pids: expected an integer from 0 to 4194304, found 0xffffffffffffffffff"],
        ),
        (in_container("pids = -1"), &["6:8 pids: expected an integer from 0 to 4194304, found -1"]),
        (
            in_container("memory = 99999999999999999999"),
            &[
                r#"6:10 size "99999999999999999999" is too large, or not a whole number of bytes (for example: memory = "256MiB")"#,
            ],
        ),
        (
            in_container("memory = -5"),
            &[r#"6:10 size "-5" is negative (for example: memory = "256MiB")"#],
        ),
        (in_container("memory = 0"), &["6:1 memory must be more than 0"]),
        (
            in_container("cpus = 0"),
            &[r#"6:8 number of cpus "0" is not above 0 (for example: cpus = 0.5)"#],
        ),
        (
            in_container("cpus = nan"),
            &[
                r#"6:8 number of cpus "nan" is not a decimal number above 0 (for example: cpus = 0.5)"#,
            ],
        ),
        (
            in_container("cpus = 1e3"),
            &[
                r#"6:8 number of cpus "1e3" is not a decimal number above 0 (for example: cpus = 0.5)"#,
            ],
        ),
        (
            in_container("cpus = 0.0001"),
            &[
                r#"6:8 number of cpus "0.0001" is too large, or has more than three decimals (for example: cpus = 0.5)"#,
            ],
        ),
        (
            in_container("stop_signal = 99"),
            &[r#"6:15 signal "99" is not known (for example: stop_signal = "TERM")"#],
        ),
        (
            in_pod("restart = { policy = \"always\", max_retries = 4294967296 }"),
            &["3:46 max_retries: expected an integer from 0 to 4294967295, found 4294967296"],
        ),
        (
            in_container("[containers.liveness]\ntcp = { port = 0 }\nfailures = 0"),
            &[
                "7:16 port: expected an integer from 1 to 65535, found 0",
                "8:12 failures: expected an integer from 1 to 4294967295, found 0",
            ],
        ),
    ]);
}

#[test]
fn bad_values_are_explained() {
    check(&[
        (
            text(
                "name = \"../x\"\nnetwork = \"none\"\n[[containers]]\nname = \"A\"\nimage = \"a\"",
            ),
            &[
                r#"1:8 pod name "../x" may only have the characters a-z, 0-9 and - (for example: name = "web")"#,
                r#"4:8 container name "A" may only have the characters a-z, 0-9 and - (for example: name = "app")"#,
            ],
        ),
        (
            in_pod("hostname = \"a\\nb\""),
            &[
                r#"3:12 hostname "a\nb" may only have letters, digits and -, with single dots between (for example: hostname = "web")"#,
            ],
        ),
        (
            in_pod("stop_timeout = \"5 minutes\""),
            &[r#"3:16 duration "5 minutes" has an unknown unit (units are h, m, s, ms, us, ns)"#],
        ),
        (
            in_pod("restart = \"sometimes\""),
            &[
                r#"3:11 restart: expected "always", "on-failure" or "never", found "sometimes" (use "always", "on-failure" or "never")"#,
            ],
        ),
        (
            in_pod("labels = { \"a\\n\" = \"\", b = \"\\u0000\" }"),
            &[
                r#"3:12 label name "a\n" has spaces, = or control characters (for example: labels = { tier = "front" })"#,
                r#"3:28 label "\0" has control characters (for example: labels = { tier = "front" })"#,
            ],
        ),
        (
            in_container("pull = \"allways\""),
            &[
                r#"6:8 pull: expected "missing", "always" or "never", found "allways" (did you mean "always"?)"#,
            ],
        ),
        (
            in_container("memory = \"12x\""),
            &[
                r#"6:10 size "12x" has an unknown unit (units are KiB, MiB, GiB, TiB (powers of 1024) and kB, MB, GB, TB (powers of 1000))"#,
            ],
        ),
        (
            in_container("command = []\nargs = [\"\\u0000\"]"),
            &[
                "6:1 command does not name a program",
                r#"7:9 argument "\0" has a NUL (for example: args = ["-g", "daemon off;"])"#,
            ],
        ),
        (in_container("command = [\"\"]"), &["6:1 command does not name a program"]),
        (
            in_container("env = { A = \"a\\u0000\", \"B=C\" = \"\", \"D\\n\" = \"\" }"),
            &[
                r#"6:13 environment value "a\0" has a NUL (for example: env = { TZ = "UTC" })"#,
                r#"6:24 environment variable "B=C" has = in its name (for example: env = { TZ = "UTC" })"#,
                r#"6:36 environment variable "D\n" has control characters in its name (for example: env = { TZ = "UTC" })"#,
            ],
        ),
        (
            in_container("working_dir = \"srv\""),
            &[r#"6:15 path "srv" is not absolute (for example: working_dir = "/srv")"#],
        ),
        (
            in_container("working_dir = \"/a/../b\""),
            &[r#"6:15 path "/a/../b" may not have ".." (for example: working_dir = "/srv")"#],
        ),
        (
            in_container("user = \"a b\""),
            &[
                r#"6:8 user "a b" has spaces, slashes or control characters (for example: user = "101:101")"#,
            ],
        ),
        (
            in_container("stop_signal = \"SIGTREM\""),
            &[r#"6:15 signal "SIGTREM" is not known (did you mean "TERM"?)"#],
        ),
        (
            in_container("capabilities = { add = [\"NETRAW\"] }"),
            &[r#"6:25 capability "NETRAW" is not known (did you mean "NET_RAW"?)"#],
        ),
        (
            in_container("seccomp = \"off\""),
            &[
                r#"6:11 seccomp "off" is not default, unconfined or an absolute path (for example: seccomp = "default")"#,
            ],
        ),
        (
            in_container("devices = [\"/etc\"]"),
            &[r#"6:12 device "/etc" is not below /dev (for example: devices = ["/dev/fuse"])"#],
        ),
        (
            in_container(
                "sysctls = { \"kernel.core_pattern\" = \"x\", \"net.a\" = \"1\\n2\" , \"net/a\" = \"1\" }",
            ),
            &[
                r#"6:13 sysctl "kernel.core_pattern" is not the pod's own (a pod may set net.*, fs.mqueue.*, kernel.sem, kernel.msg* and kernel.shm*)"#,
                r#"6:52 sysctl value "1\n2" is empty or has control characters (for example: sysctls = { "net.core.somaxconn" = "1024" })"#,
                r#"6:61 sysctl "net/a" may only have letters, digits, - and _, with single dots between (for example: sysctls = { "net.core.somaxconn" = "1024" })"#,
            ],
        ),
        (
            in_container("ulimits = { nofiles = 1, nofile = \"2:1\" }"),
            &[
                r#"6:13 ulimit "nofiles" is not known (did you mean "nofile"?)"#,
                r#"6:35 ulimit "2:1" has a soft limit above its hard limit (for example: ulimits = { nofile = "1024:4096" })"#,
            ],
        ),
        (
            in_container("log = { max_size = \"64kB\", max_files = 0, files = 2 }"),
            &[
                "6:9 max_size must be at least 64KiB",
                "6:40 max_files: expected an integer from 2 to 1000, found 0",
                r#"6:43 unknown key "files" (did you mean "file", a key of a mount?)"#,
            ],
        ),
        (
            in_container("[[containers.mounts]]\ntarget = \"/proc/sys\"\ntmpfs = 0"),
            &[
                r#"7:10 mount target "/proc/sys" is in /proc or /sys (for example: target = "/data")"#,
                "8:1 tmpfs must be more than 0",
            ],
        ),
        (
            in_container("[[containers.mounts]]\ntarget = \"a\"\nvolume = \"../b\""),
            &[
                r#"7:10 path "a" is not absolute (for example: target = "/data")"#,
                r#"8:10 volume name "../b" may only have letters, digits, _, . and -, and must start with a letter or a digit (for example: volume = "web-data")"#,
            ],
        ),
        (
            text("name = \"a\"\n[[containers]]\nname = \"a\"\nimage = \"UPPER\"\nports = [\"80\"]"),
            &[
                r#"4:9 image name "UPPER" is not a reference like docker.io/library/nginx:1.27 (repository names are lower case)"#,
                r#"5:10 port "80" does not say both the host's and the pod's port (for example: ports = ["8080:80", "127.0.0.1:8443:443", "5353:53/udp"])"#,
            ],
        ),
        (
            in_container(
                "[containers.liveness]\nhttp = { port = 80, path = \"x\" }\nperiod = \"0s\"",
            ),
            &[
                r#"7:28 http path "x" does not start with / (for example: path = "/healthz")"#,
                "8:1 period must be longer than 0s",
            ],
        ),
    ]);
}
