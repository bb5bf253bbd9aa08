#!/bin/sh
# See that the daemon runs; it watches the sessions.   watchdog.sh [--json]
# For cron, each minute or so; with a service it is not needed. Is: claude-failover up --if-down
set -eu
usage() {
    cat <<END
watchdog.sh [--json]
Starts the daemon when it does not run. Ends with 0 when it runs, or does now.
Is: claude-failover up --if-down [--json]
END
}
case ${1:-} in
    -h | --help) usage && exit 0 ;;
esac
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
for program in "$here/claude-failover" "$here/../.venv/bin/claude-failover"; do
    if [ -x "$program" ]; then
        exec "$program" up --if-down "$@"
    fi
done
if command -v claude-failover >/dev/null 2>&1; then
    exec claude-failover up --if-down "$@"
fi
echo "${0##*/}: claude-failover is not installed; see docs/quickstart.md" >&2
exit 127
