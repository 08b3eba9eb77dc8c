#!/bin/bash
# run.sh - the simulation as a test: SEEDS stories, replay in builds of two
# compilers and under sanitizers, every step of some stories crashed, a canary
# that must be heard, and planted bugs that must be found.
#
# BUILD is the directory of the build; one line a result.
set -u
: "${BUILD:?}" "${SEEDS:=20000}" "${CC:=gcc}"
stories=$BUILD/stories
# What a killed command leaves behind is no leak.
export ASAN_OPTIONS=detect_leaks=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
. tests/result.sh

# The stories that failed once are told first of all for ever.
status=0
while IFS=$'\t' read -r seed options _; do
	case $seed in '' | '#'*) continue ;; esac
	[ "$options" != - ] || options=
	# shellcheck disable=SC2086 # options are words
	"$stories" --seed "$seed" $options >"$work/kept" 2>&1 ||
		{ grep -v 'struck\|probe' "$work/kept"; status=1; }
done <tests/simulation/kept-seeds
result $status "seeds that found something once"

"$stories" --seeds "$SEEDS" >"$work/all" 2>&1
status=$?
cat "$work/all"
result $status "$SEEDS stories hold every invariant"

# The same with the record in a store.
stored=$((SEEDS / 6 + 1))
"$stories" --stores --seeds "$stored" >"$work/stored" 2>&1
status=$?
cat "$work/stored"
result $status "$stored stories over stores hold every invariant"

# A fault that never strikes tests nothing, nor does a rare branch that no
# story takes: 100 and 10 times in 20,000 seeds.
if [ "$SEEDS" -ge 2000 ]; then
	awk -v seeds="$SEEDS" '
	    / struck [0-9]+ times$/ { struck[$1] += $3; any = 1 }
	    END {
		for (name in struck)
			if (struck[name] < 100 * seeds / 20000) {
				print "# " name " struck " struck[name] \
				    " times only"
				bad = 1
			}
		exit bad || !any
	    }' "$work/all" "$work/stored"
	result $? "every fault has struck"
	awk -v seeds="$SEEDS" '
	    / *probe / { seen[$2] += $4; any = 1 }
	    END {
		for (name in seen)
			if (seen[name] < 10 * seeds / 20000) {
				print "# probe " name " seen " seen[name] \
				    " times only"
				bad = 1
			}
		exit bad || !any
	    }' "$work/all" "$work/stored"
	result $? "every probe was seen"
else
	echo "skip: too few seeds to ask that every fault and probe was met"
fi

# The same seed tells the same story, byte for byte, whatever compiled it.
# (Times are a clock's, and how much memory a struct takes is a compiler's.)
told() { # program, seeds, from
	"$1" --seeds "$2" --from "$3" --trace |
		sed 's/ [0-9.]* ms of one .*;//; /^the greediest/d'
}
status=0
told "$stories" 200 1 >"$work/one"
told "$stories" 200 1 >"$work/two"
cmp "$work/one" "$work/two" || status=1
[ "$(wc -l <"$work/one")" -gt 4000 ] || status=1
result $status "200 seeds replay byte for byte"

sanitized=$BUILD-clang-san
if ! command -v clang >/dev/null; then
	echo "skip: clang is not installed: no replay by another compiler"
elif make -s -j2 BUILD="$sanitized" SAN=1 CC=clang "$sanitized/stories" \
	>"$work/make" 2>&1; then
	told "$sanitized/stories" 200 1 >"$work/two"
	cmp "$work/one" "$work/two"
	result $? "a build by clang tells the same 200 stories"
	"$sanitized/stories" --seeds 2000 \
		--from 100000 >"$work/san" 2>&1
	status=$?
	grep -v 'struck\|probe' "$work/san"
	result $status "2000 stories under sanitizers"
else
	cat "$work/make"
	result 1 "the build with sanitizers"
fi

# A failure must be heard, shrunk to the least faults, and replayed.
"$stories" --canary --seeds 600 --from 7000 >"$work/canary" 2>&1
status=$?
failed=$(grep -c '^seed [0-9]*00: CANARY' "$work/canary")
replay=$(sed -n "s/^    replay: make sim SEED=\([0-9]*\) SIM='\(.*\)'/--seed \1 \2/p" \
	"$work/canary" | head -1)
if [ $status -ne 1 ] || [ "$failed" -lt 4 ] || [ "$failed" -gt 6 ] ||
	! grep -q '^    1 kinds of faults are enough: CANARY' "$work/canary"; then
	grep -v 'struck\|probe' "$work/canary"
	result 1 "a canary is heard and shrunk"
else
	# shellcheck disable=SC2086 # options are words
	"$stories" $replay | grep -q '^seed [0-9]*: CANARY'
	result $? "a canary is heard, shrunk to one fault, and replayed"
fi

# A crash before each step of a first apply: killed, and with power lost.
for seed in 3 11 42; do
	"$stories" --every-step $seed >"$work/steps.$seed" 2>&1 &
done
wait
for seed in 3 11 42; do
	grep -v 'struck\|probe' "$work/steps.$seed"
	grep -q ' steps, each crashed twice' "$work/steps.$seed" &&
		grep -q '[1-9].* passed, 0 failed' "$work/steps.$seed"
	result $? "a crash before every step of seed $seed's first command"
done

# Bugs that must be found (threats: what a checker that never fired is worth).
# Only what holds planted bugs has to be compiled for it.
plant=$BUILD-plant
rm -rf "$plant"
mkdir -p "$plant"
cp -al "$BUILD/pkg" "$BUILD/cmd" "$BUILD/tests" "$plant"
grep -rl 'base/plant.h\|PODFORM_PLANT' pkg cmd tests --include='*.c' |
	sed "s|^\(.*\)\.c$|$plant/\1.o|" | xargs rm -f
if make -s -j2 BUILD="$plant" SAN=0 CC="$CC" EXTRA_CFLAGS=-DPODFORM_PLANT \
	"$plant/stories" >"$work/make" 2>&1; then
	# The invariant that is meant to see it has to, whatever else does.
	for bug in 1:I9 3:I2 4:I2 5:I10 6:I2 7:I3 8:I3 9:I4 10:I4 11:I7 \
		13:I8 15:I13 17:I6 18:I7 20:I18 23:I15 24:I12 25:I14 26:I5 \
		33:I11 34:I8 35:I12 36:I6; do
		by=${bug#*:} bug=${bug%:*}
		"$plant/stories" --plant "$bug" --meant "$by" --seeds 20000 \
		    --stop-after 1 >"$work/plant"
		[ $? -eq 1 ] && grep -A 2 "^seed [0-9]*: $by" "$work/plant"
		result $? "planted bug M$bug is found by $by"
	done
else
	cat "$work/make"
	result 1 "the build with planted bugs"
fi
exit $bad
