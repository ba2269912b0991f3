//! SHA-256, as `sha256sum` prints it.

use sha2::{Digest, Sha256};

/// All 64 hex digits of a text's SHA-256.
pub fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
