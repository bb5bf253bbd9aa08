#!/bin/sh
# Start all configured sessions, or the named ones.   start-dedicated-agents.sh [SESSION...] [--account NAME] [--json]
# One that runs already is left alone. Is: claude-failover sessions launch
set -eu
usage() {
    cat <<END
start-dedicated-agents.sh [SESSION...] [--account NAME] [--json]
Starts all sessions of the configuration in tmux, or the named ones, each on its account; one that runs is left alone.
Is: claude-failover sessions launch [SESSION...] [--account NAME] [--json]
END
}
case ${1:-} in
    -h | --help) usage && exit 0 ;;
esac
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
for program in "$here/claude-failover" "$here/../.venv/bin/claude-failover"; do
    if [ -x "$program" ]; then
        exec "$program" sessions launch "$@"
    fi
done
if command -v claude-failover >/dev/null 2>&1; then
    exec claude-failover sessions launch "$@"
fi
echo "${0##*/}: claude-failover is not installed; see docs/quickstart.md" >&2
exit 127
