# podform.bash - what tests of the program share; sourced, not run.
#
# Each test runs podform in a directory of its own with a clean environment:
# `run ARGS` keeps standard output in $out, standard error in $err and the
# exit status in $code.  `ok NAME` and `not_ok NAME` print the result.

PODFORM=${PODFORM:-$PWD/build/gcc/podform}
PODFORM_SIM=${PODFORM_SIM:-$PWD/build/gcc/podform-sim}
work=$(mktemp -d) || exit 1
sim_pid=
failures=0
checks_failed=0

clean_up() {
	if [ -n "$sim_pid" ]; then
		kill "$sim_pid" 2>/dev/null
		wait "$sim_pid" 2>/dev/null
	fi
	rm -rf "$work"
}
trap clean_up EXIT

# A project directory to work in, with nothing of the caller's environment.
project() { # name
	mkdir -p "$work/$1/specs" && cd "$work/$1" || exit 1
}

# env is given to podform by the array `environment`.
environment=()
run() {
	env -i PATH="$PATH" HOME="$work/home" USER=tester TERM=xterm \
	    "${environment[@]}" "$PODFORM" "$@" \
	    </dev/null >"$work/out" 2>"$work/err"
	code=$?
	out=$(cat "$work/out")
	err=$(cat "$work/err")
	last="podform $*"
}

complain() {
	checks_failed=$((checks_failed + 1))
	{
		echo "  $last"
		echo "  $*"
		sed 's/^/    out: /' "$work/out" | head -n 40
		sed 's/^/    err: /' "$work/err" | head -n 20
	} >&2
}

exits() { # code
	[ "$code" = "$1" ] || complain "exit $code, wanted $1"
}

out_has() {
	[[ $out == *"$1"* ]] || complain "standard output lacks: $1"
}

out_lacks() {
	[[ $out != *"$1"* ]] || complain "standard output has: $1"
}

err_has() {
	[[ $err == *"$1"* ]] || complain "standard error lacks: $1"
}

err_lacks() {
	[[ $err != *"$1"* ]] || complain "standard error has: $1"
}

same() { # what, got, wanted
	[ "$2" = "$3" ] || complain "$1: got '$2', wanted '$3'"
}

# The value of a Python expression over standard output as JSON `d`.
json() { # expression
	/usr/bin/python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$work/out" "$1" 2>&1
}

# Run a test function and say how it went.
check() { # function
	checks_failed=0
	environment=()
	"$1"
	cd "$work" || exit 1
	if [ "$checks_failed" -eq 0 ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		failures=$((failures + 1))
	fi
}

# ------------------------------------------------------------ simulator ----

start_sim() { # options
	mkdir -p "$work/sim"
	"$PODFORM_SIM" --port-file "$work/sim/port" --idle-exit 2m \
	    --parent-pid $$ --pod-start 300 "$@" >"$work/sim/log" 2>&1 &
	sim_pid=$!
	for _ in $(seq 100); do
		[ -s "$work/sim/port" ] && break
		sleep 0.05
	done
	sim=http://127.0.0.1:$(cat "$work/sim/port")
}

stop_sim() {
	kill "$sim_pid" 2>/dev/null
	wait "$sim_pid" 2>/dev/null
	sim_pid=
	rm -f "$work/sim/port"
}

with_sim() {
	environment+=("RUNPOD_API_URL=$sim" RUNPOD_API_KEY=rpa_sim)
}

control() { # method, path, [body]
	curl -s -X "$1" -H 'Content-Type: application/json' \
	    ${3:+-d "$3"} "$sim/control/$2"
}

account() { # Python expression over the account `d`
	control GET account | /usr/bin/python3 -c 'import json, sys
d = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$1" 2>&1
}
