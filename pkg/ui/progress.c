/* progress.c - see progress.h */
#include "ui/progress.h"

#include "base/units.h"
#include "ui/cells.h"
#include "ui/notes.h"

void
progress_init(struct progress *progress, struct style style, size_t total,
    struct strbuf *out)
{
	*progress = (struct progress){ .style = style, .total = total,
		.out = out, .drawn_ms = INT64_MIN / 2 };
}

void
progress_release(struct progress *progress)
{
	for (size_t i = 0; i < progress->items.n; i++) {
		strbuf_release(&progress->items.items[i].address);
		strbuf_release(&progress->items.items[i].text);
	}
	arena_release(&progress->arena);
}

/* ---------------------------------------------------------- live area ---- */

void
progress_clear(struct progress *progress)
{
	if (progress->drawn > 0)
		strbuf_addf(progress->out, "\033[%dA\r\033[J",
		    progress->drawn);
	progress->drawn = 0;
	progress->dirty = true;
}

void
progress_reset(struct progress *progress)
{
	progress_clear(progress);
	for (size_t i = 0; i < progress->items.n; i++)
		progress->items.items[i].used = false;
}

static void
draw_item(struct progress *progress, const struct progress_item *item,
    int64_t now_ms)
{
	size_t width = (size_t)progress->style.width;
	struct arena arena = {0};
	struct str elapsed = format_duration(&arena,
	    (now_ms - item->started_ms) / SECOND_MS * SECOND_MS);
	struct strbuf line = {0};

	/* The last column stays free: some terminals wrap on it. */
	strbuf_addf(&line, "  %s", item->undo ? "undo " : "");
	strbuf_add_escaped(&line, strbuf_str(&item->address));
	strbuf_adds(&line, ": ");
	strbuf_add_escaped(&line, strbuf_str(&item->text));
	cells_cut(progress->out, strbuf_str(&line), width - 12);
	strbuf_adds(progress->out, "  ");
	style_add(progress->out, progress->style, PAINT_DIM, elapsed);
	strbuf_addc(progress->out, '\n');
	progress->drawn++;
	strbuf_release(&line);
	arena_release(&arena);
}

static void
draw(struct progress *progress, int64_t now_ms)
{
	size_t running = 0, shown = 0;

	progress_clear(progress);
	for (size_t i = 0; i < progress->items.n; i++)
		running += progress->items.items[i].used;
	for (size_t i = 0; i < progress->items.n; i++) {
		const struct progress_item *item = &progress->items.items[i];
		if (!item->used || shown == PROGRESS_LINES_MAX)
			continue;
		draw_item(progress, item, now_ms);
		shown++;
	}
	if (running > 0) {
		strbuf_addf(progress->out, "  %zu of %zu done",
		    progress->done, progress->total);
		if (running > shown)
			strbuf_addf(progress->out, ", %zu more running",
			    running - shown);
		strbuf_addc(progress->out, '\n');
		progress->drawn++;
	}
	progress->drawn_ms = now_ms;
	progress->dirty = false;
}

void
progress_tick(struct progress *progress, int64_t now_ms)
{
	int64_t since = now_ms - progress->drawn_ms;

	if (!progress->style.live || since < PROGRESS_REDRAW_MS)
		return;
	if (progress->dirty || since >= 1000)
		draw(progress, now_ms);
}

/* --------------------------------------------------------------- items ---- */

static struct progress_item *
find_item(struct progress *progress, const struct run_note *note, bool make)
{
	struct progress_item *free_one = NULL;

	for (size_t i = 0; i < progress->items.n; i++) {
		struct progress_item *item = &progress->items.items[i];
		if (item->used && item->action == note->action &&
		    item->undo == note->undo && item->kind == note->kind)
			return item;
		if (!item->used)
			free_one = item;
	}
	if (!make)
		return NULL;
	if (free_one == NULL)
		free_one = ARENA_PUSH(&progress->arena, &progress->items);
	free_one->used = true;
	free_one->news = false;
	free_one->action = note->action;
	free_one->undo = note->undo;
	free_one->kind = note->kind;
	strbuf_reset(&free_one->address);
	strbuf_reset(&free_one->text);
	strbuf_add(&free_one->address, note->address);
	return free_one;
}

/* Keep a line: on a terminal above the live area. */
static void
keep_line(struct progress *progress, const struct run_note *note)
{
	struct arena arena = {0};
	struct str sentence = notes_sentence(&arena, note);
	enum paint paint = PAINT_NONE;

	if (sentence.len == 0)
		return;
	if (note->type == NOTE_ACTION_ERROR)
		paint = PAINT_RED;
	else if (note->type == NOTE_ACTION_DONE)
		paint = PAINT_GREEN;
	else if (note->type != NOTE_ACTION_START &&
	    note->type != NOTE_ID_ASSIGNED && note->type != NOTE_PROGRESS)
		paint = PAINT_YELLOW;
	progress_clear(progress);
	strbuf_adds(progress->out, style_on(progress->style, paint));
	/* Plain lines stay whole: one event, one line. */
	if (progress->style.live)
		cells_wrap(progress->out, sentence, 0, 4,
		    (size_t)progress->style.width);
	else
		strbuf_add(progress->out, sentence);
	strbuf_adds(progress->out, style_off(progress->style, paint));
	strbuf_addc(progress->out, '\n');
	arena_release(&arena);
}

static void
begin_item(struct progress *progress, const struct run_note *note,
    int64_t now_ms)
{
	struct progress_item *item;

	if (note->kind == ACTION_BARRIER)
		return;
	item = find_item(progress, note, true);
	item->started_ms = now_ms - note->elapsed_ms;
	item->told_ms = now_ms;
	strbuf_adds(&item->text, action_words(note->kind));
	progress->dirty = true;
	if (!progress->style.live)
		keep_line(progress, note);
}

static void
update_item(struct progress *progress, const struct run_note *note,
    int64_t now_ms)
{
	struct progress_item *item = find_item(progress, note, false);

	if (item == NULL) {
		item = find_item(progress, note, true);
		item->started_ms = now_ms - note->elapsed_ms;
		/* Nobody has told of this one yet. */
		item->told_ms = now_ms - PROGRESS_QUIET_MS;
	}
	/* Who removes a busy runner is to know at once what it waits for. */
	if (note->kind == ACTION_RUNNER_REMOVE && note->text.len > 0 &&
	    !str_eq(note->text, strbuf_str(&item->text)))
		item->told_ms = now_ms - PROGRESS_QUIET_MS;
	if (note->text.len > 0) {
		strbuf_reset(&item->text);
		strbuf_add(&item->text, note->text);
	}
	progress->dirty = true;
	bool news = note->news && !item->news;
	item->news |= note->news;
	if (progress->style.live ||
	    (now_ms - item->told_ms < PROGRESS_QUIET_MS && !news))
		return;
	item->told_ms = now_ms;
	keep_line(progress, note);
}

static void
end_item(struct progress *progress, const struct run_note *note)
{
	struct progress_item *item = find_item(progress, note, false);

	if (item != NULL)
		item->used = false;
	if (!note->undo)
		progress->done++;
	/* That it was created was said when its id came. */
	bool creates = note->kind == ACTION_POD_CREATE ||
	    note->kind == ACTION_VOLUME_CREATE;
	/* Nor is a later step of what was never begun. */
	bool later = note->kind == ACTION_POD_RUNNING ||
	    (note->kind >= ACTION_POD_SSH && note->kind <= ACTION_POD_PROCESS) ||
	    (note->kind >= ACTION_RUNNER_REGISTER &&
		note->kind <= ACTION_RUNNER_ONLINE);
	if ((note->type == NOTE_ACTION_DONE && creates && !note->undo) ||
	    (note->type == NOTE_ACTION_SKIPPED && later))
		progress_clear(progress);
	else
		keep_line(progress, note);
	progress->dirty = true;
}

void
progress_note(struct progress *progress, const struct run_note *note,
    int64_t now_ms)
{
	switch (note->type) {
	case NOTE_ACTION_START:
		begin_item(progress, note, now_ms);
		break;
	case NOTE_PROGRESS:
		update_item(progress, note, now_ms);
		break;
	case NOTE_UNCLEAR:
		/* Of an earlier run: told again and again while it is
		 * settled. */
		if (note->action == SIZE_MAX)
			update_item(progress, note, now_ms);
		else
			keep_line(progress, note);
		break;
	case NOTE_ACTION_DONE:
	case NOTE_ACTION_ERROR:
	case NOTE_ACTION_SKIPPED:
		end_item(progress, note);
		break;
	default:
		keep_line(progress, note);
		break;
	}
	progress_tick(progress, now_ms);
}
