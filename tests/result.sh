# result.sh - for tests in shell: `. tests/result.sh`, then `result STATUS NAME`
# for each result and `exit $bad` at the end.
# shellcheck shell=bash
bad=0

result() { # status, name
	if [ "$1" -eq 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		# shellcheck disable=SC2034 # for whoever sources this
		bad=1
	fi
}
