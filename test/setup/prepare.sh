#!/usr/bin/env bash
# Makes a fresh clone runnable: the node packages of package-lock.json, and with the word `build` also dist/hactl.js.
# Does nothing, and says nothing, when all of that is there already.   Usage: prepare.sh [build]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { echo "prepare: $*" >&2; exit 1; }

need_node() {
  command -v node >/dev/null || fail "node is not installed: hactl needs Node 20 or newer (https://nodejs.org, or 'apt-get install nodejs' where that is 20 or newer)"
  command -v npm >/dev/null || fail "npm is not installed: it comes with Node from nodejs.org; on Debian 'apt-get install npm'"
  local major
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || fail "node is version $(node --version), hactl needs 20 or newer"
}

# True when every package of the lock file is installed in the locked version. npm's own record of what it installed is
# compared, because time stamps say nothing after a git checkout. Optional packages are for other platforms, or may be missing.
packages_current() {
  [ -f node_modules/.package-lock.json ] || return 1
  node -e '
    const { readFileSync } = require("node:fs")
    const packagesOf = (file) => JSON.parse(readFileSync(file, "utf8")).packages
    const installed = packagesOf("node_modules/.package-lock.json")
    const stale = Object.entries(packagesOf("package-lock.json")).filter(([path, locked]) => {
      if (path === "" || locked.optional || locked.devOptional) return false
      return installed[path]?.version !== locked.version
    })
    process.exit(stale.length === 0 ? 0 : 1)'
}

install_packages() {
  local log started=$SECONDS
  log=$(mktemp)
  echo "prepare: installing the node packages of package-lock.json into node_modules (npm ci)"
  if ! npm ci --no-audit --no-fund --loglevel=error >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    fail "npm ci failed (its output is above): is the npm registry reachable from here?"
  fi
  rm -f "$log"
  echo "prepare: node packages installed in $((SECONDS - started)) s"
}

build_current() {
  [ -f dist/hactl.js ] || return 1
  [ -z "$(find src package.json package-lock.json -newer dist/hactl.js -print -quit)" ]
}

case "${1:-}" in
  '' | build) ;;
  *) fail "unknown word '$1': use 'prepare.sh' or 'prepare.sh build'" ;;
esac
need_node
# Two runs at once (a test and a demo) must not both rebuild node_modules: the second waits, and finds all done.
exec 9<package-lock.json
if command -v flock >/dev/null; then flock -w 600 9 || fail "another prepare.sh has held $PWD/package-lock.json for 10 minutes"; fi
packages_current || install_packages
if [ "${1:-}" = build ] && ! build_current; then
  npm run --silent build || fail "npm run build failed (its output is above)"
fi
