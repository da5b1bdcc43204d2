#!/bin/sh
# notices.sh PATTERN COMMAND...: passes if what the command prints, however it ends, has the pattern in it.
pattern=$1
shift
output=$("$@" 2>&1)
printf '%s\nexit status %d, expected: %s\n' "$output" $? "$pattern"
printf '%s\n' "$output" | grep -Eq -e "$pattern"
