/* report.c - see report.h */
#include "ui/report.h"

#include <string.h>

#include "base/units.h"
#include "run/session.h"
#include "ui/cells.h"
#include "ui/notes.h"
#include "ui/table.h"

static void
add_counts(struct strbuf *out, const struct run_summary *sum)
{
	strbuf_addf(out, "%zu added, %zu changed, %zu destroyed; %zu started, "
	    "%zu stopped", sum->added, sum->changed_count, sum->destroyed,
	    sum->started, sum->stopped);
	if (sum->undone > 0)
		strbuf_addf(out, "; %zu undone", sum->undone);
}

/* What it said itself, apart from our own words. */
static void
add_output(struct strbuf *out, struct arena *arena,
    const struct run_failed *failed, struct style style)
{
	struct str rest = failed->output;

	/* One line is in the reason. */
	if (str_find(rest, '\n') < 0)
		rest = (struct str){0};
	while (rest.len > 0) {
		struct str line = str_cut(rest, '\n', &rest);
		strbuf_adds(out, "    ");
		style_add(out, style, PAINT_DIM, STR("|"));
		strbuf_addc(out, ' ');
		strbuf_add(out, cells_escape(arena, line));
		strbuf_addc(out, '\n');
	}
	if (failed->kept.len > 0)
		strbuf_addf(out, "    All that it said is in " STR_FMT "\n",
		    STR_ARG(cells_escape(arena, failed->kept)));
}

static void
add_failures(struct strbuf *out, struct arena *arena,
    const struct run_summary *sum, const struct report_options *options)
{
	size_t width = (size_t)options->style.width;

	for (size_t i = 0; i < sum->failures.n; i++) {
		const struct run_failed *failed = &sum->failures.items[i];
		struct str place = span_place(arena, options->sources,
		    failed->span, false);
		struct str text = arena_printf(arena, STR_FMT ": cannot %s: "
		    STR_FMT "%s" STR_FMT "%s", STR_ARG(failed->address),
		    action_words(failed->kind), STR_ARG(failed->reason),
		    place.len > 0 ? " (" : "", STR_ARG(place),
		    place.len > 0 ? ")" : "");
		strbuf_adds(out, "  ");
		style_add(out, options->style, PAINT_RED, STR("!"));
		strbuf_addc(out, ' ');
		cells_wrap(out, cells_escape(arena, text), 4, 4, width);
		strbuf_addc(out, '\n');
		add_output(out, arena, failed, options->style);
	}
	for (size_t i = 0; i < sum->refused.n; i++) {
		strbuf_adds(out, i == 0 ? "  tried: " : "         ");
		cells_wrap(out, cells_escape(arena, sum->refused.items[i]), 9,
		    9, width);
		strbuf_addc(out, '\n');
	}
}

static void
add_left(struct strbuf *out, struct arena *arena,
    const struct run_summary *sum, const struct report_options *options)
{
	static const struct table_column columns[] = {
		{ .title = "  LEFT" }, { .title = "ID" },
		{ .title = "COST", .right = true },
		{ .title = "WHY", .shrink = true, .wrap = true },
	};
	struct table table;
	int64_t total = 0;

	table_init(&table, arena, columns, COUNTOF(columns));
	for (size_t i = 0; i < sum->left.n; i++) {
		const struct run_left *left = &sum->left.items[i];
		table_addf(&table, "  " STR_FMT, STR_ARG(left->address));
		if (left->id.len > 0)
			table_add(&table, left->id);
		else
			table_addf(&table, "op %.10s", left->op.hex);
		if (left->per_hour >= 0) {
			total += left->per_hour;
			table_addf(&table, STR_FMT "/h", STR_ARG(
			    format_rate(arena, left->per_hour)));
		} else {
			table_add(&table, STR("unknown"));
		}
		table_add(&table, left->why);
	}
	strbuf_addc(out, '\n');
	table_print(out, &table, options->style);
	strbuf_addf(out, "\nTogether " STR_FMT "/h as far as is known.\n",
	    STR_ARG(format_rate(arena, total)));
}

static void
add_next(struct strbuf *out, const struct report_options *options)
{
	strbuf_adds(out, strcmp(options->command, "destroy") == 0 ?
	    "Next: podform destroy  looks again, and ends the rest\n" :
	    "Next: podform apply    looks again, and finishes or undoes the "
	    "rest\n      podform destroy  to end what is left\n");
}

static const char *
headline(const struct run_summary *sum, int exit_code)
{
	switch (exit_code) {
	case EXIT_OK:
		return "complete";
	case EXIT_UNDONE:
		return "failed, and everything it started was undone";
	case EXIT_LEFT:
		return "failed, and something is left that may bill";
	case EXIT_INTERRUPTED:
	case EXIT_TERMINATED:
		return "was interrupted";
	default:
		return sum->failures.n > 0 ? "failed" : "ended";
	}
}

void
report_print(struct strbuf *out, const struct plan *plan,
    const struct run_summary *summary, const struct report_options *options)
{
	struct arena arena = {0};
	bool good = options->exit_code == EXIT_OK;
	struct strbuf line = {0};

	strbuf_addf(&line, "%s %s", strcmp(options->command, "destroy") == 0 ?
	    "Destroy" : "Apply", headline(summary, options->exit_code));
	strbuf_addc(out, '\n');
	style_add(out, options->style, good ? PAINT_GREEN : PAINT_RED,
	    strbuf_str(&line));
	strbuf_adds(out, good ? ": " : ":\n  ");
	add_counts(out, summary);
	strbuf_addf(out, " (" STR_FMT ").\n",
	    STR_ARG(notes_elapsed(&arena, options->elapsed_ms)));
	add_failures(out, &arena, summary, options);
	if (summary->left.n > 0)
		add_left(out, &arena, summary, options);
	if (summary->left.n > 0 || options->exit_code == EXIT_LEFT)
		add_next(out, options);
	else if (good && plan != NULL)
		strbuf_addf(out, "Cost: " STR_FMT "/h, " STR_FMT
		    " per month as planned.\n",
		    STR_ARG(format_rate(&arena, plan->cost.after_per_hour)),
		    STR_ARG(format_total(&arena, plan->cost.after_per_hour *
		    HOURS_PER_MONTH)));
	strbuf_release(&line);
	arena_release(&arena);
}
