/** The shell that sets up the sandbox and boots a host in it. */

/** In the sandbox's own mounts: room for the disks at `mountPoint`, a /run of its own for the names of the networks, the bridges. */
export function switchScript(mountPoint: string, repository: string, links: readonly number[]): string {
  return `set -e
mount -t tmpfs -o mode=755 lab ${mountPoint}
mkdir ${mountPoint}/disks ${mountPoint}/logs ${mountPoint}/repository
mount --bind '${repository}' ${mountPoint}/repository
mount -t tmpfs -o mode=755 lab /run
mkdir /run/netns
ip link set lo up
${links.map((link) => `ip link add bridge${link} type bridge forward_delay 0 mcast_snooping 0
ip link set bridge${link} up`).join('\n')}`
}

/**
 * Words: where the disks are, the host's name, the repository. /etc and /var are laid over those of the machine and kept
 * in the lab, so that a host that loses power finds them again; for an ordinary user, who does not own the machine's files,
 * /etc is copied as far as it can be read and /var starts empty. The repository stays visible even if it lies in /tmp.
 */
export const bootScript = `set -e
lab=$0 name=$1 repository=$2 disk=$0/disks/$1
hostname "$name"
private() { # DIR: a private, lasting copy of a directory of the machine
  local own=$disk$1
  mkdir -p "$own/upper" "$own/work"
  if [ "$whole_machine" = yes ]; then
    mount -t overlay -o "lowerdir=$1,upperdir=$own/upper,workdir=$own/work" lab "$1"
    return
  fi
  if [ ! -d "$own/copy" ]; then
    mkdir "$own/copy"
    if [ "$1" = /etc ]; then cp -a /etc/. "$own/copy" 2>/dev/null || true; fi
  fi
  mount --bind "$own/copy" "$1"
}
whole_machine=no
if [ "$(awk '{ print $2 $3 }' /proc/self/uid_map)" = 04294967295 ]; then whole_machine=yes; fi
private /etc
private /var
mkdir -p /etc/ha.d/resource.d /etc/hactl/resource.d /var/lib/hactl /var/log /var/tmp
if ! grep -q ' alpha$' /etc/hosts; then
  printf '192.0.2.%s %s\\n' 1 alpha 2 beta 9 client >> /etc/hosts
fi
umount -l /run/netns/* 2>/dev/null || true
umount -R -l /run 2>/dev/null || true
mount -t tmpfs -o mode=755 lab /run
mkdir -m 1777 /run/lock
mount -t tmpfs -o mode=1777 lab /tmp
if [ ! -e "$repository/package.json" ]; then
  mkdir -p "$repository"
  mount --bind "$lab/repository" "$repository"
fi
mount -t sysfs -o ro lab /sys 2>/dev/null || true
sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 2>/dev/null || true`
