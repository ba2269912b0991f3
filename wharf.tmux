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

# One word for tmux's parser.
quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# Says something where people look: TPM throws away what this prints, and while ~/.tmux.conf is read there is no client yet.
tell() {
    local text=${1//#/##} client clients
    text=${text//%/%%}
    clients=$(tmux list-clients -F '#{client_name}')
    if [[ -z $clients ]]; then
        tmux set-hook -g 'client-attached[731]' \
            "set-hook -gu 'client-attached[731]' ; run-shell -d 0.5 ; display-message -d 20000 $(quoted "$text")"
        return
    fi
    while IFS= read -r client; do
        tmux display-message -c "$client" -d 20000 "$text"
    done <<<"$clients"
}

# Nothing is built unasked: the key that would open a project asks first.
offer_build() {
    local key
    key=$(tmux show-options -gqv @wharf-open-key)
    key=${key:-O}
    tmux bind-key "$key" confirm-before -p 'build wharf now? (y/n)' "new-window -n wharf bash $(quoted "$here/wharf.tmux") build"
    tell "wharf $1: prefix $key builds it ($here/scripts/build)"
}

if [[ ${1:-} == build ]]; then
    "$here/scripts/build" || { read -rp 'press Enter to close ' && exit 1; }
fi

if ! wharf=$(find_wharf); then
    offer_build 'has no program yet'
    exit 0
fi

# tmux shows what this prints; a plugin of another version than its binary would bind keys that the binary lacks.
expected=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/Cargo.toml" 2>/dev/null | head -n 1)
version=$("$wharf" --version 2>&1)
if [[ -n $expected && $version != "wharf $expected" ]]; then
    echo "wharf: $wharf is \`$version\`, and this plugin is $expected"
    echo "hint: build it again with: $here/scripts/build"
    offer_build "is \`$version\`, and this plugin is $expected"
    exit 0
fi

"$wharf" setup 2>&1 || exit 0
