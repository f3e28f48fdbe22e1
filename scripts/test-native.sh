#!/usr/bin/env bash
# Builds the native unit tests under AddressSanitizer and UndefinedBehaviorSanitizer and runs them.
# Needs cmake and a C++20 compiler, no Node and no root. The last line says how many passed.
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
exec "$build/sluice-native-tests"
