#!/bin/sh
# Link the config dirs of all accounts to the shared tree, on a host where they have lived apart until now.
# Options are those of `claude-failover accounts link`: --dry-run shows what would be done and does nothing.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
if [ -x "$here/.venv/bin/claude-failover" ]; then
    exec "$here/.venv/bin/claude-failover" accounts link "$@"
fi
if command -v claude-failover >/dev/null 2>&1; then
    exec claude-failover accounts link "$@"
fi
echo "claude-failover is not installed; install it with: python3 -m venv $here/.venv && $here/.venv/bin/pip install $here" >&2
exit 1
