#!/bin/bash
# cli_test.sh - podform's command line: options, help, exit codes, streams.
# Nothing here speaks to a service.
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
. tests/integration/podform.bash

spec() { # project
	project "$1"
	cat >specs/pods.yaml <<-'YAML'
	project: cli
	pods:
	  one:
	    image: runpod/base:1.0
	    gpu: NVIDIA A40
	    ports: [22/tcp]
	YAML
}

help_goes_to_standard_output() {
	run --help; exits 0; out_has 'usage: podform'; same err "$err" ''
	run plan --help; exits 0; out_has '--detailed-exitcode'
	run plan -h; exits 0; out_has 'usage: podform plan'
	run help apply; exits 0; out_has 'usage: podform apply'
	run; exits 3; err_has 'usage: podform'; same out "$out" ''
}

version_is_text_and_json() {
	run version; exits 0; out_has 'podform 0.'
	run --version; exits 0; out_has 'podform 0.'
	run version --json; exits 0
	same format "$(json "d['plan_format_version']")" 1.0
}

every_command_of_the_contract_is_known() {
	local name
	for name in init validate fmt plan apply destroy show drift diff \
	    status watch suspend resume reconcile import forget mv state \
	    unlock force-unlock audit gc lease cost ssh exec cp logs \
	    ssh-config tunnel gpus datacenters explain render output \
	    history why graph doctor schema completion version; do
		run "$name" --help; exits 0; out_has 'usage: podform'
	done
}

what_is_not_built_says_so() {
	local name
	for name in fmt watch render cost lease suspend resume \
	    reconcile; do
		run "$name"; exits 1; err_has "podform $name is not built yet"
	done
	spec later
	run explain pod.gpu --json; exits 1; out_has 'not built yet'
	run plan --snapshot x; exits 3; err_has 'not built yet'
}

unknown_words_are_refused_with_a_suggestion() {
	run valdate; exits 3; err_has "did you mean 'validate'?"
	run plan --targt x; exits 3; err_has "did you mean '--target'?"
	run plan --xyzzy; exits 3; err_has "unknown option '--xyzzy'"
	run validate --auto-approve; exits 3; err_has 'has no option'
	run plan a b; exits 3; err_has 'one argument too many'
	run import pod.x; exits 3; err_has 'needs ADDRESS ID'
	run plan --color sometimes; exits 3; err_has 'one of auto, always'
	run plan --expires tomorrow; exits 3; err_has 'duration'
	run apply --parallelism 0; exits 3
	run plan --var nothing; exits 3; err_has 'NAME=VALUE'
	run plan --out; exits 3; err_has '--out needs a value: FILE'
	run plan --refresh=maybe; exits 3; err_has 'true or false'
}

options_are_spelled_in_many_ways() {
	spec spelling
	run validate -json; exits 0; out_has '"valid": true'
	run --json validate; exits 0; out_has '"valid": true'
	run -f specs/pods.yaml validate; exits 0
	run validate --spec=specs/pods.yaml; exits 0
	run validate -fspecs/pods.yaml; exits 0
	run validate -- specs; exits 0
	run -C "$work/spelling" validate; exits 0
	cd "$work" || exit 1
	run -C spelling validate -q; exits 0; same out "$out" ''
	run -C nowhere validate; exits 3; err_has "cannot work in 'nowhere'"
	cd spelling || exit 1
	run plan -refresh=false -no-color -input=false; exits 0
	run plan --no-refresh; exits 0
	run validate -f - ; exits 3
}

environment_sets_options() {
	spec env
	environment=(PODFORM_JSON=1)
	run validate; exits 0; out_has '"valid": true'
	environment=(PODFORM_REFRESH=false)
	run plan; exits 0; out_has 'from the lock file alone'
	run plan --refresh=true; exits 4
	environment=(PODFORM_EXPIRES=tomorrow)
	run plan; exits 3; err_has 'PODFORM_EXPIRES'
	run validate; exits 0
	environment=('PODFORM_ARGS=--json --parallelism 4')
	run validate; exits 0; out_has '"valid": true'
	environment=('PODFORM_ARGS_plan=--refresh=false')
	run plan; exits 0
	run validate; exits 0
	environment=('PODFORM_ARGS_validate=-f "a file"')
	run validate; exits 3; err_has 'a file'
	environment=('PODFORM_ARGS_plan=--xyzzy')
	run plan; exits 3; err_has 'PODFORM_ARGS_plan'
}

keys_are_never_arguments() {
	local secret=rpa_ABCDEFGH123456
	spec keys
	run plan --api-key=$secret; exits 3; err_lacks $secret
	err_has 'RUNPOD_API_KEY'
	run plan --token $secret; exits 3; err_lacks $secret
	run show $secret; exits 3; err_lacks $secret
}

keys_come_from_closed_files() {
	spec keyfile
	run plan; exits 4; err_has 'there is no RunPod API key'
	err_has 'RUNPOD_API_KEY_FILE'
	echo rpa_secretsecret >key; chmod 644 key
	environment=(RUNPOD_API_KEY_FILE=key)
	run plan; exits 4; err_has 'open to other users'
	err_has 'chmod 600 key'; err_lacks secretsecret
	environment=(RUNPOD_API_KEY_FILE=none)
	run plan; exits 4; err_has 'No such file'
	environment=('RUNPOD_API_KEY=rpa_a b')
	run plan; exits 4; err_has 'holds a character'; err_lacks 'rpa_a'
	environment=(RUNPOD_API_KEY=rpa_secretsecret
	    RUNPOD_API_URL=http://example.com)
	run plan; exits 3; err_has 'RUNPOD_API_URL'; err_lacks secretsecret
	mkdir -p "$work/home/.config/podform"
	echo 'api_keyfile: x' >"$work/home/.config/podform/config.yaml"
	environment=()
	run plan; exits 4; err_has 'config.yaml:1:1'
	rm -r "$work/home/.config"
}

validate_reports_every_mistake() {
	project mistakes
	printf 'project: x\npods:\n  a: { image: i, gqu: A40 }\n' >specs/a.yaml
	printf 'pods:\n  b: { image: i, gpu: A40, disk: big }\n' >specs/b.yaml
	run validate; exits 3
	err_has "specs/a.yaml:3:18: error: unknown field 'gqu'"
	err_has "did you mean 'gpu'?"
	err_has 'specs/b.yaml:2:'
	same out "$out" ''
	run validate --json; exits 3; same err "$err" ''
	same valid "$(json "d['valid'], d['error_count'] >= 2")" \
	    '(False, True)'
	same line "$(json "d['diagnostics'][0]['range']['start']['line']")" 3
	run plan; exits 3
	[ ! -e podform.lock ] && [ ! -e .podform ] || complain 'it wrote'
}

plan_needs_no_key_without_refresh() {
	spec offline
	run plan --refresh=false; exits 0
	out_has '# pod.one will be created'
	out_has 'Plan: 1 to add, 0 to change, 0 to destroy; 0 to start, 0 to stop.'
	run plan --refresh=false --detailed-exitcode; exits 2
	run plan --refresh=false --json; exits 0
	same actions \
	    "$(json "d['resource_changes'][0]['change']['actions']")" \
	    "['create']"
	run plan --refresh=false --out p; exits 0
	same mode "$(stat -c %a p)" 600
	run show p; exits 0; out_has '# pod.one will be created'
	environment=(RUNPOD_API_KEY=rpa_x RUNPOD_API_URL=http://127.0.0.1:1)
	run apply p; exits 6; err_has 'made from the lock alone'
	run plan --refresh=false --target pod.tow; exits 3
	[ ! -e podform.lock ] || complain 'plan wrote a lock file'
}

plan_files_are_checked() {
	spec files
	environment=(RUNPOD_API_KEY=rpa_x RUNPOD_API_URL=http://127.0.0.1:1)
	echo '{}' >p; run apply p; exits 3; err_has 'is not a saved plan'
	echo '{"format_version":"9.0"}' >p
	run apply p; exits 6; err_has 'format 9.0, and this podform reads 1.0'
	run apply none; exits 3; err_has "cannot read plan 'none'"
	run show none.json; exits 1
}

colour_follows_the_environment() {
	spec colour
	run plan --refresh=false; out_lacks $'\033['
	run plan --refresh=false --color always; out_has $'\033['
	environment=(CLICOLOR_FORCE=1)
	run plan --refresh=false; out_has $'\033['
	run plan --refresh=false --no-color; out_lacks $'\033['
	environment=(CLICOLOR_FORCE=1 NO_COLOR=1)
	run plan --refresh=false; out_lacks $'\033['
	environment=(FORCE_COLOR=1 TERM=dumb)
	run plan --refresh=false; out_lacks $'\033['
}

closed_streams_do_no_harm() {
	spec streams
	local in_use
	(exec <&- >&- 2>&-; exec "$PODFORM" validate)
	same 'all closed' "$?" 0
	"$PODFORM" validate >&-
	same 'stdout closed' "$?" 0
	"$PODFORM" validate >/dev/full 2>"$work/err"
	same 'disk full' "$?" 1
	grep -q 'cannot write to standard output: No space' "$work/err" ||
	    complain 'a full disk is not told'
	"$PODFORM" --help >/dev/full 2>&1
	same 'disk full for help' "$?" 1
	"$PODFORM" --help | true
	same 'pipe closed' "${PIPESTATUS[0]}" 0
	in_use=$(strace -e trace=openat sh -c \
	    'exec <&- >&- 2>&-; exec "$0" validate' "$PODFORM" 2>&1 |
	    sed -n 's/.*specs.*= \([0-9]*\)$/\1/p' | sort -n | head -n 1)
	[ "${in_use:-3}" -ge 3 ] || complain "a spec got descriptor $in_use"
}

odd_parents_do_no_harm() {
	spec parents
	(ulimit -n 16; exec "$PODFORM" validate) >/dev/null
	same '16 descriptors' "$?" 0
	(trap '' PIPE CHLD; exec "$PODFORM" validate) >/dev/null
	same 'signals ignored' "$?" 0
	(exec -a '' "$PODFORM" validate) >/dev/null
	same 'empty argv[0]' "$?" 0
	run validate "$(head -c 100000 /dev/zero | tr '\0' x)"; exits 3
}

records_work_without_a_service() {
	project records
	run state list; exits 0; out_has 'nothing is recorded'
	run state show pod.x; exits 1; err_has 'there is no record'
	run state lsit; exits 3
	run forget pod.x; exits 1
	run history; exits 0; out_has 'nothing was applied yet'
	run unlock; exits 0
	run show; exits 0
}

init_makes_a_project_once() {
	mkdir -p "$work/My Project" && cd "$work/My Project" || exit 1
	run init; exits 0
	out_has 'specs/pods.yaml'; out_has 'podform.lock'
	out_has 'missing  an API key'
	run validate; exits 0
	out_has '1 resource'
	grep -q '^project: my-project$' specs/pods.yaml ||
	    complain 'the project is not named after its directory'
	local lock; lock=$(cat podform.lock)
	run init; exits 0; out_has 'is there specs'
	same 'lock after a second init' "$(cat podform.lock)" "$lock"
	same ignore "$(grep -c podform .gitignore)" 1
}

schema_explain_graph_and_completion() {
	spec tables
	run schema; exits 0
	same schema "$(json "'2020-12' in d['\$schema']")" True
	run explain pod.gpu; exits 0; out_has 'gpu'
	run explain pod.gqu; exits 3
	run graph; exits 0; out_has pod.one
	run graph --format dot; exits 0; out_has 'digraph podform {'
	run graph --json; exits 0; same nodes "$(json "d['nodes']")" \
	    "['pod.one']"
	run completion bash; exits 0
	local words
	words=$(bash --norc -c 'eval "$1"; COMP_WORDS=(podform pl)
	    COMP_CWORD=1; _podform; echo "${COMPREPLY[*]}"
	    COMP_WORDS=(podform plan --det); COMP_CWORD=2; _podform
	    echo "${COMPREPLY[*]}"
	    COMP_WORDS=(podform plan --color ""); COMP_CWORD=3; _podform
	    echo "${COMPREPLY[*]}"' sh "$out")
	same completed "$words" \
	    $'plan\n--detailed-exitcode\nauto always never'
	run completion fish; exits 0
	run completion zsh; exits 0
	run completion tcsh; exits 3
}

doctor_shows_origins_and_no_values() {
	spec doctor
	environment=(PODFORM_LOCK=other.lock PODFORM_VAR=a=b)
	run doctor; exits 4
	out_has environment; out_has 'there is no RunPod API key'
	run doctor --json; exits 4
	same checks "$(json "d[0]['check']")" version
}

generated_pages_are_current() {
	cd "$top" || exit 1
	local page
	for page in exit-codes commands reference errors; do
		run docs "$page"; exits 0
		[ ! -e "docs/$page.md" ] || cmp -s "docs/$page.md" \
		    "$work/out" || complain "docs/$page.md is stale:" \
		    "podform docs $page >docs/$page.md"
	done
}

# Both ways: what is reported is explained, and nothing else is.
codes_have_rows() {
	cd "$top" || exit 1
	local source listed name code
	source=$(grep -rhoE --include='*.[ch]' '"PF[0-9]{4}"' pkg cmd \
	    --exclude=error_codes.c | tr -d '"' | sort -u)
	listed=$(grep -oE '^\| PF[0-9]{4}' docs/errors.md | cut -c3- | sort)
	same 'codes of docs/errors.md' "$listed" "$source"
	# A code with a name is used by it.
	while read -r name code; do
		grep -rqw --include='*.c' --exclude=codes.c "$name" pkg ||
		    complain "nothing reports $code ($name)"
	done < <(sed -n 's/^#define \([EW]_[A-Z_]*\)[[:space:]]*\("PF.*"\)/\1 \2/p' \
	    pkg/spec/codes.h pkg/plan/planner.h)
	run explain PF0611; exits 0; out_has 'Another podform works'
	run explain PF0105; exits 0; out_has 'merge keys'
	run explain PF0000; exits 3
}

for test in help_goes_to_standard_output version_is_text_and_json \
    every_command_of_the_contract_is_known what_is_not_built_says_so \
    unknown_words_are_refused_with_a_suggestion \
    options_are_spelled_in_many_ways environment_sets_options \
    keys_are_never_arguments keys_come_from_closed_files \
    validate_reports_every_mistake plan_needs_no_key_without_refresh \
    plan_files_are_checked colour_follows_the_environment \
    closed_streams_do_no_harm odd_parents_do_no_harm \
    records_work_without_a_service init_makes_a_project_once \
    schema_explain_graph_and_completion doctor_shows_origins_and_no_values \
    generated_pages_are_current codes_have_rows; do
	check "$test"
done
[ "$failures" -eq 0 ]
