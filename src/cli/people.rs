//! Times, sizes and numbers of things as people read them.

use jiff::Timestamp;

/// How long ago something was: `45s`, `5m`, `3h`, `12d`; a time to come is `0s`.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A size in the largest unit that leaves a digit before the point: `1.5 MiB`.
pub fn size(bytes: u64) -> String {
    let mut unit = 1_u64;
    for name in ["B", "KiB", "MiB", "GiB"] {
        if bytes < unit << 10 {
            return in_unit(bytes, unit, name);
        }
        unit <<= 10;
    }
    in_unit(bytes, unit, "TiB")
}

/// A number of things: `1 error`, `3 errors`.
pub fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

fn in_unit(bytes: u64, unit: u64, name: &str) -> String {
    let (whole, tenth) = (bytes / unit, bytes % unit * 10 / unit);
    if unit == 1 || whole >= 100 {
        return format!("{whole} {name}");
    }
    format!("{whole}.{tenth} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_unit() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        for (ago, text) in
            [(0, "0s"), (119, "119s"), (120, "2m"), (7_200, "2h"), (200_000, "2d"), (-5, "0s")]
        {
            assert_eq!(age(Timestamp::from_second(1_000_000 - ago).unwrap(), now), text);
        }
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (160 << 20, "160 MiB"),
            (u64::MAX, "16777215 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
