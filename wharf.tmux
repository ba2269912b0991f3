#!/usr/bin/env bash
# What tmux runs to load wharf: by TPM, which runs every *.tmux at a plugin's root, or by `run-shell` in ~/.tmux.conf.
# Thin: it finds the binary, and leaves the rest to `wharf setup`.

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

find_wharf() {
    local candidate
    for candidate in "$here/bin/wharf" "$here/target/release/wharf"; do
        if [[ -x $candidate ]]; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    command -v wharf
}

if ! wharf=$(find_wharf); then
    echo "wharf: there is no wharf binary in $here/bin, $here/target/release or PATH"
    echo "hint: build it with: $here/scripts/build"
    exit 0
fi

# tmux shows what this prints; a plugin of another version than its binary would bind keys that the binary lacks.
expected=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/Cargo.toml" 2>/dev/null | head -n 1)
version=$("$wharf" --version 2>&1)
if [[ -n $expected && $version != "wharf $expected" ]]; then
    echo "wharf: $wharf is \`$version\`, and this plugin is $expected"
    echo "hint: build it again with: $here/scripts/build"
    exit 0
fi

"$wharf" setup 2>&1 || exit 0
