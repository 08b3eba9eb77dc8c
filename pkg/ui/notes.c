/* notes.c - see notes.h */
#include "ui/notes.h"

#include "base/units.h"
#include "ui/cells.h"

struct kind_words { const char *verb, *doing, *done; };

static const struct kind_words kinds[ACTION_KIND_COUNT] = {
	[ACTION_VOLUME_CREATE] = { "create", "creating", "created" },
	[ACTION_VOLUME_UPDATE] = { "update", "growing", "grown" },
	[ACTION_POD_CONFIRM_GONE] = { "confirm", "making sure that it is gone",
		"is gone" },
	[ACTION_POD_CREATE] = { "create", "creating", "created" },
	[ACTION_POD_UPDATE] = { "update", "updating", "updated" },
	[ACTION_POD_START] = { "start", "starting", "started" },
	[ACTION_POD_RUNNING] = { "wait", "waiting until it runs", "runs" },
	[ACTION_POD_SSH] = { "wait", "waiting for SSH", "answers on SSH" },
	[ACTION_POD_LOGIN] = { "login", "logging in", "is logged in" },
	[ACTION_POD_CHECK] = { "check", "trying check",
		"passes check" },
	[ACTION_POD_SETUP] = { "setup", "doing setup step",
		"has done setup step" },
	[ACTION_POD_PROCESS] = { "process", "starting its process",
		"runs its process" },
	[ACTION_POD_BACKUP] = { "check", "checking its backup",
		"was asked about its backup" },
	[ACTION_RUNNER_INSTALL] = { "install", "installing", "installed" },
	[ACTION_RUNNER_REGISTER] = { "create", "registering", "registered" },
	[ACTION_RUNNER_START] = { "start", "starting", "listens" },
	[ACTION_RUNNER_ONLINE] = { "wait", "waiting until GitHub sees it",
		"is online" },
	[ACTION_RUNNER_REMOVE] = { "delete", "removing", "removed" },
	[ACTION_TUNNEL_OPEN] = { "create", "opening", "is up" },
	[ACTION_TUNNEL_CLOSE] = { "delete", "closing", "closed" },
	[ACTION_POD_STOP] = { "stop", "stopping", "stopped" },
	[ACTION_BARRIER] = { "wait", "", "" },
	[ACTION_POD_DELETE] = { "delete", "terminating", "terminated" },
	[ACTION_VOLUME_DELETE] = { "delete", "deleting", "deleted" },
};

const char *
notes_verb(enum action_kind kind)
{
	return kinds[kind].verb;
}

struct str
notes_elapsed(struct arena *arena, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	if (ms < 10 * SECOND_MS)
		return arena_printf(arena, "%lld.%lld s",
		    (long long)(ms / SECOND_MS),
		    (long long)(ms % SECOND_MS / 100));
	if (ms < MINUTE_MS)
		return arena_printf(arena, "%lld s",
		    (long long)(ms / SECOND_MS));
	return format_duration(arena, ms / SECOND_MS * SECOND_MS);
}

/* ` 2 of 3`, where there are several. */
static struct str
step_words(struct arena *arena, const struct run_note *note)
{
	return note->steps <= 1 ? STR("") : arena_printf(arena, " %zu of %zu",
	    note->step + 1, note->steps);
}

static struct str
doing_words(struct arena *arena, const struct run_note *note)
{
	return arena_printf(arena, "%s" STR_FMT, kinds[note->kind].doing,
	    STR_ARG(step_words(arena, note)));
}

/* The id was told when it was assigned. */
static struct str
done_words(struct arena *arena, const struct run_note *note)
{
	if (note->text.len > 0)
		return arena_printf(arena, STR_FMT " (" STR_FMT ")",
		    STR_ARG(note->text), STR_ARG(notes_elapsed(arena,
		    note->elapsed_ms)));
	return arena_printf(arena, "%s" STR_FMT " (" STR_FMT ")",
	    kinds[note->kind].done, STR_ARG(step_words(arena, note)),
	    STR_ARG(notes_elapsed(arena, note->elapsed_ms)));
}

/* `WORDS: TEXT`, or only one of both. */
static struct str
with_text(struct arena *arena, const char *words, struct str text)
{
	return arena_printf(arena, "%s%s" STR_FMT, words,
	    *words != '\0' && text.len > 0 ? ": " : "", STR_ARG(text));
}

static struct str
words_of(struct arena *arena, const struct run_note *note)
{
	switch (note->type) {
	case NOTE_ACTION_START:
		return doing_words(arena, note);
	case NOTE_PROGRESS:
		return arena_printf(arena, STR_FMT " (" STR_FMT ")",
		    STR_ARG(note->text.len > 0 ? note->text :
		    doing_words(arena, note)), STR_ARG(notes_elapsed(arena,
		    note->elapsed_ms)));
	case NOTE_ID_ASSIGNED:
		return arena_printf(arena, "created with id " STR_FMT "%s"
		    STR_FMT "%s", STR_ARG(note->id),
		    note->per_hour > 0 ? ", bills " : "",
		    STR_ARG(note->per_hour > 0 ? format_rate(arena,
		    note->per_hour) : (struct str){0}),
		    note->per_hour > 0 ? "/h" : "");
	case NOTE_CANDIDATE_REFUSED:
		return with_text(arena, "refused", note->text);
	case NOTE_RETRY:
		return with_text(arena, "trying again", note->text);
	case NOTE_UNCLEAR:
		if (note->action == SIZE_MAX)
			return note->text;
		return with_text(arena, "unclear whether it happened, looking",
		    note->text);
	case NOTE_ACTION_DONE:
		return done_words(arena, note);
	case NOTE_ACTION_ERROR:
		return with_text(arena, "failed", note->text);
	case NOTE_ACTION_SKIPPED:
		return with_text(arena, "skipped", note->text);
	case NOTE_ROLLBACK_START:
		return STR("undoing what was done");
	case NOTE_ROLLBACK_DONE:
		return STR("undone");
	case NOTE_STOPPING:
		break;
	}
	return (struct str){0};
}

struct str
notes_sentence(struct arena *arena, const struct run_note *note)
{
	struct str words;

	if (note->type == NOTE_STOPPING)
		return STR("stopping: nothing new is started, what is on its "
		    "way is waited for; once more leaves at once");
	if (note->action != SIZE_MAX && note->kind == ACTION_BARRIER)
		return (struct str){0};
	words = words_of(arena, note);
	if (note->undo && note->type != NOTE_ROLLBACK_START)
		words = arena_printf(arena, "undo: " STR_FMT, STR_ARG(words));
	if (note->address.len > 0)
		words = arena_printf(arena, STR_FMT ": " STR_FMT,
		    STR_ARG(note->address), STR_ARG(words));
	return cells_escape(arena, words);
}
