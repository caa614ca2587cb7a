//! New pods, and pods that run.

use super::notation::check;

#[test]
fn what_is_not_there_is_started() {
    check(&[
        ["a new pod", "app=nginx:1", "absent", "create-sandbox start/app/1: pod is new"],
        ["a sandbox from an interrupted pass", "app=nginx:1", "ready", "start/app/1: pod is new"],
        [
            "half a sandbox",
            "app=nginx:1",
            "partial",
            "create-sandbox: sandbox is incomplete | start/app/1: pod is new",
        ],
        [
            "containers start in file order",
            "z=nginx:1 a=redis:7",
            "absent",
            "create-sandbox start/z/1 start/a/1: pod is new",
        ],
        [
            "a container more",
            "app=nginx:1 => app=nginx:1 log=vector:1",
            "ready; app/1 running",
            "start/log/1: container is new",
        ],
    ]);
}

#[test]
fn what_runs_as_it_should_is_left_alone() {
    check(&[
        ["it runs", "app=nginx:1", "ready; app/1 running", ""],
        ["with a history", "app=nginx:1", "ready; app/1 code=1 removed; app/2 s1 running", ""],
        ["with the right image", "app=nginx:1 digest=a", "ready; app/1 running digest=a", ""],
        ["with an image nobody looked up", "app=nginx:1", "ready; app/1 running digest=a", ""],
        ["from no image", "app=nginx:1 digest=a", "ready; app/1 running", ""],
        ["a label", "app=nginx:1 => app=nginx:1 label=x", "ready; app/1 running", ""],
        ["the policy", "app=nginx:1 => app=nginx:1 restart=never", "ready; app/1 running", ""],
        ["back and forth", "a=x:1 => a=x:2 => a=x:1", "ready; a/1 running", ""],
        [
            "its revision is lost, but it is this one",
            "app=nginx:1",
            "ready; app/1 running lost",
            "",
        ],
        [
            "its revision is lost, but it is the desired one",
            "app=nginx:1 => app=nginx:2",
            "ready; app/2 g2 running lost",
            "",
        ],
    ]);
}

#[test]
fn a_changed_spec_replaces_or_updates() {
    check(&[
        [
            "the image",
            "app=nginx:1 => app=nginx:2",
            "ready; app/1 running",
            "stop/app/1 remove/app/1 start/app/2: containers[app].image: nginx:1 -> nginx:2",
        ],
        [
            "the streak of the old spec is over",
            "app=nginx:1 => app=nginx:2",
            "ready; app/5 s4 running",
            "stop/app/5 remove/app/5 start/app/6: containers[app].image: nginx:1 -> nginx:2",
        ],
        [
            "two generations at once",
            "app=nginx:1 => app=nginx:2 => app=nginx:3",
            "ready; app/1 running",
            "stop/app/1 remove/app/1 start/app/2: containers[app].image: nginx:1 -> nginx:3",
        ],
        [
            "the tag moved",
            "app=nginx:1 digest=a => app=nginx:1 digest=b",
            "ready; app/1 running digest=a",
            "stop/app/1 remove/app/1 start/app/2: \
             containers[app].image: sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb",
        ],
        [
            "the tag moved within the generation",
            "app=nginx:1 digest=b",
            "ready; app/1 running digest=a",
            "stop/app/1 remove/app/1 start/app/2: \
             containers[app].image: sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb",
        ],
        [
            "another name says more than its digest",
            "app=nginx:1 digest=a => app=nginx:2 digest=b",
            "ready; app/1 running digest=a",
            "stop/app/1 remove/app/1 start/app/2: containers[app].image: nginx:1 -> nginx:2",
        ],
        [
            "a limit",
            "app=nginx:1 pids=5 => app=nginx:1 pids=6",
            "ready; app/1 running",
            "update/app/1: containers[app].pids: 5 -> 6",
        ],
        [
            "a limit and a label",
            "app=nginx:1 pids=5 => app=nginx:1 pids=6 label=x",
            "ready; app/1 running",
            "update/app/1: containers[app].pids: 5 -> 6",
        ],
        [
            "a limit and the image",
            "app=nginx:1 pids=5 => app=nginx:2 pids=6",
            "ready; app/1 running",
            "stop/app/1 remove/app/1 start/app/2: containers[app].image: nginx:1 -> nginx:2",
        ],
        [
            "its revision is lost",
            "app=nginx:1 => app=nginx:1 label=x",
            "ready; app/1 running lost",
            "stop/app/1 remove/app/1 remove-sandbox create-sandbox start/app/2: \
             spec of generation 1 was lost",
        ],
    ]);
}

#[test]
fn namespaces_are_made_anew_when_they_do_not_suit() {
    check(&[
        [
            "the host name",
            "app=nginx:1 => app=nginx:1 hostname=www",
            "ready; app/1 running",
            "stop/app/1 remove/app/1 remove-sandbox create-sandbox start/app/2: \
             hostname: web -> www",
        ],
        [
            "the network",
            "app=nginx:1 => app=nginx:1 network=host",
            "ready; app/1 running",
            "stop/app/1 remove/app/1 remove-sandbox create-sandbox start/app/2: \
             network: none -> host",
        ],
        [
            "nothing of it runs",
            "app=nginx:1 => app=nginx:1 hostname=www",
            "ready; app/1 code=1 removed",
            "remove-sandbox create-sandbox start/app/2: hostname: web -> www",
        ],
        [
            "the sandbox went with the stopped pod",
            "app=nginx:1 => app=nginx:1 hostname=www",
            "absent; app/1 stopped removed",
            "create-sandbox start/app/2: hostname: web -> www",
        ],
        [
            "a pin is lost under a running container",
            "app=nginx:1",
            "partial; app/1 running",
            "stop/app/1 remove/app/1 create-sandbox start/app/2: sandbox is incomplete",
        ],
        [
            "all pins are lost under a running container",
            "app=nginx:1",
            "absent; app/1 running",
            "stop/app/1 remove/app/1 create-sandbox start/app/2: sandbox is incomplete",
        ],
        [
            "a limit can wait for the new instance",
            "app=nginx:1 pids=5 => app=nginx:1 pids=6",
            "partial; app/1 running",
            "stop/app/1 remove/app/1 create-sandbox start/app/2: sandbox is incomplete",
        ],
        ["nothing runs that would need it", "app=x restart=never", "partial; app/1 code=0", ""],
        ["nor before the delay is over", "app=x", "absent; app/1 code=1 ago=0s", "wake 1s"],
    ]);
}

#[test]
fn a_restart_that_was_asked_for_replaces_all_and_a_start_what_has_ended() {
    check(&[
        [
            "restart of one that runs",
            "app=x => app=x renewed",
            "ready; app/1 g1 running",
            "stop/app/1 remove/app/1 start/app/2: restart was asked for",
        ],
        ["it is done once", "app=x => app=x renewed", "ready; app/1 g2 running", ""],
        [
            "restart of one that waits",
            "app=x => app=x renewed",
            "ready; app/1 g1 s3 code=1 ago=0s",
            "remove/app/1 start/app/2: restart was asked for",
        ],
        [
            "restart of one that is stopped comes with its start",
            "app=x => app=x stop renewed",
            "absent; app/1 g1 stopped removed",
            "",
        ],
        ["start leaves alone what runs", "app=x => app=x revived", "ready; app/1 g1 running", ""],
        [
            "start of one that is done",
            "app=x restart=never => app=x restart=never revived",
            "ready; app/1 g1 code=0",
            "remove/app/1 start/app/2: start was asked for",
        ],
        [
            "start of one that failed for good",
            "app=x restart=never b=y => app=x restart=never b=y revived",
            "ready; app/1 g1 code=1; b/1 g1 running",
            "remove/app/1 start/app/2: start was asked for",
        ],
        [
            "start ends a delay",
            "app=x => app=x revived",
            "ready; app/7 g1 s6 code=1 ago=0s",
            "remove/app/7 start/app/8: start was asked for",
        ],
        [
            "it failed again since",
            "app=x restart=never => app=x restart=never revived",
            "ready; app/2 g2 code=1",
            "",
        ],
    ]);
}

#[test]
fn what_somebody_else_has_changed_of_a_running_container_is_put_right() {
    check(&[
        [
            "they are as they should be",
            "app=nginx:1 memory=64MiB cpus=0.5",
            "ready; app/1 running limits=64MiB,500,2048",
            "",
        ],
        [
            "the kernel keeps whole pages",
            "app=nginx:1 memory=70000001",
            "ready; app/1 running limits=69996544,max,2048",
            "",
        ],
        [
            "memory",
            "app=nginx:1 memory=64MiB",
            "ready; app/1 running limits=1GiB,max,2048",
            "update/app/1: containers[app].memory is 1GiB, should be 64MiB",
        ],
        [
            "memory that was not limited",
            "app=nginx:1",
            "ready; app/1 running limits=1GiB,max,2048",
            "update/app/1: containers[app].memory is 1GiB, should be unlimited",
        ],
        [
            "the share of a CPU",
            "app=nginx:1 cpus=0.5",
            "ready; app/1 running limits=max,2000,2048",
            "update/app/1: containers[app].cpus is 2, should be 0.5",
        ],
        [
            "processes",
            "app=nginx:1 pids=5",
            "ready; app/1 running limits=max,max,max",
            "update/app/1: containers[app].pids is unlimited, should be 5",
        ],
        [
            "what could not be read is no difference",
            "app=nginx:1 memory=64MiB cpus=0.5 pids=5",
            "ready; app/1 running limits=-,-,-",
            "",
        ],
        [
            "a change of the spec is the better cause",
            "app=nginx:1 pids=5 => app=nginx:1 pids=6",
            "ready; app/1 running limits=max,max,5",
            "update/app/1: containers[app].pids: 5 -> 6",
        ],
        [
            "nothing limits it any more",
            "app=nginx:1",
            "ready; app/1 running limits=gone",
            "stop/app/1 remove/app/1 start/app/2: cgroup is gone",
        ],
        [
            "its root is mounted otherwise",
            "app=nginx:1",
            "ready; app/1 running remounted",
            "stop/app/1 remove/app/1 start/app/2: root file system was remounted",
        ],
        [
            "what has ended has no limits",
            "app=nginx:1 restart=never",
            "ready; app/1 code=0 limits=gone",
            "",
        ],
    ]);
}
