# sh env_file.sh FILE REQUIRED ALLOWED [COMMAND ARGUMENT ...]
# Reads the lines NAME=VALUE of FILE, exports them and becomes COMMAND; without one it only looks at the names.
# REQUIRED, ALLOWED: names with blanks between them; every required one is allowed too.
#
# FILE is data: nothing in it is evaluated or expanded, and no value is ever printed or given to a program as an
# argument, so it stands in no process list. A name that is not allowed is refused, and shown only if it looks like one:
# who forgets the name before = would else see a secret. Ends with 78 and one sentence on standard error.
_cf_fail() {
    printf '%s\n' "$_cf_file: $1" >&2
    exit 78
}
_cf_file=$1 _cf_required=$2 _cf_allowed=$3 _cf_seen=' ' _cf_line=0
shift 3
_cf_cr=$(printf '\r') _cf_tab=$(printf '\t')

[ -e "$_cf_file" ] || [ -h "$_cf_file" ] || _cf_fail "is not there; write it as docs/accounts.md shows, mode 0600"
[ ! -h "$_cf_file" ] && [ -f "$_cf_file" ] || _cf_fail "is no regular file; name the file itself, no link or device"
[ -O "$_cf_file" ] || _cf_fail "belongs to another user; make a file of your own"
case $(ls -ldn -- "$_cf_file") in
    -r[w-]-------*) ;;
    *) _cf_fail "is open to others; close it with: chmod 600 $_cf_file" ;;
esac
[ -r "$_cf_file" ] || _cf_fail "cannot be read; mend its folder"

# Only the file counts, not what happens to be in the environment.
for _cf_name in $_cf_allowed; do unset "$_cf_name"; done
while IFS= read -r _cf_text || [ -n "$_cf_text" ]; do
    _cf_line=$((_cf_line + 1))
    [ "$_cf_line" -le 200 ] || _cf_fail "has over 200 lines; name a file of NAME=VALUE lines"
    _cf_text=${_cf_text%"$_cf_cr"}
    while :; do # blanks at both ends mean nothing
        case $_cf_text in
            ' '* | "$_cf_tab"*) _cf_text=${_cf_text#?} ;;
            *' ' | *"$_cf_tab") _cf_text=${_cf_text%?} ;;
            *) break ;;
        esac
    done
    case $_cf_text in '' | '#'*) continue ;; esac
    _cf_text=${_cf_text#export }
    case $_cf_text in *=*) ;; *) _cf_fail "line $_cf_line has no =; write it as NAME=VALUE" ;; esac
    _cf_name=${_cf_text%%=*} _cf_value=${_cf_text#*=}
    case $_cf_name in
        '' | *[!A-Z0-9_]* | [0-9]*) _cf_fail "line $_cf_line: what stands before = is no name; allowed: $_cf_allowed" ;;
    esac
    case " $_cf_allowed " in
        *" $_cf_name "*) ;;
        *)
            case $_cf_name in *_*) ;; *) _cf_name="what stands before =" ;; esac
            _cf_fail "line $_cf_line: $_cf_name is not for this kind of account; allowed: $_cf_allowed"
            ;;
    esac
    case $_cf_seen in *" $_cf_name "*) _cf_fail "line $_cf_line: $_cf_name stands there twice; keep one" ;; esac
    _cf_seen="$_cf_seen$_cf_name "
    case $_cf_value in # one pair of quotes around the whole value goes; nothing is escaped inside
        \"*\") [ "$_cf_value" = '"' ] || { _cf_value=${_cf_value#?} && _cf_value=${_cf_value%?}; } ;;
        \'*\') [ "$_cf_value" = "'" ] || { _cf_value=${_cf_value#?} && _cf_value=${_cf_value%?}; } ;;
    esac
    [ -n "$_cf_value" ] || _cf_fail "line $_cf_line: $_cf_name is empty; give it its value"
    export "$_cf_name=$_cf_value"
done <"$_cf_file"
for _cf_name in $_cf_required; do
    case $_cf_seen in *" $_cf_name "*) ;; *) _cf_fail "has no $_cf_name; add the line $_cf_name=…" ;; esac
done
[ $# -gt 0 ] || exit 0
unset _cf_value _cf_text
exec "$@"
