#!/bin/bash
# mutants.sh - `make mutants`: does anybody notice bugs?
#
#	BUILD=build/gcc [STARTS=5] [ONLY='5 24'] [MUTANTS=200] [SEED=1] \
#		mutants.sh
#
# First each planted bug (plant.h) is hunted by stories from STARTS places, up
# to 20,000 seeds from each, or by crashes; then tools/mutate changes MUTANTS
# places of lock, plan and run.  What came of both is written to MUTANTS.md.
# Fails if a bug is not found, or fewer than 90 % of the changes.
set -u
: "${BUILD:?}" "${STARTS:=5}" "${MUTANTS:=200}" "${SEED:=1}" "${CC:=gcc}"
here=tests/simulation
plant=$BUILD-plant
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0

# bug|who hunts it|which invariant has to see it (-: any)|what it is
bugs='1|stories|I9|the journal is not synced before a create
2|crashes|-|the directory is not synced after the rename
3|stories|I2|a 5xx on create is taken as no effect
4|stories|I2|a timeout on create is taken as no effect
5|stories|I10|a cut listing is taken as empty
6|stories|I2|nothing is given time to settle
7|stories|I3|things are ended by their name
8|stories|I3|a pod is taken for ours by its name alone
9|stories|I4|busy is decided by a listing, not by the answer of the removal
10|stories|I4|a pod is ended before its runner is removed
11|stories|I7|the serial is not raised when nothing was added or changed
12|crashes|-|the lock file is written in place
13|stories|I8|a rollback ends new pods and keeps their entries
14|crashes|-|a crash in a replacement forgets the old pod
15|stories|I13|Retry-After is ignored
17|stories|I6|redaction misses the JSON-escaped form
18|stories|I7|a record of the journal is done twice
19|crashes|-|a torn tail is taken without its checksum
20|stories|I18|exit 0 although an op is open
23|stories|I15|one cell of a table is printed raw
24|stories|I12|a saved plan is not compared with what is there now
25|stories|I14|a tunnel is held after its pod has ended
26|stories|I5|one field of a pod is never compared
33|stories|I11|the lock is not taken
34|stories|I8|an undo leaves what the update has made
35|stories|I12|a pod is made with a larger disk than was shown
36|stories|I6|the key is not hidden in what the cloud says'

# How many it took, and which invariant: for each start one line.
hunt() { # bug, who, invariant
	local start from=1
	if [ "$2" = crashes ]; then
		"$plant/crashes" --plant "$1" --stop-after 1 --jobs 1 \
			>"$work/hunt"
		awk '/^FAILED .*: I[0-9]+/ && !i { match($0, /: I[0-9]+/)
			i = substr($0, RSTART + 2, RLENGTH - 2) }
		    / runs, / { n = $1 } END { if (i) print n, i }' "$work/hunt"
		return
	fi
	for ((start = 0; start < STARTS; start++)); do
		"$plant/stories" --plant "$1" --meant "$3" --seeds 20000 \
			--from $from --stop-after 1 --jobs 1 2>&1 |
			sed -n 's/^seed \([0-9]*\): \(I[0-9]*\) .*/\1 \2/p' |
			awk -v from=$from 'NR == 1 { print $1 - from + 1, $2 }'
		from=$((from + 1000000))
	done
}

# run.sh may have left objects there that make would not renew.
rm -rf "$plant"
make -s -j2 BUILD="$plant" SAN=0 CC="$CC" EXTRA_CFLAGS=-DPODFORM_PLANT \
	"$plant/stories" "$plant/crashes" || exit 1
when=$(date -u +%F) commit=$(git rev-parse --short HEAD 2>/dev/null || echo -)
while IFS='|' read -r bug who by what; do
	[ -z "${ONLY:-}" ] || case " $ONLY " in *" $bug "*) ;; *)
		grep "^| $(printf M%02d "$bug") " $here/MUTANTS.md >>"$work/table"
		continue ;;
	esac
	hunt "$bug" "$who" "$by" | sort -n >"$work/found"
	found=$(wc -l <"$work/found") wanted=$STARTS
	[ "$who" = stories ] || wanted=1
	median=$(awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }' \
		"$work/found")
	worst=$(tail -1 "$work/found" | cut -d' ' -f1)
	fired=$(cut -d' ' -f2 "$work/found" | sort -u | paste -sd, | sed 's/,/, /g')
	unit=seeds
	[ "$who" = stories ] || unit=runs
	if [ "$found" -lt "$wanted" ]; then
		bad=1 worst="not found from $((wanted - found)) of $wanted"
		echo "not ok - planted bug M$bug: $worst"
	else
		echo "ok - planted bug M$bug: $fired, $median $unit, at worst $worst"
	fi
	printf '| M%02d | %s | %s | %s %s | %s | %s | %s |\n' "$bug" "$what" \
		"$fired" "$median" "$unit" "$worst" "$when" "$commit" \
		>>"$work/table"
done <<<"$bugs"

status=0
: >"$work/report"
if [ "$MUTANTS" -gt 0 ]; then
	tools/mutate --cc "$CC" --count "$MUTANTS" --seed "$SEED" --least 90 \
		--report "$work/report" || status=1
fi
{
	sed '/^| M01 /,$d' $here/MUTANTS.md
	cat "$work/table"
	# What stands behind the table stays.
	awk '/^\| M01 / { rows = 1 } rows && !/^\|/ { rest = 1 }
	    rest { print } /^## What was changed/ { exit }' $here/MUTANTS.md
	echo
	if [ "$MUTANTS" -gt 0 ]; then
		cat "$work/report"
	else
		sed '1,/^## What was changed/d' $here/MUTANTS.md | sed 1d
	fi
} >"$work/new"
cp "$work/new" $here/MUTANTS.md
exit $((bad | status))
