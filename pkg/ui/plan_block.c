/* plan_block.c - see plan_block.h */
#include "ui/plan_block.h"

#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "ui/cells.h"
#include "ui/words.h"

enum {
	INDENT = 8,		/* of an attribute's name */
	PAD_MIN = 10,		/* "on failure" */
	PAD_MAX = 24,
};

void
plan_block_header(struct strbuf *out, const struct page *page,
    struct str address, struct str what, struct span span)
{
	struct style style = page->options->style;
	size_t width = (size_t)style.width, from = out->len;
	struct str place = span_place(page->arena, page->options->sources,
	    span, false);
	struct str rest = {0};

	what = cells_escape(page->arena, what);
	address = cells_escape(page->arena, address);
	place = cells_escape(page->arena, place);
	size_t need = 4 + address.len + 1 + cells_width(what) +
	    (place.len > 0 ? 2 + cells_width(place) : 0);
	if (need > width)
		what = str_cut(what, ':', &rest);
	strbuf_adds(out, style_on(style, PAINT_BOLD));
	strbuf_addf(out, "  # " STR_FMT " " STR_FMT "%s", STR_ARG(address),
	    STR_ARG(what), rest.len > 0 ? ":" : "");
	strbuf_adds(out, style_off(style, PAINT_BOLD));
	if (place.len > 0) {
		strbuf_adds(out, "  ");
		cells_pad(out, from, width - (cells_width(place) < width ?
		    cells_width(place) : 0));
		style_add(out, style, PAINT_DIM, place);
	}
	strbuf_addc(out, '\n');
	if (rest.len > 0) {
		strbuf_adds(out, "  #  ");
		cells_wrap(out, rest, 5, 5, width);
		strbuf_addc(out, '\n');
	}
}

size_t
plan_block_pad(const struct plan_attr *attrs, size_t n)
{
	size_t pad = PAD_MIN;

	for (size_t i = 0; i < n; i++) {
		size_t cells = cells_width(attrs[i].path);
		if (cells > pad && cells <= PAD_MAX)
			pad = cells;
	}
	return pad;
}

/* A JSON value for people: a blank after each comma between elements. */
static struct str
value_text(struct arena *arena, struct str json)
{
	struct strbuf buf = {0};
	bool quoted = false;

	for (size_t i = 0; i < json.len; i++) {
		char byte = json.data[i];
		strbuf_addc(&buf, byte);
		if (quoted && byte == '\\' && i + 1 < json.len)
			strbuf_addc(&buf, json.data[++i]);
		else if (byte == '"')
			quoted = !quoted;
		else if (byte == ',' && !quoted)
			strbuf_addc(&buf, ' ');
	}
	json = cells_escape(arena, strbuf_str(&buf));
	strbuf_release(&buf);
	return json;
}

static struct str
before_text(struct arena *arena, const struct plan_attr *attr)
{
	if (attr->before.data == NULL || attr->sensitive)
		return (struct str){0};
	return value_text(arena, attr->before);
}

static struct str
after_text(struct arena *arena, const struct plan_attr *attr)
{
	if (attr->sensitive && attr->before.data != NULL &&
	    attr->after.data != NULL)
		return STR("(secret, changed)");
	if (attr->sensitive)
		return STR("(secret)");
	if (attr->unknown)
		return STR("(known after apply)");
	return attr->after.data == NULL ? (struct str){0} :
	    value_text(arena, attr->after);
}

/* The text of several lines that the value is; absent if it is none. */
static struct str
script_of(struct arena *arena, const struct plan_attr *attr)
{
	struct json_reader reader = { .arena = arena, .where = "value" };
	struct json_error error;
	struct json doc;
	struct str text;

	if (attr->sensitive || attr->unknown || attr->after.len == 0 ||
	    attr->after.data[0] != '"' ||
	    str_search(attr->after, STR("\\n")) < 0 ||
	    !json_parse(arena, attr->after, (struct json_limits){
		.bytes = attr->after.len }, &doc, &error) ||
	    !json_value_str(&reader, json_root(&doc), &text) ||
	    str_find(text, '\n') < 0)
		return (struct str){0};
	return text;
}

/* As in YAML: each line of it on a line of its own. */
static void
add_script(struct strbuf *out, struct arena *arena, struct str text)
{
	while (text.len > 0) {
		struct str line = str_cut(text, '\n', &text);
		strbuf_addc(out, '\n');
		if (line.len == 0)
			continue;
		strbuf_pad(out, INDENT + 2, ' ');
		strbuf_add(out, cells_escape(arena, line));
	}
}

/*
 * Append lead and text, on a line of their own when the line that began at
 * byte `from` has no room for them; returns where the line begins now.
 */
static size_t
add_piece(struct strbuf *out, size_t from, const char *lead, struct str text,
    struct style style)
{
	size_t used = cells_width(str_sub(strbuf_str(out), from, out->len));

	if (used + strlen(lead) + cells_width(text) > (size_t)style.width) {
		strbuf_addc(out, '\n');
		from = out->len;
		strbuf_pad(out, INDENT + 1, ' ');
	}
	strbuf_adds(out, lead);
	strbuf_add(out, text);
	return from;
}

void
plan_text_attr(struct strbuf *out, struct arena *arena,
    const struct plan_attr *attr, size_t pad, struct style style)
{
	struct str before = before_text(arena, attr);
	struct str script = script_of(arena, attr);
	struct str after = script.len > 0 ? STR("|") : after_text(arena, attr);
	bool gone = attr->after.data == NULL && !attr->unknown;
	bool set = attr->before.data == NULL;
	const char *symbol = set ? "+" : gone ? "-" : "~";
	enum paint paint = set ? PAINT_GREEN : gone ? PAINT_RED : PAINT_YELLOW;
	const char *note = attr->ack != NULL ? "# acknowledged" :
	    attr->forces_replacement ? "# forces replacement" :
	    attr->effect == EFFECT_RESTART && !set ?
	    "# restarts the container" : "";
	size_t from = out->len;

	strbuf_addf(out, "      %s%s%s ", style_on(style, paint), symbol,
	    style_off(style, paint));
	strbuf_add_escaped(out, attr->path);
	cells_pad(out, from, INDENT + pad);
	strbuf_adds(out, " =");
	if (gone && !attr->sensitive)
		after = STR("null");
	if (before.len > 0)
		from = add_piece(out, from, " ", before, style);
	from = add_piece(out, from, before.len > 0 ? " -> " : " ", after,
	    style);
	if (*note != '\0') {
		struct strbuf painted = {0};
		style_add(&painted, style, PAINT_RED, str_from(note));
		add_piece(out, from, "   ", strbuf_str(&painted), style);
		strbuf_release(&painted);
	}
	add_script(out, arena, script);
	strbuf_addc(out, '\n');
}

/* `        NAME : TEXT`, wrapped. */
static void
add_fact(struct strbuf *out, const struct page *page, size_t pad,
    const char *name, struct str text, enum paint paint)
{
	struct style style = page->options->style;
	size_t from = out->len;

	strbuf_pad(out, INDENT, ' ');
	strbuf_adds(out, style_on(style, paint));
	strbuf_adds(out, name);
	cells_pad(out, from, INDENT + pad);
	strbuf_adds(out, " : ");
	cells_wrap(out, cells_escape(page->arena, text), INDENT + pad + 3,
	    INDENT + pad + 3, (size_t)style.width);
	strbuf_adds(out, style_off(style, paint));
	strbuf_addc(out, '\n');
}

static void
add_place(struct strbuf *out, const struct page *page, size_t pad,
    const struct plan_change *change)
{
	const struct candidate *all = change->candidates.items;
	size_t n = change->candidates.n;
	struct str before = {0}, text;

	if (n == 0)
		return;
	if (change->pod != NULL)
		before = change->pod->config.data_center;
	text = words_candidate(page->arena, &all[0]);
	if (n > 1 && change->worst_per_hour > 0)
		text = arena_printf(page->arena, "1st of %zu candidates ("
		    STR_FMT " … worst " STR_FMT "/h)", n, STR_ARG(text),
		    STR_ARG(format_rate(page->arena, change->worst_per_hour)));
	else if (n > 1)
		text = arena_printf(page->arena, "1st of %zu candidates ("
		    STR_FMT ")", n, STR_ARG(text));
	if (before.len > 0)
		text = arena_printf(page->arena, STR_FMT " -> " STR_FMT,
		    STR_ARG(before), STR_ARG(text));
	add_fact(out, page, pad, "place", text, PAINT_NONE);
}

static void
add_price(struct strbuf *out, const struct page *page, size_t pad,
    const struct plan_change *change)
{
	struct str before = {0};

	if (change->after_per_hour < 0)
		add_fact(out, page, pad, "price", STR("not known"),
		    PAINT_YELLOW);
	if (change->before_per_hour == change->after_per_hour ||
	    change->after_per_hour < 0)
		return;
	if (change->before_per_hour > 0)
		before = arena_printf(page->arena, STR_FMT "/h -> ",
		    STR_ARG(format_rate(page->arena,
		    change->before_per_hour)));
	add_fact(out, page, pad, "price", arena_printf(page->arena,
	    STR_FMT STR_FMT "/h%s", STR_ARG(before),
	    STR_ARG(format_rate(page->arena, change->after_per_hour)),
	    change->price_unknown ? " and what has no known price" : ""),
	    PAINT_NONE);
}

/* What the change depends on, costs, risks, and what undoes it. */
static void
add_facts(struct strbuf *out, const struct page *page, size_t pad,
    const struct plan_change *change)
{
	bool creates = change->op == PLAN_CREATE || change->op == PLAN_REPLACE;
	struct str id = {0};

	if (change->have != NULL)
		id = change->have->id;
	else if (change->pod != NULL)
		id = change->pod->id;
	else if (change->volume != NULL)
		id = change->volume->id;
	if (id.len > 0 && change->op != PLAN_CREATE)
		add_fact(out, page, pad, "id", id, PAINT_NONE);
	struct str inside = words_inside(page->arena, change);
	struct str runner = words_runner(page->arena, change);
	add_place(out, page, pad, change);
	if (inside.len > 0)
		add_fact(out, page, pad, "inside", inside, PAINT_NONE);
	if (runner.len > 0)
		add_fact(out, page, pad, "GitHub", runner, PAINT_NONE);
	if (change->runner != NULL && change->op != PLAN_CREATE)
		add_fact(out, page, pad, "runner", change->runner->busy ?
		    STR("busy = true, drain ≤ 30m") : STR("busy = false"),
		    PAINT_NONE);
	add_price(out, page, pad, change);
	for (size_t i = 0; i < change->depends_on.n; i++)
		add_fact(out, page, pad, i == 0 ? "after" : "",
		    change->depends_on.items[i], PAINT_NONE);
	if (creates && change->kind == KIND_POD)
		add_fact(out, page, pad, "on failure",
		    str_from(words_on_failure(change->on_failure)),
		    PAINT_NONE);
	if (change->op != PLAN_FORGET && change->undo != NULL)
		add_fact(out, page, pad, "undo", words_undo(page->arena,
		    change), PAINT_NONE);
	for (size_t i = 0; i < change->dangers.n; i++)
		add_fact(out, page, pad, "danger",
		    str_from(words_danger(change->dangers.items[i])),
		    PAINT_RED);
}

void
plan_block_body(struct strbuf *out, const struct page *page,
    const struct plan_change *change)
{
	struct style style = page->options->style;
	size_t pad = plan_block_pad(change->attrs.items, change->attrs.n);
	enum paint paint = words_paint(change->op);

	strbuf_adds(out, style_on(style, paint));
	strbuf_addf(out, "%3s", words_symbol(change));
	strbuf_adds(out, style_off(style, paint));
	strbuf_addf(out, " %s \"", kind_name(change->kind));
	strbuf_add_escaped(out, words_label(page->arena, change));
	strbuf_adds(out, "\"");
	struct strbuf body = {0};
	for (size_t i = 0; i < change->attrs.n; i++)
		plan_text_attr(&body, page->arena, &change->attrs.items[i],
		    pad, style);
	if (change->unchanged > 0)
		strbuf_addf(&body, "        # (%zu unchanged attribute%s "
		    "hidden)\n", change->unchanged,
		    change->unchanged == 1 ? "" : "s");
	add_facts(&body, page, pad, change);
	if (body.len > 0) {
		strbuf_adds(out, " {\n");
		strbuf_add(out, strbuf_str(&body));
		strbuf_adds(out, "    }");
	}
	strbuf_addc(out, '\n');
	strbuf_release(&body);
}

void
plan_block_change(struct strbuf *out, const struct page *page,
    const struct plan_change *change)
{
	plan_block_header(out, page, change->address,
	    words_header(page->arena, change), change->span);
	if (!page->options->concise)
		plan_block_body(out, page, change);
}

void
plan_block_cost(struct strbuf *out, const struct page *page)
{
	const struct plan_cost *cost = &page->plan->cost;
	struct arena *arena = page->arena;
	int64_t delta = cost->after_per_hour - cost->before_per_hour;
	int64_t worst = cost->worst_per_hour - cost->before_per_hour;

	strbuf_addf(out, "Cost: " STR_FMT "/h",
	    STR_ARG(format_rate(arena, cost->before_per_hour)));
	if (delta != 0)
		strbuf_addf(out, " -> " STR_FMT "/h (%s" STR_FMT "/h",
		    STR_ARG(format_rate(arena, cost->after_per_hour)),
		    delta < 0 ? "-" : "+",
		    STR_ARG(format_rate(arena, delta < 0 ? -delta : delta)));
	if (delta != 0 && worst > delta)
		strbuf_addf(out, "; worst +" STR_FMT "/h",
		    STR_ARG(format_rate(arena, worst)));
	if (delta != 0)
		strbuf_addc(out, ')');
	if (cost->storage_per_hour > 0)
		strbuf_addf(out, "; storage " STR_FMT "/h", STR_ARG(
		    format_rate(arena, cost->storage_per_hour)));
	strbuf_adds(out, ".\n      ");
	strbuf_add(out, format_total(arena,
	    cost->before_per_hour * HOURS_PER_MONTH));
	if (delta != 0)
		strbuf_addf(out, " -> " STR_FMT, STR_ARG(format_total(arena,
		    cost->after_per_hour * HOURS_PER_MONTH)));
	strbuf_addf(out, " per month (%d h).\n", HOURS_PER_MONTH);
	if (cost->unknown)
		strbuf_adds(out, "      A price was not known: the real cost "
		    "is higher.\n");
}

/* "9 h", "3 days", "2 months": never more than is there. */
static struct str
lasting(struct arena *arena, int64_t hours)
{
	enum { DAY = 24, MONTH = HOURS_PER_MONTH };

	if (hours < 2 * DAY)
		return arena_printf(arena, "%lld h", (long long)hours);
	if (hours < 3 * MONTH)
		return arena_printf(arena, "%lld days",
		    (long long)(hours / DAY));
	return arena_printf(arena, "%lld months", (long long)(hours / MONTH));
}

void
plan_block_balance(struct strbuf *out, const struct page *page)
{
	const struct live *live = page->plan->live;
	const struct plan_cost *cost = &page->plan->cost;
	int64_t rate = cost->after_per_hour + cost->storage_per_hour +
	    cost->unmanaged_per_hour;

	if (live == NULL || !live->account_known ||
	    !live->account.balance_known)
		return;
	strbuf_addf(out, "Balance: " STR_FMT, STR_ARG(format_total(
	    page->arena, live->account.balance)));
	if (rate > 0 && live->account.balance > 0)
		strbuf_addf(out, "; it lasts for " STR_FMT " at " STR_FMT
		    "/h in all", STR_ARG(lasting(page->arena,
		    live->account.balance / rate)),
		    STR_ARG(format_rate(page->arena, rate)));
	strbuf_adds(out, ".\n");
}
