#!/usr/bin/env bash
# Starts one rrr-worker on each host over ssh, with a reverse tunnel to the coordinator's loopback port.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: ssh.sh [-p PORT] [-r PORT] [-s SLOTS] [-w PATH] HOST...

Run this where `rrr-coordinator serve` listens. It keeps one ssh connection to
each HOST, and one rrr-worker there, until it is stopped. The worker reaches the
coordinator through the connection; no other port is opened.

  -p PORT   port of the coordinator on this host's loopback (default 7757)
  -r PORT   port on each HOST's loopback (default: the same)
  -s SLOTS  blocks side by side on each HOST (default: its cores)
  -w PATH   rrr-worker on each HOST, absolute or found there (default: rrr-worker)
  -h        this text

SIGINT and SIGTERM stop the workers; each hands its blocks back first.
Exit status: 0 if every connection ended well, 1 if one did not.
TEXT
}

fail_usage() {
    printf 'ssh.sh: %s\n' "$1" >&2
    usage >&2
    exit 64
}

# One word for any POSIX shell.
quote() {
    printf "'%s'" "${1//\'/\'\\\'\'}"
}

port=7757
remote_port=
slots=
worker=rrr-worker
while getopts ':p:r:s:w:h' option; do
    case $option in
        p) port=$OPTARG ;;
        r) remote_port=$OPTARG ;;
        s) slots=$OPTARG ;;
        w) worker=$OPTARG ;;
        h) usage; exit 0 ;;
        :) fail_usage "-$OPTARG needs a value" ;;
        *) fail_usage "unknown option -$OPTARG" ;;
    esac
done
shift $((OPTIND - 1))
[[ $# -gt 0 ]] || fail_usage 'name at least one host'
remote_port=${remote_port:-$port}
for number in "$port" "$remote_port" ${slots:+"$slots"}; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || fail_usage "'$number' is not a number"
done
for host in "$@"; do
    [[ $host != -* ]] || fail_usage "'$host' is not a host"
done

command="$(quote "$worker") --coordinator tcp://127.0.0.1:$remote_port${slots:+ --slots $slots}"

# The far side ends its worker when its standard input ends: when this script
# closes the pipe, when this script dies, and when the connection breaks.
remote="export OPENBLAS_NUM_THREADS=1
exec 3<&0
$command </dev/null 3<&- &
worker=\$!
{ cat <&3 >/dev/null; kill -TERM \"\$worker\"; } >/dev/null 2>&1 &
exec 3<&-
wait \"\$worker\""

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkfifo "$scratch/stay"
exec 9<>"$scratch/stay"

connections=()
for host in "$@"; do
    ssh -o BatchMode=yes -o ExitOnForwardFailure=yes -o ServerAliveInterval=5 -o ServerAliveCountMax=3 \
        -R "127.0.0.1:$remote_port:127.0.0.1:$port" "$host" "exec sh -c $(quote "$remote")" \
        <"$scratch/stay" 9>&- &
    connections+=("$!")
done

trap 'exec 9>&-' INT TERM

failed=0
for index in "${!connections[@]}"; do
    while true; do
        status=0
        wait "${connections[index]}" || status=$?
        # A trapped signal ends `wait` early, with a status above 128.
        if ((status > 128)) && kill -0 "${connections[index]}" 2>/dev/null; then continue; fi
        break
    done
    if ((status != 0)); then
        printf 'ssh.sh: %s ended with status %d\n' "${@:index+1:1}" "$status" >&2
        failed=1
    fi
done
exit "$failed"
