/* options.c - see options.h */
#include "options.h"

#include <assert.h>
#include <string.h>

#include "base/units.h"
#include "ui/plan_markdown.h"

static const char *const color_choices[] = { "auto", "always", "never",
	NULL };
static const char *const format_choices[] = { "text", "markdown", "json",
	"dot", NULL };
static const char *const tunnel_choices[] = { "auto", "true", "false",
	NULL };
static const char *const failure_choices[] = { "rollback", "keep", NULL };

static const char *const source_choices[] = { "default", "container",
	"system", "setup", "process", "runner", "all", NULL };

#define AT(member) offsetof(struct options, member)
#define ALL OPTIONS_GLOBAL

const struct option options_table[] = {
	{ "chdir", 'C', OPTION_TEXT, ALL, AT(chdir), "DIR", NULL, false, NULL,
	  "Work in this directory." },
	{ "spec", 'f', OPTION_LIST, ALL, AT(spec), "PATH", NULL, false, NULL,
	  "Spec file or directory, again for more; - is standard input." },
	{ "lock", 0, OPTION_TEXT, ALL, AT(lock), "URL", NULL, false, NULL,
	  "Where the record lives: a path (podform.lock), https:, s3: or "
	  "etcd:." },
	{ "profile", 0, OPTION_TEXT, ALL, AT(profile), "NAME", NULL, false,
	  "profiles", "Settings to use from the user configuration." },
	{ "json", 0, OPTION_FLAG, ALL, AT(json), NULL, NULL, true, NULL,
	  "JSON on standard output, and nothing else there." },
	{ "color", 0, OPTION_CHOICE, ALL, AT(color), "WHEN", color_choices,
	  false, NULL, "Colours: auto, always or never." },
	{ "no-color", 0, OPTION_FLAG, ALL, AT(no_color), NULL, NULL, true,
	  NULL, "The same as --color never." },
	{ "input", 0, OPTION_FLAG, ALL, AT(input), NULL, NULL, true, NULL,
	  "Ask questions where possible; =false never asks." },
	{ "quiet", 'q', OPTION_FLAG, ALL, AT(quiet), NULL, NULL, false, NULL,
	  "No progress and no closing summary." },
	{ "verbose", 'v', OPTION_COUNT, ALL, AT(verbose), NULL, NULL, false,
	  NULL, "Say what is asked of the service; again for more." },
	{ "log-file", 0, OPTION_TEXT, ALL, AT(log_file), "PATH", NULL, false,
	  NULL, "Append to a file what --verbose would say." },
	{ "timeout", 0, OPTION_DURATION, ALL, AT(timeout_ms), "DURATION",
	  NULL, false, "a deadline for a whole command",
	  "Give up after this time." },
	{ "github", 0, OPTION_FLAG, ALL, AT(github), NULL, NULL, false, NULL,
	  "Annotations and step summary of GitHub Actions; the default is "
	  "true where GITHUB_ACTIONS is." },
	{ "help", 'h', OPTION_FLAG, ALL, AT(help), NULL, NULL, true, NULL,
	  "This text." },

	{ "var", 0, OPTION_VARIABLE, OPTIONS_VARS, AT(variables), "NAME=VALUE",
	  NULL, true, NULL, "Value of ${var.NAME}; again for more." },
	{ "var-file", 0, OPTION_TEXT, OPTIONS_VARS, AT(profile), "FILE", NULL,
	  true, "files of variables", "File of variables." },
	{ "target", 0, OPTION_LIST, OPTIONS_PLAN, AT(targets), "ADDR", NULL,
	  true, NULL, "Only this resource and what it needs." },
	{ "exclude", 0, OPTION_LIST, OPTIONS_PLAN, AT(excludes), "ADDR", NULL,
	  false, NULL, "All but this resource." },
	{ "replace", 0, OPTION_LIST, OPTIONS_PLAN, AT(replaces), "ADDR", NULL,
	  true, NULL, "Replace this resource." },
	{ "policy", 0, OPTION_TEXT, OPTIONS_PLAN, AT(policy), "FILE", NULL,
	  false, NULL, "Rules to keep beside settings.policy; the stricter "
	  "one decides." },
	{ "destroy", 0, OPTION_FLAG, OPTIONS_PLAN, AT(destroy), NULL, NULL,
	  true, NULL, "Plan the end of everything that is ours." },
	{ "refresh", 0, OPTION_FLAG, OPTIONS_PLAN | OPTIONS_LIVE, AT(refresh),
	  NULL, NULL, true, NULL,
	  "Ask the service; =false works from the lock alone." },
	{ "refresh-only", 0, OPTION_FLAG, OPTIONS_PLAN, AT(refresh_only),
	  NULL, NULL, true, NULL, "Only record what the service reports." },
	{ "snapshot", 0, OPTION_TEXT, OPTIONS_PLAN, AT(profile), "FILE", NULL,
	  false, "plans against a snapshot", "Plan against a snapshot." },
	{ "save-snapshot", 0, OPTION_TEXT, OPTIONS_PLAN, AT(profile), "FILE",
	  NULL, false, "saving a snapshot", "Save the live picture." },
	{ "format", 0, OPTION_CHOICE, OPTIONS_SHOW | OPTIONS_GRAPH,
	  AT(format), "FORMAT", format_choices, false, NULL,
	  "text or json; plan and show also markdown, a graph dot." },
	{ "concise", 0, OPTION_FLAG, OPTIONS_SHOW, AT(concise), NULL, NULL,
	  false, NULL, "Headers only, no attributes." },
	{ "max-bytes", 0, OPTION_BYTES, OPTIONS_SHOW, AT(max_bytes), "N",
	  NULL, false, NULL, "Cut Markdown at whole resources; the default "
	  "is 60000, which a comment on GitHub takes." },
	{ "out", 0, OPTION_TEXT, OPTIONS_SAVE, AT(out), "FILE", NULL, true,
	  NULL, "Save the plan for `podform apply FILE`." },
	{ "expires", 0, OPTION_DURATION, OPTIONS_SAVE, AT(expires_ms),
	  "DURATION", NULL, false, NULL,
	  "How long a saved plan is valid; the default is 1h." },
	{ "detailed-exitcode", 0, OPTION_FLAG, OPTIONS_SAVE,
	  AT(detailed_exitcode), NULL, NULL, true, NULL,
	  "Exit with 2 when there are changes." },

	{ "auto-approve", 'y', OPTION_FLAG, OPTIONS_APPLY | OPTIONS_YES,
	  AT(auto_approve), NULL, NULL, true, NULL, "Do not ask." },
	{ "allow-empty", 0, OPTION_FLAG, OPTIONS_APPLY, AT(allow_empty), NULL,
	  NULL, false, NULL, "Allow a plan after which nothing is left." },
	{ "over-budget", 0, OPTION_FLAG, OPTIONS_APPLY | OPTIONS_SAVE,
	  AT(over_budget), NULL, NULL, false, NULL,
	  "Allow a plan above the budget." },
	{ "atomic", 0, OPTION_FLAG, OPTIONS_APPLY, AT(atomic), NULL, NULL,
	  false, NULL, "One failure undoes the whole run." },
	{ "on-failure", 0, OPTION_CHOICE, OPTIONS_APPLY, AT(on_failure),
	  "WHAT", failure_choices, false, NULL,
	  "rollback (the default) or keep." },
	{ "fail-fast", 0, OPTION_FLAG, OPTIONS_APPLY, AT(fail_fast), NULL,
	  NULL, false, NULL, "Start nothing new after a failure." },
	{ "parallelism", 0, OPTION_INT, OPTIONS_APPLY, AT(parallelism), "N",
	  NULL, true, NULL, "Changes in flight; the default is 10." },
	{ "lock-timeout", 0, OPTION_DURATION, OPTIONS_APPLY | OPTIONS_LOCK,
	  AT(lock_timeout_ms), "DURATION", NULL, true, NULL,
	  "Wait so long for the lock; the default is 0s." },
	{ "settle", 0, OPTION_DURATION, OPTIONS_APPLY, AT(settle_ms),
	  "DURATION", NULL, false, NULL,
	  "Watch an unclear create so long; the default is 60s." },
	{ "drain-timeout", 0, OPTION_DURATION, OPTIONS_APPLY, AT(drain_ms),
	  "DURATION", NULL, false, NULL,
	  "Wait so long for a runner's job; the default is 30m." },
	{ "idle-window", 0, OPTION_DURATION, OPTIONS_APPLY,
	  AT(idle_window_ms), "DURATION", NULL, false, NULL,
	  "A runner must look idle so long; the default is 1m." },
	{ "force-runners", 0, OPTION_FLAG, OPTIONS_APPLY, AT(force_runners),
	  NULL, NULL, false, NULL,
	  "End runners that have a job, or may have one." },
	{ "tunnels", 0, OPTION_CHOICE, OPTIONS_PLAN, AT(tunnels), "WHEN",
	  tunnel_choices, false, NULL,
	  "Open and close tunnels: true, false; auto is false in CI." },
	{ "events", 0, OPTION_TEXT, OPTIONS_APPLY, AT(events), "FILE", NULL,
	  false, NULL, "Write the event stream (NDJSON) to a file." },
	{ "price-tolerance", 0, OPTION_TEXT, OPTIONS_APPLY, AT(profile),
	  "PCT", NULL, false, "a tolerance for prices",
	  "Accept prices that rose so much." },
	{ "max-deletes", 0, OPTION_LIMIT, OPTIONS_APPLY, AT(max_deletes), "N",
	  NULL, false, NULL, "Refuse a plan that destroys more than N things; "
	  "a replacement counts." },
	{ "replan-if-equal", 0, OPTION_FLAG, OPTIONS_APPLY, AT(dry_run), NULL,
	  NULL, false, "planning anew", "Plan anew if it means the same." },
	{ "resume", 0, OPTION_FLAG, OPTIONS_APPLY, AT(dry_run), NULL, NULL,
	  false, "resuming (a plain apply settles and finishes)",
	  "Finish an interrupted apply." },
	{ "abandon", 0, OPTION_FLAG, OPTIONS_APPLY, AT(dry_run), NULL, NULL,
	  false, "abandoning", "Undo an interrupted apply." },
	{ "report", 0, OPTION_TEXT, OPTIONS_APPLY, AT(profile), "FILE", NULL,
	  false, "the report file", "Write a report." },

	{ "reason", 0, OPTION_TEXT, OPTIONS_ACK, AT(reason), "TEXT", NULL,
	  false, NULL, "ack: why the change is accepted." },
	{ "until", 0, OPTION_TEXT, OPTIONS_ACK, AT(until), "WHEN", NULL,
	  false, NULL, "ack: for how long: 7d, or a time of RFC 3339; "
	  "for good if not given." },
	{ "force", 0, OPTION_FLAG, OPTIONS_FORCE, AT(force), NULL, NULL, true,
	  NULL, "push: also an older record, or one of another lineage." },
	{ "dry-run", 0, OPTION_FLAG, OPTIONS_DRY, AT(dry_run), NULL, NULL,
	  false, NULL, "Show only (the default); =false acts." },
	{ "watch", 'w', OPTION_FLAG, OPTIONS_WATCH, AT(watch), NULL, NULL,
	  false, "following the status", "Show it again and again." },
	{ "raw", 0, OPTION_FLAG, OPTIONS_OUTPUT | OPTIONS_EXEC |
	  OPTIONS_LOGS, AT(raw), NULL, NULL, false, NULL,
	  "As it is: no quotes, and no escapes on a terminal." },

	{ "ssh-sessions", 0, OPTION_INT, OPTIONS_APPLY | OPTIONS_SSH,
	  AT(ssh_sessions), "N", NULL, false, NULL,
	  "SSH sessions at once; the default is 50." },
	{ "all", 0, OPTION_FLAG, OPTIONS_EXEC | OPTIONS_ALL, AT(all), NULL,
	  NULL, false, NULL,
	  "On every pod, or every replica of those named; every tunnel." },
	{ "interactive", 'i', OPTION_FLAG, OPTIONS_EXEC, AT(interactive),
	  NULL, NULL, false, NULL,
	  "Pass on standard input even if it is a terminal." },
	{ "recursive", 'r', OPTION_FLAG, OPTIONS_COPY, AT(recursive), NULL,
	  NULL, false, NULL,
	  "For the habit of cp -r: directories are copied in any case." },
	{ "follow", 'f', OPTION_FLAG, OPTIONS_LOGS, AT(follow), NULL, NULL,
	  false, NULL, "Go on until interrupted." },
	{ "source", 0, OPTION_CHOICE, OPTIONS_LOGS, AT(log_source), "WHICH",
	  source_choices, false, NULL, "container, system, setup, process, "
	  "runner or all; the default is container and system." },
	{ "tail", 0, OPTION_INT, OPTIONS_LOGS, AT(tail), "N", NULL, false,
	  NULL, "Last lines of each source; the default is 100." },
	{ "since", 0, OPTION_TEXT, OPTIONS_LOGS, AT(since), "WHEN", NULL,
	  false, NULL, "Lines since then: 10m, or a time of RFC 3339." },
};
const size_t options_count = COUNTOF(options_table);

void
options_init(struct options *options)
{
	*options = (struct options){ .refresh = true, .input = true,
		.expires_ms = HOUR_MS, .dry_run = true, .max_deletes = -1 };
}

const struct option *
options_find(struct str name)
{
	for (size_t i = 0; i < options_count; i++)
		if (str_is(name, options_table[i].name))
			return &options_table[i];
	return NULL;
}

const struct option *
options_find_letter(char letter, unsigned groups)
{
	const struct option *found = NULL;

	for (size_t i = 0; i < options_count; i++) {
		const struct option *option = &options_table[i];
		if (letter == 0 || option->letter != letter)
			continue;
		if (option->groups & groups)
			return option;
		if (found == NULL || (option->groups & OPTIONS_GLOBAL))
			found = option;
	}
	return found;
}

char
options_letter(const struct option *option, unsigned groups)
{
	return options_find_letter(option->letter, groups) == option ?
	    option->letter : 0;
}

const char *
options_variable(struct arena *arena, const struct option *option)
{
	struct str text = arena_printf(arena, "PODFORM_%s", option->name);
	char *name = arena_alloc(arena, text.len + 1);

	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];
		name[i] = byte == '-' ? '_' : byte >= 'a' && byte <= 'z' ?
		    (char)(byte - 'a' + 'A') : byte;
	}
	return name;
}

static bool
refuse(struct diags *diags, const char *shown, struct str value,
    const char *expected)
{
	diag_error(diags, "PF0803", NO_SPAN, "%s: '" STR_FMT "' is not %s",
	    shown, STR_ARG(value), expected);
	return false;
}

static bool
set_flag(bool *flag, struct str value, const char *shown,
    struct diags *diags)
{
	static const char *const yes[] = { "true", "1", "yes", "on" };
	static const char *const no[] = { "false", "0", "no", "off", "" };

	*flag = true;
	if (value.data == NULL)
		return true;
	for (size_t i = 0; i < COUNTOF(yes); i++)
		if (str_is(value, yes[i]))
			return true;
	*flag = false;
	for (size_t i = 0; i < COUNTOF(no); i++)
		if (str_is(value, no[i]))
			return true;
	return refuse(diags, shown, value, "true or false");
}

static bool
set_choice(int *choice, const struct option *option, struct str value,
    const char *shown, struct diags *diags)
{
	struct strbuf words = {0};

	for (int i = 0; option->choices[i] != NULL; i++) {
		if (str_is(value, option->choices[i])) {
			*choice = i;
			strbuf_release(&words);
			return true;
		}
		strbuf_addf(&words, "%s%s", i > 0 ? ", " : "one of ",
		    option->choices[i]);
	}
	refuse(diags, shown, value, words.data);
	strbuf_release(&words);
	return false;
}

static bool
set_variable(struct variable_list *variables, struct str value,
    struct arena *arena, const char *shown, struct diags *diags)
{
	struct variable variable;

	if (str_find(value, '=') <= 0)
		return refuse(diags, shown, value, "NAME=VALUE");
	variable.name = str_cut(value, '=', &variable.value);
	if (variable.value.data == NULL)
		variable.value = STR("");
	*ARENA_PUSH(arena, &variables->list) = variable;
	return true;
}

bool
options_set(struct options *options, const struct option *option,
    struct str value, struct arena *arena, const char *shown,
    struct diags *diags)
{
	void *at = (char *)options + option->offset;

	if (option->later != NULL) {
		diag_error(diags, "PF0805", NO_SPAN, "%s: %s is not built "
		    "yet", shown, option->later);
		return false;
	}
	switch (option->type) {
	case OPTION_FLAG:
		return set_flag(at, value, shown, diags);
	case OPTION_COUNT:
		if (value.data != NULL)
			return parse_int(value, 0, 9, at) ||
			    refuse(diags, shown, value, "a number up to 9");
		++*(int64_t *)at;
		return true;
	case OPTION_TEXT:
		*(struct str *)at = value;
		return true;
	case OPTION_LIST:
		*ARENA_PUSH(arena, &((struct text_list *)at)->list) = value;
		return true;
	case OPTION_INT:
		return parse_int(value, 1, 10000, at) ||
		    refuse(diags, shown, value, "a number from 1 to 10000");
	case OPTION_LIMIT:
		return parse_int(value, 0, 1000000, at) ||
		    refuse(diags, shown, value, "a number from 0 to 1000000");
	case OPTION_BYTES:
		return parse_int(value, PLAN_MARKDOWN_BYTES_MIN,
		    PLAN_MARKDOWN_BYTES_MAX, at) || refuse(diags, shown,
		    value, "a number from 6000 to 1000000");
	case OPTION_DURATION:
		return parse_duration(value, at) ||
		    refuse(diags, shown, value, "a duration like 90s or 1h30m");
	case OPTION_CHOICE:
		return set_choice(at, option, value, shown, diags);
	case OPTION_VARIABLE:
		return set_variable(at, value, arena, shown, diags);
	}
	assert(false && "every type of option is handled");
	return false;
}
