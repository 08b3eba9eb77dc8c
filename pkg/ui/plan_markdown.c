/* plan_markdown.c - the page and its budget; see plan_markdown.h */
#include "ui/plan_markdown.h"

#include "base/units.h"
#include "ui/markdown.h"
#include "ui/plan_diff.h"
#include "ui/words.h"

enum {
	NAME_BYTES = 160,	/* of an address in a row */
	SHORT_BYTES = 60,	/* of what has to be there: head and foot */
	TEXT_BYTES = 300,	/* of a sentence */
	NOTE_BYTES = 1000,	/* kept for "and N more" and closing tags */
};

struct doc {
	struct strbuf *out;
	struct arena *arena;
	const struct plan *plan;
	const struct plan_markdown_options *options;
	size_t from, max;	/* where it begins, and how long it may get */
	size_t end;		/* of the section that is being added */
};

/* ------------------------------------------------------------ the budget -- */

/* The section that follows may take so much of the whole. */
static void
give(struct doc *doc, size_t percent)
{
	size_t all = doc->from + doc->max;

	doc->end = doc->out->len + doc->max * percent / 100;
	doc->end = doc->end < all ? doc->end : all;
}

/* Append a resource's piece if it fits, whole; releases it. */
static bool
take(struct doc *doc, struct strbuf *piece)
{
	bool fits = !piece->failed && doc->out->len + piece->len <= doc->end;

	if (fits)
		strbuf_add(doc->out, strbuf_str(piece));
	strbuf_release(piece);
	return fits;
}

static void
say_more(struct doc *doc, const char *lead, size_t more)
{
	if (more > 0)
		strbuf_addf(doc->out, "%s_and %zu more, see the artefact_\n",
		    lead, more);
}

/* --------------------------------------------------------------- the head -- */

static size_t
count_changes(const struct plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->changes.n; i++)
		n += plan->changes.items[i].op != PLAN_NOOP;
	return n;
}

static void
add_title(struct doc *doc)
{
	const struct plan_binding *binding = doc->options->binding;
	const struct plan_summary *sum = &doc->plan->summary;
	struct strbuf *out = doc->out;

	strbuf_adds(out, "<!-- podform:plan:");
	markdown_add_name(out, binding->project);
	strbuf_adds(out, " -->\n### podform");
	if (binding->mode != PLAN_NORMAL)
		strbuf_addf(out, " (%s)", words_mode(binding->mode));
	if (binding->project.len > 0) {
		strbuf_addc(out, ' ');
		markdown_add_code(out, binding->project, SHORT_BYTES);
	}
	if (count_changes(doc->plan) == 0 && doc->plan->pending.n == 0) {
		strbuf_adds(out, ": no changes\n");
		return;
	}
	strbuf_addf(out, ": %zu to add, %zu to change, %zu to destroy; %zu to "
	    "start, %zu to stop", sum->add, sum->change, sum->destroy,
	    sum->start, sum->stop);
	if (sum->forget > 0)
		strbuf_addf(out, ", %zu to forget", sum->forget);
	if (doc->plan->pending.n > 0)
		strbuf_addf(out, ", %zu to settle", doc->plan->pending.n);
	strbuf_addc(out, '\n');
}

static void
add_money(struct doc *doc)
{
	const struct plan_cost *cost = &doc->plan->cost;
	int64_t delta = cost->after_per_hour - cost->before_per_hour;
	int64_t worst = cost->worst_per_hour - cost->before_per_hour;
	struct strbuf *out = doc->out;

	strbuf_addf(out, "\n**" STR_FMT "/h", STR_ARG(format_rate(doc->arena,
	    cost->before_per_hour)));
	if (delta != 0)
		strbuf_addf(out, " → " STR_FMT "/h** (%s" STR_FMT "/h",
		    STR_ARG(format_rate(doc->arena, cost->after_per_hour)),
		    delta < 0 ? "-" : "+", STR_ARG(format_rate(doc->arena,
		    delta < 0 ? -delta : delta)));
	if (delta != 0 && worst > delta)
		strbuf_addf(out, "; worst +" STR_FMT "/h",
		    STR_ARG(format_rate(doc->arena, worst)));
	strbuf_addf(out, "%s " STR_FMT " per month", delta != 0 ? ")," :
	    "**,", STR_ARG(format_total(doc->arena, cost->after_per_hour *
	    HOURS_PER_MONTH)));
	if (cost->storage_per_hour > 0)
		strbuf_addf(out, ", storage " STR_FMT "/h", STR_ARG(
		    format_rate(doc->arena, cost->storage_per_hour)));
	if (cost->unmanaged_pods + cost->unmanaged_volumes > 0)
		strbuf_addf(out, "; not managed: %zu, " STR_FMT "/h",
		    cost->unmanaged_pods + cost->unmanaged_volumes, STR_ARG(
		    format_rate(doc->arena, cost->unmanaged_per_hour)));
	strbuf_addc(out, '\n');
	if (doc->plan->live == NULL || doc->plan->live->from_lock)
		strbuf_adds(out, "\nMade from the lock file alone; the "
		    "service was not asked.\n");
}

/* ---------------------------------------------------------- the warnings -- */

static bool
is_dangerous(const struct plan_change *change)
{
	return change->op == PLAN_DELETE || change->op == PLAN_REPLACE ||
	    change->dangers.n > 0 || change->restarts;
}

static void
add_warning(struct doc *doc, struct strbuf *out,
    const struct plan_change *change)
{
	strbuf_adds(out, "> - ");
	markdown_add_code(out, change->address, NAME_BYTES);
	strbuf_addc(out, ' ');
	markdown_add(out, words_header(doc->arena, change), TEXT_BYTES);
	for (size_t i = 0; i < change->dangers.n && i < 8; i++) {
		strbuf_adds(out, "; <strong>");
		markdown_add(out, str_from(words_danger(
		    change->dangers.items[i])), TEXT_BYTES);
		strbuf_adds(out, "</strong>");
	}
	if (change->restarts && change->dangers.n == 0)
		strbuf_adds(out, "; <strong>restarts the container"
		    "</strong>");
	strbuf_addc(out, '\n');
}

/* The cost of all of it; false where there is nothing to warn of. */
static bool
add_rise(struct doc *doc, struct strbuf *out)
{
	const struct plan_cost *cost = &doc->plan->cost;
	int64_t rise = cost->after_per_hour - cost->before_per_hour;
	bool rises = rise > PLAN_MARKDOWN_RISE;

	if (rises)
		strbuf_addf(out, "> - the cost rises by " STR_FMT "/h, "
		    STR_FMT " per month\n", STR_ARG(format_rate(doc->arena,
		    rise)), STR_ARG(format_total(doc->arena,
		    rise * HOURS_PER_MONTH)));
	if (cost->unknown)
		strbuf_adds(out, "> - a price is not known: the real cost is "
		    "higher\n");
	return rises || cost->unknown;
}

static void
add_warnings(struct doc *doc)
{
	static const char opening[] = "\n> [!WARNING]\n";
	const struct plan *plan = doc->plan;
	struct strbuf piece = {0};
	size_t more = 0;
	bool open = false;

	give(doc, 12);
	for (size_t i = 0; i <= plan->changes.n; i++) {
		if (i == 0 ? !add_rise(doc, &piece) :
		    !is_dangerous(&plan->changes.items[i - 1]))
			continue;
		if (!open)
			strbuf_adds(doc->out, opening);
		open = true;
		if (i > 0)
			add_warning(doc, &piece, &plan->changes.items[i - 1]);
		more += !take(doc, &piece);
	}
	say_more(doc, "> - ", more);
}

/* ---------------------------------------------- drift, checks, open ends -- */

static struct str
place_of(const struct doc *doc, struct span span)
{
	return span_place(doc->arena, doc->options->sources, span, false);
}

static void
add_place(const struct doc *doc, struct strbuf *out, struct span span)
{
	struct str place = place_of(doc, span);

	if (place.len == 0)
		return;
	strbuf_adds(out, " (");
	markdown_add_code(out, place, NAME_BYTES);
	strbuf_addc(out, ')');
}

static void
add_drift(struct doc *doc, struct strbuf *out, const struct plan_drift *drift)
{
	bool folds = drift->attrs.n > 0;

	strbuf_adds(out, folds ? "\n<details><summary>" : "\n- ");
	markdown_add_code(out, drift->address, NAME_BYTES);
	strbuf_addf(out, " %s", words_drift(drift));
	if (drift->ack != NULL) {
		strbuf_adds(out, ", acknowledged");
		strbuf_adds(out, drift->ack->until.len > 0 ? " until " : "");
		markdown_add(out, drift->ack->until, NAME_BYTES);
		strbuf_adds(out, ": ");
		markdown_add(out, drift->ack->reason, TEXT_BYTES);
	}
	add_place(doc, out, drift->span);
	strbuf_adds(out, folds ? "</summary>\n\n" : "\n");
	if (!folds)
		return;
	plan_diff_drift(out, doc->arena, drift);
	strbuf_adds(out, "\n</details>\n");
}

static void
add_drifts(struct doc *doc, bool known, const char *title)
{
	const struct plan *plan = doc->plan;
	size_t n = 0, more = 0;

	for (size_t i = 0; i < plan->drift.n; i++)
		n += (plan->drift.items[i].ack != NULL) == known;
	if (n == 0)
		return;
	strbuf_addf(doc->out, "\n#### %s: %zu\n", title, n);
	give(doc, known ? 5 : 10);
	for (size_t i = 0; i < plan->drift.n; i++) {
		struct strbuf piece = {0};
		if ((plan->drift.items[i].ack != NULL) != known)
			continue;
		add_drift(doc, &piece, &plan->drift.items[i]);
		more += !take(doc, &piece);
	}
	say_more(doc, "\n", more);
}

static void
add_checks(struct doc *doc)
{
	const struct plan *plan = doc->plan;
	size_t more = 0;
	bool open = false;

	give(doc, 8);
	for (size_t i = 0; i < plan->checks.n; i++) {
		const struct plan_check *check = &plan->checks.items[i];
		struct strbuf piece = {0};
		if (check->status == CHECK_PASS)
			continue;
		if (!open)
			strbuf_adds(doc->out, "\n#### Checks\n\n");
		open = true;
		strbuf_addf(&piece, "- **%s** ",
		    check->status == CHECK_FAIL ? "refused" : "warning");
		markdown_add_code(&piece, str_from(check->id), NAME_BYTES);
		strbuf_addc(&piece, ' ');
		markdown_add(&piece, check->message, TEXT_BYTES);
		add_place(doc, &piece, check->span);
		strbuf_addc(&piece, '\n');
		more += !take(doc, &piece);
	}
	say_more(doc, "- ", more);
}

static void
add_pending(struct doc *doc)
{
	static const char *const words[OP_COUNT] = {
		[OP_CREATE] = "create", [OP_UPDATE] = "update",
		[OP_START] = "start", [OP_STOP] = "stop",
		[OP_DELETE] = "delete",
	};
	const struct plan *plan = doc->plan;
	size_t more = 0;

	if (plan->pending.n == 0)
		return;
	strbuf_adds(doc->out, "\n#### Unclear from an earlier run\n\n");
	give(doc, 3);
	for (size_t i = 0; i < plan->pending.n; i++) {
		const struct lock_op *op = plan->pending.items[i].op;
		struct strbuf piece = {0};
		strbuf_addf(&piece, "- %s ", words[op->action]);
		markdown_add_code(&piece, op->address, NAME_BYTES);
		strbuf_addf(&piece, ", op <code>%.10s</code>\n", op->op.hex);
		more += !take(doc, &piece);
	}
	say_more(doc, "- ", more);
}

/* ------------------------------------------------- the table, the changes -- */

static void
add_rate(const struct doc *doc, struct strbuf *out, int64_t per_hour)
{
	if (per_hour < 0)
		strbuf_adds(out, "not known");
	else if (per_hour > 0)
		strbuf_addf(out, STR_FMT "/h", STR_ARG(format_rate(doc->arena,
		    per_hour)));
}

static void
add_row(struct doc *doc, struct strbuf *out, const struct plan_change *change)
{
	strbuf_adds(out, "| ");
	markdown_add_code(out, str_from(words_symbol(change)), 0);
	strbuf_adds(out, " | ");
	markdown_add_code(out, change->address, NAME_BYTES);
	strbuf_adds(out, " | ");
	markdown_add(out, words_header(doc->arena, change), TEXT_BYTES);
	strbuf_adds(out, " | ");
	add_rate(doc, out, change->op == PLAN_CREATE ? 0 :
	    change->before_per_hour);
	strbuf_adds(out, " | ");
	add_rate(doc, out, change->op == PLAN_DELETE ||
	    change->op == PLAN_FORGET ? 0 : change->after_per_hour);
	strbuf_adds(out, " |\n");
}

static void
add_table(struct doc *doc)
{
	const struct plan *plan = doc->plan;
	size_t more = 0;

	if (count_changes(plan) == 0)
		return;
	strbuf_adds(doc->out, "\n| | Resource | What | Before | After |\n"
	    "|:-:|---|---|--:|--:|\n");
	give(doc, 40);
	for (size_t i = 0; i < plan->changes.n; i++) {
		struct strbuf piece = {0};
		if (plan->changes.items[i].op == PLAN_NOOP)
			continue;
		add_row(doc, &piece, &plan->changes.items[i]);
		more += !take(doc, &piece);
	}
	if (more > 0)
		strbuf_addf(doc->out, "| | _and %zu more, see the artefact_ "
		    "| | | |\n", more);
	strbuf_addf(doc->out, "| | **all that is ours** | | **" STR_FMT
	    "/h** | **" STR_FMT "/h** |\n", STR_ARG(format_rate(doc->arena,
	    plan->cost.before_per_hour)), STR_ARG(format_rate(doc->arena,
	    plan->cost.after_per_hour)));
}

static void
add_change(struct doc *doc, struct strbuf *out,
    const struct plan_change *change)
{
	strbuf_adds(out, "\n<details><summary>");
	markdown_add_code(out, str_from(words_symbol(change)), 0);
	strbuf_addc(out, ' ');
	markdown_add_code(out, change->address, NAME_BYTES);
	strbuf_addc(out, ' ');
	markdown_add(out, words_header(doc->arena, change), TEXT_BYTES);
	add_place(doc, out, change->span);
	strbuf_adds(out, "</summary>\n\n");
	plan_diff_change(out, doc->arena, doc->plan, change);
	strbuf_adds(out, "\n</details>\n");
}

static void
add_changes(struct doc *doc)
{
	const struct plan *plan = doc->plan;
	size_t more = 0;

	doc->end = doc->from + doc->max;
	for (size_t i = 0; i < plan->changes.n; i++) {
		struct strbuf piece = {0};
		if (plan->changes.items[i].op == PLAN_NOOP)
			continue;
		add_change(doc, &piece, &plan->changes.items[i]);
		more += !take(doc, &piece);
	}
	say_more(doc, "\n", more);
}

static void
add_graph(struct doc *doc)
{
	struct strbuf piece = {0};

	if (count_changes(doc->plan) < 2)
		return;
	give(doc, 8);
	strbuf_adds(&piece, "\n<details><summary>Order of the actions"
	    "</summary>\n\n");
	bool drawn = plan_diff_graph(&piece, doc->arena, doc->plan);
	strbuf_adds(&piece, "\n</details>\n");
	if (!drawn)
		strbuf_release(&piece);
	if (!drawn || !take(doc, &piece))
		strbuf_adds(doc->out, "\n_The graph of the actions is too "
		    "large to be read here._\n");
}

/* --------------------------------------------------------------- the foot -- */

static void
add_digest(struct strbuf *out, const char *name, struct str digest)
{
	enum { PREFIX = 7, DIGITS = 12 };	/* past "sha256:" */

	if (digest.len <= PREFIX)
		return;
	strbuf_addf(out, " · %s ", name);
	markdown_add_code(out, str_sub(digest, PREFIX, DIGITS), 0);
}

static void
add_foot(struct doc *doc, struct strbuf *out)
{
	const struct plan_markdown_options *options = doc->options;
	const struct plan_binding *binding = options->binding;
	bool destroys = binding->mode == PLAN_DESTROY;

	/* One that nobody can apply needs no name: before the first apply it
	 * would be another each time. */
	strbuf_adds(out, "\n<sub>plan");
	if (options->file.len > 0) {
		strbuf_addc(out, ' ');
		markdown_add_code(out, str_sub(binding->plan_id, 0, 8), 0);
	}
	add_digest(out, "spec", binding->spec_digest);
	add_digest(out, "live", binding->live_digest);
	if (options->commit.len > 0) {
		strbuf_adds(out, " · commit ");
		markdown_add_code(out, str_sub(options->commit, 0, 12), 0);
	}
	if (options->file.len > 0 && binding->expires_ms > 0)
		strbuf_addf(out, " · valid until " STR_FMT, STR_ARG(
		    format_time(doc->arena, binding->expires_ms)));
	if (count_changes(doc->plan) + doc->plan->pending.n > 0) {
		strbuf_addf(out, " · <code>podform %s", destroys &&
		    options->file.len == 0 ? "destroy" : "apply");
		if (options->file.len > 0)
			strbuf_addc(out, ' ');
		markdown_add(out, options->file, SHORT_BYTES);
		strbuf_adds(out, "</code>");
	}
	strbuf_adds(out, "</sub>\n");
}

void
plan_markdown(struct strbuf *out, const struct plan *plan,
    const struct plan_markdown_options *options)
{
	struct arena arena = {0};
	struct doc doc = { .out = out, .arena = &arena, .plan = plan,
		.options = options, .from = out->len };
	struct strbuf foot = {0};
	size_t max = options->max_bytes > 0 ? options->max_bytes :
	    PLAN_MARKDOWN_BYTES;

	add_foot(&doc, &foot);
	doc.max = max - foot.len - NOTE_BYTES;
	add_title(&doc);
	add_money(&doc);
	add_warnings(&doc);
	add_drifts(&doc, false, "Changed outside of podform");
	add_drifts(&doc, true, "Changed outside of podform, and acknowledged");
	add_checks(&doc);
	add_pending(&doc);
	add_table(&doc);
	add_graph(&doc);
	add_changes(&doc);
	strbuf_add(out, strbuf_str(&foot));
	strbuf_release(&foot);
	arena_release(&arena);
}
