#!/bin/sh
# Move sessions to another account; nothing in flight is lost.   graceful-switch.sh [ACCOUNT] [--session S] [--dry-run]
# Without ACCOUNT the policy chooses. Is: claude-failover swap
set -eu
usage() {
    cat <<END
graceful-switch.sh [ACCOUNT] [--session SESSION] [--dry-run] [--json]
Moves the sessions (all, or the named ones) to ACCOUNT, or to the one that the policy chooses.
Is: claude-failover swap [--to ACCOUNT] [--session SESSION] [--dry-run] [--json]
END
}
case ${1:-} in
    -h | --help) usage && exit 0 ;;
esac
case ${1:-} in
    '' | -*) ;;
    *)
        account=$1
        shift
        set -- --to "$account" "$@"
        ;;
esac
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
for program in "$here/claude-failover" "$here/../.venv/bin/claude-failover"; do
    if [ -x "$program" ]; then
        exec "$program" swap "$@"
    fi
done
if command -v claude-failover >/dev/null 2>&1; then
    exec claude-failover swap "$@"
fi
echo "${0##*/}: claude-failover is not installed; see docs/quickstart.md" >&2
exit 127
