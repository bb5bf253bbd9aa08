#!/bin/bash
# launch-agent.sh SESSION [--continue]: start a session of the pool in tmux, on the account in use
. "$(dirname "$0")/agents.env"
name=$1
shift
tmux has-session -t "=$name" 2>/dev/null && exit 0
account=$(cat "$STATE/account")
echo "$(date '+%F %T') starting $name on $account"
tmux new-session -d -s "$name" -x 180 -y 45 -c "$(cat "$STATE/$name.folder")" \
    "CLAUDE_CONFIG_DIR=$(config_dir "$account") exec claude --dangerously-skip-permissions $*"
