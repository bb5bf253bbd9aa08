# sh statusline.sh SOCKET QUERY [COMMAND] < the statusline's JSON
# Pushes the JSON to the control plane. COMMAND is the user's own statusline: it gets the same JSON, and its output and
# exit code are ours; without one nothing is printed. The push runs beside it, for at most one second, and is waited
# for, so that no zombie is left where nobody reaps orphans.
push() {
    [ -S "$1" ] || return 0
    if command -v perl >/dev/null 2>&1 || command -v curl >/dev/null 2>&1; then
        exec sh "${0%/*}/hook.sh" "$1" "$2" 1 statusline >/dev/null 2>&1
    fi
    python3 -S -c '
import http.client, socket, sys
try:
    link = http.client.HTTPConnection("failover")
    link.sock = socket.socket(socket.AF_UNIX)
    link.sock.settimeout(1)
    link.sock.connect(sys.argv[1])
    link.request("POST", "/statusline?" + sys.argv[2], sys.stdin.buffer.read(), {"Content-Type": "application/json"})
    link.getresponse()
except Exception:
    pass
' "$@" >/dev/null 2>&1
}
if [ -z "$3" ]; then
    push "$1" "$2"
    exit 0
fi
body=$(cat)
push "$1" "$2" <<EOF &
$body
EOF
sh -c "$3" <<EOF
$body
EOF
status=$?
wait
exit "$status"
