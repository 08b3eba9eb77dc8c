/* plan_json.c - the document; see plan_json.h */
#include "ui/plan_json.h"

#include "base/json.h"
#include "base/units.h"
#include "ui/diag_json.h"
#include "ui/plan_json_parts.h"
#include "ui/plan_seal.h"
#include "ui/words.h"

static void
put_place(struct json_writer *w, const struct sources *sources,
    struct span span)
{
	const struct source *source = sources == NULL ? NULL :
	    sources_get(sources, span.source);

	if (source == NULL)
		return;
	json_key(w, "spec");
	json_begin_inline(w, '{');
	json_member_str(w, "file", source->name);
	json_member_int(w, "line", span.line);
	json_member_int(w, "column", span.column);
	json_end(w, '}');
}

static void
put_candidates(struct json_writer *w, const struct plan *plan,
    const struct plan_change *change)
{
	struct arena arena = {0};

	json_key(w, "candidates");
	json_begin(w, '[');
	for (size_t i = 0; i < change->candidates.n; i++) {
		const struct candidate *c = &change->candidates.items[i];
		json_begin_inline(w, '{');
		json_member_str(w, "gpu", c->gpu);
		json_member_str(w, "gpu_name", c->gpu_name);
		json_member_str(w, "data_center", c->data_center);
		json_member_str(w, "cloud", str_from(words_tier(c->tier)));
		json_member_bool(w, "spot", false);
		if (c->price_per_hour >= 0)
			json_member_usd(w, "price_per_hour",
			    c->price_per_hour);
		if (c->stock != STOCK_UNKNOWN)
			json_member_str(w, "stock",
			    str_from(words_stock(c->stock)));
		if (plan->live != NULL)
			json_member_str(w, "seen", format_time(&arena,
			    plan->live->wall_ms));
		json_end(w, '}');
	}
	json_end(w, ']');
	arena_release(&arena);
}

static void
put_words(struct json_writer *w, const struct plan_change *change)
{
	json_key(w, "depends_on");
	json_begin_inline(w, '[');
	for (size_t i = 0; i < change->depends_on.n; i++)
		json_put_str(w, change->depends_on.items[i]);
	json_end(w, ']');
	if (change->kind == KIND_POD && (change->op == PLAN_CREATE ||
	    change->op == PLAN_REPLACE))
		json_member_str(w, "on_failure", str_from(
		    words_on_failure_code(change->on_failure)));
	json_member_str(w, "undo", str_from(change->undo));
	json_key(w, "dangers");
	json_begin_inline(w, '[');
	for (size_t i = 0; i < change->dangers.n; i++)
		json_put_str(w, str_from(change->dangers.items[i]));
	json_end(w, ']');
}

/* What a saved plan needs to be read by people again; apply plans anew. */
static void
put_guest(struct json_writer *w, struct arena *arena,
    const struct plan_change *change)
{
	json_member_str(w, "inside", words_inside(arena, change));
	json_member_str(w, "github", words_runner(arena, change));
	if (change->kind == KIND_RUNNER && change->runner != NULL) {
		json_member_bool(w, "online", change->runner->online);
		json_member_bool(w, "busy", change->runner->busy);
	}
}

static struct str
change_id(const struct plan_change *change)
{
	if (change->have != NULL)
		return change->have->id;
	if (change->pod != NULL)
		return change->pod->id;
	return change->volume != NULL ? change->volume->id : (struct str){0};
}

/* What is not known is left out. */
static void
put_known_usd(struct json_writer *w, const char *key, int64_t microusd)
{
	if (microusd >= 0)
		json_member_usd(w, key, microusd);
}

static void
put_change_cost(struct json_writer *w, const struct plan_change *change)
{
	json_key(w, "cost");
	json_begin_inline(w, '{');
	put_known_usd(w, "before_per_hour", change->before_per_hour);
	put_known_usd(w, "after_per_hour", change->after_per_hour);
	put_known_usd(w, "worst_per_hour", change->worst_per_hour);
	if (change->price_unknown)
		json_member_bool(w, "unknown", true);
	json_end(w, '}');
}

void
plan_json_change(struct json_writer *w, const struct plan *plan,
    const struct plan_change *change, const struct sources *sources)
{
	struct arena arena = {0};

	json_begin(w, '{');
	json_member_str(w, "address", change->address);
	json_member_str(w, "kind", str_from(kind_name(change->kind)));
	json_member_str(w, "name", change->name);
	json_key(w, "key");
	if (change->key >= 0)
		json_put_int(w, change->key);
	else
		json_put_null(w);
	json_member_str(w, "label", words_label(&arena, change));
	json_member_str(w, "id", change_id(change));
	if (change->pod != NULL)
		json_member_str(w, "data_center",
		    change->pod->config.data_center);
	put_place(w, sources, change->span);
	plan_json_put_diff(w, words_actions(change), change->attrs.items,
	    change->attrs.n);
	json_member_str(w, "action_reason", str_from(
	    plan_reason_code(change->reason, change->op)));
	json_member_int(w, "unchanged", (int64_t)change->unchanged);
	if (change->start || change->stop)
		json_member_str(w, "state", change->start ? STR("running") :
		    STR("stopped"));
	put_words(w, change);
	put_guest(w, &arena, change);
	put_candidates(w, plan, change);
	put_change_cost(w, change);
	json_end(w, '}');
	arena_release(&arena);
}

void
plan_json_put_ack(struct json_writer *w, const struct ack *ack)
{
	json_key(w, "acknowledged");
	if (ack == NULL) {
		json_put_null(w);
		return;
	}
	json_begin(w, '{');
	json_member_str(w, "reason", ack->reason);
	json_key(w, "until");
	if (ack->until.len > 0)
		json_put_str(w, ack->until);
	else
		json_put_null(w);
	json_end(w, '}');
}

static void
put_drift(struct json_writer *w, const struct plan_drift *drift,
    const struct sources *sources)
{
	const char *actions = drift->gone ? "[\"delete\"]" :
	    drift->stopped ? "[\"stop\"]" :
	    drift->started ? "[\"start\"]" : "[\"update\"]";

	json_begin(w, '{');
	json_member_str(w, "address", drift->address);
	json_member_str(w, "kind", str_from(kind_name(drift->kind)));
	if (drift->have != NULL)
		json_member_str(w, "id", drift->have->id);
	put_place(w, sources, drift->span);
	plan_json_put_diff(w, actions, drift->attrs.items, drift->attrs.n);
	plan_json_put_ack(w, drift->ack);
	json_end(w, '}');
}

static void
put_unmanaged(struct json_writer *w, const struct plan *plan)
{
	json_key(w, "unmanaged");
	json_begin(w, '[');
	for (size_t i = 0; i < plan->unmanaged.n; i++) {
		const struct plan_unmanaged *u = &plan->unmanaged.items[i];
		json_begin_inline(w, '{');
		json_member_str(w, "kind", str_from(kind_name(u->kind)));
		json_member_str(w, "id", u->id);
		json_member_str(w, "name", u->name);
		if (u->per_hour >= 0)
			json_member_usd(w, "per_hour", u->per_hour);
		if (u->age_ms >= 0)
			json_member_int(w, "age_s", u->age_ms / SECOND_MS);
		json_member_bool(w, "suspect", u->suspect);
		json_member_bool(w, "other_project", u->other_lineage);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void
put_checks(struct json_writer *w, const struct plan *plan,
    const struct sources *sources)
{
	json_key(w, "checks");
	json_begin(w, '[');
	for (size_t i = 0; i < plan->checks.n; i++) {
		const struct plan_check *check = &plan->checks.items[i];
		json_begin_inline(w, '{');
		json_member_str(w, "id", str_from(check->id));
		json_member_str(w, "status",
		    str_from(words_check(check->status)));
		json_member_str(w, "message", check->message);
		put_place(w, sources, check->span);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void
put_pending(struct json_writer *w, const struct plan *plan)
{
	static const char *const actions[OP_COUNT] = {
		[OP_CREATE] = "create", [OP_UPDATE] = "update",
		[OP_START] = "start", [OP_STOP] = "stop",
		[OP_DELETE] = "delete",
	};

	json_key(w, "pending");
	json_begin(w, '[');
	for (size_t i = 0; i < plan->pending.n; i++) {
		const struct lock_op *op = plan->pending.items[i].op;
		json_begin_inline(w, '{');
		json_member_str(w, "op", str_from(op->op.hex));
		json_member_str(w, "action", str_from(actions[op->action]));
		json_member_str(w, "address", op->address);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void
put_totals(struct json_writer *w, const struct plan *plan)
{
	const struct plan_cost *cost = &plan->cost;
	const struct plan_summary *sum = &plan->summary;
	struct arena arena = {0};

	json_key(w, "cost");
	json_begin_inline(w, '{');
	json_member_usd(w, "before_per_hour", cost->before_per_hour);
	json_member_usd(w, "after_per_hour", cost->after_per_hour);
	json_member_usd(w, "worst_per_hour", cost->worst_per_hour);
	json_member_usd(w, "storage_per_hour", cost->storage_per_hour);
	json_member_usd(w, "unmanaged_per_hour", cost->unmanaged_per_hour);
	if (plan->live != NULL && plan->live->account.balance >= 0 &&
	    plan->live->account_known &&
	    plan->live->account.balance_known)
		json_member_usd(w, "balance", plan->live->account.balance);
	json_member_str(w, "currency", STR("USD"));
	if (plan->live != NULL)
		json_member_str(w, "as_of", format_time(&arena,
		    plan->live->wall_ms));
	if (cost->unknown)
		json_member_bool(w, "unknown", true);
	json_end(w, '}');
	json_key(w, "summary");
	json_begin_inline(w, '{');
	json_member_int(w, "add", (int64_t)sum->add);
	json_member_int(w, "change", (int64_t)sum->change);
	json_member_int(w, "destroy", (int64_t)sum->destroy);
	json_member_int(w, "start", (int64_t)sum->start);
	json_member_int(w, "stop", (int64_t)sum->stop);
	json_member_int(w, "forget", (int64_t)sum->forget);
	json_end(w, '}');
	arena_release(&arena);
}

/* The last member: what the others, written from `start` on, come to. */
static void
put_seal(struct json_writer *w, size_t start)
{
	struct json_limits limits = { .bytes = STRBUF_CEILING };
	struct arena arena = {0};
	struct json doc;
	struct json_error error;
	size_t end = w->out->len;

	strbuf_addc(w->out, '}');
	if (!w->out->failed && json_parse(&arena, str_sub(strbuf_str(w->out),
		start, end + 1 - start), limits, &doc, &error)) {
		struct str seal = plan_seal(&arena, json_root(&doc));
		w->out->len = end;
		json_member_str(w, PLAN_SEAL, seal);
	} else {
		w->out->len = end;
	}
	arena_release(&arena);
}

void
plan_json(struct strbuf *out, const struct plan *plan,
    const struct plan_json_options *options)
{
	struct json_writer w = { .out = out,
		.indent = options->compact ? 0 : 2 };
	size_t start = out->len;

	json_begin(&w, '{');
	json_member_str(&w, "format_version", STR(PLAN_FORMAT));
	plan_json_put_binding(&w, options->binding);
	json_member_bool(&w, "complete", true);
	json_member_bool(&w, "errored", plan_has_failed_check(plan));
	json_member_bool(&w, "live_from_lock", plan->live == NULL ||
	    plan->live->from_lock);
	json_key(&w, "resource_changes");
	json_begin(&w, '[');
	for (size_t i = 0; i < plan->changes.n; i++)
		plan_json_change(&w, plan, &plan->changes.items[i],
		    options->sources);
	json_end(&w, ']');
	json_key(&w, "resource_drift");
	json_begin(&w, '[');
	for (size_t i = 0; i < plan->drift.n; i++)
		put_drift(&w, &plan->drift.items[i], options->sources);
	json_end(&w, ']');
	put_unmanaged(&w, plan);
	put_pending(&w, plan);
	put_checks(&w, plan, options->sources);
	put_totals(&w, plan);
	json_key(&w, "diagnostics");
	diag_json_list(&w, options->diags);
	put_seal(&w, start);
	json_end(&w, '}');
	strbuf_addc(out, '\n');
}
