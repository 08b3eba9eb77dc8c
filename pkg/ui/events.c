/* events.c - see events.h */
#include "ui/events.h"

#include "base/json.h"
#include "base/units.h"
#include "ui/diag_json.h"
#include "ui/notes.h"
#include "ui/plan_json.h"
#include "ui/words.h"

/* The members that every event has; the body follows. */
static struct json_writer
begin(const struct events *events, int64_t wall_ms, const char *level,
    const char *type, struct str message)
{
	struct json_writer w = { .out = events->out };
	struct arena arena = {0};

	json_begin(&w, '{');
	json_member_str(&w, "@level", str_from(level));
	json_member_str(&w, "@message", message);
	json_member_str(&w, "@module", STR("podform"));
	json_member_str(&w, "@timestamp", format_time(&arena, wall_ms));
	json_member_str(&w, "type", str_from(type));
	arena_release(&arena);
	return w;
}

static void
end(struct json_writer *w)
{
	json_end(w, '}');
	strbuf_addc(w->out, '\n');
}

void
events_version(const struct events *events, int64_t wall_ms)
{
	struct arena arena = {0};
	struct json_writer w = begin(events, wall_ms, "info", "version",
	    arena_printf(&arena, "podform " STR_FMT,
	    STR_ARG(events->version)));

	json_member_str(&w, "podform", events->version);
	json_member_str(&w, "format_version", STR("1.0"));
	end(&w);
	arena_release(&arena);
}

void
events_diag(const struct events *events, int64_t wall_ms,
    const struct diags *diags, const struct diag *diag)
{
	struct json_writer w = begin(events, wall_ms,
	    diag->severity == SEVERITY_ERROR ? "error" : "warn",
	    "diagnostic", diag->message);

	json_key(&w, "diagnostic");
	diag_json(&w, diags, diag);
	end(&w);
}

static void
put_change(const struct events *events, int64_t wall_ms,
    const struct plan *plan, const struct plan_change *change,
    const struct sources *sources)
{
	struct arena arena = {0};
	struct json_writer w = begin(events, wall_ms, "info",
	    "planned_change", arena_printf(&arena, STR_FMT " " STR_FMT,
	    STR_ARG(change->address), STR_ARG(words_header(&arena, change))));

	json_key(&w, "change");
	plan_json_change(&w, plan, change, sources);
	end(&w);
	arena_release(&arena);
}

static void
put_drift(const struct events *events, int64_t wall_ms,
    const struct plan_drift *drift)
{
	struct arena arena = {0};
	const char *what = drift->gone ? "deleted" : drift->stopped ?
	    "stopped" : drift->started ? "started" : "changed";
	struct json_writer w = begin(events, wall_ms, "info",
	    "resource_drift", arena_printf(&arena, STR_FMT
	    " was %s outside of podform", STR_ARG(drift->address), what));

	json_key(&w, "change");
	json_begin(&w, '{');
	json_member_str(&w, "address", drift->address);
	json_member_str(&w, "what", str_from(what));
	json_key(&w, "paths");
	json_begin(&w, '[');
	for (size_t i = 0; i < drift->attrs.n; i++)
		json_put_str(&w, drift->attrs.items[i].path);
	json_end(&w, ']');
	plan_json_put_ack(&w, drift->ack);
	json_end(&w, '}');
	end(&w);
	arena_release(&arena);
}

static void
put_change_summary(const struct events *events, int64_t wall_ms,
    const struct plan *plan)
{
	const struct plan_summary *sum = &plan->summary;
	struct arena arena = {0};
	struct json_writer w = begin(events, wall_ms, "info",
	    "change_summary", arena_printf(&arena, "Plan: %zu to add, %zu to "
	    "change, %zu to destroy; %zu to start, %zu to stop.", sum->add,
	    sum->change, sum->destroy, sum->start, sum->stop));

	json_key(&w, "changes");
	json_begin(&w, '{');
	json_member_int(&w, "add", (int64_t)sum->add);
	json_member_int(&w, "change", (int64_t)sum->change);
	json_member_int(&w, "remove", (int64_t)sum->destroy);
	json_member_int(&w, "start", (int64_t)sum->start);
	json_member_int(&w, "stop", (int64_t)sum->stop);
	json_member_int(&w, "forget", (int64_t)sum->forget);
	json_member_str(&w, "operation", STR("plan"));
	json_end(&w, '}');
	json_key(&w, "cost");
	json_begin(&w, '{');
	json_member_usd(&w, "before_per_hour", plan->cost.before_per_hour);
	json_member_usd(&w, "after_per_hour", plan->cost.after_per_hour);
	json_member_usd(&w, "worst_per_hour", plan->cost.worst_per_hour);
	json_end(&w, '}');
	end(&w);
	arena_release(&arena);
}

void
events_plan(const struct events *events, int64_t wall_ms,
    const struct plan *plan, const struct sources *sources)
{
	for (size_t i = 0; i < plan->drift.n; i++)
		put_drift(events, wall_ms, &plan->drift.items[i]);
	for (size_t i = 0; i < plan->changes.n; i++)
		put_change(events, wall_ms, plan, &plan->changes.items[i],
		    sources);
	put_change_summary(events, wall_ms, plan);
}

struct note_row { const char *type, *level; };

static const struct note_row notes[] = {
	[NOTE_ACTION_START] = { "action_start", "info" },
	[NOTE_PROGRESS] = { "action_progress", "info" },
	[NOTE_ID_ASSIGNED] = { "id_assigned", "info" },
	[NOTE_CANDIDATE_REFUSED] = { "candidate_refused", "warn" },
	[NOTE_RETRY] = { "action_progress", "warn" },
	[NOTE_UNCLEAR] = { "action_progress", "warn" },
	[NOTE_ACTION_DONE] = { "action_complete", "info" },
	[NOTE_ACTION_ERROR] = { "action_errored", "error" },
	[NOTE_ACTION_SKIPPED] = { "action_skipped", "info" },
	[NOTE_ROLLBACK_START] = { "rollback_start", "warn" },
	[NOTE_ROLLBACK_DONE] = { "rollback_complete", "info" },
	[NOTE_STOPPING] = { "stopping", "warn" },
};

static void
put_hook(struct json_writer *w, const struct run_note *note)
{
	json_key(w, "hook");
	json_begin(w, '{');
	json_member_str(w, "address", note->address);
	if (note->change != NULL)
		json_member_str(w, "kind",
		    str_from(kind_name(note->change->kind)));
	if (note->action != SIZE_MAX)
		json_member_str(w, "action", str_from(notes_verb(note->kind)));
	json_member_str(w, "id", note->id.len > 0 ? note->id :
	    (struct str){0});
	if (note->undo)
		json_member_bool(w, "undo", true);
	if (note->type == NOTE_RETRY)
		json_member_bool(w, "retry", true);
	if (note->type == NOTE_UNCLEAR)
		json_member_bool(w, "unclear", true);
	json_member_str(w, "text", note->text.len > 0 ? note->text :
	    (struct str){0});
	json_member_int(w, "elapsed_ms", note->elapsed_ms);
	if (note->per_hour > 0)
		json_member_usd(w, "per_hour", note->per_hour);
	json_end(w, '}');
}

void
events_note(const struct events *events, int64_t wall_ms,
    const struct run_note *note)
{
	const struct note_row *row = &notes[note->type];
	struct arena arena = {0};
	struct str sentence = notes_sentence(&arena, note);

	if (sentence.len > 0) {
		struct json_writer w = begin(events, wall_ms, row->level,
		    row->type, sentence);
		put_hook(&w, note);
		end(&w);
	}
	arena_release(&arena);
}

void
events_tunnel(const struct events *events, int64_t wall_ms,
    const struct tunnel_status *tunnel)
{
	struct arena arena = {0};
	bool up = tunnel->state == TUNNEL_UP;
	struct str state = str_from(tunnel_state_name(tunnel->state));
	struct str url = tunnel_url(&arena, tunnel);
	struct json_writer w = begin(events, wall_ms, up ? "info" : "warn",
	    "tunnel", arena_printf(&arena, STR_FMT ": " STR_FMT ", " STR_FMT,
	    STR_ARG(tunnel->config.address), STR_ARG(state), STR_ARG(url)));

	json_key(&w, "tunnel");
	json_begin(&w, '{');
	json_member_str(&w, "address", tunnel->config.address);
	json_member_str(&w, "state", state);
	json_member_str(&w, "url", url);
	json_member_str(&w, "pod", tunnel->config.pod);
	json_member_int(&w, "port", tunnel->port);
	json_member_str(&w, "error", tunnel->error);
	json_end(&w, '}');
	end(&w);
	arena_release(&arena);
}

static void
put_left(struct json_writer *w, const struct run_summary *summary)
{
	json_key(w, "left");
	json_begin(w, '[');
	for (size_t i = 0; i < summary->left.n; i++) {
		const struct run_left *left = &summary->left.items[i];
		json_begin(w, '{');
		json_member_str(w, "address", left->address);
		json_member_str(w, "id", left->id.len > 0 ? left->id :
		    (struct str){0});
		json_member_str(w, "op", id128_str(&left->op).len > 0 ?
		    id128_str(&left->op) : (struct str){0});
		if (left->per_hour >= 0)
			json_member_usd(w, "per_hour", left->per_hour);
		json_member_str(w, "why", left->why);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void
put_failures(struct json_writer *w, const struct run_summary *summary)
{
	json_key(w, "failures");
	json_begin(w, '[');
	for (size_t i = 0; i < summary->failures.n; i++) {
		const struct run_failed *failed = &summary->failures.items[i];
		json_begin(w, '{');
		json_member_str(w, "address", failed->address);
		json_member_str(w, "action",
		    str_from(action_words(failed->kind)));
		json_member_str(w, "reason", failed->reason);
		if (failed->output.len > 0)
			json_member_str(w, "output", failed->output);
		if (failed->kept.len > 0)
			json_member_str(w, "log", failed->kept);
		json_end(w, '}');
	}
	json_end(w, ']');
}

void
events_summary(const struct events *events, int64_t wall_ms,
    const struct run_summary *summary, const struct plan *plan,
    int exit_code)
{
	struct arena arena = {0};
	struct json_writer w = begin(events, wall_ms,
	    exit_code == 0 || exit_code == 2 ? "info" : "error",
	    "run_summary", arena_printf(&arena, "exit %d", exit_code));

	json_member_int(&w, "exit_code", exit_code);
	if (summary != NULL) {
		json_key(&w, "summary");
		json_begin(&w, '{');
		json_member_int(&w, "added", (int64_t)summary->added);
		json_member_int(&w, "changed",
		    (int64_t)summary->changed_count);
		json_member_int(&w, "destroyed", (int64_t)summary->destroyed);
		json_member_int(&w, "started", (int64_t)summary->started);
		json_member_int(&w, "stopped", (int64_t)summary->stopped);
		json_member_int(&w, "undone", (int64_t)summary->undone);
		json_end(&w, '}');
		put_left(&w, summary);
		put_failures(&w, summary);
	}
	if (plan != NULL) {
		json_key(&w, "cost");
		json_begin(&w, '{');
		json_member_usd(&w, "before_per_hour",
		    plan->cost.before_per_hour);
		json_member_usd(&w, "planned_per_hour",
		    plan->cost.after_per_hour);
		json_end(&w, '}');
	}
	end(&w);
	arena_release(&arena);
}
