//! Bytes that come wrong, slowly, in pieces, or not at all.

use std::time::Duration;

use super::{
    assert_gets, assert_gives_up, assert_pulled, configure, hasty, of_blob, one_layer, pull, serve,
};
use crate::support::fault_registry::{Answer, Request, Step, part};

#[test]
fn connection_that_is_cut_at_every_tenth_goes_on_there() {
    let (registry, tank) = hasty();
    let (name, blob) = serve(&registry);
    let total = blob.content.len();
    // Each attempt gets a tenth further than the one before: progress is no failure.
    registry.rule(of_blob(&blob, move |request, content| {
        let from = usize::try_from(request.range_start().unwrap_or(0)).unwrap();
        let until = (from + total / 10 + 1).min(total);
        let cut = Step::Send(content[from..until].to_vec());
        match request.range_start() {
            Some(_) => Answer::new(206)
                .header("Content-Range", format!("bytes {from}-{}/{total}", total - 1))
                .length(total - from)
                .then(cut),
            None => Answer::new(200).length(total).then(cut),
        }
    }));
    configure(&tank, &format!("{}[images]\nretries = 12\n", registry.settings()));
    let output = pull(&tank, &name).ok();
    assert_pulled(&tank, &name);
    let log = registry.log();
    let asked = log.iter().filter(|asked| asked.is_for(&blob.digest));
    let starts: Vec<_> = asked.map(|asked| asked.request.range_start().unwrap_or(0)).collect();
    assert!(starts.len() >= 10 && starts.is_sorted(), "{starts:?}\n{output}");
    let sent: u64 = log.iter().filter(|a| a.is_for(&blob.digest)).filter_map(|a| a.sent).sum();
    assert_eq!(sent, total as u64, "nothing was sent twice");
}

#[test]
fn connection_that_is_cut_at_once_every_time_is_given_up() {
    let (registry, tank) = hasty();
    let (name, blob) = serve(&registry);
    registry.rule(of_blob(&blob, |_, content| Answer::new(200).length(content.len())));
    assert_gives_up(&tank, &name, &[&registry.host()]);
}

#[test]
fn bytes_that_are_not_what_the_digest_says_are_refused() {
    let (registry, tank) = hasty();
    let (name, blob) = serve(&registry);
    registry.rule(of_blob(&blob, |request, content| {
        let mut wrong = content.to_vec();
        let middle = wrong.len() / 2;
        wrong[middle] ^= 1;
        part(&wrong, request)
    }));
    assert_gives_up(&tank, &name, &[&blob.digest[..19]]);
    // What was wrong is not gone on with.
    registry.behave();
    assert_gets(&tank, &name);
}

#[test]
fn bytes_that_are_more_or_fewer_than_declared_are_refused() {
    type Wrong = fn(&[u8]) -> Answer;
    let shorter: Wrong = |content| Answer::with(200, &content[..content.len() - 10]);
    let longer: Wrong = |content| Answer::with(200, [content, &[0; 10]].concat());
    // Without a length, to the end of the connection.
    let unsaid: Wrong = |content| Answer::new(200).then(Step::Send([content, &[0; 10]].concat()));
    let endless: Wrong = |content| {
        Answer::new(200).then(Step::Send(content.to_vec())).then(Step::Endless(vec![0; 8192]))
    };
    for wrong in [shorter, longer, unsaid, endless] {
        let (registry, tank) = hasty();
        let (name, blob) = serve(&registry);
        registry.rule(of_blob(&blob, move |_, content| wrong(content)));
        assert_gives_up(&tank, &name, &[&blob.digest[..19]]);
    }
}

#[test]
fn layer_whose_size_the_manifest_has_wrong_is_refused() {
    for difference in [-1, 1] {
        let (registry, tank) = hasty();
        let image = one_layer();
        let size = i64::try_from(image.layers[0].content.len()).unwrap() + difference;
        let image = image.edited(|manifest| manifest["layers"][0]["size"] = size.into());
        let name = registry.serve("app:1", &image);
        assert_gives_up(&tank, &name, &[&image.layers[0].digest[..19]]);
    }
}

#[test]
fn slow_is_not_stalled() {
    let (registry, tank) = hasty();
    let (name, blob) = serve(&registry);
    // Twelve pauses, each shorter than the patience, all of them longer.
    registry.rule(of_blob(&blob, |_, content| {
        let chunks = content.chunks(content.len() / 12 + 1);
        chunks.fold(Answer::new(200).length(content.len()), |answer, chunk| {
            answer.then(Step::Send(chunk.to_vec())).then(Step::Pause(Duration::from_millis(200)))
        })
    }));
    let output = pull(&tank, &name).ok();
    assert!(output.elapsed > Duration::from_secs(2), "{output}");
    assert_pulled(&tank, &name);
    assert_eq!(registry.count(&blob), 1);
}

#[test]
fn stalled_is_given_up_or_gone_on_with() {
    let (registry, tank) = hasty();
    let (name, blob) = serve(&registry);
    let stalls = |_: &Request, content: &[u8]| {
        let half = content[..content.len() / 2].to_vec();
        Answer::new(200).length(content.len()).then(Step::Send(half)).then(Step::Hold)
    };
    registry.rule_times(1, of_blob(&blob, stalls));
    assert_gets(&tank, &name);

    let (registry, tank) = hasty();
    let (name, blob) = serve(&registry);
    registry
        .rule(of_blob(&blob, |_, content| Answer::new(200).length(content.len()).then(Step::Hold)));
    assert_gives_up(&tank, &name, &[&registry.host()]);
}

#[test]
fn half_closed_connection_is_gone_on_with_elsewhere() {
    let (registry, tank) = hasty();
    let (name, blob) = serve(&registry);
    registry.rule_times(
        1,
        of_blob(&blob, |_, content| {
            let half = content[..content.len() / 2].to_vec();
            Answer::new(200).length(content.len()).then(Step::Send(half)).then(Step::HalfClose)
        }),
    );
    assert_gets(&tank, &name);
}
