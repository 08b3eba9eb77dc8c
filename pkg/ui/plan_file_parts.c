/* plan_file_parts.c - see plan_file_parts.h */
#include "ui/plan_file_parts.h"

#include "base/units.h"
#include "ui/words.h"

/* What is being read, for all the functions below. */
struct part {
	struct json_reader *reader;
	struct plan_file *file;
	struct json_value object;
};

static struct arena *
arena_of(const struct part *part)
{
	return part->reader->arena;
}

static struct str
text_of(const struct part *part, const char *key)
{
	struct str text = {0};

	json_read_str(part->reader, part->object, key, NULLABLE, &text);
	return text;
}

static bool
truth_of(const struct part *part, const char *key)
{
	bool truth = false;

	json_read_bool(part->reader, part->object, key, OPTIONAL, &truth);
	return truth;
}

static int64_t
number_of(const struct part *part, const char *key, int64_t fallback)
{
	int64_t number;

	return json_read_int(part->reader, part->object, key, NULLABLE, 0,
	    INT64_MAX, &number) ? number : fallback;
}

static int64_t
usd_of(const struct part *part, const char *key, int64_t fallback)
{
	int64_t microusd;

	return json_read_usd(part->reader, part->object, key, OPTIONAL,
	    &microusd) ? microusd : fallback;
}

static struct part
part_at(const struct part *part, const char *key)
{
	struct part inner = *part;

	inner.object = json_get(part->object, key);
	return inner;
}

static enum kind
kind_of(const struct part *part)
{
	enum kind kind = KIND_POD;
	struct str word = {0};

	json_read_str(part->reader, part->object, "kind", REQUIRED, &word);
	if (!part->reader->failed && !kind_parse(word, &kind))
		json_fail(part->reader, "kind", "known kind");
	return kind;
}

/* A place is only shown; its source needs a name and no text. */
static struct span
span_of(const struct part *outer)
{
	struct part part = part_at(outer, "spec");
	struct sources *sources = part.file->sources;
	struct span span = {0};
	struct str file;

	if (!json_exists(part.object))
		return span;
	file = text_of(&part, "file");
	for (size_t i = 0; i < sources->list.n && span.source == 0; i++)
		if (str_eq(sources->list.items[i].name, file))
			span.source = (uint32_t)i + 1;
	if (span.source == 0)
		span.source = sources_add(sources, file, STR(""));
	span.line = (uint32_t)number_of(&part, "line", 1);
	span.column = (uint32_t)number_of(&part, "column", 1);
	return span;
}

static struct str
raw_of(const struct part *part, const char *key)
{
	struct json_value value = json_get(part->object, key);

	return json_exists(value) ? json_text(value) : (struct str){0};
}

static void
read_attribute(const struct part *part, struct plan_attr *attr)
{
	struct str cause;

	attr->path = text_of(part, "path");
	attr->before = raw_of(part, "before");
	attr->after = raw_of(part, "after");
	attr->unknown = truth_of(part, "unknown");
	attr->sensitive = truth_of(part, "sensitive");
	attr->forces_replacement = truth_of(part, "forces_replacement");
	attr->effect = truth_of(part, "restarts") ? EFFECT_RESTART :
	    attr->forces_replacement ? EFFECT_REPLACE : EFFECT_IN_PLACE;
	cause = text_of(part, "cause");
	attr->edit = str_search(cause, STR("edit")) >= 0;
	attr->drift = str_search(cause, STR("drift")) >= 0;
}

#define READ_EACH(outer, key, inner) \
	for (struct json_iter it_ = json_iter(json_get((outer)->object, \
	    (key))); json_next(&it_) && \
	    ((inner) = *(outer), (inner).object = it_.value, true);)

static void
read_candidates(const struct part *part, struct plan_change *change)
{
	struct part row;

	READ_EACH(part, "candidates", row) {
		struct candidate *c = ARENA_PUSH(arena_of(part),
		    &change->candidates);
		struct str stock = text_of(&row, "stock");
		c->gpu = text_of(&row, "gpu");
		c->gpu_name = text_of(&row, "gpu_name");
		c->data_center = text_of(&row, "data_center");
		c->tier = str_is(text_of(&row, "cloud"), "COMMUNITY") ?
		    TIER_COMMUNITY : TIER_SECURE;
		c->price_per_hour = usd_of(&row, "price_per_hour", -1);
		for (int s = STOCK_NONE; s <= STOCK_HIGH; s++)
			if (str_is(stock, words_stock((enum stock)s)))
				c->stock = (enum stock)s;
	}
}

static const char *
cstr_of(const struct part *part, const char *key)
{
	struct str text = text_of(part, key);

	/* A NUL cannot be in it: the parser refuses those. */
	return text.data == NULL ? NULL : arena_cstr(arena_of(part), text);
}

static void
read_words(const struct part *part, struct plan_change *change)
{
	struct str word = text_of(part, "on_failure");
	struct part row;

	change->undo = cstr_of(part, "undo");
	for (int f = ON_FAILURE_STOP; f <= ON_FAILURE_KEEP; f++)
		if (str_is(word, words_on_failure_code((enum on_failure)f)))
			change->on_failure = (enum on_failure)f;
	READ_EACH(part, "dangers", row) {
		struct str danger = {0};
		json_value_str(part->reader, row.object, &danger);
		*ARENA_PUSH(arena_of(part), &change->dangers) =
		    arena_cstr(arena_of(part), danger);
	}
	READ_EACH(part, "depends_on", row)
		json_value_str(part->reader, row.object,
		    ARENA_PUSH(arena_of(part), &change->depends_on));
	word = text_of(part, "action_reason");
	for (int r = BECAUSE_NOTHING; r <= BECAUSE_POD; r++) {
		const char *code = plan_reason_code((enum plan_reason)r,
		    change->op);
		if (code != NULL && word.data != NULL && str_is(word, code)) {
			change->reason = (enum plan_reason)r;
			break;
		}
	}
}

/* The id and the name that it is known by, as an entry of the lock. */
static void
read_identity(const struct part *part, struct plan_change *change)
{
	struct str id = text_of(part, "id"), label = text_of(part, "label");
	struct str data_center = text_of(part, "data_center");
	struct lock_entry *have;
	struct cloud_pod *pod;

	change->config.name = label;
	change->volume_config.name = label;
	if (data_center.data != NULL) {
		pod = ARENA_NEW(arena_of(part), struct cloud_pod);
		pod->id = id;
		pod->config.name = label;
		pod->config.data_center = data_center;
		change->pod = pod;
	}
	if (id.data == NULL)
		return;
	have = ARENA_NEW(arena_of(part), struct lock_entry);
	have->kind = change->kind;
	have->id = id;
	have->pod.name = label;
	have->volume.name = label;
	change->have = have;
}

/* The array of actions without blanks: other tools lay JSON out anew, and
 * the words hold none. */
static struct str
actions_of(const struct part *change)
{
	struct str raw = raw_of(change, "actions");
	struct strbuf buf = {0};

	for (size_t i = 0; i < raw.len; i++)
		if (raw.data[i] > ' ')
			strbuf_addc(&buf, raw.data[i]);
	raw = arena_str(arena_of(change), strbuf_str(&buf));
	strbuf_release(&buf);
	return raw;
}

static void
read_guest(const struct part *part, struct plan_change *change)
{
	struct github_runner *runner;

	change->inside_words = text_of(part, "inside");
	change->runner_words = text_of(part, "github");
	if (raw_of(part, "busy").data == NULL)
		return;
	runner = ARENA_NEW(arena_of(part), struct github_runner);
	runner->busy = truth_of(part, "busy");
	runner->online = truth_of(part, "online");
	change->runner = runner;
}

static void
read_change(const struct part *part, struct plan_change *change)
{
	struct part inner = part_at(part, "change"), row;
	struct str state;

	change->address = text_of(part, "address");
	change->kind = kind_of(part);
	change->name = text_of(part, "name");
	change->key = number_of(part, "key", -1);
	change->span = span_of(part);
	if (!words_parse_actions(actions_of(&inner), &change->op,
	    &change->create_first)) {
		json_fail(part->reader, "actions", "known actions");
		return;
	}
	read_identity(part, change);
	READ_EACH(part, "attributes", row)
		read_attribute(&row, ARENA_PUSH(arena_of(part),
		    &change->attrs));
	change->unchanged = (size_t)number_of(part, "unchanged", 0);
	state = text_of(part, "state");
	change->start = str_is(state, "running");
	change->stop = str_is(state, "stopped");
	read_words(part, change);
	read_guest(part, change);
	read_candidates(part, change);
	inner = part_at(part, "cost");
	change->before_per_hour = usd_of(&inner, "before_per_hour", -1);
	change->after_per_hour = usd_of(&inner, "after_per_hour", -1);
	change->worst_per_hour = usd_of(&inner, "worst_per_hour", -1);
	change->price_unknown = truth_of(&inner, "unknown");
}

static void
read_ack(const struct part *part, struct plan_drift *drift)
{
	struct part inner = part_at(part, "acknowledged");
	struct ack *ack;

	if (!json_is(inner.object, JSON_OBJECT))
		return;
	ack = ARENA_NEW(arena_of(part), struct ack);
	ack->reason = text_of(&inner, "reason");
	ack->until = text_of(&inner, "until");
	drift->ack = ack;
}

static void
read_drift(const struct part *part, struct plan_drift *drift)
{
	struct part change = part_at(part, "change"), row;
	struct str actions = raw_of(&change, "actions");

	drift->address = text_of(part, "address");
	drift->kind = kind_of(part);
	drift->span = span_of(part);
	drift->gone = str_search(actions, STR("\"delete\"")) >= 0;
	drift->stopped = str_search(actions, STR("\"stop\"")) >= 0;
	drift->started = str_search(actions, STR("\"start\"")) >= 0;
	read_ack(part, drift);
	READ_EACH(part, "attributes", row)
		read_attribute(&row, ARENA_PUSH(arena_of(part),
		    &drift->attrs));
}

static void
read_surroundings(const struct part *part, struct plan *plan)
{
	struct part row;

	READ_EACH(part, "unmanaged", row) {
		struct plan_unmanaged *u = ARENA_PUSH(arena_of(part),
		    &plan->unmanaged);
		int64_t age_s = number_of(&row, "age_s", -1);
		u->kind = kind_of(&row);
		u->id = text_of(&row, "id");
		u->name = text_of(&row, "name");
		u->per_hour = usd_of(&row, "per_hour", -1);
		u->age_ms = age_s < 0 || age_s > INT64_MAX / SECOND_MS ? -1 :
		    age_s * SECOND_MS;
		u->suspect = truth_of(&row, "suspect");
		u->other_lineage = truth_of(&row, "other_project");
		if (u->kind == KIND_VOLUME)
			plan->cost.unmanaged_volumes++;
		else
			plan->cost.unmanaged_pods++;
	}
	READ_EACH(part, "checks", row) {
		struct plan_check *check = ARENA_PUSH(arena_of(part),
		    &plan->checks);
		struct str status = text_of(&row, "status");
		const char *id = cstr_of(&row, "id");
		check->id = id != NULL ? id : "";
		check->message = text_of(&row, "message");
		check->span = span_of(&row);
		check->status = str_is(status, "fail") ? CHECK_FAIL :
		    str_is(status, "warn") ? CHECK_WARN : CHECK_PASS;
	}
}

static void
read_pending(const struct part *part, struct plan *plan)
{
	static const char *const actions[OP_COUNT] = {
		[OP_CREATE] = "create", [OP_UPDATE] = "update",
		[OP_START] = "start", [OP_STOP] = "stop",
		[OP_DELETE] = "delete",
	};
	struct part row;

	READ_EACH(part, "pending", row) {
		struct lock_op *op = ARENA_NEW(arena_of(part), struct lock_op);
		struct str action = text_of(&row, "action");
		op->address = text_of(&row, "address");
		if (!id128_parse(text_of(&row, "op"), &op->op))
			json_fail(part->reader, "op", "id of 32 digits");
		for (int a = 0; a < OP_COUNT; a++)
			if (str_is(action, actions[a]))
				op->action = (enum op_action)a;
		ARENA_PUSH(arena_of(part), &plan->pending)->op = op;
	}
}

static void
read_totals(const struct part *root, struct plan *plan, struct live *live)
{
	struct part part = part_at(root, "cost");
	struct str as_of = text_of(&part, "as_of");

	plan->cost.before_per_hour = usd_of(&part, "before_per_hour", 0);
	plan->cost.after_per_hour = usd_of(&part, "after_per_hour", 0);
	plan->cost.worst_per_hour = usd_of(&part, "worst_per_hour", 0);
	plan->cost.storage_per_hour = usd_of(&part, "storage_per_hour", 0);
	plan->cost.unmanaged_per_hour = usd_of(&part, "unmanaged_per_hour",
	    0);
	plan->cost.unknown = truth_of(&part, "unknown");
	live->from_lock = truth_of(root, "live_from_lock");
	live->account.balance = usd_of(&part, "balance", -1);
	live->account_known = live->account.balance_known =
	    live->account.balance >= 0;
	if (as_of.data != NULL && !parse_time(as_of, &live->wall_ms))
		json_fail(root->reader, "as_of", "time");
	part = part_at(root, "summary");
	plan->summary.add = (size_t)number_of(&part, "add", 0);
	plan->summary.change = (size_t)number_of(&part, "change", 0);
	plan->summary.destroy = (size_t)number_of(&part, "destroy", 0);
	plan->summary.start = (size_t)number_of(&part, "start", 0);
	plan->summary.stop = (size_t)number_of(&part, "stop", 0);
	plan->summary.forget = (size_t)number_of(&part, "forget", 0);
}

void
plan_file_read_plan(struct json_reader *reader, struct json_value root,
    struct plan_file *out)
{
	struct part part = { reader, out, root }, row;
	struct live *live = ARENA_NEW(reader->arena, struct live);
	struct plan *plan = out->plan;

	plan->live = live;
	READ_EACH(&part, "resource_changes", row)
		read_change(&row, ARENA_PUSH(reader->arena, &plan->changes));
	READ_EACH(&part, "resource_drift", row)
		read_drift(&row, ARENA_PUSH(reader->arena, &plan->drift));
	read_surroundings(&part, plan);
	read_pending(&part, plan);
	read_totals(&part, plan, live);
	plan->empty = plan->changes.n == 0 && plan->pending.n == 0;
}
