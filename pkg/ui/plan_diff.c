/* plan_diff.c - see plan_diff.h */
#include "ui/plan_diff.h"

#include "ui/markdown.h"
#include "ui/plan_block.h"
#include "ui/words.h"

enum {
	WIDTH = 100,		/* of lines: what a page shows unscrolled */
	SYMBOL_INDENT = 6,	/* of an attribute's symbol, at most */
	GRAPH_NODES = 60,	/* more nobody reads */
	LABEL_BYTES = 60,
};

/*
 * Lines of a plan's text with the symbol in the first column.  A symbol that
 * is further in than our own is text from outside and stays where it is.
 */
static void
add_line(struct strbuf *out, struct str line)
{
	static const char *const symbols[] = { "+", "-", "~", "-/+", "+/-",
		"^", "v", "." };
	struct strbuf moved = {0};
	struct str word, rest;
	size_t indent = 0;

	while (indent < line.len && line.data[indent] == ' ')
		indent++;
	word = str_cut(str_sub(line, indent, line.len), ' ', &rest);
	for (size_t i = 0; indent <= SYMBOL_INDENT && i < COUNTOF(symbols);
	    i++) {
		if (!str_is(word, symbols[i]))
			continue;
		strbuf_addc(&moved, *symbols[i] == '~' ? '!' :
		    *symbols[i]);
		strbuf_add(&moved, str_sub(word, 1, word.len));
		strbuf_pad(&moved, indent, ' ');
		strbuf_addc(&moved, ' ');
		strbuf_add(&moved, rest);
	}
	if (moved.len == 0)
		strbuf_add(&moved, line);
	markdown_add_line(out, strbuf_str(&moved));
	strbuf_release(&moved);
}

static void
add_fence(struct strbuf *out, struct str text)
{
	struct strbuf body = {0};

	while (text.len > 0)
		add_line(&body, str_cut(text, '\n', &text));
	markdown_add_fence(out, "diff", strbuf_str(&body));
	strbuf_release(&body);
}

void
plan_diff_change(struct strbuf *out, struct arena *arena,
    const struct plan *plan, const struct plan_change *change)
{
	struct plan_text_options options = { .style = { .width = WIDTH } };
	struct page page = { arena, plan, &options };
	struct strbuf text = {0};

	plan_block_body(&text, &page, change);
	add_fence(out, strbuf_str(&text));
	strbuf_release(&text);
}

void
plan_diff_drift(struct strbuf *out, struct arena *arena,
    const struct plan_drift *drift)
{
	size_t pad = plan_block_pad(drift->attrs.items, drift->attrs.n);
	struct strbuf text = {0};

	for (size_t i = 0; i < drift->attrs.n; i++)
		plan_text_attr(&text, arena, &drift->attrs.items[i], pad,
		    (struct style){ .width = WIDTH });
	add_fence(out, strbuf_str(&text));
	strbuf_release(&text);
}

/* ------------------------------------------------------------- the graph -- */

static bool
ends(const struct plan_change *change)
{
	return change->op == PLAN_DELETE || change->op == PLAN_FORGET;
}

static const char *
verb(const struct plan_change *change)
{
	static const char *const verbs[] = {
		[PLAN_NOOP] = "keep", [PLAN_CREATE] = "create",
		[PLAN_UPDATE] = "change", [PLAN_REPLACE] = "replace",
		[PLAN_DELETE] = "destroy", [PLAN_START] = "start",
		[PLAN_STOP] = "stop", [PLAN_FORGET] = "forget",
	};
	return verbs[change->op];
}

/* An edge for each change that this one needs; what ends, ends before what
 * it needs does. */
static void
add_edges(struct strbuf *body, const struct plan *plan, size_t at)
{
	const struct plan_change *change = &plan->changes.items[at];

	for (size_t i = 0; i < change->depends_on.n && i < GRAPH_NODES; i++)
		for (size_t j = 0; j < plan->changes.n; j++) {
			const struct plan_change *other =
			    &plan->changes.items[j];
			if (j == at || ends(other) != ends(change) ||
			    !str_eq(other->address,
			    change->depends_on.items[i]))
				continue;
			strbuf_addf(body, "  a%zu --> a%zu\n",
			    ends(change) ? at : j, ends(change) ? j : at);
		}
}

/* All that comes has succeeded before anything ends. */
static void
add_barrier(struct strbuf *body, const struct plan *plan)
{
	size_t nends = 0;

	for (size_t i = 0; i < plan->changes.n; i++)
		nends += ends(&plan->changes.items[i]);
	if (nends == 0 || nends == plan->changes.n)
		return;
	strbuf_adds(body, "  up([\"all of it has succeeded\"])\n");
	for (size_t i = 0; i < plan->changes.n; i++) {
		if (ends(&plan->changes.items[i]))
			strbuf_addf(body, "  up --> a%zu\n", i);
		else
			strbuf_addf(body, "  a%zu --> up\n", i);
	}
}

bool
plan_diff_graph(struct strbuf *out, struct arena *arena,
    const struct plan *plan)
{
	struct strbuf body = {0};

	(void)arena;
	if (plan->changes.n == 0 || plan->changes.n > GRAPH_NODES)
		return false;
	strbuf_adds(&body, "flowchart LR\n");
	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct plan_change *change = &plan->changes.items[i];
		strbuf_addf(&body, "  a%zu[\"%s ", i, verb(change));
		markdown_add_label(&body, change->address, LABEL_BYTES);
		strbuf_adds(&body, "\"]\n");
	}
	for (size_t i = 0; i < plan->changes.n; i++)
		add_edges(&body, plan, i);
	add_barrier(&body, plan);
	markdown_add_fence(out, "mermaid", strbuf_str(&body));
	strbuf_release(&body);
	return true;
}
