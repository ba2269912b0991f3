//! Whether something in the container listens at a port. A connection would be one that its program has to answer.

use std::fs;
use std::process::ExitCode;

/// As `/proc/net/tcp` writes the state of a socket that listens.
const LISTENS: &str = "0A";

pub fn run(port: u16) -> ExitCode {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let listens = tables.into_iter().any(|table| fs::read_to_string(table).is_ok_and(|table| has(&table, port)));
    if listens { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `0: 0100007F:1F90 00000000:0000 0A …`: a number, the address and port of this side, of the other, the state.
fn has(table: &str, port: u16) -> bool {
    table.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        let own = words.next().and_then(|address| address.rsplit_once(':'));
        let is_port = own.is_some_and(|(_, found)| u16::from_str_radix(found, 16) == Ok(port));
        is_port && words.nth(1) == Some(LISTENS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_socket_that_listens_counts() {
        let table = "  sl  local_address rem_address   st tx_queue\n   \
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n   \
            1: 0100007F:0050 0100007F:1F91 01 00000000:00000000\n";
        assert!(has(table, 8080));
        for port in [80, 8081] {
            assert!(!has(table, port), "{port}");
        }
    }
}
