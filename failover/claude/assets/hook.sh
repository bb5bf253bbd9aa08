# sh hook.sh SOCKET QUERY SECONDS < the hook's JSON
# Posts the hook to the control plane and ends when that has answered. Always silent, always exit 0: anything else is
# shown in the pane, and exit 2 stops the agent (measured on 2.1.330).
#
# It becomes curl instead of starting it: a binary that is told to end while its hook has a child of its own takes 1.3 s
# to die, 0.17 s when the hook is one process (measured). The second transfer is why curl always ends with 0.
[ -S "$1" ] || exit 0
if command -v curl >/dev/null 2>&1; then
    exec curl -q -s -o /dev/null --noproxy '*' -m "$3" --unix-socket "$1" -H 'Content-Type: application/json' \
        -H 'Expect:' --data-binary @- "http://failover/hook?$2" \
        --next -s -o /dev/null file:///dev/null 2>/dev/null
fi
python3 -S -c '
import http.client, socket, sys
try:
    link = http.client.HTTPConnection("failover")
    link.sock = socket.socket(socket.AF_UNIX)
    link.sock.settimeout(float(sys.argv[3]))
    link.sock.connect(sys.argv[1])
    link.request("POST", "/hook?" + sys.argv[2], sys.stdin.buffer.read(), {"Content-Type": "application/json"})
    link.getresponse()
except Exception:
    pass
' "$@" >/dev/null 2>&1
exit 0
