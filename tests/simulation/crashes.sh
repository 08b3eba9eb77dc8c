#!/bin/bash
# crashes.sh - exhaustive crashes as a test: RUNS of them, each scenario a
# result; a run replays.
#
# BUILD is the directory of the build.  RUNS=0 is all there are.
set -u
: "${BUILD:?}" "${RUNS:=22000}" "${CC:=gcc}"
crashes=$BUILD/crashes
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
. tests/result.sh

"$crashes" --runs "$RUNS" --jobs 2 >"$work/all" 2>&1
status=$?
cat "$work/all"
result $status "a crash or error at each operation of every scenario"

# Of each scenario something was tried, and almost all came to their point.
least=1000
[ "$RUNS" -lt 22000 ] || least=20000
awk -v least=$least '/^scenario/ { table = 1; next }
    / runs, / { runs = $1; missed = $3; table = 0 }
    table && $3 + $4 < 5 { print "# too few of " $1; few = 1 }
    END { exit few || runs < least || missed * 100 > runs }' "$work/all"
result $? "every scenario was crashed, $least times at least in all"

# The same run, the same bytes.
status=0
for run in create-one/47:after:torn/20:before:lost \
	create-with-guests/100:after:kept rollback-unknown/60:before:mixed; do
	"$crashes" --run $run --trace >"$work/one"
	"$crashes" --run $run --trace >"$work/two"
	cmp "$work/one" "$work/two" || status=1
	[ "$(wc -l <"$work/one")" -gt 10 ] || status=1
done
result $status "a run replays byte for byte"

# Bugs that must be found: see run.sh, which builds its own in this way.
plant=$BUILD-plant-crashes
rm -rf "$plant"
mkdir -p "$plant"
cp -al "$BUILD/pkg" "$BUILD/tests" "$plant"
grep -rl 'base/plant.h\|PODFORM_PLANT' pkg tests --include='*.c' |
	sed "s|^\(.*\)\.c$|$plant/\1.o|" | xargs rm -f
if make -s -j2 BUILD="$plant" SAN=0 CC="$CC" \
	EXTRA_CFLAGS=-DPODFORM_PLANT "$plant/crashes" >"$work/make" 2>&1; then
	for bug in 1 2 12 14 19; do
		"$plant/crashes" --plant $bug --stop-after 1 >"$work/plant"
		[ $? -eq 1 ] &&
			grep '^FAILED' "$work/plant" | grep -m 1 ': I[0-9]'
		result $? "planted bug M$bug is found"
	done
else
	cat "$work/make"
	result 1 "the build with planted bugs"
fi
exit $bad
