//! Where on the screen things are, for every size.

use ratatui::layout::Rect;

/// Columns from which the preview is beside the list, and rows from which it is below.
const BESIDE: u16 = 76;
const BELOW: u16 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    pub prompt: Rect,
    pub list: Rect,
    /// A line of characters between the list and the preview, and the preview.
    pub preview: Option<(Rect, Rect)>,
    /// Without rows where there are too few.
    pub status: Rect,
}

impl Areas {
    pub fn of(area: Rect) -> Self {
        let rows = |y: u16, height: u16| Rect { x: area.x, y: area.y + y, width: area.width, height };
        let prompt = rows(0, area.height.min(1));
        let status_height = u16::from(area.height > 2);
        let status = rows(area.height - status_height.min(area.height), status_height);
        let body = rows(prompt.height, area.height - prompt.height - status_height);
        let (list, preview) = if area.width >= BESIDE && body.height > 1 {
            let width = (body.width / 2).min(80);
            let at = |x: u16, width: u16| Rect { x: body.x + x, width, ..body };
            (at(0, width), Some((at(width, 1), at(width + 2, body.width - width - 2))))
        } else if body.height >= BELOW {
            let height = body.height / 2;
            let at = |y: u16, height: u16| Rect { y: body.y + y, height, ..body };
            (at(0, height), Some((at(height, 1), at(height + 1, body.height - height - 1))))
        } else {
            (body, None)
        };
        Self { prompt, list, preview, status }
    }

    /// All between the prompt and the status.
    pub fn body(&self) -> Rect {
        self.preview.map_or(self.list, |(_, preview)| self.list.union(preview))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_a_place_for_something() {
        for (width, height, list, preview) in [
            (20, 5, (20, 3), None),
            (1, 1, (1, 0), None),
            (20, 2, (20, 1), None),
            (78, 22, (39, 20), Some((37, 20))),
            (60, 40, (60, 19), Some((60, 18))),
            (300, 100, (80, 98), Some((218, 98))),
        ] {
            let areas = Areas::of(Rect::new(0, 0, width, height));
            let found = areas.preview.map(|(_, preview)| (preview.width, preview.height));
            assert_eq!(((areas.list.width, areas.list.height), found), (list, preview), "{width}x{height}");
        }
        for (width, height) in (0..120).flat_map(|width| (0..60).map(move |height| (width, height))) {
            let area = Rect::new(0, 0, width, height);
            let Areas { prompt, list, preview, status } = Areas::of(area);
            for part in [prompt, list, status].into_iter().chain(preview.into_iter().flat_map(|(a, b)| [a, b])) {
                assert_eq!(part.intersection(area), part, "{width}x{height}");
            }
        }
    }
}
