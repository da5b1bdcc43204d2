#!/bin/sh
# usage: only_own_namespace.sh NM NAMESPACE OBJECT
# Fails where OBJECT defines a symbol that others can link to outside of NAMESPACE, such as an inline function of a
# shared header: the linker keeps one copy of it for the whole program, which may be the one with instructions that an
# older machine lacks.
set -eu
nm=$1 namespace=$2 object=$3

# Lower-case kinds are local to the object, but for u, v and w.
symbols=$("$nm" -C --defined-only "$object" | sed -n 's/^[0-9a-f]* [A-Zuvw] //p')
[ -n "$symbols" ] || { echo "$object defines no symbol at all" && exit 1; }
foreign=$(printf '%s\n' "$symbols" | grep -v "^$namespace::" || true)
[ -z "$foreign" ] || { printf '%s defines outside of %s:\n%s\n' "$object" "$namespace" "$foreign" && exit 1; }
