#!/bin/bash
# hardening_test.sh - the programs are built so that a hole in them is hard
# to use: what the Makefile's HARDEN asks for is in the files that it made.
#
# Sanitizers and coverage are builds of other flags: skipped.
set -u
: "${BUILD:?}" "${CC:=gcc}"
. tests/result.sh
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Each line of what this prints is something that FILE lacks.  Fortified
# calls are only looked for where there is something to fortify, and CET
# where the processor has it.
lacks() { # file
	local file=$1
	readelf -hW "$file" | grep -q 'Type:.*Position-Independent' ||
		echo "not a position-independent executable"
	readelf -lW "$file" >"$work/segments"
	readelf -dW "$file" >"$work/dynamic"
	nm -D --undefined-only "$file" >"$work/calls"
	grep -q GNU_RELRO "$work/segments" || echo "no RELRO"
	grep -qE 'BIND_NOW|FLAGS_1.*NOW' "$work/dynamic" || echo "no BIND_NOW"
	grep -E 'GNU_STACK' "$work/segments" | grep -q ' RW ' ||
		echo "an executable stack"
	! grep -E ' LOAD .* RWE ' "$work/segments" ||
		echo "memory that is writable and executable"
	! grep -E 'TEXTREL|RPATH|RUNPATH' "$work/dynamic" ||
		echo "text that is relocated, or a path to libraries"
	grep -q '__stack_chk_fail' "$work/calls" || echo "no stack canary"
	grep -v '__stack_chk_fail' "$work/calls" | grep -q '_chk\(@\|$\)' ||
		echo "no fortified call"
	if [ "$(uname -m)" = x86_64 ]; then
		objdump -d --no-show-raw-insn --disassemble=main "$file" |
		    grep -A 1 '<main>:' | grep -q endbr64 ||
			echo "main() is no landing place (CET)"
	fi
}

if nm "$BUILD/podform" | grep -qE '__(asan_init|gcov_dump)$'; then
	echo "skip: a build with sanitizers or counters is not hardened"
	exit 77
fi

for program in podform podform-ssh podform-sim; do
	lacks "$BUILD/$program" >"$work/lacks"
	sed "s/^/# $program: /" "$work/lacks"
	[ ! -s "$work/lacks" ]
	result $? "$program is hardened"
done

# The checks see what is missing: a program that has none of it.
cat >"$work/weak.c" <<'EOT'
#include <stdio.h>
int main(int argc, char **argv)
{
	char text[64];
	snprintf(text, sizeof text, "%d %s", argc, argv[0]);
	return puts(text) == 0;
}
EOT
"$CC" -O2 -U_FORTIFY_SOURCE -fno-stack-protector -fcf-protection=none \
	-fno-pie -no-pie -Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/tmp \
	-o "$work/weak" "$work/weak.c" 2>"$work/weak.log" ||
	cat "$work/weak.log"
lacks "$work/weak" >"$work/lacks"
least=7
[ "$(uname -m)" != x86_64 ] || least=8
[ "$(wc -l <"$work/lacks")" -ge $least ] || sed 's/^/# seen: /' "$work/lacks"
[ "$(wc -l <"$work/lacks")" -ge $least ]
result $? "a program without any hardening is seen as such"
exit $bad
