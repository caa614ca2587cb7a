//! Pods that should not run, or not be.

use super::notation::check;

#[test]
fn a_stopped_pod_holds_nothing() {
    check(&[
        [
            "it runs",
            "app=x stop",
            "ready; app/1 running",
            "stop/app/1 remove/app/1 remove-sandbox: stopped by request",
        ],
        [
            "in reverse order",
            "a=x b=y stop",
            "ready; a/1 running; b/1 running; b/2 running",
            "stop/b/2 remove/b/2 stop/b/1 remove/b/1 stop/a/1 remove/a/1 remove-sandbox: \
             stopped by request",
        ],
        [
            "what the spec does not know goes first",
            "a=x z=y => a=x stop",
            "ready; z/1 running; a/1 running",
            "stop/z/1 remove/z/1 stop/a/1 remove/a/1 remove-sandbox: stopped by request",
        ],
        [
            "it waits for its delay",
            "app=x stop",
            "ready; app/1 code=1 ago=0s",
            "remove/app/1 remove-sandbox: stopped by request",
        ],
        [
            "the pass was interrupted",
            "app=x stop",
            "partial; app/1 stopped removed",
            "remove-sandbox: stopped by request",
        ],
        ["it is stopped", "app=x stop", "absent; app/1 stopped removed", ""],
        ["it is missing", "app=x stop", "absent; app/1 missing gone", ""],
        ["it never ran", "app=x stop", "absent", ""],
        ["its spec changed", "app=x => app=y stop", "absent; app/1 stopped removed", ""],
    ]);
}

#[test]
fn a_deleted_pod_is_forgotten_last() {
    check(&[
        [
            "it runs",
            "app=x deleting",
            "ready; app/1 code=1 removed; app/2 running",
            "stop/app/2 remove/app/2 remove-sandbox forget: deleted",
        ],
        [
            "it is unmonitored",
            "app=x deleting",
            "ready; app/1 unknown",
            "stop/app/1 remove/app/1 remove-sandbox forget: deleted",
        ],
        [
            "its removal was interrupted",
            "app=x deleting",
            "absent; app/1 removing",
            "remove/app/1 forget: deleted",
        ],
        [
            "it is stopped",
            "app=x stop deleting",
            "absent; app/1 stopped removed",
            "forget: deleted",
        ],
        ["it never ran", "app=x deleting", "absent", "forget: deleted"],
    ]);
}

#[test]
fn a_pod_that_nobody_desires_is_taken_down() {
    check(&[
        [
            "it runs",
            "-",
            "ready; app/1 running",
            "stop/app/1 remove/app/1 remove-sandbox forget: not desired any more",
        ],
        [
            "newest first",
            "-",
            "ready; a/1 running; b/1 code=1",
            "remove/b/1 stop/a/1 remove/a/1 remove-sandbox forget: not desired any more",
        ],
        ["pins remain", "-", "partial", "remove-sandbox forget: not desired any more"],
        ["rows remain", "-", "absent; app/1 code=0 removed", "forget: not desired any more"],
    ]);
}
