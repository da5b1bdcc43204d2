#!/bin/sh
# usage: no_locks.sh NM OBJECT...
# Fails where an OBJECT may hold a lock: a mutex, std::call_once, or a function's static variable that is initialised at
# run time. A process that forks while one of its threads holds it leaves it held in the child, for good. The pool of
# threads may have its mutex, which a child makes anew; in kernels' objects nvcc registers them so, which is CUDA's affair.
set -eu
nm=$1
shift
[ $# -gt 0 ] || { echo "no object was named" && exit 1; }

for object in "$@"; do
  case $object in */thread_pool.cpp.o | *.cu.o) continue ;; esac
  locks=$("$nm" -u "$object" | grep -E '__cxa_guard_acquire|pthread_(mutex|rwlock|spin|once)|__once_proxy|sem_wait' || true)
  [ -z "$locks" ] || { printf '%s may hold a lock at a fork:\n%s\n' "$object" "$locks" && exit 1; }
done
