//! A pull, as people follow it.

use std::collections::HashMap;

use bytesize::ByteSize;

use super::{Live, say_plainly};
use crate::engine::Layer;

/// One line on a terminal; elsewhere one when it begins and one when it is done.
pub struct Pull<'a> {
    image: &'a str,
    layers: HashMap<String, Layer>,
    live: Live,
}

impl<'a> Pull<'a> {
    pub fn begin(image: &'a str) -> Self {
        let mut live = Live::new();
        if !live.is_terminal() {
            say_plainly(&format!("pulling image {image}"));
        }
        live.draw(|| vec![format!("pulling image {image}")]);
        Self { image, layers: HashMap::new(), live }
    }

    pub fn tell(&mut self, layer: &Layer) {
        let known = self.layers.entry(layer.id.clone()).or_insert_with(|| layer.clone());
        known.is_done |= layer.is_done;
        known.downloaded = match (layer.downloaded, known.downloaded) {
            // Verified and unpacked, it is no longer told how much there is.
            (None, Some((_, total))) => Some((total, total)),
            (downloaded, _) => downloaded,
        };
        let text = self.text();
        self.live.draw(|| vec![text]);
    }

    pub fn done(mut self) {
        self.live.clear();
        if !self.live.is_terminal() {
            say_plainly(&format!("pulled image {}", self.image));
        }
    }

    fn text(&self) -> String {
        let done = self.layers.values().filter(|layer| layer.is_done).count();
        let amounts = self.layers.values().filter_map(|layer| layer.downloaded);
        let (current, total) = amounts.fold((0, 0), |sum, amount| (sum.0 + amount.0, sum.1 + amount.1));
        let bytes = if total == 0 { String::new() } else { format!(", {} of {}", size(current), size(total)) };
        // The numbers first: a narrow terminal cuts what people know.
        format!("pulling {done} of {} layers{bytes} of image {}", self.layers.len(), self.image)
    }
}

fn size(bytes: u64) -> String {
    ByteSize(bytes).display().si().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_and_bytes_are_added_up() {
        let mut pull = Pull { image: "debian", layers: HashMap::new(), live: Live::new() };
        let mut told = |id: &str, is_done, downloaded| {
            pull.tell(&Layer { id: id.to_owned(), is_done, downloaded });
            pull.text()
        };
        assert_eq!(told("1", false, None), "pulling 0 of 1 layers of image debian");
        assert_eq!(told("2", true, None), "pulling 1 of 2 layers of image debian");
        assert_eq!(told("1", false, Some((500, 2000))), "pulling 1 of 2 layers, 500 B of 2.0 kB of image debian");
        assert_eq!(told("1", false, None), "pulling 1 of 2 layers, 2.0 kB of 2.0 kB of image debian");
        assert_eq!(told("1", true, None), "pulling 2 of 2 layers, 2.0 kB of 2.0 kB of image debian");
    }
}
