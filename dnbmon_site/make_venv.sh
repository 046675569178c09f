#!/bin/sh
# Make .venv with exactly the packages of a lock file; takes no time when it has them already.
# Usage: make_venv.sh requirements.lock
set -eu
# Whoever makes it (root), the program's user reads it.
umask 022

lock=$1
python=.venv/bin/python
stamp=.venv/installed-$lock
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
has_venv='import venv, ensurepip'
# Whether everybody may run this interpreter and read its library, down from the root of the file system.
for_everybody='
import os, pathlib, sys
files = {os.path.realpath(sys.executable): 1, os.path.realpath(os.__file__): 4}
folders = {str(folder): 1 for file in files for folder in pathlib.Path(file).parents}
sys.exit(not all(os.stat(path).st_mode & needed for path, needed in {**files, **folders}.items()))'

say() {
    echo "$*" >&2
    exit 1
}

# A user runs a Python of her own; what root makes is run by the user of a service.
is_usable() {
    "$1" -c "$new_enough" 2>/dev/null || return 1
    [ "$(id -u)" != 0 ] || "$1" -c "$for_everybody" 2>/dev/null
}

find_python() {
    names="python3.13 python3.12 python3.11 python3 python /usr/local/bin/python3 /usr/bin/python3"
    for name in ${PYTHON:-$names}; do
        if is_usable "$name" && "$name" -c "$has_venv" 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    for name in ${PYTHON:-$names}; do
        if "$name" -c "$new_enough" 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

make_venv() {
    base=$(find_python)
    [ -n "$base" ] || say "Python 3.11 or newer is needed and was not found (PYTHON=/path/to/python names one)."
    "$base" -c "$has_venv" 2>/dev/null ||
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
is_usable "$python" || echo "Only root can run .venv: its Python is $("$python" -c 'import os, sys; print(os.path.realpath(sys.executable))').
For a service with a user of its own: “apt install python3 python3-venv”, remove .venv, and run this again." >&2
cmp -s "$lock" "$stamp" || install_packages
