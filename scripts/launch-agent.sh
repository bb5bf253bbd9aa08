#!/bin/sh
# Start sessions in tmux.   launch-agent.sh SESSION... [--account NAME] [--json]
# One that runs already is left alone. Is: claude-failover sessions launch
set -eu
usage() {
    cat <<END
launch-agent.sh SESSION... [--account NAME] [--json]
Starts the named sessions of the configuration in tmux, on --account or on theirs; one that runs is left alone.
Is: claude-failover sessions launch SESSION... [--account NAME] [--json]
END
}
case ${1:-} in
    -h | --help) usage && exit 0 ;;
    '') usage >&2 && exit 2 ;;
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
