#!/usr/bin/env bash
# Builds the native unit tests under AddressSanitizer and UndefinedBehaviorSanitizer and runs them.
# Needs cmake and a C++20 compiler, no Node and no root. Then fuzzes for some seconds, where clang's libFuzzer is
# installed. Also builds send-frames, the load of the live tests.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build-native-test
mkdir -p "$build"
log="$build/build.log"
if ! { cmake -S native -B "$build" -DSLUICE_TESTS=ON && cmake --build "$build" --parallel 2; } >"$log" 2>&1; then
  cat "$log" >&2
  echo 'native: the tests could not be built' >&2
  exit 1
fi
"$build/sluice-native-tests"

# A look, no search: scripts/fuzz.sh runs for as long as it is told.
for target in decoder flow-table ring-block capture-indexer; do
  status=0
  scripts/fuzz.sh "$target" 5 || status=$?
  # Without clang: it has said how to get it.
  if ((status == 2)); then
    echo 'skipped: fuzzing'
    break
  fi
  ((status == 0)) || exit 1
done
