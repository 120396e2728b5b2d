#!/usr/bin/env bash
# Gets the Debian packages that the tests drive (real `ip`, apache2, MariaDB, PostgreSQL...). As root it installs what is
# missing; otherwise, or where a package cannot be had, it says what to install. It never fails for a missing package:
# the tests that need it are then skipped by name. What is missing, and why, goes to the file $MISSING_FILE.
# Usage: packages.sh [bench] [soak]      bench: also keepalived.   soak: also systemd-container and mmdebstrap.
#        packages.sh demo                only the few that the demo needs; a file of its own says what is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

MISSING_FILE=${HACTL_MISSING_PACKAGES:-node_modules/.hactl-missing-packages}
wanted=(curl iproute2 iputils-arping iputils-ping nftables procps util-linux socat uidmap apache2 mariadb-server postgresql systemd etcd-server etcd-client openssl cluster-glue fence-agents heartbeat resource-agents net-tools)
# What these packages would start at boot. A test machine must not become a web server.
services=(apache2 apache-htcacheclean mariadb postgresql keepalived heartbeat nftables etcd logd)
policy=/usr/sbin/policy-rc.d
saved_policy=/usr/sbin/policy-rc.d.saved-by-hactl-tests
no_cluster=/etc/postgresql-common/createcluster.d/hactl-tests.conf
signature='# Written by the hactl tests while they install packages.'

say() { echo "packages: $*"; }

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

not_installed() {
  local package
  for package in "$@"; do installed "$package" || echo "$package"; done
}

# One line for each missing package: name, tab, reason.
record_missing() { mkdir -p "$(dirname "$MISSING_FILE")" && printf '%s' "$1" >"$MISSING_FILE"; }

leave_for_someone_else() {
  local reason=$1 lines='' package
  for package in "${missing[@]}"; do lines+="$package"$'\t'"$reason"$'\n'; done
  record_missing "$lines"
  say "$reason; the tests that need these are skipped: ${missing[*]}"
}

# Services must not start, whatever their packages say: policy-rc.d is Debian's switch for that. One that is there already
# (containers have one) is put aside and put back, also after an install that was killed.
keep_services_from_starting() {
  if [ -e "$policy" ] && ! grep -qF "$signature" "$policy"; then mv "$policy" "$saved_policy"; fi
  trap let_services_start EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  printf '#!/bin/sh\n%s\nexit 101\n' "$signature" >"$policy"
  chmod 755 "$policy"
  mkdir -p "$(dirname "$no_cluster")"
  printf '%s\ncreate_main_cluster = false\n' "$signature" >"$no_cluster"
}

let_services_start() {
  if grep -qsF "$signature" "$policy"; then rm -f "$policy"; fi
  if [ -e "$saved_policy" ]; then mv "$saved_policy" "$policy"; fi
  rm -f "$no_cluster"
}

apt() {
  DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 \
    -o Dpkg::Options::=--force-confold "$@" >>"$log" 2>&1 </dev/null
}

# All in one go; only if that fails, one by one, so that one package that cannot be had does not cost the others.
install_missing() {
  local package
  apt install --no-install-recommends "${missing[@]}" && return
  for package in "${missing[@]}"; do
    installed "$package" || apt install --no-install-recommends "$package" || true
  done
}

# policy-rc.d holds a service back now; this holds it back at the next boot. Only those that this run brought.
keep_from_starting_at_boot() {
  command -v systemctl >/dev/null || return 0
  local service
  for service in "${services[@]}"; do
    [ -n "${had_service[$service]:-}" ] || systemctl --quiet disable "$service" >>"$log" 2>&1 || true
  done
}

has_service() { [ -e "/lib/systemd/system/$1.service" ] || [ -e "/etc/init.d/$1" ]; }

install_as_root() {
  local started=$SECONDS lines='' still service package
  log=$(mktemp)
  say "installing ${missing[*]}"
  say "their services are kept from starting, now and at boot; everything else stays as it is"
  exec 8>/run/lock/hactl-test-packages && flock -w 600 8 || { say "another packages.sh has run for 10 minutes"; exit 1; }
  declare -gA had_service=()
  for service in "${services[@]}"; do if has_service "$service"; then had_service[$service]=yes; fi; done
  keep_services_from_starting
  apt update || say "apt-get update failed; trying with the package lists that are here"
  install_missing
  keep_from_starting_at_boot
  let_services_start
  mapfile -t still < <(not_installed "${missing[@]}")
  for package in "${still[@]}"; do
    lines+="$package"$'\t'"$(grep -m 1 -E "^E: .*$package" "$log" || echo 'apt-get install failed')"$'\n'
  done
  record_missing "$lines"
  if [ "${#still[@]}" -gt 0 ]; then
    say "could not be installed, so the tests that need them are skipped: ${still[*]}"
    grep -E '^(E|Err)[: ]' "$log" | sort -u | head -5 | sed 's/^/packages:   /' || true
  fi
  rm -f "$log"
  say "$((${#missing[@]} - ${#still[@]})) of ${#missing[@]} installed in $((SECONDS - started)) s"
}

for word in "$@"; do
  case "$word" in
    bench) wanted+=(keepalived) ;;
    demo) wanted=(iproute2 util-linux) MISSING_FILE=$MISSING_FILE-demo ;;
    soak) wanted+=(systemd-container mmdebstrap) ;;
    *) say "unknown word '$word': use demo, bench or soak"; exit 2 ;;
  esac
done

# A run that was killed with SIGKILL could not put policy-rc.d back.
if [ "$(id -u)" = 0 ] && [ -e "$saved_policy" ]; then
  (exec 8>/run/lock/hactl-test-packages; flock -n 8 && let_services_start) || true
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  missing=("${wanted[@]}")
  leave_for_someone_else "this is no Debian (no apt-get)"
  exit 0
fi
mapfile -t missing < <(not_installed "${wanted[@]}")
if [ "${#missing[@]}" = 0 ]; then
  record_missing ''
elif [ "$(id -u)" != 0 ]; then
  leave_for_someone_else "not root"
  say "to run them too:  sudo apt-get install --no-install-recommends ${missing[*]}   (or run the tests as root)"
else
  install_as_root
fi
