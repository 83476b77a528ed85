#!/bin/sh
# Make the environment $1 from the locked requirements $2: with uv if it is there, else with pip.
set -eu

environment=$1 lock=$2

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

# The lock names every requirement, in wheels alone, so nothing is left to resolve (--no-deps): pip
# 23.2 would look for a newer release of a requirement that another one asks for with an extra, and
# then refuse it.
python=$(find_python) || fail "Python 3.11 or newer is needed. Install it, or name it: make setup PYTHON=/path/to/python3"
rm -rf "$environment"

if command -v uv >/dev/null 2>&1; then
    echo "Setting up $environment with uv and $("$python" --version)" >&2
    uv venv --quiet --python "$python" "$environment"
    uv pip install --quiet --python "$environment/bin/python" --no-deps --require-hashes -r "$lock"
    uv pip install --quiet --python "$environment/bin/python" --no-deps --no-build-isolation -e .
    exit
fi

echo "Setting up $environment with pip and $("$python" --version)" >&2
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    # Debian keeps the means to make an environment in a package of its own.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "Installing python3-venv" >&2
        { apt-get -qq update && apt-get -qq -y install python3-venv; } >/dev/null
    else
        fail "$python cannot make environments. Install python3-venv (sudo apt-get install python3-venv), or uv."
    fi
fi
"$python" -m venv "$environment"
pip() { "$environment/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
pip install --no-deps --require-hashes -r "$lock"
pip install --no-deps --no-build-isolation -e .
