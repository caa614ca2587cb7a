//! Several containers, and several instances of one.

use super::notation::check;

#[test]
fn containers_stop_in_reverse_and_start_in_order() {
    check(&[
        [
            "both are replaced",
            "a=x:1 b=y:1 => a=x:2 b=y:2",
            "ready; a/1 running; b/1 running",
            "stop/b/1 remove/b/1: containers[b].image: y:1 -> y:2 \
             | stop/a/1 remove/a/1 start/a/2: containers[a].image: x:1 -> x:2 \
             | start/b/2: containers[b].image: y:1 -> y:2",
        ],
        [
            "one is replaced",
            "a=x:1 b=y:1 => a=x:1 b=y:2",
            "ready; a/1 running; b/1 running",
            "stop/b/1 remove/b/1 start/b/2: containers[b].image: y:1 -> y:2",
        ],
        [
            "one is updated, one replaced",
            "a=x:1 b=y:1 pids=5 => a=x:2 b=y:1 pids=6",
            "ready; a/1 running; b/1 running",
            "stop/a/1 remove/a/1 start/a/2: containers[a].image: x:1 -> x:2 \
             | update/b/1: containers[b].pids: 5 -> 6",
        ],
        [
            "the sandbox takes all along",
            "a=x b=y => a=x b=y hostname=www",
            "ready; a/1 running; b/1 running",
            "stop/b/1 remove/b/1 stop/a/1 remove/a/1 remove-sandbox create-sandbox start/a/2 \
             start/b/2: hostname: web -> www",
        ],
        [
            "what is done is not run again for it",
            "a=x b=y restart=on-failure",
            "partial; a/1 running; b/1 code=0",
            "stop/a/1 remove/a/1 create-sandbox start/a/2: sandbox is incomplete",
        ],
        ["one waits, one runs", "a=x b=y", "ready; a/1 running; b/1 code=1 ago=0s", "wake 1s"],
        [
            "the first delay to end decides",
            "a=x b=y",
            "ready; a/4 s3 code=1 ago=0s; b/1 code=1 ago=0s",
            "wake 1s",
        ],
        [
            "one waits, one starts",
            "a=x b=y",
            "ready; a/1 code=1; b/1 code=1 ago=0s",
            "remove/a/1 start/a/2~1: exited with code 1, restart = always | wake 1s",
        ],
    ]);
}

#[test]
fn what_is_in_no_spec_is_taken_away() {
    check(&[
        [
            "it runs",
            "a=x b=y => a=x",
            "ready; a/1 running; b/1 running",
            "stop/b/1 remove/b/1: container is not in the spec any more",
        ],
        [
            "it is left over",
            "a=x b=y => a=x",
            "ready; a/1 running; b/1 code=1",
            "remove/b/1: container is not in the spec any more",
        ],
        ["it is history", "a=x b=y => a=x", "ready; a/1 running; b/1 code=1 removed", ""],
        [
            "it was renamed",
            "a=x => b=x",
            "ready; a/1 running",
            "stop/a/1 remove/a/1: container is not in the spec any more \
             | start/b/1: container is new",
        ],
    ]);
}

#[test]
fn one_instance_of_a_container_stays() {
    check(&[
        [
            "the newest",
            "app=x",
            "ready; app/1 running; app/2 running",
            "stop/app/1 remove/app/1: superseded by attempt 2",
        ],
        [
            "the one of the desired generation",
            "app=x => app=y => app=x label=z",
            "ready; app/1 g3 running; app/2 g2 running",
            "stop/app/2 remove/app/2: superseded by attempt 1",
        ],
        [
            "the one that surely runs",
            "app=x",
            "ready; app/1 running; app/2 unknown",
            "stop/app/2 remove/app/2: superseded by attempt 1",
        ],
        [
            "neither is right",
            "app=x => app=y",
            "ready; app/1 running; app/2 running",
            "stop/app/2 remove/app/2: containers[app].image: x -> y \
             | stop/app/1 remove/app/1: superseded by attempt 2 \
             | start/app/3: containers[app].image: x -> y",
        ],
        [
            "the one that runs, not a newer one that never did",
            "app=x",
            "ready; app/1 running; app/2 created",
            "remove/app/2: superseded by attempt 1",
        ],
        [
            "an old one was not removed",
            "app=x",
            "ready; app/1 code=1; app/2 s1 running",
            "remove/app/1: superseded by attempt 2",
        ],
        [
            "all ended",
            "app=x",
            "ready; app/1 code=1; app/2 s1 code=1",
            "remove/app/2: exited with code 1 (2 times in a row), restart = always \
             | remove/app/1: superseded by attempt 2 \
             | start/app/3~2: exited with code 1 (2 times in a row), restart = always",
        ],
    ]);
}

#[test]
fn init_containers_run_one_after_the_other_before_the_rest() {
    let pod = "m=x init n=x init app=y";
    check(&[
        ["a new pod", pod, "absent", "create-sandbox start/m/1: pod is new"],
        ["the first runs", pod, "ready; m/1 running", ""],
        ["it is done", pod, "ready; m/1 code=0", "start/n/1: container is new"],
        ["all are done", pod, "ready; m/1 code=0; n/1 code=0", "start/app/1: container is new"],
        ["all is as it should be", pod, "ready; m/1 code=0; n/1 code=0; app/1 running", ""],
        [
            "one failed",
            pod,
            "ready; m/1 code=1",
            "remove/m/1 start/m/2~1: exited with code 1, restart = always",
        ],
        ["one failed just now", pod, "ready; m/1 code=1 ago=0s", "wake 1s"],
        ["one failed for good", "m=x init app=y restart=never", "ready; m/1 code=1", ""],
        [
            "a container is started again without them",
            pod,
            "ready; m/1 code=0; n/1 code=0; app/1 code=1",
            "remove/app/1 start/app/2~1: exited with code 1, restart = always",
        ],
        [
            "the sandbox is new, as after a reboot",
            pod,
            "absent; m/1 code=0; n/1 code=0; app/1 reboot",
            "remove/app/1: host was restarted | remove/n/1 remove/m/1 create-sandbox \
             start/m/2: sandbox is new",
        ],
        [
            "the sandbox is new, and the rest is done",
            "m=x init app=y restart=on-failure",
            "absent; m/1 code=0; app/1 code=0",
            "",
        ],
        [
            "the sandbox is new, and the rest has failed for good",
            "m=x init app=y restart=never",
            "absent; m/1 code=0; app/1 code=1",
            "",
        ],
        [
            "the sandbox is new, and some of the rest is not done",
            "m=x init app=y more=y restart=on-failure",
            "absent; m/1 code=0; app/1 code=0; more/1 reboot",
            "remove/more/1: host was restarted | remove/m/1 create-sandbox start/m/2: \
             sandbox is new",
        ],
        [
            "it was stopped and is to run",
            pod,
            "absent; m/1 code=0 removed; n/1 code=0 removed; app/1 stopped removed",
            "create-sandbox start/m/2: sandbox is new",
        ],
        [
            "one was changed",
            "m=x init app=y => m=z init app=y",
            "ready; m/1 code=0; app/1 running",
            "stop/app/1 remove/app/1 remove/m/1 start/m/2: init_containers[m].image: x -> z",
        ],
        [
            "a container was changed",
            "m=x init app=y => m=x init app=z",
            "ready; m/1 code=0; app/1 running",
            "stop/app/1 remove/app/1 start/app/2: containers[app].image: y -> z",
        ],
        [
            "a restart was asked for",
            "m=x init app=y => m=x init app=y renewed",
            "ready; m/1 code=0; app/1 running",
            "stop/app/1 remove/app/1 remove/m/1 start/m/2: restart was asked for",
        ],
        [
            "a container more, beside one that goes on",
            "m=x init app=y => m=x init app=y more=y",
            "ready; m/1 code=0; app/1 running",
            "start/more/1: container is new",
        ],
        [
            "what it did is not on record, and a container goes on",
            "m=x init app=y",
            "ready; app/1 running",
            "",
        ],
        [
            "it is deleted while one runs",
            "m=x init app=y deleting",
            "ready; m/1 running",
            "stop/m/1 remove/m/1 remove-sandbox forget: deleted",
        ],
    ]);
}
