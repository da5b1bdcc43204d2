#!/bin/sh
# sanitize.sh clean|finds TOOL PROGRAM ARGUMENT...: runs a program under a tool of NVIDIA's compute-sanitizer. It has to end
# well with nothing found, or the tool has to find something: one that finds nothing has only said something where it can.
# Exit status 77 where there is no tool or no GPU, or none that the tool can work with (some virtual machines), or where a
# program that has to be clean takes longer than PATIENCE seconds under it and nothing was found until then.
set -u
expected=$1 tool=$2
shift 2
PATH=$PATH:/usr/local/cuda/bin:/usr/local/cuda/compute-sanitizer
if ! command -v compute-sanitizer >/dev/null; then
  echo 'skipped: compute-sanitizer is not installed'
  exit 77
fi
if ! nvidia-smi --list-gpus 2>/dev/null | grep -q GPU; then
  echo 'skipped: there is no GPU'
  exit 77
fi
# A failing call of the runtime is not what is looked for: tests provoke some.
[ "$tool" != memcheck ] || set -- --report-api-errors no "$@"
output=$(timeout "${PATIENCE:-280}" compute-sanitizer --tool "$tool" --print-limit 50 "$@" 2>&1)
status=$?
printf '%s\nexit status %d, expected: %s\n' "$output" "$status" "$expected"
case $output in
  *'Device not supported'*) exit 77 ;;
  *'[  PASSED  ] 0 tests'*) exit 1 ;;  # nothing was run
esac
if [ "$expected $status" = 'clean 124' ] && ! printf '%s' "$output" | grep -q '^========= .*\(Invalid\|Uninitialized\|Misaligned\|Race\|hazard\|Barrier\|Divergent\)'; then
  exit 77
fi
summary=$(printf '%s\n' "$output" | sed -n -E 's/.*(ERROR|RACECHECK) SUMMARY: ([0-9]+) (error|hazard).*/\2/p')
case $expected in
  clean) [ "$status" -eq 0 ] && [ "$summary" = 0 ] ;;
  finds) [ "${summary:-0}" -gt 0 ] ;;
  *) exit 2 ;;
esac
