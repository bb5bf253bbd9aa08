#!/bin/bash
# checkpoint-daemon.sh: write down what each pane shows, every minute, for ever
. "$(dirname "$0")/agents.env"
while :; do
    for name in $(tmux list-sessions -F '#S' 2>/dev/null); do
        tmux capture-pane -p -t "=$name:" >"$STATE/checkpoints/$name.$(date +%H%M).txt"
    done
    sleep 60
done
