#!/usr/bin/env bash
# The figures of hactl beside keepalived (and, for a killed daemon, Heartbeat) from Debian, in one run on one machine: a table at the end.
# Needs root, gcc, python3 and the failover lab: a directory given as HACTL_LAB, or ../shared/lab/failover.
# Usage: bash test/bench/run.sh [quick]     quick: 2 rounds of each instead of 10 to 20, under 10 minutes instead of an hour.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
repository=$PWD

rounds=10 kills=20 many_rounds=10 partitions=20 losses=10 idle_seconds=60 hostile=10000000 stops=10 cuts=3
case "${1:-}" in
  '') ;;
  quick) rounds=2 kills=2 many_rounds=2 partitions=2 losses=1 idle_seconds=20 hostile=500000 stops=2 cuts=1 ;;
  *) echo "bench: unknown word '$1': use quick or nothing" >&2; exit 2 ;;
esac
if [ "$(id -u)" != 0 ]; then echo "bench: needs root (network namespaces, realtime probes)" >&2; exit 1; fi

bash test/setup/prepare.sh build
bash test/setup/packages.sh bench
work=$(mktemp -d)
results=$repository/.bench/$(date +%Y-%m-%dT%H-%M-%S)
mkdir -p "$results"
started=$SECONDS
pids=()
clean_up() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait || true
  if [ -n "${gc_thresh:-}" ]; then restore_neighbour_limits; fi
  rm -rf "$work"
}
trap clean_up EXIT

step() { echo "== $* (at $((SECONDS - started)) s)"; }
id=b$((RANDOM % 1000))

# The lab writes beside itself, so it is copied. The one change: its rows also say when the first of many addresses answered.
find_lab() {
  local lab=${HACTL_LAB:-$repository/../shared/lab/failover}
  if [ ! -x "$lab/lab" ]; then
    echo "bench: no failover lab at $lab: the rows beside keepalived are left out (set HACTL_LAB to its directory)"
    return 1
  fi
  if ! command -v gcc >/dev/null || ! command -v python3 >/dev/null || ! command -v keepalived >/dev/null; then
    echo "bench: the failover lab needs gcc, python3 and keepalived: its rows are left out"
    return 1
  fi
  cp -r "$lab" "$work/lab"
  chmod -R u+w "$work/lab"
  sed -i 's/all_answered_ms=/first_any_ms=ms(min(first.values())) if first else None, all_answered_ms=/' "$work/lab/lab"
  cp test/bench/adapters/* "$work/lab/adapters/"
  make -s -C "$work/lab"
}

# WORDS...: one run of the lab; what a single round says goes to the log, and a round that fails shows in the table.
lab() {
  (cd "$work/lab" && HACTL="$(command -v node) $repository/dist/hactl.js" ./lab "$@") >>"$results/lab.log" 2>&1 ||
    echo "bench: 'lab $*' ended with an error, see $results/lab.log"
}

# A thousand neighbours do not fit in the kernel's table, and its limits belong to the whole machine: raised, then put back.
raise_neighbour_limits() {
  local level
  gc_thresh=$(cat /proc/sys/net/ipv4/neigh/default/gc_thresh{1,2,3})
  for level in 1 2 3; do echo $((8192 * level)) >"/proc/sys/net/ipv4/neigh/default/gc_thresh$level"; done
}
restore_neighbour_limits() {
  local level=1 value
  for value in $gc_thresh; do
    echo "$value" >"/proc/sys/net/ipv4/neigh/default/gc_thresh$level"
    level=$((level + 1))
  done
  gc_thresh=
}

both=hactl:1s,keepalived:1s
if find_lab; then
  step "crash, stop, standby: $rounds rounds each"
  lab run "$both" crash,stop,standby --n "$rounds" --id "$id" --out "$results/moves.jsonl"
  # The moments at which hactl heard the dead peer last are in its own history.
  cp "$work/lab/state/${id}x/node-b/daemon.log" "$results/hactl-b.log" 2>/dev/null || true
  for kept in "$work/lab/state/${id}x/node-b/state"/*; do
    case "$kept" in *events*.jsonl) cat "$kept" >>"$results/hactl-b-history.jsonl" ;; esac
  done
  step "kill -9 of the daemon: $kills rounds of each"
  lab run hactl:1s kill_main --n "$kills" --id "$id" --out "$results/kills.jsonl"
  lab run keepalived:1s kill_parent,kill_child --n "$kills" --id "$id" --out "$results/kills.jsonl"
  if [ -x /usr/libexec/heartbeat/heartbeat ]; then lab run heartbeat:1s kill_main --n "$kills" --id "$id" --out "$results/kills.jsonl"; fi
  step "partition and healing: $partitions rounds"
  lab run "$both" partition --n "$partitions" --id "$id" --out "$results/partition.jsonl"
  if raise_neighbour_limits 2>/dev/null; then
    for count in 100 1000; do
      step "$count addresses: $many_rounds rounds"
      lab run "$both" crash --vips "$count" --n "$many_rounds" --id "$id" --out "$results/many.jsonl"
    done
    restore_neighbour_limits
  else
    echo "bench: the kernel's neighbour limits cannot be raised here: no rows for 100 and 1000 addresses"
    gc_thresh=
  fi
  step "20 % loss: $losses x 60 s, both at the same time"
  for one in hactl keepalived; do
    lab run "$one:1s" "$(printf 'loss20,%.0s' $(seq "$losses") | sed 's/,$//')" --n 1 --id "${id}l${one:0:1}" --out "$results/loss.jsonl" & pids+=($!)
  done
  wait "${pids[@]}"
  pids=()
  step "four busy loops on the processors: $losses x 30 s, both at the same time"
  for one in hactl keepalived; do
    (export PL_SHARED_HOGS=1; lab run "$one:1s" "$(printf 'cpu,%.0s' $(seq "$losses") | sed 's/,$//')" --n 1 --id "${id}c${one:0:1}" --out "$results/busy.jsonl") & pids+=($!)
  done
  sleep 25
  (cd "$work/lab" && ./hogs "$((losses + 1))") & hogs=$!
  wait "${pids[@]}"
  pids=()
  kill "$hogs" 2>/dev/null || true
fi

step "hactl alone: cold start, apache2, idle cost, status"
# The bundle stands beside dist/, so that it finds the repository and its packages.
node_modules/.bin/esbuild test/bench/measure.ts test/bench/table.ts --bundle --platform=node --format=esm --outdir="$repository/.bench" \
  --out-extension:.js=.mjs --external:vitest --log-level=warning
node .bench/measure.mjs "$results/own.jsonl" "$rounds" "$idle_seconds"

if command -v etcd >/dev/null && command -v nft >/dev/null; then
  step "a witnessed pair: $stops stops of the holder, every cut $cuts times"
  node_modules/.bin/esbuild test/bench/witnessed-pair.ts --bundle --platform=node --format=esm --outdir="$repository/.bench" \
    --out-extension:.js=.mjs --external:vitest --log-level=warning
  node .bench/witnessed-pair.mjs "$results/own.jsonl" "$stops" "$cuts"
fi

step "$hostile hostile packets"
node_modules/.bin/esbuild test/bench/hostile-packets.ts --bundle --platform=node --format=esm --outfile=.bench/hostile-packets.mjs --log-level=warning
node .bench/hostile-packets.mjs "$hostile" | tee "$results/hostile-packets.txt" || echo "bench: hostile packets were used, or memory grew"

step "done"
node .bench/table.mjs "$results" | tee "$results/table.md"
echo "the rows behind it: $results"
