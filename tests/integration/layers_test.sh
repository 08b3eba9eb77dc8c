#!/bin/bash
# layers_test.sh - tools/layers sees what it is there to see.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0
cp -r pkg cmd "$work/"

tries() { # what, status wanted, file, line to add
	local status
	[ -z "${3-}" ] || { cp "$work/$3" "$work/saved"; echo "$4" >>"$work/$3"; }
	tools/layers "$work" >"$work/out" 2>&1
	status=$?
	[ -z "${3-}" ] || mv "$work/saved" "$work/$3"
	if [ $status -eq "$2" ]; then
		echo "ok - $1"
	else
		cat "$work/out"
		echo "not ok - $1"
		bad=1
	fi
}

tries 'the tree as it is' 0
tries 'spec does not include plan' 1 pkg/spec/load.c '#include "plan/plan.h"'
tries 'an edge does not include the core' 1 pkg/io/io_http.c \
    '#include "run/run.h"'
tries 'podform does not know the model' 1 cmd/podform/main.c \
    '#include "model/model.h"'
tries 'the core has no sockets' 1 pkg/run/run.c '# include <sys/socket.h>'
tries 'paths are written in full' 1 pkg/plan/plan.c '#include "planner.h"'
exit $bad
