#!/bin/sh
# Show the newest checkpoints of sessions.   checkpoint-daemon.sh [--json]
# The daemon's role checkpoint writes them, so nothing is started here. Is: claude-failover checkpoints list
set -eu
usage() {
    cat <<END
checkpoint-daemon.sh [--json]
Lists the checkpoints that the daemon has written; it writes them by itself.
Is: claude-failover checkpoints list [--json]
END
}
case ${1:-} in
    -h | --help) usage && exit 0 ;;
esac
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
for program in "$here/claude-failover" "$here/../.venv/bin/claude-failover"; do
    if [ -x "$program" ]; then
        exec "$program" checkpoints list "$@"
    fi
done
if command -v claude-failover >/dev/null 2>&1; then
    exec claude-failover checkpoints list "$@"
fi
echo "${0##*/}: claude-failover is not installed; see docs/quickstart.md" >&2
exit 127
