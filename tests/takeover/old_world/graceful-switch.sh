#!/bin/bash
# graceful-switch.sh ACCOUNT: end the pool and continue it on ACCOUNT
. "$(dirname "$0")/agents.env"
echo "$1" >"$STATE/account"
for name in $POOL; do
    tmux has-session -t "=$name" 2>/dev/null || continue
    pid=$(tmux display-message -p -t "=$name:" '#{pane_pid}')
    tmux send-keys -t "=$name:" C-c
    sleep 0.5
    tmux send-keys -t "=$name:" C-c 2>/dev/null
    sleep 0.5
    tmux kill-session -t "=$name" 2>/dev/null
    while readlink -q "/proc/$pid/exe" >/dev/null; do sleep 0.1; done # kill -0 is true of a zombie too
    "$(dirname "$0")/launch-agent.sh" "$name" --continue
done
