#!/bin/sh
# Stands in for crontab(1) on PATH: the table is a file, so that the host's own is never touched.
table=$HOME/.crontab
case ${1:-} in
    -l) if [ -f "$table" ]; then cat "$table"; else echo "no crontab for op" >&2 && exit 1; fi ;;
    -r) rm -f "$table" ;;
    - | '') cat >"$table.new" && mv "$table.new" "$table" ;;
    *) cat "$1" >"$table.new" && mv "$table.new" "$table" ;;
esac
