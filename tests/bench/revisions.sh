#!/bin/sh
# revisions.sh PROGRAM: two records of revision_record are the same, those of other vectors are not but in their last bits,
# and what is no number is refused.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
record() { "$program" 5 60 2000 > "$folder/$1"; }
program=$1
record first
record second
cmp "$folder/first" "$folder/second"
for word in 'cpu direct' 'cpu overlap-save' 'cpu fft' refused norm chosen int16 tiny 'not finite'; do grep -q "$word" "$folder/first"; done
GPUCONV_SIMD=portable record portable
if head -n 1 "$folder/first" | grep -q avx && cmp -s "$folder/first" "$folder/portable"; then exit 1; fi
status=0
"$program" 5 many 2>/dev/null || status=$?
[ "$status" -eq 2 ]
