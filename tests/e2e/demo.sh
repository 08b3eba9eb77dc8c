#!/bin/bash
# demo.sh - the demo ends well: as this user and, if that is root, as nobody.
#
# What it shows it also checks (tools/demo); here it is only run, from a
# directory that the other user may read, without a terminal and on one, where
# it is slower and shows other things.
set -u
cd "$(dirname "$0")/../.." || exit 1
: "${BUILD:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
bad=0

# A clone may lie where nobody can look: what the demo needs is copied.
mkdir -p "$work/clone/tools" "$work/clone/build" "$work/home" "$work/tmp"
cp -r specs "$work/clone/" && cp tools/demo "$work/clone/tools/" &&
    cp "$BUILD/podform" "$BUILD/podform-sim" "$BUILD/podform-ssh" "$work/clone/build/" || exit 1
chmod -R a+rX "$work/clone"
chmod 1777 "$work/home" "$work/tmp"

play() { # name, command prefix...
	local name=$1 out=$work/tmp/$1.out status
	shift
	"$@" env HOME="$work/home" TMPDIR="$work/tmp" \
	    bash "$work/clone/tools/demo" "$work/clone/build" \
	    >"$out" 2>&1 </dev/null
	status=$?
	if [ $status -eq 0 ] && tail -n 1 "$out" |
	    grep -q 'That was podform'; then
		echo "ok - the demo as $name"
		return
	fi
	tail -n 40 "$out"
	if grep -q 'podform-sim has ended' "$out" &&
	    ! "$BUILD/podform-sim" --pods sandbox --idle-exit 1s >"$out" 2>&1
	then
		echo "skip: the demo as $name: $(tail -n 1 "$out")"
		return
	fi
	echo "not ok - the demo as $name (status $status)"
	bad=1
}

play "user $(id -un)" env
if [ "$(id -u)" -eq 0 ]; then
	play nobody setpriv --reuid=65534 --regid=65534 --clear-groups
fi
on_terminal() { # env and a command without blanks: run on a terminal
	TERM=xterm PODFORM_DEMO_PAUSE=0.6 script -qefc "$*" /dev/null
}
play 'somebody on a terminal' on_terminal
exit $bad
