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

impl Size {
    pub fn has_pixels(self) -> bool {
        self.pixel_width > 0 || self.pixel_height > 0
    }

    pub fn without_pixels(self) -> Self {
        Self { pixel_width: 0, pixel_height: 0, ..self }
    }
}
