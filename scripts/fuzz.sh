#!/usr/bin/env bash
# Fuzzes a native target under libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer:
#   scripts/fuzz.sh decoder|flow-table|ring-block|capture-indexer [SECONDS | -runs=N]    60 seconds by default
# The corpus grows in build-fuzz/corpus from run to run; findings go to build-fuzz/findings.
# Exits 1 when there is a finding, 2 when clang or its runtime is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${1:-}"
limit="${2:-60}"
case "$target" in
  decoder) longest=600 ;;
  flow-table | ring-block | capture-indexer) longest=4096 ;;
  *)
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
if [[ "$limit" =~ ^[0-9]+$ ]]; then limit="-max_total_time=$limit"; fi

# A clang whose fuzzer runtime links.
compiler=''
probe='extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
for name in "${CXX:-}" clang++ clang++-{19..14}; do
  command -v "${name:-none}" >/dev/null || continue
  if "$name" -x c++ -fsanitize=fuzzer,address,undefined -o /dev/null - <<<"$probe" 2>/dev/null; then
    compiler="$name"
    break
  fi
done
if [[ -z "$compiler" ]]; then
  echo 'fuzz: no clang with libFuzzer; on Debian 12: apt-get install clang libclang-rt-14-dev' >&2
  exit 2
fi

build=build-fuzz
corpus="$build/corpus/$target"
seeds="$build/seeds/$target"
findings="$build/findings/$target"
mkdir -p "$corpus" "$seeds" "$findings"
log="$build/build.log"
# CMake forgets our options where it finds another compiler than it was first told of. The corpus stays.
configured="$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt" 2>/dev/null || true)"
if [[ "$configured" != "$(command -v "$compiler")" ]]; then
  rm -rf "$build/CMakeCache.txt" "$build/CMakeFiles"
fi
if ! { cmake -S native -B "$build" -DSLUICE_FUZZ=ON -DCMAKE_CXX_COMPILER="$compiler" &&
  cmake --build "$build" --parallel 2 --target "fuzz-$target" make-seeds; } >"$log" 2>&1; then
  cat "$log" >&2
  echo 'fuzz: the targets could not be built' >&2
  exit 1
fi
"$build/make-seeds" "$target" "$seeds"

log="$build/fuzz-$target.log"
status=0
"$build/fuzz-$target" "$limit" -max_len="$longest" -timeout=10 -print_final_stats=1 \
  -artifact_prefix="$findings/" "$corpus" "$seeds" >"$log" 2>&1 || status=$?
stat() { sed -n "s/^stat::$1: *//p" "$log"; }
echo "fuzz $target: $(stat number_of_executed_units) executions," \
  "$(stat average_exec_per_sec) a second, $(find "$corpus" -type f | wc -l) inputs in the corpus"
if ((status != 0)); then
  grep -E 'violated:|ERROR: |runtime error:|SUMMARY:|Test unit written' "$log" || tail -n 20 "$log"
  echo "fuzz $target: a finding; all of it is in $log"
  exit 1
fi
echo "fuzz $target: no finding"
