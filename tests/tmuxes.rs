//! R80: whatever tmux is outside, and whatever tmux is inside.

use crate::support::{Docker, RawTerminal, World, binary, wait_for_equal};

#[test]
fn the_size_in_pixels_travels_with_every_size() {
    let world = World::new();
    let project = world.project("api");
    let wharf = binary();
    let words = [wharf.to_str().unwrap(), "attach", "--create", project.to_str().unwrap()];
    let terminal = RawTerminal::running(&world, &words);
    terminal.wait_for_text(0, "\x1b[?1049h");
    let container = world.container_of(&project);
    let format = "#{client_width}x#{client_height} #{client_cell_width}x#{client_cell_height}";
    let client = || {
        let asked = ["exec", &container, "tmux", "-S", "/run/wharf/tmux.sock", "list-clients", "-F", format];
        String::from_utf8(Docker::output(asked).stdout).unwrap().trim().to_owned()
    };
    wait_for_equal("a size without pixels", "100x24 0x0", client);
    terminal.resize((80, 20), (80 * 9, 20 * 18));
    wait_for_equal("a size with pixels", "80x20 9x18", client);
}
