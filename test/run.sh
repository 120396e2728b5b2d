#!/usr/bin/env bash
# All tests, or the parts that are named: lint, unit (with the properties and the simulation), mutations (of the pure
# layers), resources, lab.
# Sets itself up on a fresh clone. The last line is `N passed, N failed`, with `, N skipped` where something could not be
# had; the exit code is 0 only if nothing failed.   Usage: bash test/run.sh [lint] [unit] [mutations] [resources] [lab]
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

parts=("$@")
if [ "${#parts[@]}" = 0 ]; then parts=(lint unit mutations resources lab); fi
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
passed=0 failed=0 skipped=0 times='' failures='' skips=''

# NAME SECONDS COMMAND...: one check that passes or fails as a whole.
check() {
  local name=$1 limit=$2
  shift 2
  if timeout --kill-after=10 "$limit" "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    failures+="  $name"$'\n'
  fi
}

# NAME SECONDS WORDS...: a run of vitest, counted test by test. A file that cannot be loaded, and a run that does not come
# to its end, count as one failed test each.
tests() {
  local name=$1 limit=$2 summary
  shift 2
  timeout --kill-after=10 "$limit" npx --no-install vitest run --reporter=default --reporter=json --outputFile.json="$results/$name.json" "$@"
  summary=$(node - "$results/$name.json" "$name" "$?" <<'COUNT'
const { readFileSync } = require('node:fs')
const [file, part, code] = process.argv.slice(2)
const lines = []
let files = []
try {
  files = JSON.parse(readFileSync(file, 'utf8')).testResults
} catch {
  lines.push(`failed\t${part}: the run did not come to its end (exit code ${code}${code === '124' ? ', out of time' : ''})`)
}
for (const { name, status, message, assertionResults } of files) {
  const short = name.slice(name.indexOf('/test/') + 1)
  for (const one of assertionResults) {
    const state = one.status === 'passed' ? 'passed' : one.status === 'failed' ? 'failed' : 'skipped'
    lines.push(`${state}\t${short}: ${one.fullName}`)
  }
  if (status === 'failed' && !assertionResults.some((one) => one.status === 'failed')) {
    lines.push(`failed\t${short}: ${message.split('\n')[0] || 'the file could not be run'}`)
  }
}
if (files.length > 0 && code !== '0' && !lines.some((line) => line.startsWith('failed'))) {
  lines.push(`failed\t${part}: every test passed, and still the run ended with exit code ${code}`)
}
console.log(lines.join('\n'))
COUNT
  )
  passed=$((passed + $(grep -c '^passed' <<<"$summary")))
  failed=$((failed + $(grep -c '^failed' <<<"$summary")))
  skipped=$((skipped + $(grep -c '^skipped' <<<"$summary")))
  failures+=$(sed -n 's/^failed\t/  /p' <<<"$summary"; printf x)
  failures=${failures%x}
  skips+=$(sed -n 's/^skipped\t/  /p' <<<"$summary"; printf x)
  skips=${skips%x}
}

# NAME WHY WORDS...: the tests of a part that this machine cannot run at all, by name.
skip_all() {
  local name=$1 why=$2 listed
  shift 2
  listed=$(npx --no-install vitest list "$@" 2>/dev/null | sed 's|^test/||')
  skipped=$((skipped + $(grep -c . <<<"$listed")))
  skips+=$(sed "s|^|  |; s|\$| ($why)|" <<<"$listed"; printf x)
  skips=${skips%x}
}

has_namespaces() {
  if [ "$(id -u)" = 0 ]; then
    unshare --net --mount --pid --fork true
  else
    unshare --user --map-root-user --net --mount --pid --fork true
  fi
} 2>/dev/null

# A part whose files are not there fails: nothing must pass by having been lost.
run_part() {
  case "$1" in
    setup)
      bash test/setup/prepare.sh build || { echo "test/run.sh: the setup failed"; exit 1; }
      case " ${parts[*]} " in *' resources '* | *' lab '*) bash test/setup/packages.sh || failed=$((failed + 1)) failures+='  setup: packages.sh'$'\n' ;; esac ;;
    lint)
      check 'lint: tsc' 300 npx --no-install tsc
      check 'lint: eslint' 300 npx --no-install eslint --max-warnings 0 src test ;;
    unit) tests unit 420 ;;
    mutations) tests mutations 420 --config test/mutations/vitest.config.ts ;;
    resources)
      if has_namespaces; then
        tests resources 420 --config test/resources/vitest.config.ts
      else
        skip_all resources 'no namespaces on this machine' --config test/resources/vitest.config.ts
      fi ;;
    lab)
      if has_namespaces; then
        HACTL_LAB_BUILT=yes tests lab 600 --config test/lab/vitest.config.ts
      else
        skip_all lab 'no namespaces on this machine' --config test/lab/vitest.config.ts
      fi ;;
    *) echo "test/run.sh: unknown part '$1': use lint, unit, mutations, resources or lab"; exit 2 ;;
  esac
}

for part in setup "${parts[@]}"; do
  started=$SECONDS
  echo "== $part"
  run_part "$part"
  times+="$part $((SECONDS - started)) s, "
done

echo
echo "time: ${times}all ${SECONDS} s"
if [ -n "$skips" ]; then printf 'skipped:\n%s' "$skips"; fi
if [ -n "$failures" ]; then printf 'failed:\n%s' "$failures"; fi
if [ "$skipped" -gt 0 ]; then
  echo "$passed passed, $failed failed, $skipped skipped"
else
  echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
