#!/bin/sh
# usage: older_language.sh CXX INCLUDE HEADER...
# Each header, compiled as C++17, says once that C++20 is needed, and nothing else but that the compilation ends.
set -eu
cxx=$1 include=$2
shift 2
for header; do
  said=$(printf '#include <%s>\nint twice = gpuconv::twice(1);\n' "$header" |
    LC_ALL=C "$cxx" -std=c++17 -fsyntax-only -I"$include" -x c++ - 2>&1) && { echo "$header compiles" && exit 1; }
  needs=$(echo "$said" | grep -c ' error: .*gpuconv needs C++20')
  all=$(echo "$said" | grep -c ' error: ')
  if [ "$needs" != 1 ] || [ "$all" -gt 2 ]; then
    printf '%s: %s errors\n%s\n' "$header" "$all" "$said"
    exit 1
  fi
done
