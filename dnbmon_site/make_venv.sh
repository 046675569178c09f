#!/bin/sh
# Make .venv with exactly the packages of a lock file; takes no time when it has them already.
# Usage: make_venv.sh requirements.lock
set -eu

lock=$1
python=.venv/bin/python
stamp=.venv/installed-$lock
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

say() {
    echo "$*" >&2
    exit 1
}

find_python() {
    for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
        if "$name" -c "$new_enough" 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

make_venv() {
    base=$(find_python)
    [ -n "$base" ] || say "Python 3.11 or newer is needed and was not found (PYTHON=/path/to/python names one)."
    "$base" -c 'import venv, ensurepip' 2>/dev/null ||
        say "$base has no venv module. On Debian and Ubuntu, “apt install python3-venv” brings it."
    echo "Making .venv with $("$base" --version)."
    "$base" -m venv --clear .venv || say "Making .venv failed; the lines above say why."
}

install_packages() {
    echo "Installing the packages of $lock (once, or when they change)."
    "$python" -m pip install --disable-pip-version-check --quiet --require-hashes -r "$lock" ||
        say "Installing the packages failed; the lines above say why. It needs the network (a proxy or mirror is set as for pip)."
    cp "$lock" "$stamp"
}

"$python" -c "$new_enough" 2>/dev/null || make_venv
cmp -s "$lock" "$stamp" || install_packages
