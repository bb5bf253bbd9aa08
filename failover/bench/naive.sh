#!/bin/sh
# naive.sh SOCKET: what one does by hand in a script, and most do: one session after another. Without the usual
# `sleep 5` between the steps, so at its best.   Standard input: a line `SESSION LAUNCH_SCRIPT` for each.
while read -r session launch; do
    pid=$(tmux -L "$1" display-message -p -t "=$session:" '#{pane_pid}')
    kill "$pid"
    # Also when its pane says so: a tmux server that has not taken notice keeps the dead one in the process table (seen).
    while kill -0 "$pid" 2>/dev/null; do
        [ "$(tmux -L "$1" display-message -p -t "=$session:" '#{pane_dead}')" = 1 ] && break
        sleep 0.1
    done
    tmux -L "$1" respawn-pane -k -t "=$session:" "sh $launch"
    until tmux -L "$1" capture-pane -p -t "=$session:" | grep -q 'esc to interrupt'; do sleep 0.1; done
done
