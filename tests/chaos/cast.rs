//! The pods of the storm: ten of different kinds, each in several variants, and one that nobody
//! touches.

use std::path::Path;

use crate::support::fixtures;

/// How many pods the commands are about.
pub(super) const PODS: u32 = 10;

/// How many variants there are of each: three environments, for which a container is replaced,
/// and four limits of memory, which are changed in place.
pub(super) const VARIANTS: u32 = 12;

/// The pod that no command names and nobody kills.
pub(super) const BYSTANDER: &str = "bystander";

/// The image that one of the pods runs.
pub(super) const IMAGE: &str = "localhost/busybox:1";

const SLEEPER: &str = "trap 'exit 0' TERM; sleep 1000 & wait";

/// It does not listen, and has to be killed.
const STUBBORN: &str = "trap '' TERM; while :; do sleep 1000 & wait; done";

/// It fails again and again for as long as the storm goes on.
const FRAIL: &str = "n=0; while [ -e /storm/on ]; do n=$((n+1)); [ $n = 5 ] && exit 3; sleep 0.1; \
                     done; trap 'exit 0' TERM; sleep 1000 & wait";

/// What a pod does between two things.
pub(super) const PAUSE: &str = "sleep 0.1";

/// It always has something to say.
const TALKER: &str = "trap 'exit 0' TERM; \
                      while :; do n=$((n+1)); echo line $n; sleep 0.1 & wait $!; done";

/// The name of the `n`-th pod.
pub(super) fn name(n: u32) -> String {
    format!("pod{n}")
}

/// Its table in a file of pods; `storm` is the directory that tells them whether it goes on.
pub(super) fn table(n: u32, variant: u32, storm: &Path) -> String {
    let (replaced, live) = (variant % 3, variant / 3);
    let keys = format!("env = {{ V = '{replaced}' }}\nmemory = '{}MiB'", 32 + 8 * live);
    let rootfs = || format!("rootfs = '{}'", fixtures::busybox_rootfs().display());
    let container = |kind: &str, name: &str, source: &str, script: &str| {
        format!(
            "[[pods.{kind}]]\nname = '{name}'\n{source}\n\
             command = ['/bin/sh', '-c', '''{script}''']\n{keys}\n"
        )
    };
    let app = |script: &str| container("containers", "app", &rootfs(), script);
    let (network, containers) = match n {
        0 => ("none", app(STUBBORN)),
        1 => {
            let mount = format!("mounts = [{{ target = '/storm', host = {storm:?} }}]\n");
            ("none", app(FRAIL) + &mount)
        }
        2 => ("none", app(TALKER)),
        3 => ("none", app(SLEEPER) + &container("containers", "side", &rootfs(), SLEEPER)),
        4 => ("none", container("containers", "app", &format!("image = '{IMAGE}'"), SLEEPER)),
        5 => ("bridge", app(SLEEPER) + "ports = ['127.0.0.1:8085:80']\n"),
        6 => ("bridge", app(SLEEPER)),
        7 => ("bridge", container("init_containers", "first", &rootfs(), "true") + &app(SLEEPER)),
        _ => ("none", app(SLEEPER)),
    };
    format!(
        "[[pods]]\nname = '{}'\nnetwork = '{network}'\nstop_timeout = '400ms'\n\
         labels = {{ variant = '{variant}' }}\n\
         restart = {{ policy = 'always', initial = '10ms', max = '200ms' }}\n{containers}\n",
        name(n)
    )
}

/// The table of the bystander.
pub(super) fn bystander() -> String {
    format!(
        "[[pods]]\nname = '{BYSTANDER}'\nnetwork = 'none'\n[[pods.containers]]\nname = 'app'\n\
         rootfs = '{}'\ncommand = ['/bin/sh', '-c', '''{SLEEPER}''']\n",
        fixtures::busybox_rootfs().display()
    )
}
