//! The client's side of flow control: how much input it may still send.

use std::cell::Cell;

use tokio::sync::Notify;

use super::WINDOW;

/// What is left of a program's window. One future sends input and takes from it, another one reads what the relay reports.
#[derive(Debug)]
pub struct Window {
    left: Cell<usize>,
    opened: Notify,
}

impl Window {
    /// As at the beginning of a program.
    pub fn new() -> Self {
        Self { left: Cell::new(WINDOW), opened: Notify::new() }
    }

    /// Waits until something may be sent; how much, and no more than `wanted`.
    pub async fn room(&self, wanted: usize) -> usize {
        while self.left.get() == 0 {
            self.opened.notified().await;
        }
        self.left.get().min(wanted)
    }

    /// Whether all of this may be sent now.
    pub fn has_room_for(&self, count: usize) -> bool {
        self.left.get() >= count
    }

    /// Notes what is sent.
    pub fn sent(&self, count: usize) {
        self.left.set(self.left.get().saturating_sub(count));
    }

    /// Notes what the relay reports. One that reports more than it was sent gains nothing.
    pub fn taken(&self, count: u32) {
        let count = usize::try_from(count).unwrap_or(WINDOW);
        self.left.set(self.left.get().saturating_add(count).min(WINDOW));
        self.opened.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_closed_window_opens_by_what_is_taken() {
        let window = Window::new();
        assert_eq!(window.room(10).now_or_never(), Some(10));
        assert_eq!(window.room(WINDOW + 1).now_or_never(), Some(WINDOW));
        window.sent(WINDOW - 3);
        assert_eq!(window.room(10).now_or_never(), Some(3));
        assert!(window.has_room_for(3) && !window.has_room_for(4));
        window.sent(3);
        let mut waiting = std::pin::pin!(window.room(10));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        window.taken(7);
        assert_eq!(waiting.now_or_never(), Some(7));
    }

    #[test]
    fn a_relay_cannot_widen_the_window() {
        let window = Window::new();
        window.sent(1);
        window.taken(u32::MAX);
        assert_eq!(window.room(usize::MAX).now_or_never(), Some(WINDOW));
    }
}
