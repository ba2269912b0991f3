use super::*;

fn run() -> Request {
    let command = ["sh", "-c", "echo \"größe\"\n"].map(str::to_owned).to_vec();
    Request::Run(Run {
        program: Program::Command(command),
        environment: vec!["A=b".to_owned()],
        directory: Some("/srv/it's".to_owned()),
        terminal: Some(Size { columns: 80, rows: 24, pixel_width: 1280, pixel_height: 768 }),
        follow: Some(Follow { session: "main".parse().unwrap(), lines: 2000, is_own: true }),
    })
}

fn frames() -> Vec<Frame> {
    vec![
        Frame::Hello(Hello::new(Some("/srv/api".to_owned()))),
        Frame::Request(run()),
        Frame::Request(Request::Sessions),
        Frame::Request(Request::Follow),
        Frame::Request(Request::FollowAlerts),
        Frame::Request(Request::Unused),
        Frame::Input(Bytes::new()),
        Frame::Input(Bytes::from_static(b"\x01\x02\xff\0")),
        Frame::Resize(Size { columns: 1, rows: u16::MAX, pixel_width: 2, pixel_height: 3 }),
        Frame::Resize(Size { columns: 1, rows: u16::MAX, pixel_width: 0, pixel_height: 0 }),
        Frame::Signal(15),
        Frame::Taken(u32::MAX),
        Frame::Output(Bytes::from(vec![7; CHUNK])),
        Frame::ErrorOutput(Bytes::from_static(b"no")),
        Frame::Exit(-1),
        Frame::Sessions(vec![Session::new("main".parse().unwrap())]),
        Frame::Foreground(Foreground { command: "vim".to_owned(), directory: "/srv/it's".to_owned(), fills_screen: true }),
        Frame::Unused(u64::MAX),
        Frame::Refused("no".to_owned()),
    ]
}

#[test]
fn every_frame_arrives_however_its_bytes_are_cut() {
    let mut bytes = BytesMut::new();
    for frame in frames() {
        Codec.encode(frame, &mut bytes).unwrap();
    }
    for size in [1, 2, 7, 4096, bytes.len()] {
        let (mut received, mut pending) = (Vec::new(), BytesMut::new());
        for piece in bytes.chunks(size) {
            pending.put_slice(piece);
            while let Some(frame) = Codec.decode(&mut pending).unwrap() {
                received.push(frame);
            }
        }
        assert_eq!(received, frames(), "in pieces of {size}");
        assert!(pending.is_empty());
    }
}

#[test]
fn what_is_no_frame_is_an_error_and_reserves_nothing() {
    let long = u32::try_from(MAX_PAYLOAD + 1).unwrap().to_be_bytes();
    let cases: [&[u8]; 10] = [
        &[b'o', long[0], long[1], long[2], long[3]],
        b"o\xff\xff\xff\xff",
        b"?\0\0\0\0",
        b"r\0\0\0\x03abc",
        b"s\0\0\0\0",
        b"t\0\0\0\x01a",
        b"X\0\0\0\x01a",
        b"R\0\0\0\x02{}",
        b"H\0\0\0\x06wharf\0",
        b"HTTP/1.1 400 Bad Request\r\n",
    ];
    for bytes in cases {
        let mut buffer = BytesMut::from(bytes);
        assert!(Codec.decode(&mut buffer).is_err(), "{bytes:?}");
        assert!(buffer.capacity() < 1024);
    }
}

#[test]
fn both_sides_speak_the_newest_version_that_both_know() {
    let side = |oldest, newest| Hello { oldest, newest, ..Hello::default() };
    // The first version says only one number.
    assert_eq!(side(OLDEST, None).agreed(), Some(OLDEST));
    assert_eq!(side(OLDEST, Some(NEWEST + 1)).agreed(), Some(NEWEST));
    assert_eq!(side(NEWEST, Some(NEWEST)).agreed(), Some(NEWEST));
    assert_eq!(side(NEWEST + 1, Some(NEWEST + 2)).agreed(), None);
    assert_eq!(side(OLDEST - 1, None).agreed(), None);
}

#[test]
fn of_another_versions_hello_the_version_is_read() {
    let mut bytes = BytesMut::from(&b"H\0\0\0\x0awharf\0\x09???"[..]);
    assert_eq!(Codec.decode(&mut bytes).unwrap(), Some(Frame::Hello(Hello { oldest: 9, ..Hello::default() })));
}

#[test]
fn a_request_that_is_too_long_is_not_sent() {
    let run = Run {
        program: Program::Tmux(vec!["x".repeat(MAX_PAYLOAD)]),
        environment: vec![],
        directory: None,
        terminal: None,
        follow: None,
    };
    let mut bytes = BytesMut::new();
    assert!(Codec.encode(Frame::Request(Request::Run(run)), &mut bytes).is_err());
    assert!(bytes.is_empty());
}
