#!/bin/bash
# Starts the real Heartbeat in namespaces of its own with the files of a directory. Usage, as root:
#   unshare --net --mount --uts --ipc --pid --fork verdict.sh DIR HOSTNAME; DIR holds ha.cf, haresources and authkeys.
# Writes `accepted` or `refused` to DIR/verdict and what Heartbeat said to DIR/said. eth0 and eth1 are there; nothing else is.
set -u
directory=$1
mount --make-rprivate /
mount -t proc proc /proc
mount --bind /dev/null /proc/sysrq-trigger   # it must never reset the machine
mkdir "$directory/etc" "$directory/lib" "$directory/here"
cd "$directory/here" || exit 1   # for a log whose name is no full path
cp -a /etc/ha.d/. "$directory/etc/"
cp -p "$directory"/{ha.cf,haresources,authkeys} "$directory/etc/"
cp -a /var/lib/heartbeat/. "$directory/lib/"
mount --bind "$directory/etc" /etc/ha.d
mount --bind "$directory/lib" /var/lib/heartbeat
mount -t tmpfs tmpfs /var/log
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/resource-agents /run/heartbeat/{ccm,crm,dopd}
chown -R hacluster:haclient /run/heartbeat
hostname "$2"
ip link set lo up
for number in 0 1; do
  ip link add eth$number type veth peer name peer$number
  ip addr add 192.0.2.1$number/24 brd 192.0.2.255 dev eth$number
  ip link set eth$number up
  ip link set peer$number up
done
ulimit -l unlimited
verdict=refused
if timeout 20 /usr/libexec/heartbeat/heartbeat >"$directory/said" 2>&1; then
  sleep 1
  pid=$(tr -d ' ' </run/heartbeat.pid) 2>/dev/null
  if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then verdict=accepted; fi
fi
cat /var/log/ha-log >>"$directory/said" 2>/dev/null
echo "$verdict" >"$directory/verdict"
