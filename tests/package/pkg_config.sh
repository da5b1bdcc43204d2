#!/bin/sh
# usage: pkg_config.sh CXX PREFIX LIBDIR static|shared PROGRAM SOURCE
# Compiles SOURCE with what pkg-config says of the gpuconv installed in PREFIX, and runs it.
set -eu
cxx=$1 prefix=$2 libdir=$3 linkage=$4 program=$5 source=$6
command -v pkg-config >/dev/null || { echo "SKIPPED: there is no pkg-config" && exit 77; }

PKG_CONFIG_PATH=$prefix/$libdir/pkgconfig
export PKG_CONFIG_PATH
static=
[ "$linkage" = shared ] || static=--static
flags=$(pkg-config --cflags --libs $static 'gpuconv >= 0.1')
echo "$flags"
# shellcheck disable=SC2086  # a list of flags
"$cxx" -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Werror "$source" -o "$program" $flags
LD_LIBRARY_PATH=$prefix/$libdir "$program"
