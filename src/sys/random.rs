//! Random numbers from the kernel: getrandom(2).

use rustix::rand::{GetRandomFlags, getrandom};

use super::{Error, Result};

/// 64 random bits.
pub fn bits() -> Result<u64> {
    let mut bytes = [0u8; 8];
    // Up to 256 bytes come whole, or not at all.
    rustix::io::retry_on_intr(|| getrandom(&mut bytes, GetRandomFlags::empty()))
        .map_err(|errno| Error::new("getrandom", "", errno))?;
    Ok(u64::from_ne_bytes(bytes))
}
