#!/bin/sh
# Make .venv from the locked requirements: with uv where it is there, with pip where it is not.
set -eu

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

python=$(find_python) || fail "Python 3.11 or newer is needed. Install it, or name it: make setup PYTHON=/path/to/python3"
rm -rf .venv

if command -v uv >/dev/null 2>&1; then
    echo "Setting up .venv with uv and $("$python" --version)" >&2
    uv venv --quiet --python "$python" .venv
    uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock
    uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
    exit
fi

echo "Setting up .venv with pip and $("$python" --version)" >&2
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    # Debian keeps the means to make an environment in a package of its own.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing python3-venv" >&2
        { apt-get -qq update && apt-get -qq -y install python3-venv; } >/dev/null
    else
        fail "$python cannot make environments. Install python3-venv (sudo apt-get install python3-venv), or uv."
    fi
fi
"$python" -m venv .venv
pip() { .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"; }
pip install --require-hashes -r requirements.lock
pip install --no-deps --no-build-isolation -e .
