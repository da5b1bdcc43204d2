#!/bin/sh
# usage: only_public.sh NM LIBRARY INCLUDE
# Fails where the shared library offers a name that the headers in INCLUDE do not: of gpuconv::detail, only what they
# mark with GPUCONV_API because their templates call it. Instances of the standard library's templates are visible
# because its own headers say so.
set -eu
nm=$1 library=$2 include=$3

symbols=$("$nm" -DC --defined-only "$library" | sed -n 's/^[0-9a-f]* [A-Zuvw] //p')
printf '%s\n' "$symbols" | grep -q '^gpuconv::Plan::execute(' || { echo "$library lacks Plan::execute" && exit 1; }

foreign=$(printf '%s\n' "$symbols" | sed 's/^\(typeinfo\|typeinfo name\|vtable\) for //' |
  grep -v -e '^gpuconv::' -e '^std::' -e ' std::' -e '^__gnu_cxx::' || true)
[ -z "$foreign" ] || { printf '%s offers:\n%s\n' "$library" "$foreign" && exit 1; }

for name in $(printf '%s\n' "$symbols" | sed -n 's/.*gpuconv::detail::\([A-Za-z_]*\).*/\1/p' | sort -u); do
  grep -q "GPUCONV_API .*\\<$name(" "$include"/gpuconv/*.hpp || { echo "$library offers gpuconv::detail::$name" && exit 1; }
done
