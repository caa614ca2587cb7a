use std::io::{Read as _, Seek as _};
use std::time::Duration;

use super::lines::Wording;
use super::*;
use crate::app::progress::LayerState;
use crate::model::Digest;

const NAME: &str = "docker.io/library/nginx:1.27";

fn digest(byte: u8) -> Digest {
    Digest::from_sha256([byte; 32])
}

/// Tells of a pull of three layers: one is here, one is begun anew, one goes on.
fn pull(mut tell: impl FnMut(&PullEvent<'_>)) {
    let digests = [digest(0xa1), digest(0xb2), digest(0xc3)];
    let manifest = digest(0xd4);
    let layer = |index: usize, state| PullEvent::Layer { index, digest: &digests[index], state };
    tell(&PullEvent::Resolved { name: NAME, digest: &manifest, layers: 3, size: 40 << 20 });
    tell(&PullEvent::Waiting { name: NAME });
    tell(&layer(0, LayerState::Present));
    tell(&layer(1, LayerState::Started { have: 0, size: 13_000_000 }));
    tell(&layer(2, LayerState::Started { have: 1 << 20, size: 8 << 20 }));
    tell(&layer(1, LayerState::Progress(6_000_000)));
    let problem = "503 \u{1b}[2JService Unavailable";
    tell(&PullEvent::Retry { what: "layer", problem, pause: Duration::from_millis(1500) });
    tell(&layer(1, LayerState::Unpacked));
    tell(&layer(2, LayerState::Unpacked));
    tell(&PullEvent::Done { name: NAME, digest: &manifest });
}

#[test]
fn a_layer_is_a_line() {
    let mut wording = Wording::default();
    let mut lines = Vec::new();
    pull(|event| lines.extend(wording.line(event)));
    insta::assert_snapshot!(lines.join("\n").replace("\u{1b}", "ESC "), @r#"
    docker.io/library/nginx:1.27 is sha256:d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4: 3 layers, 40.0 MiB
    waiting for another tank command that fetches layers of docker.io/library/nginx:1.27
    layer 1/3 a1a1a1a1a1a1 is here already
    layer 3/3 c3c3c3c3c3c3 goes on after 1.0 MiB of 8.0 MiB
    layer: 503 ESC [2JService Unavailable; trying again in 1.5 s
    layer 2/3 b2b2b2b2b2b2 12.3 MiB done
    layer 3/3 c3c3c3c3c3c3 8.0 MiB done
    "#);
}

/// What was written to a file by somebody who draws or writes on it.
fn written(show: impl FnOnce(File)) -> String {
    let mut file = tempfile::tempfile().unwrap();
    show(file.try_clone().unwrap());
    file.rewind().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn what_strangers_say_is_escaped() {
    let lines = written(|file| {
        let lines = Lines::new(file);
        pull(|event| lines.tell(event));
    });
    assert!(lines.contains("503 \\u{1b}[2JService") && !lines.contains('\u{1b}'), "{lines}");
    let bars = written(|file| {
        let bars = Bars::new(file);
        pull(|event| bars.tell(event));
    });
    assert!(bars.contains("503 \\u{1b}[2JService") && !bars.contains("\u{1b}[2J"), "{bars:?}");
}

#[test]
fn bars_are_drawn_and_taken_away() {
    let drawn = written(|file| {
        let bars = Bars::new(file);
        pull(|event| bars.tell(event));
    });
    assert!(drawn.contains("total") && drawn.contains("of 3 layers"), "{drawn:?}");
    // The last thing that is left on the terminal is a line that was cleared.
    let last = drawn.rsplit("\u{1b}[2K").next().unwrap();
    assert!(!last.contains("total") && !last.contains("layers"), "{drawn:?}");
}

#[test]
fn several_threads_may_tell() {
    let drawn = written(|file| {
        let progress = PullProgress(Shown::Bars(Bars::new(file)));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| pull(|event| progress.tell(event)));
            }
        });
    });
    assert!(!drawn.is_empty());
}
