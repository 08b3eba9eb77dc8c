/* words.c - see words.h */
#include "ui/words.h"

#include <string.h>

#include "base/mark.h"
#include "base/units.h"

struct op_words {
	const char *symbol, *actions, *header;
	enum paint paint;
};

static const struct op_words ops[] = {
	[PLAN_NOOP] = { " ", "[\"no-op\"]", "is as it should be",
		PAINT_NONE },
	[PLAN_CREATE] = { "+", "[\"create\"]", "will be created",
		PAINT_GREEN },
	[PLAN_UPDATE] = { "~", "[\"update\"]", "will be changed in place",
		PAINT_YELLOW },
	[PLAN_REPLACE] = { "-/+", "[\"delete\",\"create\"]",
		"will be replaced", PAINT_RED },
	[PLAN_DELETE] = { "-", "[\"delete\"]", "will be destroyed",
		PAINT_RED },
	[PLAN_START] = { "^", "[\"start\"]", "will be started", PAINT_GREEN },
	[PLAN_STOP] = { "v", "[\"stop\"]", "will be stopped", PAINT_CYAN },
	[PLAN_FORGET] = { ".", "[\"forget\"]", "will be forgotten",
		PAINT_CYAN },
};

static const char create_first_actions[] = "[\"create\",\"delete\"]";

const char *
words_symbol(const struct plan_change *change)
{
	if (change->op == PLAN_REPLACE && change->create_first)
		return "+/-";
	return ops[change->op].symbol;
}

enum paint
words_paint(enum plan_op op)
{
	return ops[op].paint;
}

const char *
words_actions(const struct plan_change *change)
{
	if (change->op == PLAN_REPLACE && change->create_first)
		return create_first_actions;
	return ops[change->op].actions;
}

bool
words_parse_actions(struct str actions, enum plan_op *op, bool *create_first)
{
	*create_first = str_is(actions, create_first_actions);
	*op = PLAN_REPLACE;
	if (*create_first)
		return true;
	for (size_t i = 0; i < COUNTOF(ops); i++)
		if (str_is(actions, ops[i].actions)) {
			*op = (enum plan_op)i;
			return true;
		}
	return false;
}

/* The attribute that forces a replacement, or absent. */
static struct str
forcing_path(const struct plan_change *change)
{
	for (size_t i = 0; i < change->attrs.n; i++)
		if (change->attrs.items[i].forces_replacement)
			return change->attrs.items[i].path;
	return (struct str){0};
}

/* The reason, for people; "" when the header says it all. */
static const char *
reason_words(const struct plan_change *change)
{
	switch (change->reason) {
	case BECAUSE_NOTHING:
	case BECAUSE_NEW:
	case BECAUSE_DESTROY:
	case BECAUSE_EDIT:
		return "";
	case BECAUSE_CANNOT_UPDATE:
		return "a field cannot change in place";
	case BECAUSE_LOST:
		return "it is gone";
	case BECAUSE_REQUESTED:
		return "asked for with --replace";
	case BECAUSE_TAINTED:
		return "its creation failed half-way";
	case BECAUSE_NO_SPEC:
		return "no longer in the spec";
	case BECAUSE_REPLICAS:
		return "fewer replicas are wanted";
	case BECAUSE_ORPHAN:
		return "ours, but no record has it";
	case BECAUSE_DEPOSED:
		return "left over from a replacement";
	case BECAUSE_DRIFT:
		return "changed outside of podform";
	case BECAUSE_RESTARTED:
		return "its container started anew";
	case BECAUSE_OFFLINE:
		return change->kind == KIND_TUNNEL ? "it is not up" :
		    "GitHub does not hear from it";
	case BECAUSE_POD:
		return "its pod changes";
	case BECAUSE_DESIRED:
		return change->op == PLAN_STOP ? "the spec says stopped" :
		    "the spec says running";
	}
	return "";
}

struct str
words_header(struct arena *arena, const struct plan_change *change)
{
	const char *reason = reason_words(change);
	struct str path = forcing_path(change);
	const char *also = "";

	if (change->op == PLAN_UPDATE && change->start)
		also = " and started";
	else if (change->op == PLAN_UPDATE && change->stop)
		also = " and stopped";
	if (change->reason == BECAUSE_CANNOT_UPDATE && path.len > 0)
		return arena_printf(arena, "%s: " STR_FMT
		    " cannot change in place", ops[change->op].header,
		    STR_ARG(path));
	return arena_printf(arena, "%s%s%s%s", ops[change->op].header, also,
	    *reason != '\0' ? ": " : "", reason);
}

struct str
words_label(struct arena *arena, const struct plan_change *change)
{
	struct str name = {0}, base;
	struct mark mark;

	if (change->pod != NULL)
		name = change->pod->config.name;
	else if (change->volume != NULL)
		name = change->volume->name;
	else if (change->have != NULL)
		name = change->kind == KIND_VOLUME ? change->have->volume.name :
		    change->have->pod.name;
	if (name.len > 0 && mark_parse_name(name, &base, &mark))
		name = base;
	if (name.len == 0)
		name = change->kind == KIND_VOLUME ?
		    change->volume_config.name : change->config.name;
	if (name.len > 0)
		return name;
	if (change->key < 0)
		return change->name;
	return arena_printf(arena, STR_FMT "-%lld", STR_ARG(change->name),
	    (long long)change->key);
}

/* "2 checks, setup from step 3 on, the process". */
struct str
words_inside(struct arena *arena, const struct plan_change *change)
{
	const struct plan_inside *inside = &change->inside;
	const struct pod_spec *spec;
	struct str words[3];
	struct strbuf out = {0};
	size_t n = 0;

	if (change->kind != KIND_POD || change->want == NULL ||
	    !inside->login)
		return change->inside_words;
	spec = change->want->pod;
	size_t steps = spec->nsetup - inside->first_step;
	if (inside->checks)
		words[n++] = words_count(arena, spec->nready_checks, "check");
	if (steps > 0 && inside->first_step > 0)
		words[n++] = arena_printf(arena, "setup from step %zu on",
		    inside->first_step + 1);
	else if (steps > 0)
		words[n++] = words_count(arena, steps, "setup step");
	if (inside->process)
		words[n++] = STR("the process");
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(&out, i > 0 ? ", " : "");
		strbuf_add(&out, words[i]);
	}
	struct str text = n == 0 ? (struct str){0} :
	    arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return text;
}

struct str
words_runner(struct arena *arena, const struct plan_change *change)
{
	const struct lock_runner *config = &change->runner_config;
	struct str scope = config->repository.len > 0 ? config->repository :
	    config->organization;
	bool comes = change->op == PLAN_CREATE || change->op == PLAN_REPLACE;

	if (change->kind != KIND_RUNNER || scope.len == 0)
		return change->runner_words;
	if (!comes)
		return scope;
	return arena_printf(arena, STR_FMT ", package " STR_FMT,
	    STR_ARG(scope), STR_ARG(change->package.version.len > 0 ?
	    change->package.version : STR("(known after apply)")));
}

const char *
words_danger(const char *code)
{
	static const char *const dangers[][2] = {
		{ "container_reset", "restarts the container: what is "
		    "outside volumes is lost" },
		{ "data_loss", "what is on its disks is lost" },
		{ "gpu_not_guaranteed", "starting it again may find no free "
		    "GPU" },
		{ "double_billing", "both bill for a while" },
		{ "interrupts_job", "it runs a job: it leaves when the job "
		    "is done, and not before" },
	};

	for (size_t i = 0; i < COUNTOF(dangers); i++)
		if (strcmp(dangers[i][0], code) == 0)
			return dangers[i][1];
	return code;
}

struct str
words_undo(struct arena *arena, const struct plan_change *change)
{
	const char *undo = change->undo;
	struct str label = words_label(arena, change);

	if (undo == NULL || strcmp(undo, "none") == 0)
		return STR("cannot be undone");
	if (strcmp(undo, "start") == 0)
		return arena_printf(arena, "start %s \"" STR_FMT "\" again "
		    "(GPU not guaranteed)", kind_name(change->kind),
		    STR_ARG(label));
	if (strcmp(undo, "terminate") == 0)
		return STR("terminate what was created");
	if (strcmp(undo, "stop") == 0)
		return STR("stop it");
	if (strcmp(undo, "update") == 0)
		return STR("change it back");
	if (strcmp(undo, "delete") == 0)
		return STR("delete what was created");
	if (strcmp(undo, "remove") == 0)
		return STR("remove it from GitHub");
	if (strcmp(undo, "close") == 0)
		return STR("close it");
	return str_from(undo);
}

const char *
words_on_failure(enum on_failure on_failure)
{
	switch (on_failure) {
	case ON_FAILURE_STOP:
		return "stop what was created; terminate it if nothing ran";
	case ON_FAILURE_TERMINATE:
		return "terminate what was created";
	case ON_FAILURE_KEEP:
		return "keep what was created, running and billing";
	}
	return "";
}

const char *
words_on_failure_code(enum on_failure on_failure)
{
	static const char *const codes[] = {
		[ON_FAILURE_STOP] = "stop",
		[ON_FAILURE_TERMINATE] = "terminate",
		[ON_FAILURE_KEEP] = "keep",
	};
	return codes[on_failure];
}

const char *
words_mode(enum plan_mode mode)
{
	static const char *const modes[] = {
		[PLAN_NORMAL] = "normal", [PLAN_DESTROY] = "destroy",
		[PLAN_REFRESH_ONLY] = "refresh-only",
	};
	return modes[mode];
}

const char *
words_tier(enum cloud_tier tier)
{
	static const char *const tiers[] = {
		[TIER_ANY] = "ANY", [TIER_SECURE] = "SECURE",
		[TIER_COMMUNITY] = "COMMUNITY",
	};
	return tiers[tier];
}

const char *
words_stock(enum stock stock)
{
	static const char *const stocks[] = {
		[STOCK_UNKNOWN] = "", [STOCK_NONE] = "NONE",
		[STOCK_LOW] = "LOW", [STOCK_MEDIUM] = "MEDIUM",
		[STOCK_HIGH] = "HIGH",
	};
	return stocks[stock];
}

const char *
words_check(enum check_status status)
{
	static const char *const statuses[] = {
		[CHECK_PASS] = "pass", [CHECK_WARN] = "warn",
		[CHECK_FAIL] = "fail",
	};
	return statuses[status];
}

struct str
words_candidate(struct arena *arena, const struct candidate *candidate)
{
	struct str gpu = candidate->gpu_name.len > 0 ? candidate->gpu_name :
	    candidate->gpu;
	const char *stock = words_stock(candidate->stock);
	struct str price = candidate->price_per_hour < 0 ?
	    STR("price unknown") : arena_printf(arena, STR_FMT "/h",
	    STR_ARG(format_rate(arena, candidate->price_per_hour)));

	return arena_printf(arena, STR_FMT "%s" STR_FMT "%s%s%s " STR_FMT,
	    STR_ARG(gpu), candidate->data_center.len > 0 ? " in " : "",
	    STR_ARG(candidate->data_center),
	    candidate->tier == TIER_COMMUNITY ? " (community)" : "",
	    *stock != '\0' ? " " : "", stock, STR_ARG(price));
}

struct str
words_count(struct arena *arena, size_t n, const char *noun)
{
	return arena_printf(arena, "%zu %s%s", n, noun, n == 1 ? "" : "s");
}

struct str
words_ago(struct arena *arena, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	if (ms < 2 * MINUTE_MS)
		return arena_printf(arena, "%lld s ago",
		    (long long)(ms / SECOND_MS));
	if (ms < 2 * HOUR_MS)
		return arena_printf(arena, "%lld min ago",
		    (long long)(ms / MINUTE_MS));
	if (ms < 48 * (int64_t)HOUR_MS)
		return arena_printf(arena, "%lld h ago",
		    (long long)(ms / HOUR_MS));
	return arena_printf(arena, "%lld days ago",
	    (long long)(ms / (24 * (int64_t)HOUR_MS)));
}

const char *
words_drift(const struct plan_drift *drift)
{
	if (drift->gone)
		return "was deleted";
	if (drift->stopped)
		return "was stopped";
	return drift->started ? "was started" : "has changed";
}
