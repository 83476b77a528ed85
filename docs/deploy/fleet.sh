# Batches of all shards, then one publication; the exit code is that of the worse.
analytics fleet nightly --config /etc/levain-analytics/fleet.toml "$@"
code=$?
analytics fleet merge --config /etc/levain-analytics/fleet.toml && exit "$code"
