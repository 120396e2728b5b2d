# shellcheck shell=sh
# What the shipped scripts share: the script contract (README.md beside this directory) written as functions.
# Sourced, never run: it is not executable and lies in a directory, so nobody offers it as a script.
# A script defines take_arguments, start, stop and status, and ends with:  run_action "$@"

PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
script=${0##*/}

# Exit codes of the LSB. `status` has its own meanings for 1 to 4.
failed=1 bad_argument=2 unknown_action=3 no_permission=4 not_installed=5 not_configured=6
dead_with_remains=1 stopped=3 unknown=4

say() { printf '%s: %s\n' "$script" "$*"; }
complain() { say "$@" >&2; }

# fail CODE MESSAGE
fail() {
  code=$1
  shift
  complain "$@"
  exit "$code"
}

# cannot_run CODE MESSAGE: for a cause that also means that nothing can be running (an argument that makes no sense, a
# program that is not installed). Only `start` fails: a `stop` after a failed start must succeed, or the group is unclean.
cannot_run() {
  code=$1
  shift
  complain "$@"
  case $action in
    start) exit "$code" ;;
    stop) exit 0 ;;
    status)
      say "not running"
      exit "$stopped"
      ;;
  esac
}

# parameter NAME DEFAULT: from the environment (`parameters:` in hactl.yaml), or as HA_NAME (`env NAME=...` in ha.cf).
parameter() {
  eval "value=\${$1:-\${HA_$1:-}}"
  printf '%s' "${value:-$2}"
}

# number NAME DEFAULT: the same, for a whole number.
number() {
  value=$(parameter "$1" "$2")
  case $value in
    '' | *[!0-9]*)
      complain "$1 is '$value', but must be a whole number; using $2"
      value=$2
      ;;
  esac
  printf '%s' "$value"
}

have() { command -v "$1" >/dev/null 2>&1; }

need_root() {
  [ "$(id -u)" = 0 ] || fail "$no_permission" "$action needs root: run it as root, or let the hactl daemon do so"
}

on_systemd() { [ -d /run/systemd/system ]; }
# stop_unit UNIT: never `systemctl stop` alone, which waits for itself while systemd stops hactl.
stop_unit() { "${contract%/*}/stop-unit" "$1"; }
has_unit() { on_systemd && [ "$(systemctl show -p LoadState --value "$1" 2>/dev/null)" = loaded ]; }

# Whole seconds since boot, in `uptime`: a clock that nobody sets.
read_uptime() {
  read -r uptime _ </proc/uptime
  uptime=${uptime%.*}
}

# wait_until SECONDS COMMAND ARG..: asks about ten times a second, for at least so long.
wait_until() {
  read_uptime
  wait_end=$((uptime + $1 + 1))
  shift
  while ! "$@"; do
    read_uptime
    [ "$uptime" -lt "$wait_end" ] || return 1
    sleep 0.1
  done
}

# run_detached COMMAND ARG..: a daemon that the command leaves behind holds none of our descriptors. What the command said
# is shown if it fails. With a full disk there is nowhere to keep that; a takeover must work all the same.
run_detached() {
  output=$(mktemp 2>/dev/null) || output=/dev/null
  "$@" </dev/null >"$output" 2>&1
  result=$?
  [ "$result" = 0 ] || tail -n 20 "$output" | sed "s/^/$script:   /" >&2
  [ "$output" = /dev/null ] || rm -f "$output"
  return "$result"
}

# processes_with NAME=VALUE: the processes that were started with exactly this in their environment, one on a line.
processes_with() { grep -lszxF -e "$1" /proc/[0-9]*/environ | ours; }

# processes_called PATTERN: those whose program name matches the whole extended regular expression.
processes_called() { grep -lsxE -e "$1" /proc/[0-9]*/comm | ours; }

# Of the /proc paths on standard input, the ids of living processes that share our network and process namespace: the
# service of a container on this machine is none of ours.
ours() {
  here=$(stat -L -c %i /proc/self/ns/pid /proc/self/ns/net 2>/dev/null)
  while IFS=/ read -r _ _ process _; do
    [ "$process" != $$ ] || continue
    [ "$(stat -L -c %i "/proc/$process/ns/pid" "/proc/$process/ns/net" 2>/dev/null)" = "$here" ] || continue
    grep -qs '^State:[[:space:]]*[ZX]' "/proc/$process/status" || echo "$process"
  done
}

# end_processes SECONDS FINDER ARG..: TERM, then KILL after so long, to whatever FINDER lists; fails if some are left.
end_processes() {
  grace=$1
  shift
  no_process_left() { [ -z "$("$@")" ]; }
  signal_processes TERM "$@"
  wait_until "$grace" no_process_left "$@" && return
  complain "still there $grace s after SIGTERM, now SIGKILL: $("$@" | tr '\n' ' ')"
  signal_processes KILL "$@"
  wait_until 5 no_process_left "$@"
}

# signal_processes SIGNAL FINDER ARG..
signal_processes() {
  signal=$1
  shift
  for process in $("$@"); do kill -s "$signal" "$process" 2>/dev/null; done
}

# run_action ARG.. ACTION
run_action() {
  [ $# -gt 0 ] || fail "$bad_argument" "no action given: use '$script ${usage:+$usage }start', stop or status"
  remaining=$#
  while [ "$remaining" -gt 1 ]; do
    set -- "$@" "$1"
    shift
    remaining=$((remaining - 1))
  done
  action=$1
  shift
  case $action in
    start | stop | status) ;;
    *) fail "$unknown_action" "unknown action '$action': use '$script ${usage:+$usage }start', stop or status" ;;
  esac
  # The daemon is protected from the kernel's memory killer; what a script starts must not be.
  if read -r score 2>/dev/null </proc/self/oom_score_adj && [ "$score" -lt 0 ]; then echo 0 >/proc/self/oom_score_adj; fi
  take_arguments "$@"
  "$action"
}
