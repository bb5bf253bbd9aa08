#!/bin/bash
# start-dedicated-agents.sh: the named sessions, always on the backup account, each in a shell that stays
. "$(dirname "$0")/agents.env"
for name in $DEDICATED; do
    tmux has-session -t "=$name" 2>/dev/null && continue
    if [ -f "$STATE/$name.id" ]; then
        which="--resume $(cat "$STATE/$name.id")"
    else
        cat /proc/sys/kernel/random/uuid >"$STATE/$name.id"
        which="--session-id $(cat "$STATE/$name.id")"
    fi
    tmux new-session -d -s "$name" -x 180 -y 45 -c "$(cat "$STATE/$name.folder")"
    tmux send-keys -t "=$name:" \
        "CLAUDE_CONFIG_DIR=$(config_dir backup) claude --permission-mode acceptEdits --model sonnet $which" Enter
done
