#!/bin/sh
# Tests scripts/check_layers on small trees. Usage: tests/layers/check.sh CHECK_LAYERS
set -eu
script=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# Makes a file of the tree: its path, then its text.
file() {
  mkdir -p "$work/tree/$(dirname "$1")"
  printf '%s\n' "$2" >"$work/tree/$1"
}

# Expects an exit code, and a text in what was printed; then begins a new tree.
expect() { # WHAT CODE TEXT [SCRIPT]
  code=0
  out=$("${4-$script}" "$work/tree" 2>&1) || code=$?
  case $out in *"$3"*) found=yes ;; *) found= ;; esac
  if [ "$code" != "$2" ] || [ ! "$found" ]; then
    printf '%s: exit %s, expected %s with "%s":\n%s\n' "$1" "$code" "$2" "$3" "$out"
    failed=1
  fi
  rm -rf "$work/tree"
}

file src/amphora/core/a.h '#include <vector>'
file src/amphora/plan/b.cpp '#include "amphora/core/a.h"'
expect 'a good tree' 0 ''

file src/amphora/core/a.h '
#include "amphora/plan/b.h"'
expect 'a forbidden include, with its line' 1 'src/amphora/core/a.h:2: core may not include "amphora/plan/b.h"'

file backends/cpu/a.cpp '#include "backends/null/device.h"'
expect 'a backend that includes another one' 1 'backends/cpu/a.cpp:1: backends/cpu may not include "backends/null/device.h"'

file backends/fpga/a.cpp '
#include "amphora/device/device.h"
#include "backends/fpga/b.h"'
file backends/registry.cpp '#include "backends/fpga/b.h"'
expect 'a backend that has no row' 0 ''

file backends/fpga/a.cpp '#include "amphora/ops/matmul.h"'
expect 'a backend that includes an op' 1 'backends/fpga may not include "amphora/ops/matmul.h"'

file src/amphora/quantum/a.h ''
expect 'a folder without a row' 1 'src/amphora/quantum/a.h:1: no row for quantum'

file src/amphora/core/a.h '#include "../core/b.h"'
expect 'a path that is not from the include root' 1 'write "../core/b.h" from the include root'

file src/amphora/core/a.h '#include "amphora/amphora.h"'
expect 'the header for programs' 1 'is for programs; include what is used'

sed 's/^core  .*/core core kernel/' "$script" >"$work/circle"
chmod +x "$work/circle"
file src/amphora/core/a.h ''
expect 'a circle in the table' 1 'the table lets folders include each other in a circle' "$work/circle"

exit $failed
