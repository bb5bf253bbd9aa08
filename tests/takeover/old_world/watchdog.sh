#!/bin/bash
# watchdog.sh: start again what is gone; cron runs it every minute
. "$(dirname "$0")/agents.env"
for name in $POOL; do
    tmux has-session -t "=$name" 2>/dev/null || "$(dirname "$0")/launch-agent.sh" "$name" --continue
done
"$(dirname "$0")/start-dedicated-agents.sh"
