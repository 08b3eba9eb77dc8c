#!/bin/bash
# markdown_test.sh - plan and show as Markdown, by the program: the same bytes
# from both, again and again, within the limit that was asked for, and no
# line of it is a command of a workflow; the step's summary and annotations.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/integration/podform.bash

start_sim || exit 1

reviewed() {
	project reviewed
	cat >specs/pods.yaml <<-'YAML'
	project: reviewed
	pods:
	  one:
	    image: "runpod/base:1.0"
	    gpu: NVIDIA A40
	    env: { TEXT: "a\n::error::b `c` ``` | </details> @all", X: "##[error]y" }
	  two: { image: "runpod/base:1.0", gpu: NVIDIA A40, replicas: 40 }
	YAML
	with_sim
}

no_command() {
	! grep -nE '^[[:space:]]*::|##\[' "$work/out" ||
	    complain 'a line is a command of a workflow'
}

a_plan_is_a_title_a_table_and_diffs() {
	reviewed
	run plan --format markdown
	exits 0
	out_has '<!-- podform:plan:reviewed -->'
	out_has 'podform <code>reviewed</code>: 41 to add, 0 to change'
	out_has '| <code>+</code> | <code>pod.one</code> | will be created |'
	out_has '<code>podform apply</code></sub>'
	out_has '````diff'
	out_lacks 'valid until'
	no_command
}

an_unchanged_plan_is_an_unchanged_text() {
	reviewed
	run plan --format markdown
	cp "$work/out" "$work/first"
	sleep 1
	run plan --format markdown
	cmp "$work/out" "$work/first" || complain 'another text'
}

show_gives_what_plan_gave() {
	reviewed
	run plan --out p.json --format markdown
	exits 0
	out_has 'valid until'
	out_has '<code>podform apply p.json</code>'
	out_lacks 'Saved as'
	cp "$work/out" "$work/first"
	run show p.json --format markdown
	exits 0
	cmp "$work/out" "$work/first" || complain 'another text'
}

it_is_as_short_as_was_asked() {
	reviewed
	run plan --format markdown --max-bytes 6000
	exits 0
	[ "$(stat -c %s "$work/out")" -le 6000 ] || complain 'too long'
	out_has 'more, see the artefact_'
	run plan --format markdown --max-bytes 5999
	exits 3
	err_has "'5999' is not a number from 6000 to 1000000"
	run show --format markdown
	exits 3
	err_has 'no file of one is named'
}

in_a_step() {
	environment+=(GITHUB_ACTIONS=true "GITHUB_STEP_SUMMARY=$work/summary" \
	    "GITHUB_WORKSPACE=$work")
}

a_step_gets_its_summary_behind_what_is_there() {
	reviewed
	in_a_step
	printf 'before' >"$work/summary"
	run plan
	exits 0
	same 'first line' "$(head -n 1 "$work/summary")" before
	tail -n +2 "$work/summary" >"$work/got"
	run plan --format markdown --github=false
	cmp "$work/out" "$work/got" || complain 'another summary'
}

a_full_summary_is_left_alone() {
	reviewed
	in_a_step
	local size=$((1000000 - 6000))
	head -c $size /dev/zero >"$work/summary"
	run plan
	exits 0
	err_has 'no step summary: the step has written too much before'
	same 'size' "$(stat -c %s "$work/summary")" $size
	truncate -s $((size - 1)) "$work/summary"
	run plan
	[ "$(stat -c %s "$work/summary")" -gt $size ] || complain 'none'
	[ "$(stat -c %s "$work/summary")" -le 1000000 ] || complain 'too large'
}

mistakes_are_annotations() {
	reviewed
	in_a_step
	sed -i 's/gpu: NVIDIA A40$/gpus: NVIDIA A40/' specs/pods.yaml
	run plan --json
	exits 3
	err_has '::error file=reviewed/specs/pods.yaml,line=5,endLine=5,col=5,'
	out_lacks '::error'
	run plan --github=false
	err_lacks '::error'
}

check a_plan_is_a_title_a_table_and_diffs
check an_unchanged_plan_is_an_unchanged_text
check show_gives_what_plan_gave
check it_is_as_short_as_was_asked
check a_step_gets_its_summary_behind_what_is_there
check a_full_summary_is_left_alone
check mistakes_are_annotations
[ "$failures" -eq 0 ]
