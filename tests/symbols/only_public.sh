#!/bin/sh
# usage: only_public.sh NM LIBRARY
# Fails where the shared library offers a name of its own that the public headers do not: the two functions of
# gpuconv::detail are those that templates in public headers call. Instances of the standard library's templates are
# visible because its headers say so.
set -eu
nm=$1 library=$2

symbols=$("$nm" -DC --defined-only "$library" | sed -n 's/^[0-9a-f]* [A-Zuvw] //p')
printf '%s\n' "$symbols" | grep -q '^gpuconv::Plan::execute(' || { echo "$library lacks Plan::execute" && exit 1; }
foreign=$(printf '%s\n' "$symbols" | sed 's/^\(typeinfo\|typeinfo name\|vtable\) for //' |
  grep -v -e '^gpuconv::[A-Za-z_:~]*\((\|\[\|$\)' -e '^std::' -e ' std::' -e '^__gnu_cxx::' || true)
private=$(printf '%s\n' "$symbols" | grep 'gpuconv::detail::' |
  grep -v -e '::check_result_size(' -e '::throw_out_of_memory(' || true)
[ -z "$foreign$private" ] || { printf '%s offers:\n%s\n%s\n' "$library" "$foreign" "$private" && exit 1; }
