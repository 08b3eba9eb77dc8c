/* plan_text.c - the whole page; see plan_text.h */
#include "ui/plan_text.h"

#include "base/units.h"
#include "ui/cells.h"
#include "ui/plan_block.h"
#include "ui/words.h"

/* `has changed: REASON (acknowledged until TIME)`; the colon of the first is
 * where a long header is cut. */
static struct str
acknowledged(struct arena *arena, const struct plan_drift *drift)
{
	const struct ack *ack = drift->ack;

	return arena_printf(arena, "%s: " STR_FMT " (acknowledged%s" STR_FMT ")",
	    words_drift(drift), STR_ARG(ack->reason), ack->until.len > 0 ?
	    " until " : "", STR_ARG(ack->until));
}

static void
add_drift(struct strbuf *out, const struct page *page,
    const struct plan_drift *drift)
{
	struct str what = str_from(words_drift(drift));

	if (drift->ack != NULL)
		what = acknowledged(page->arena, drift);
	plan_block_header(out, page, drift->address, what, drift->span);
	if (drift->attrs.n == 0 || page->options->concise)
		return;
	size_t pad = plan_block_pad(drift->attrs.items, drift->attrs.n);
	strbuf_addf(out, "  %s~%s %s {\n",
	    style_on(page->options->style, PAINT_YELLOW),
	    style_off(page->options->style, PAINT_YELLOW),
	    kind_name(drift->kind));
	for (size_t i = 0; i < drift->attrs.n; i++)
		plan_text_attr(out, page->arena, &drift->attrs.items[i], pad,
		    page->options->style);
	strbuf_adds(out, "    }\n");
}

static void
add_drift_section(struct strbuf *out, const struct page *page)
{
	const struct plan *plan = page->plan;
	size_t known = 0;

	for (size_t i = 0; i < plan->drift.n; i++)
		known += plan->drift.items[i].ack != NULL;
	if (plan->drift.n == 0)
		return;
	if (known < plan->drift.n)
		strbuf_adds(out, "Changed outside of podform since the last "
		    "apply:\n\n");
	for (size_t i = 0; i < plan->drift.n; i++)
		if (plan->drift.items[i].ack == NULL)
			add_drift(out, page, &plan->drift.items[i]);
	if (known > 0)
		strbuf_addf(out, "%sChanged outside of podform, and "
		    "acknowledged:\n\n", known < plan->drift.n ? "\n" : "");
	for (size_t i = 0; i < plan->drift.n; i++)
		if (plan->drift.items[i].ack != NULL)
			add_drift(out, page, &plan->drift.items[i]);
	strbuf_addc(out, '\n');
}

static void
add_opening(struct strbuf *out, const struct page *page)
{
	const struct plan_text_options *options = page->options;
	const struct live *live = page->plan->live;
	const char *comma = "";

	strbuf_adds(out, "podform will do the following (");
	if (options->spec_digest.len > 15) {
		/* Past "sha256:", as many digits as people compare. */
		strbuf_addf(out, "spec " STR_FMT,
		    STR_ARG(str_sub(options->spec_digest, 7, 8)));
		comma = ", ";
	}
	if (live == NULL || live->from_lock)
		strbuf_addf(out, "%sfrom the lock file alone", comma);
	else
		strbuf_addf(out, "%slive as of " STR_FMT, comma, STR_ARG(
		    str_sub(format_time(page->arena, live->wall_ms), 11, 9)));
	if (live != NULL && !live->from_lock && options->now_ms > 0)
		strbuf_addf(out, ", " STR_FMT, STR_ARG(words_ago(page->arena,
		    options->now_ms - live->wall_ms)));
	strbuf_adds(out, "):\n\n");
}

static void
add_pending(struct strbuf *out, const struct page *page)
{
	static const char *const words[OP_COUNT] = {
		[OP_CREATE] = "create", [OP_UPDATE] = "update",
		[OP_START] = "start", [OP_STOP] = "stop",
		[OP_DELETE] = "delete",
	};
	const struct plan *plan = page->plan;

	if (plan->pending.n == 0)
		return;
	strbuf_adds(out, "Unclear from an earlier run (looked at again "
	    "before anything is done):\n\n");
	for (size_t i = 0; i < plan->pending.n; i++) {
		const struct lock_op *op = plan->pending.items[i].op;
		strbuf_addf(out, "  ? %s ", words[op->action]);
		strbuf_add_escaped(out, op->address);
		strbuf_addf(out, "  (op %.10s)\n", op->op.hex);
	}
	strbuf_addc(out, '\n');
}

static void
add_suspects(struct strbuf *out, const struct page *page)
{
	const struct plan *plan = page->plan;
	bool first = true;

	for (size_t i = 0; i < plan->unmanaged.n; i++) {
		const struct plan_unmanaged *thing = &plan->unmanaged.items[i];
		if (!thing->suspect)
			continue;
		if (first)
			strbuf_adds(out, "Suspect (name and environment "
			    "disagree about whose it is; left alone):\n\n");
		first = false;
		strbuf_addf(out, "  ! %s \"", kind_name(thing->kind));
		strbuf_add_escaped(out, thing->name);
		strbuf_adds(out, "\" ");
		strbuf_add_escaped(out, thing->id);
		if (thing->per_hour > 0)
			strbuf_addf(out, ", " STR_FMT "/h", STR_ARG(
			    format_rate(page->arena, thing->per_hour)));
		strbuf_addc(out, '\n');
	}
	if (!first)
		strbuf_addc(out, '\n');
}

static void
add_checks(struct strbuf *out, const struct page *page)
{
	const struct plan *plan = page->plan;
	struct style style = page->options->style;
	bool any = false;

	for (size_t i = 0; i < plan->checks.n; i++) {
		const struct plan_check *check = &plan->checks.items[i];
		struct strbuf line = {0};
		struct str place;
		if (check->status == CHECK_PASS)
			continue;
		enum paint paint = check->status == CHECK_FAIL ? PAINT_RED :
		    PAINT_YELLOW;
		const char *word = check->status == CHECK_FAIL ? "refused" :
		    "warning";
		strbuf_addf(&line, "%s: ", check->id);
		strbuf_add_escaped(&line, check->message);
		place = span_place(page->arena, page->options->sources,
		    check->span, false);
		if (place.len > 0)
			strbuf_addf(&line, " (" STR_FMT ")", STR_ARG(place));
		style_add(out, style, paint, str_from(word));
		strbuf_addc(out, ' ');
		cells_wrap(out, strbuf_str(&line), 8, 8,
		    (size_t)style.width);
		strbuf_addc(out, '\n');
		strbuf_release(&line);
		any = true;
	}
	if (any)
		strbuf_addc(out, '\n');
}

/* Started before, perhaps by a run that was cut off, and not up yet. */
static void
add_waits(struct strbuf *out, const struct page *page)
{
	const struct plan *plan = page->plan;

	for (size_t i = 0; i < plan->waits.n; i++)
		plan_block_header(out, page, plan->waits.items[i].address,
		    STR("is still starting: an apply waits until it is up"),
		    plan->waits.items[i].span);
	if (plan->waits.n > 0)
		strbuf_addc(out, '\n');
}

static void
add_unmanaged(struct strbuf *out, const struct page *page)
{
	const struct plan_cost *cost = &page->plan->cost;

	if (cost->unmanaged_pods + cost->unmanaged_volumes == 0)
		return;
	strbuf_adds(out, "Not managed: ");
	if (cost->unmanaged_pods > 0)
		strbuf_add(out, words_count(page->arena, cost->unmanaged_pods,
		    "pod"));
	if (cost->unmanaged_pods > 0 && cost->unmanaged_volumes > 0)
		strbuf_adds(out, ", ");
	if (cost->unmanaged_volumes > 0)
		strbuf_add(out, words_count(page->arena,
		    cost->unmanaged_volumes, "volume"));
	strbuf_addf(out, " (" STR_FMT "/h). See: podform audit\n",
	    STR_ARG(format_rate(page->arena, cost->unmanaged_per_hour)));
}

static size_t
count_changes(const struct plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->changes.n; i++)
		n += plan->changes.items[i].op != PLAN_NOOP;
	return n;
}

void
plan_text_summary(struct strbuf *out, const struct plan *plan,
    struct style style)
{
	struct arena arena = {0};
	struct plan_text_options options = { .style = style };
	struct page page = { &arena, plan, &options };
	const struct plan_summary *sum = &plan->summary;

	if (count_changes(plan) == 0 && plan->pending.n == 0) {
		strbuf_adds(out, "No changes.\n");
	} else {
		style_add(out, style, PAINT_BOLD, STR("Plan:"));
		strbuf_addf(out, " %zu to add, %zu to change, %zu to destroy; "
		    "%zu to start, %zu to stop", sum->add, sum->change,
		    sum->destroy, sum->start, sum->stop);
		if (sum->forget > 0)
			strbuf_addf(out, ", %zu to forget", sum->forget);
		if (count_changes(plan) == 0)
			strbuf_addf(out, "; %zu to settle, which podform apply "
			    "does", plan->pending.n);
		strbuf_adds(out, ".\n");
	}
	plan_block_cost(out, &page);
	plan_block_balance(out, &page);
	add_unmanaged(out, &page);
	arena_release(&arena);
}

void
plan_text_drift(struct strbuf *out, const struct plan *plan,
    const struct plan_text_options *options)
{
	struct arena arena = {0};
	struct page page = { &arena, plan, options };

	add_drift_section(out, &page);
	arena_release(&arena);
}

void
plan_text_changes(struct strbuf *out, const struct plan *plan,
    const struct plan_text_options *options)
{
	struct arena arena = {0};
	struct page page = { &arena, plan, options };

	add_drift_section(out, &page);
	for (size_t i = 0; i < plan->changes.n; i++)
		plan_block_change(out, &page, &plan->changes.items[i]);
	arena_release(&arena);
}

void
plan_text(struct strbuf *out, const struct plan *plan,
    const struct plan_text_options *options)
{
	struct arena arena = {0};
	struct page page = { &arena, plan, options };

	add_drift_section(out, &page);
	add_pending(out, &page);
	add_waits(out, &page);
	add_suspects(out, &page);
	if (count_changes(plan) > 0)
		add_opening(out, &page);
	for (size_t i = 0; i < plan->changes.n; i++)
		if (plan->changes.items[i].op != PLAN_NOOP)
			plan_block_change(out, &page, &plan->changes.items[i]);
	if (count_changes(plan) > 0)
		strbuf_addc(out, '\n');
	add_checks(out, &page);
	plan_text_summary(out, plan, options->style);
	arena_release(&arena);
}
