//! SHA-256, as `sha256sum` prints it.

use sha2::{Digest, Sha256};

/// How many hex digits are enough for a name.
pub const SHORT: usize = 12;

/// All 64 hex digits of the SHA-256 of a text or of bytes.
pub fn sha256_hex(text: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(text))
}

/// The first 12 of them.
pub fn short_sha256(text: &str) -> String {
    short(Sha256::new_with_prefix(text))
}

pub fn short(hash: Sha256) -> String {
    hex::encode(&hash.finalize()[..SHORT / 2])
}
