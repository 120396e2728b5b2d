#!/usr/bin/env bash
# What takes long. systemd: two hosts (containers of systemd-nspawn) on which hactl is installed as README section 2 says, through
# start, kill, freeze, stop, restart, reload, reboot and power loss; 2 minutes, and one more the first time. kills: kill -9 of daemons
# at 200 random moments, 3 minutes. faults: half an hour of random faults with a witness and a counting service. heartbeat: half an hour
# beside a real Heartbeat with lost packets. agents: every resource agent of Debian that can run here, half a minute. migration:
# docs/migration.md followed from its own text on hosts with systemd and Heartbeat, 3 minutes, and what clients wait for in each step, 9 minutes.
# Needs root; systemd and migration also a Debian mirror for the first run, and cgroups that can be written.
#   Usage: bash test/soak/run.sh [systemd|kills|faults|heartbeat|agents|migration] [WORDS FOR VITEST..]     KILLS, SOAK_MINUTES, MIGRATION_ROUNDS, SOAK_SEED: how much, and which
# The image of the hosts is kept: in the directory HACTL_IMAGE, by default below the system's temporary directory.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

fail() { echo "soak: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "needs root (systemd-nspawn, cgroups)"
bash test/setup/prepare.sh build || fail "the setup failed"
bash test/setup/packages.sh soak || fail "the packages could not be installed"
for program in systemd-nspawn mmdebstrap unshare nsenter nft ip; do
  command -v "$program" >/dev/null || fail "$program is not installed"
done
case "${1:-}" in
  kills | faults | heartbeat | agents) ;;
  *)
    HACTL_IMAGE=$(bash test/soak/image.sh) || exit 1
    export HACTL_IMAGE ;;
esac
export HACTL_SOAK_ID=$$

# Should vitest itself be killed, the hosts end with it, and only their cgroups are left, in each of which nothing runs.
remove_cgroups() {
  local cgroup
  for cgroup in /sys/fs/cgroup/{,systemd/,unified/}hactl-soak-"$HACTL_SOAK_ID"-*; do
    if [ -d "$cgroup" ]; then find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null; fi
  done
}
trap remove_cgroups EXIT

npx --no-install vitest run --config test/soak/vitest.config.ts "$@"
