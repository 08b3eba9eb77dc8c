#!/bin/bash
# run.sh - the simulation as a test: SEEDS stories, replay, every step of some
# stories crashed, and planted bugs found.
#
# BUILD is the directory of the build; one line a result.
set -u
: "${BUILD:?}" "${SEEDS:=5000}" "${CC:=gcc}"
stories=$BUILD/stories
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0

result() { # status, name
	if [ "$1" -eq 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		bad=1
	fi
}

# Half of the seeds on each of two cores.
half=$((SEEDS / 2))
"$stories" --seeds "$half" >"$work/a" 2>&1 &
first=$!
"$stories" --seeds $((SEEDS - half)) --from $((half + 1)) >"$work/b" 2>&1
second=$?
wait $first
first=$?
cat "$work/a" "$work/b"
result $((first + second)) "$SEEDS stories hold every invariant"

# A fault that never strikes tests nothing.
if [ "$SEEDS" -ge 2000 ]; then
	status=0
	while read -r fault; do
		grep -q "^  $fault struck" "$work/a" "$work/b" ||
			{ echo "# $fault never struck"; status=1; }
	done <<-'EOF'
		error_after
		delayed
		stale
		F14 restarted
		F17 slept
		F50 refused
		F50 silent
		F51 wrong_key
		F52 denied
		F53 vanished
		F53 half_open
		F54 stuck
		F55 hostile
		F56 port_taken
		F60 token_expired
		F61 listener_dies
		F61 unregistered
		github job_first
		github secondary
		F64 job_done
	EOF
	result $status "every fault has struck"
fi

# The stories that failed once are told first of all for ever.
if [ -s tests/simulation/kept-seeds ]; then
	status=0
	while read -r seed kind _; do
		case $seed in '' | '#'*) continue ;; esac
		[ "$kind" = bare ] && kind=--bare || kind=
		"$stories" $kind --seed "$seed" >"$work/kept" 2>&1 ||
			{ cat "$work/kept"; status=1; }
	done <tests/simulation/kept-seeds
	result $status "seeds that found something once"
fi

# The same seed tells the same story, byte for byte.
status=0
for seed in 7 42 96 249 1597; do
	"$stories" --seed $seed --trace | grep -v ' ms each' >"$work/one"
	"$stories" --seed $seed --trace | grep -v ' ms each' >"$work/two"
	cmp "$work/one" "$work/two" || status=1
	[ "$(wc -l <"$work/one")" -gt 20 ] || status=1
done
result $status "a seed replays byte for byte"

# A crash before each step of a first apply: killed, and with power lost.
for seed in 3 11 42 54; do
	"$stories" --every-step $seed >"$work/steps" 2>&1
	status=$?
	grep -v struck "$work/steps"
	result $status "a crash before every step of seed $seed's first command"
done

# Bugs that must be found (threats: what a checker that never fired is worth).
plant=$BUILD-plant
if make -s -j2 BUILD="$plant" SAN=0 CC="$CC" EXTRA_CFLAGS=-DPODFORM_PLANT \
	"$plant/stories" >"$work/make" 2>&1; then
	for bug in 1 3 4 5 6 7 8 9 10 25 33; do
		"$plant/stories" --plant $bug --seeds 20000 --stop-after 1 \
		    >"$work/plant"
		[ $? -eq 1 ] && grep '^seed' "$work/plant"
		result $? "planted bug M$bug is found"
	done
else
	cat "$work/make"
	result 1 "the build with planted bugs"
fi
exit $bad
