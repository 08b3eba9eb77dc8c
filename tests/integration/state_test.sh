#!/bin/bash
# state_test.sh - damaged, foreign and odd lock files and journals, and odd
# circumstances of the process: refused, nothing sent, everything left as it
# was.  The letters S and C are those of the list of bad inputs.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/integration/podform.bash

start_sim || exit 1

# One project with one pod, made once; each test works on a copy of it.
make_original() {
	project original
	cat >specs/pods.yaml <<-YAML
	project: original
	pods:
	  one: { image: "runpod/base:1.0", gpu: NVIDIA A40 }
	YAML
	with_sim
	run apply -y
	exits 0
}

copy_of_it() { # name
	cp -a "$work/original" "$work/$1"
	cd "$work/$1" || exit 1
	# A second pod is wanted, so a podform that goes on would create.
	echo '  two: { image: "runpod/base:1.0", gpu: NVIDIA A40 }' \
	    >>specs/pods.yaml
	with_sim
}

picture() {
	sha256sum podform.lock .podform/journal 2>&1
	account "d['pods_alive']"
}

# An apply that must refuse, with these words, and touch nothing.
refuses() { # words
	local before
	before=$(picture)
	run apply -y
	exits 1
	err_has "$1"
	same "files and account" "$(picture)" "$before"
}

# A journal of one line: a record with its checksum, by podform's own rules.
journal_with() { # JSON record
	/usr/bin/python3 - "$1" >.podform/journal <<-'PYTHON'
	import sys
	text = sys.argv[1].encode()
	crc = 0xffffffffffffffff
	for byte in text:
	    crc ^= byte
	    for _ in range(8):
	        crc = crc >> 1 ^ (0xc96c5795d7870f42 if crc & 1 else 0)
	print('%016x %s' % (crc ^ 0xffffffffffffffff, text.decode()))
	PYTHON
}

lineage() {
	sed -n 's/.*"lineage": "\([0-9a-f]*\)".*/\1/p' podform.lock
}

s01_a_cut_lock_file_is_never_an_empty_one() {
	copy_of_it s01
	local size cut
	size=$(stat -c %s podform.lock)
	for cut in 1 2 $((size / 4)) $((size / 2)) $((size - 2)); do
		head -c "$cut" ../original/podform.lock >podform.lock
		refuses podform.lock
	done
}

s02_an_empty_lock_file_is_refused() {
	copy_of_it s02
	: >podform.lock
	refuses podform.lock
}

s03_a_link_is_not_followed() {
	copy_of_it s03
	echo mine >../s03.target
	ln -sf ../s03.target podform.lock
	refuses 'symbolic link'
	same target "$(cat ../s03.target)" mine
}

s05_a_lock_file_older_than_the_journal_is_refused() {
	copy_of_it s05
	journal_with "{\"t\":\"begin\",\"lineage\":\"$(lineage)\",\"serial\":99}"
	refuses 'the lock file is older than the journal'
}

s06_a_journal_of_another_lineage_is_refused() {
	copy_of_it s06
	journal_with '{"t":"begin","lineage":"00112233445566778899aabbccddeeff","serial":0}'
	refuses 'another lock file'
}

s07_a_newer_format_is_refused() {
	copy_of_it s07
	sed -i 's/"format_version": 1/"format_version": 999/' podform.lock
	refuses 'newer podform'
}

s08_a_lock_file_edited_by_hand_is_refused() {
	copy_of_it s08
	sed -i 's/"serial": 1/"serial": 2/' podform.lock
	refuses podform.lock
}

s09_a_torn_tail_is_dropped_and_damage_before_it_is_not() {
	copy_of_it s09
	journal_with "{\"t\":\"begin\",\"lineage\":\"$(lineage)\",\"serial\":1}"
	cp .podform/journal begin
	{ cat begin; echo 'damaged'; cat begin; } >.podform/journal
	refuses journal
	{ cat begin; printf '0123456789abcdef {"t":"int'; } >.podform/journal
	run plan
	exits 0
}

s10_a_lock_file_that_others_may_write_is_refused() {
	copy_of_it s10
	chmod 0666 podform.lock
	refuses 'can be changed by other users'
	[ "$(id -u)" -eq 0 ] || return
	chmod 0600 podform.lock
	chown 12345 podform.lock
	refuses 'belongs to user'
}

s11_a_second_hard_link_keeps_the_old_content() {
	copy_of_it s11
	ln podform.lock other
	run destroy -y --target pod.two
	run forget pod.one
	exits 0
	same "the other name" "$(sha256sum <other)" \
	    "$(sha256sum <../original/podform.lock)"
}

s13_odd_files_are_refused_at_once() {
	local kind
	for kind in mkfifo mkdir; do
		copy_of_it "s13-$kind"
		rm podform.lock
		$kind podform.lock
		SECONDS=0
		run apply -y
		exits 1
		err_has podform.lock
		[ "$SECONDS" -lt 5 ] || complain "it hung"
		same pods "$(account "d['pods_alive']")" 1
	done
}

conflict_markers_have_their_own_message() {
	copy_of_it conflict
	sed -i '2i <<<<<<< HEAD' podform.lock
	refuses conflict
}

c01_a_key_is_no_argument() {
	copy_of_it c01
	run plan --api-key rpa_canary
	exits 3
	err_has RUNPOD_API_KEY
	err_lacks rpa_canary
}

c02_a_closed_pipe_does_not_stop_an_apply() {
	copy_of_it c02
	with_sim
	env -i PATH="$PATH" HOME="$work/home" "${environment[@]}" \
	    bash -c '"$0" apply -y 2>&1 | head -1; exit ${PIPESTATUS[0]}' \
	    "$PODFORM" >"$work/out" 2>"$work/err"
	same 'exit' $? 0
	run plan --detailed-exitcode
	exits 0
	run destroy -y --target pod.two
	exits 0
}

c03_no_file_of_ours_becomes_standard_error() {
	copy_of_it c03
	local before
	before=$(sha256sum podform.lock)
	(exec <&- >&- 2>&-
	env -i PATH="$PATH" HOME="$work/home" "${environment[@]}" \
	    "$PODFORM" plan)
	same 'the lock file' "$(sha256sum podform.lock)" "$before"
}

c04_few_descriptors_are_enough_or_an_error() {
	copy_of_it c04
	(ulimit -n 16
	env -i PATH="$PATH" HOME="$work/home" "${environment[@]}" \
	    timeout 20 "$PODFORM" plan >"$work/out" 2>"$work/err")
	code=$?
	[ "$code" -le 1 ] || complain "exit $code"
}

c05_odd_parents_do_no_harm() {
	copy_of_it c05
	(trap '' CHLD PIPE
	env -i PATH="$PATH" HOME="$work/home" "${environment[@]}" \
	    "$PODFORM" plan >"$work/out" 2>"$work/err")
	code=$?
	exits 0
	run validate "$(head -c 100000 /dev/zero | tr '\0' x)"
	[ "$code" -eq 3 ] || [ "$code" -eq 1 ] || complain "exit $code"
	(exec -a '' "$PODFORM" >"$work/out" 2>"$work/err")
	code=$?
	exits 3
}

no_core_is_written_of_a_process_with_secrets() {
	copy_of_it core
	mkfifo ./wait
	# Started by exec alone, so that its process id is known.
	(ulimit -c unlimited
	exec env -i PATH="$PATH" HOME="$work/home" "${environment[@]}" \
	    "$PODFORM" plan -f - <./wait >/dev/null 2>&1) &
	local pid=$! n
	exec 9>./wait
	for n in $(seq 50); do
		[ "$(readlink "/proc/$pid/exe")" = "$PODFORM" ] && break
		sleep 0.05
	done
	sleep 0.1
	same 'core limit' "$(awk '/core file/ { print $5 }' \
	    "/proc/$pid/limits")" 0
	exec 9>&-
	wait "$pid"
}

check make_original
check s01_a_cut_lock_file_is_never_an_empty_one
check s02_an_empty_lock_file_is_refused
check s03_a_link_is_not_followed
check s05_a_lock_file_older_than_the_journal_is_refused
check s06_a_journal_of_another_lineage_is_refused
check s07_a_newer_format_is_refused
check s08_a_lock_file_edited_by_hand_is_refused
check s09_a_torn_tail_is_dropped_and_damage_before_it_is_not
check s10_a_lock_file_that_others_may_write_is_refused
check s11_a_second_hard_link_keeps_the_old_content
check s13_odd_files_are_refused_at_once
check conflict_markers_have_their_own_message
check c01_a_key_is_no_argument
check c02_a_closed_pipe_does_not_stop_an_apply
check c03_no_file_of_ours_becomes_standard_error
check c04_few_descriptors_are_enough_or_an_error
check c05_odd_parents_do_no_harm
check no_core_is_written_of_a_process_with_secrets
[ "$failures" -eq 0 ]
