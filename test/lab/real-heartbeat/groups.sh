#!/bin/sh
# What Heartbeat's own resource scripts make of haresources files. Usage: groups.sh DIR...; each DIR holds a haresources.
# Writes DIR/groups: one line for each group, its node and its resources between tabs, each with its arguments between commas of
# the character \001. The functions are those of the ResourceManager that is installed; nothing is started.
export HA_LOGFILE=/dev/null HA_DEBUGLOG=/dev/null
functions=$(awk '{ line[NR] = $0 } /^case \$1 in/ { last = NR } END { for (i = 1; i < last; i++) print line[i] }' \
  /usr/share/heartbeat/ResourceManager)
eval "$functions"

words() { # NODE WORD...: as acquireresourcegroup and doscript take them apart
  printf '%s' "$1"
  shift
  for word in "$@"; do
    script=$(resource2script "$(canonname "$(resource2script "$word")")")
    printf '\t%s' "$script"
    for argument in $(resource2arg "$word"); do printf '\001%s' "$argument"; done
  done
  printf '\n'
}

cd /var/empty 2>/dev/null || cd /proc/self/fdinfo || exit 1
for directory in "$@"; do
  HA_DIR=$directory
  ipres | while IFS= read -r line; do words $line; done >"$directory/groups"
done
