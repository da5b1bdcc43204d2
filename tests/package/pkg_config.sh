#!/bin/sh
# usage: pkg_config.sh PREFIX LIBDIR PROGRAM SOURCE COMPILER [FLAG...]
# Compiles SOURCE with what pkg-config says of the gpuconv installed in PREFIX, and runs it. Without --static, which
# people forget.
set -eu
prefix=$1 libdir=$2 program=$3 source=$4
shift 4
[ -n "${1-}" ] || { echo "SKIPPED: there is no such compiler" && exit 77; }
command -v pkg-config >/dev/null || { echo "SKIPPED: there is no pkg-config" && exit 77; }

PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig
export PKG_CONFIG_PATH
flags=$(pkg-config --cflags --libs 'gpuconv >= 0.2')
echo "$flags"
# shellcheck disable=SC2086  # a list of flags
"$@" -std=c++20 "$source" -o "$program" $flags
LD_LIBRARY_PATH=$prefix/$libdir "$program"
