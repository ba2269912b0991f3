//! The size of a terminal.

use serde::{Deserialize, Serialize};

/// A terminal's size, in character cells and in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
    /// Of all columns together; 0 where the terminal does not say.
    #[serde(default)]
    pub pixel_width: u16,
    /// Of all rows together; 0 where the terminal does not say.
    #[serde(default)]
    pub pixel_height: u16,
}
