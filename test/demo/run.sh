#!/usr/bin/env bash
# The demo: two hosts and a client in namespaces of this machine, real daemons, and a host that dies. Sets itself up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bash test/setup/prepare.sh build
if ! PATH=$PATH:/usr/sbin:/sbin command -v ip >/dev/null; then bash test/setup/packages.sh demo; fi
node_modules/.bin/esbuild test/demo/demo.ts --bundle --platform=node --format=esm --target=node20 --log-level=warning \
  --outfile=dist/demo/demo.mjs
exec node dist/demo/demo.mjs
