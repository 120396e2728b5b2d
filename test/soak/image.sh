#!/usr/bin/env bash
# Builds the image of a host that the soak tests boot: a small Debian with systemd, apache2, Heartbeat and the Node of this machine.
# It is kept for the next run. Prints its directory as the last line; needs root, mmdebstrap and a Debian mirror.
# The directory: $HACTL_IMAGE, by default below the system's temporary directory. One that this script has not made is left alone.
set -euo pipefail

suite=bookworm
packages=systemd,systemd-sysv,dbus,iproute2,nftables,procps,iputils-arping,iputils-ping,apache2,heartbeat,resource-agents,net-tools
image=${HACTL_IMAGE:-${TMPDIR:-/tmp}/hactl-image-$suite}
stamp="hactl soak image: $suite $packages"

say() { echo "image: $*" >&2; }

# Services do not start by themselves: the tests say what runs.
build() {
  local work=$image.unfinished
  rm -rf --one-file-system "$work"
  mkdir -p "$work"
  say "building $image (mmdebstrap $suite; takes a minute)"
  if ! mmdebstrap --quiet --variant=minbase --include="$packages" --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" "$work/root" >"$work/log" 2>&1; then
    tail -n 20 "$work/log" >&2
    say "mmdebstrap failed (above): is a Debian mirror reachable from here?"
    exit 1
  fi
  systemctl --root="$work/root" --quiet disable apache2 apache-htcacheclean nftables heartbeat logd 2>/dev/null || true
  systemctl --root="$work/root" --quiet enable systemd-networkd systemd-networkd-wait-online 2>/dev/null
  # One service that hangs at shutdown would otherwise cost 90 s.
  mkdir -p "$work/root/etc/systemd/system.conf.d"
  printf '[Manager]\nDefaultTimeoutStopSec=20s\n' >"$work/root/etc/systemd/system.conf.d/soak.conf"
  rm -f "$work/root/etc/machine-id" "$work/root/etc/hostname" "$work/root/etc/resolv.conf"
  echo "$stamp" >"$work/root/etc/hactl-soak-image"
  mkdir -p "$(dirname "$image")"
  rm -rf --one-file-system "$image"
  mv "$work/root" "$image"
  rm -rf --one-file-system "$work"
}

if [ -e "$image" ] && [ ! -e "$image/etc/hactl-soak-image" ] && [ -n "$(ls -A "$image")" ]; then
  say "$image exists and is no image of these tests: give another directory in HACTL_IMAGE"
  exit 1
fi
exec 9>"$image.lock"
flock -w 900 9 || { say "another run has held $image.lock for 15 minutes"; exit 1; }
[ "$(cat "$image/etc/hactl-soak-image" 2>/dev/null)" = "$stamp" ] || build
node=$(readlink -f "$(command -v node)")
cmp -s "$node" "$image/usr/bin/node" || install -m 755 "$node" "$image/usr/bin/node"
chroot "$image" /usr/bin/node --version >/dev/null || { say "$node does not run in the image: a Node that is one file (nodejs.org, nodesource) is needed"; exit 1; }
echo "$image"
