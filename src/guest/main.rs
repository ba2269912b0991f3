use std::process::ExitCode;

fn main() -> ExitCode {
    wharf::guest_main()
}
