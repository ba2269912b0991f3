//! Ports of programs in the container: which somebody listens at, and a way to one of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpStream};
use std::process::ExitCode;
use std::thread;

use crate::model::exit;
use crate::protocol::NOBODY_LISTENS;

/// The state of a socket that listens (`TCP_LISTEN` in the kernel's `tcp_states.h`).
const LISTENS: &str = "0A";

/// Prints the port of each TCP socket that listens, in order.
pub fn print_listening() -> ExitCode {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    let ports: BTreeSet<u16> = tables.iter().flat_map(|table| table.lines().filter_map(listening)).collect();
    let text: String = ports.iter().map(|port| format!("{port}\n")).collect();
    if io::stdout().write_all(text.as_bytes()).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The port of a line that is about one that listens (proc(5)).
fn listening(line: &str) -> Option<u16> {
    let mut words = line.split_whitespace().skip(1);
    let (_, port) = words.next()?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    (words.nth(1) == Some(LISTENS)).then_some(port)
}

/// Copies between a port of the container and standard input and output, until whoever listens there has said all.
pub fn connect(port: u16) -> ExitCode {
    let loopback = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).or_else(|_| TcpStream::connect((Ipv6Addr::LOCALHOST, port)));
    let Ok(stream) = loopback else {
        return exit::with(NOBODY_LISTENS);
    };
    let _ = stream.set_nodelay(true);
    match copy(&stream) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn copy(stream: &TcpStream) -> io::Result<()> {
    let mut to = stream.try_clone()?;
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut stdout = io::stdout().lock();
    let mut from = stream;
    let mut buffer = vec![0; 32 << 10];
    loop {
        match io::Read::read(&mut from, &mut buffer)? {
            0 => return Ok(()),
            count => stdout.write_all(&buffer[..count]).and_then(|()| stdout.flush())?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_that_listen_have_a_port() {
        let line =
            |state: &str| format!("   0: 0100007F:0BB8 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  1000");
        assert_eq!(listening(&line("0A")), Some(3000));
        assert_eq!(listening(&line("01")), None);
        assert_eq!(listening("  sl  local_address rem_address   st"), None);
    }
}
