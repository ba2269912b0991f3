//! What a program prints, and what the host's tmux then shows.

use super::case::{Case, screen};

pub fn cases() -> Vec<Case> {
    vec![
        screen("16 colours", b"\x1b[31mred\x1b[42mon green\x1b[97;104mbright\x1b[0m plain"),
        screen("256 colours", b"\x1b[38;5;208morange\x1b[48;5;17mon blue\x1b[0m plain"),
        screen("true colour", b"\x1b[38;2;1;2;3mfirst\x1b[48;2;250;128;7msecond\x1b[0m \x1b[38:2::9:8:7mcolons"),
        screen("bold, dim, italic", b"\x1b[1mbold\x1b[22m \x1b[2mdim\x1b[22m \x1b[3mitalic\x1b[23m plain"),
        screen("blink, reverse, hidden", b"\x1b[5mblink\x1b[25m \x1b[7mreverse\x1b[27m \x1b[8mhidden\x1b[28m plain"),
        screen("strikethrough, overline", b"\x1b[9mstruck\x1b[29m \x1b[53mover\x1b[55m plain"),
        screen("underline", b"\x1b[4mline\x1b[24m plain"),
        screen("double underline", b"\x1b[4:2mdouble\x1b[0m plain"),
        screen("curly underline", b"\x1b[4:3mcurly\x1b[0m plain"),
        screen("dotted underline", b"\x1b[4:4mdotted\x1b[0m plain"),
        screen("dashed underline", b"\x1b[4:5mdashed\x1b[0m plain"),
        screen("colour of underlines", b"\x1b[4;58;2;1;2;3mline\x1b[0m \x1b[4:3m\x1b[58:2::7:8:9mcurl\x1b[59m without"),
        screen("all attributes at once", b"\x1b[1;2;3;4:3;5;7;9;53;38;2;1;2;3;48;5;4;58;2;9;8;7mall\x1b[0m none"),
        screen("line drawing", b"\x1b(0lqqk\r\nx  x\r\nmqqj\x1b(B qqq"),
        screen("wide characters", "日本語 한국어 中文|\r\n漢".as_bytes()),
        screen("wide characters at the edge", format!("{}漢字", "-".repeat(99))),
        screen("combining characters", "e\u{301}a\u{308}o\u{302}\u{323} n\u{303}|".as_bytes()),
        screen("emoji", "😀 🚀 ❤ ☎|".as_bytes()),
        screen("joined emoji", "👩\u{200d}💻 👨\u{200d}👩\u{200d}👧|\r\nnext".as_bytes()),
        screen("emoji with variation selectors", "❤\u{fe0f}| ☎\u{fe0f}|\r\nnext".as_bytes()),
        screen("flags and skin tones", "🇩🇪| 👍🏽|\r\nnext".as_bytes()),
        screen("right-to-left text", "שלום عالم|".as_bytes()),
        screen("bytes that are not UTF-8", b"a\xffb\xc3(c\xe2\x82|\r\nnext"),
        screen("tabs", b"a\tb\tc\x1b[I|\x1b[2Z|"),
        screen("tab stops", b"text\x1b[3g\r\n\x1b[20G\x1bH\r\t"),
        screen(
            "cursor moves",
            b"\x1b[5;10Hhere\x1b[2A\x1b[3Dup\x1b[3B\x1b[10Cdown\x1b[s\x1b[1;1Htop\x1b[u!\x1b7\x1b[9;9H9\x1b8?",
        ),
        screen("cursor hidden", b"hidden\x1b[?25l"),
        screen("erasing", b"abcdefghij\r\nklmnopqrst\r\nuvwxyz\x1b[2;5H\x1b[K\x1b[1;3H\x1b[1K\x1b[3;2H\x1b[3X"),
        screen("erasing with a background", erasing_with_a_background()),
        screen("inserting and deleting characters", b"abcdefgh\x1b[1;3H\x1b[2@XY\x1b[1;7H\x1b[2P\x1b[4h\x1b[1;1Hins\x1b[4l"),
        screen("inserting and deleting lines", b"one\r\ntwo\r\nthree\r\nfour\x1b[2;1H\x1b[2Lnew\x1b[5;1H\x1b[M"),
        screen("scroll regions", scroll_region()),
        screen("reverse index", b"\x1b[1;1Hone\r\ntwo\x1b[1;1H\x1bM\x1bMzero"),
        screen("origin mode", b"\x1b[5;10r\x1b[?6h\x1b[2;2Hsixth\x1b[?6l\x1b[2;2Hsecond"),
        screen("alternate screen", b"below\x1b[?1049h\x1b[2J\x1b[3;3Habove"),
        screen("alternate screen and back", b"below\x1b[?1049h\x1b[2J\x1b[3;3Habove\x1b[?1049l after"),
        screen("repeated character", b"ab\x1b[20b|"),
        screen("long lines", format!("{}|", "0123456789".repeat(35))),
        screen("without wrapping", format!("\x1b[?7l{}|\x1b[?7h", "0123456789".repeat(15))),
        screen("scrolling", lines(60)),
        screen("100 KB of text", lines(1500)),
        screen("100 KB of colours", colours()),
        screen("clear", b"gone\x1b[H\x1b[2J\x1b[3Jkept"),
        screen("title by OSC 0", b"\x1b]0;a \xe2\x9c\x93 title; 100%\x07"),
        screen("title by OSC 2", b"\x1b]2;another #{title} #[fg=red]\x1b\\"),
        screen("synchronized updates", b"\x1b[?2026hwhole\r\nscreen\x1b[?2026l"),
        screen("unknown sequences", b"a\x1b[?9999hb\x1b]9999;x\x07c\x1b_unknown\x1b\\d\x1b^x\x1b\\e\x1bXx\x1b\\f"),
        screen("hyperlinks", b"\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\ text").since(3, 4),
    ]
}

fn lines(count: usize) -> Vec<u8> {
    (1..=count).map(|number| format!("line {number} {}\r\n", "x".repeat(number % 70))).collect::<String>().into_bytes()
}

fn colours() -> Vec<u8> {
    let cell = |number: usize| format!("\x1b[38;2;{};{};{}m{}", number % 256, number / 7 % 256, number / 256, number % 10);
    (0..5000).map(cell).collect::<String>().into_bytes()
}

fn scroll_region() -> Vec<u8> {
    let mut bytes = lines(20);
    bytes.extend_from_slice(b"\x1b[5;10r\x1b[10;1Hin\r\nthe\r\nregion\x1b[2S\x1b[T\x1b[r\x1b[22;1Hend");
    bytes
}

/// Only what comes before a character is captured.
fn erasing_with_a_background() -> Vec<u8> {
    let blue = "\x1b[44m\x1b[2Jblue\x1b[1;100H|\x1b[2;100H|";
    format!("{blue}\x1b[3;1H\x1b[41mred\x1b[K\x1b[3;100H|\x1b[4;1H\x1b[0mplain\x1b[K\x1b[4;100H|").into_bytes()
}
