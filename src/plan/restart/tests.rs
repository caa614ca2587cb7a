use super::*;

fn restart() -> Restart {
    Restart { max_retries: None, ..Restart::default() }
}

fn id(bits: u64) -> InstanceId {
    InstanceId::from_bits(bits)
}

#[test]
fn delays_double_up_to_the_most() {
    let seconds = |streak| delay(&restart(), streak, &id(1)).as_secs_f64();
    let jitter = seconds(0);
    for (streak, plain) in [(0, 1.0), (1, 2.0), (5, 32.0), (6, 60.0), (31, 60.0), (u32::MAX, 60.0)]
    {
        assert!((seconds(streak) - plain * jitter).abs() < 1e-6, "{streak}");
    }
}

#[test]
fn jitter_is_a_tenth_either_way_and_depends_on_the_id() {
    let restart = Restart { initial: Duration::from_secs(10), ..restart() };
    let delays: Vec<f64> =
        (0..500).map(|bits| delay(&restart, 0, &id(bits)).as_secs_f64()).collect();
    assert!(delays.iter().all(|delay| (9.0..=11.0).contains(delay)));
    assert!(delays.iter().any(|delay| *delay < 9.2) && delays.iter().any(|delay| *delay > 10.8));
}

#[test]
fn no_delay_is_no_delay() {
    let restart = Restart { initial: Duration::ZERO, ..restart() };
    for streak in [0, 5, 31, 32, u32::MAX] {
        assert_eq!(delay(&restart, streak, &id(1)), Duration::ZERO);
    }
}

#[test]
fn a_delay_beyond_the_end_of_time_is_not_reached() {
    let restart = Restart { initial: Duration::MAX, max: Duration::MAX, ..restart() };
    let far = later(Timestamp::UNIX_EPOCH, delay(&restart, 3, &id(1)));
    assert_eq!(far, Timestamp::MAX);
}

#[test]
fn the_hash_is_fnv_1a() {
    assert_eq!(fnv1a(""), 0x811c_9dc5);
    assert_eq!(fnv1a("foobar"), 0xbf9c_f968);
}
