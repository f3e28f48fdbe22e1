#!/usr/bin/env bash
# Builds the unit tests of the lab's path emulator under AddressSanitizer and UndefinedBehaviorSanitizer and runs them.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build-lab/emulator-test
mkdir -p "$build"
log="$build/build.log"
if ! { cmake -S lab/emulator -B "$build" -DSLUICE_TESTS=ON && cmake --build "$build" --parallel 2; } >"$log" 2>&1; then
  cat "$log" >&2
  echo 'emulator: the tests could not be built' >&2
  exit 1
fi
"$build/lab-path-tests"
