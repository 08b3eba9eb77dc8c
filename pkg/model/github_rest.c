/* github_rest.c - the runners of a scope: list, make, label, remove. */
#include "model/github_state.h"

#include <json-c/json.h>

/* ------------------------------------------------------------ one runner - */

static void
put_labels(struct json_out *out, const struct hub_runner *runner, bool odd)
{
	json_out_open(out, '[');
	for (size_t i = 0; i < runner->nlabels; i++) {
		json_out_open(out, '{');
		if (!odd)
			json_out_member_int(out, "id", (int64_t)i + 1);
		json_out_member(out, "name", runner->labels[i]);
		json_out_member_c(out, "type", i < runner->nfixed
		    ? "read-only" : "custom");
		json_out_close(out, '}');
	}
	json_out_close(out, ']');
}

static bool
shown_busy(struct hub_exchange *x, const struct hub_runner *runner)
{
	if (runner->job == NULL)
		return false;
	if (hub_struck(x, HUB_BUSY_LIE)) {
		hub_strike_fired(x, HUB_BUSY_LIE);
		return false;
	}
	if (hub_struck(x, HUB_BUSY_FALSE)) {
		hub_strike_fired(x, HUB_BUSY_FALSE);
		return false;
	}
	return x->hub->now_ms - runner->job->assigned_ms >=
	    x->hub->config.busy_lag_ms;
}

static bool
shown_online(struct hub_exchange *x, const struct hub_runner *runner)
{
	if (!hub_runner_online(x->hub, runner))
		return false;
	if (!hub_struck(x, HUB_OFFLINE_LIE))
		return true;
	hub_strike_fired(x, HUB_OFFLINE_LIE);
	return false;
}

/* Every letter of a name as an escape: it is the same name. */
static void
put_escaped_name(struct hub_exchange *x, struct json_out *out,
    struct str name)
{
	json_out_key(out, "name");
	json_out_begin_str(out);
	for (size_t i = 0; i < name.len; i++)
		json_out_piece(out, arena_printf(x->arena, "\\u%04x",
		    (unsigned)(unsigned char)name.data[i]));
	json_out_end_str(out);
}

void
hub_put_runner(struct hub_exchange *x, struct json_out *out,
    const struct hub_runner *runner)
{
	bool odd = hub_struck(x, HUB_ODD), busy = shown_busy(x, runner);

	json_out_open(out, '{');
	json_out_member_int(out, "id", runner->id);
	if (odd && runner->name.len > 0 && (runner->name.data[0] & 0x80) == 0)
		put_escaped_name(x, out, runner->name);
	else
		json_out_member(out, "name", runner->name);
	json_out_member(out, "os", runner->os);
	json_out_member_c(out, "status", shown_online(x, runner) ? "online"
	    : "offline");
	json_out_member_bool(out, "busy", busy);
	if (odd) {
		hub_strike_fired(x, HUB_ODD);
		json_out_key(out, "from_the_future");
		json_out_open(out, '{');
		json_out_member_int(out, "busy", INT64_MAX);
		json_out_close(out, '}');
	}
	json_out_member_bool(out, "ephemeral", runner->ephemeral);
	json_out_member_int(out, "runner_group_id", runner->group_id);
	if (odd || runner->version.len == 0) {
		json_out_key(out, "version");
		json_out_null(out);
	} else {
		json_out_member(out, "version", runner->version);
	}
	json_out_key(out, "labels");
	put_labels(out, runner, odd);
	json_out_close(out, '}');
}

/* The runner of the path, at the path's level; NULL: 404 was answered. */
static struct hub_runner *
runner_or_404(struct hub_exchange *x)
{
	struct hub_runner *runner = NULL;
	int64_t id;

	if (hub_number(x->id, &id))
		runner = hub_runner_by_id(x->hub, id);
	if (runner != NULL && runner->scope == x->scope)
		return runner;
	hub_error(x, 404, "Not Found");
	return NULL;
}

void
hub_get_runner(struct hub_exchange *x)
{
	struct hub_runner *runner = runner_or_404(x);
	struct json_out out = {0};

	if (runner == NULL)
		return;
	hub_put_runner(x, &out, runner);
	hub_json(x, 200, &out);
}

/* --------------------------------------------------------------- lists -- */

/* Some of a page's runners may be left out, or told of twice. */
static void
put_page(struct hub_exchange *x, struct json_out *out,
    struct hub_runner *const *runners, size_t from, size_t to)
{
	size_t n = to - from, chosen = n == 0 ? 0 : from +
	    (size_t)model_random_below(&x->hub->fault_rng, n);

	for (size_t i = from; i < to; i++) {
		if (i == chosen && hub_struck(x, HUB_OMITTED)) {
			hub_strike_fired(x, HUB_OMITTED);
			continue;
		}
		hub_put_runner(x, out, runners[i]);
		if (i == chosen && hub_struck(x, HUB_LISTED_TWICE)) {
			hub_put_runner(x, out, runners[i]);
			hub_strike_fired(x, HUB_LISTED_TWICE);
		}
	}
}

void
hub_list_runners(struct hub_exchange *x)
{
	struct hub *hub = x->hub;
	struct str name = hub_query(x, "name");
	VEC_OF(struct hub_runner *) found = {0};
	struct json_out out = {0};
	size_t from, to;

	for (size_t i = hub->first_alive; i < hub->runners.n; i++) {
		struct hub_runner *runner = hub->runners.items[i];
		if (runner->removed_ms < 0 && runner->scope == x->scope &&
		    (name.data == NULL || str_eq_fold(name, runner->name)))
			*ARENA_PUSH(x->arena, &found) = runner;
	}
	hub_page(x, found.n, &from, &to);
	json_out_open(&out, '{');
	json_out_member_int(&out, "total_count", (int64_t)found.n);
	json_out_key(&out, "runners");
	json_out_open(&out, '[');
	put_page(x, &out, found.items, from, to);
	json_out_close(&out, ']');
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}

/* ----------------------------------------------------------------- make -- */

static bool
names_are_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < 0x20 ||
		    text.data[i] == '"' || text.data[i] == '\\')
			return false;
	return text.len > 0;
}

/* The labels of a body; false: 422 was answered. */
static bool
read_labels(struct hub_exchange *x, struct json_object *body, size_t least,
    struct str **labels, size_t *n)
{
	struct json_object *list = body_object(body, "labels");

	if (!json_object_is_type(list, json_type_array)) {
		hub_invalid(x, "labels", "labels must be an array");
		return false;
	}
	*n = body_strs(x->arena, body, "labels", labels);
	if (*n < least || *n > 100) {
		hub_invalid(x, "labels",
		    "labels must have between 1 and 100 items");
		return false;
	}
	for (size_t i = 0; i < *n; i++)
		if (!names_are_plain((*labels)[i]) ||
		    (*labels)[i].len > 256) {
			hub_invalid(x, "labels", "a label has between 1 and "
			    "256 characters");
			return false;
		}
	return true;
}

static bool
group_exists(const struct hub_exchange *x, int64_t id)
{
	if (x->scope->kind == HUB_REPOSITORY)
		return id == 1;
	for (size_t i = 0; i < x->hub->groups.n; i++)
		if (x->hub->groups.items[i]->organization == x->scope &&
		    x->hub->groups.items[i]->id == id &&
		    !x->hub->groups.items[i]->dead)
			return true;
	return false;
}

static void
answer_jit(struct hub_exchange *x, const struct hub_runner *runner)
{
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_key(&out, "runner");
	hub_put_runner(x, &out, runner);
	json_out_member(&out, "encoded_jit_config", runner->jit);
	json_out_close(&out, '}');
	hub_json(x, 201, &out);
}

static void
make_jit(struct hub_exchange *x, struct json_object *body)
{
	struct str name = body_str(body, "name"), *labels;
	int64_t group = body_int(body, "runner_group_id", 0);
	struct hub_runner *runner;
	size_t n;

	if (!names_are_plain(name) || name.len > 64) {
		hub_invalid(x, "name", "name must have between 1 and 64 "
		    "characters");
		return;
	}
	if (!read_labels(x, body, 1, &labels, &n))
		return;
	if (!group_exists(x, group)) {
		hub_error(x, 422, "Invalid Argument - Runner group %lld does "
		    "not exist.", (long long)group);
		return;
	}
	if (hub_runner_by_name(x->hub, x->scope, name) != NULL) {
		hub_error(x, 409, "Already exists - A runner with the name "
		    "*** already exists.");
		return;
	}
	if (hub_struck(x, HUB_ODD))
		x->hub->next_id += INT64_C(1) << 52;
	runner = hub_make_runner(x->hub, x->scope, name, labels, n, group);
	hub_make_jit(x->hub, runner, hub_web(x));
	if (hub_struck(x, HUB_EVICTED)) {
		runner->evict_after_ms = (int64_t)(120 + model_random_below(
		    &x->hub->fault_rng, 240)) * 1000;
		hub_strike_fired(x, HUB_EVICTED);
	}
	hub_record(x->hub, HUB_OP_REGISTER, HUB_BY_API, runner, NULL);
	answer_jit(x, runner);
}

void
hub_generate_jit(struct hub_exchange *x)
{
	struct json_object *body = hub_body(x);

	if (body == NULL)
		return;
	make_jit(x, body);
	json_object_put(body);
}

/* --------------------------------------------------------------- tokens -- */

/* With milliseconds and an offset, as GitHub writes it. */
static struct str
offset_time(struct arena *arena, int64_t ms)
{
	struct str text = model_rfc3339(arena, ms - 7 * HUB_HOUR_MS);

	return arena_printf(arena, STR_FMT ".%03d-07:00",
	    STR_ARG(str_sub(text, 0, 19)), (int)(ms % 1000));
}

static void
give_ticket(struct hub_exchange *x, bool removes)
{
	struct hub *hub = x->hub;
	struct hub_ticket *ticket = NULL;
	struct json_out out = {0};

	/* Asking again gives the same one for a while. */
	for (size_t i = 0; i < hub->tickets.n; i++) {
		struct hub_ticket *old = &hub->tickets.items[i];
		if (old->scope == x->scope && old->removes == removes &&
		    old->expires_ms > hub->now_ms + HUB_HOUR_MS / 2)
			ticket = old;
	}
	if (ticket == NULL) {
		ticket = ARENA_PUSH(&hub->arena, &hub->tickets);
		*ticket = (struct hub_ticket){
			.text = hub_random_text(hub, 29,
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
			.scope = x->scope, .removes = removes,
			.expires_ms = hub->now_ms + HUB_HOUR_MS,
		};
	}
	json_out_open(&out, '{');
	json_out_member(&out, "token", ticket->text);
	json_out_member(&out, "expires_at", offset_time(x->arena,
	    ticket->expires_ms));
	json_out_close(&out, '}');
	hub_json(x, 201, &out);
}

void
hub_registration_token(struct hub_exchange *x)
{
	give_ticket(x, false);
}

void
hub_remove_token(struct hub_exchange *x)
{
	give_ticket(x, true);
}

/* --------------------------------------------------------------- labels -- */

static void
answer_labels(struct hub_exchange *x, const struct hub_runner *runner)
{
	struct json_out out = {0};

	json_out_open(&out, '{');
	json_out_member_int(&out, "total_count", (int64_t)runner->nlabels);
	json_out_key(&out, "labels");
	put_labels(&out, runner, false);
	json_out_close(&out, '}');
	hub_json(x, 200, &out);
}

void
hub_get_labels(struct hub_exchange *x)
{
	struct hub_runner *runner = runner_or_404(x);

	if (runner != NULL)
		answer_labels(x, runner);
}

static void
change_labels(struct hub_exchange *x, bool add)
{
	struct hub_runner *runner = runner_or_404(x);
	struct json_object *body = runner == NULL ? NULL : hub_body(x);
	VEC_OF(struct str) all = {0};
	struct str *labels;
	size_t n;

	if (body == NULL)
		return;
	if (read_labels(x, body, add ? 1 : 0, &labels, &n)) {
		for (size_t i = runner->nfixed; add && i < runner->nlabels;
		    i++)
			*ARENA_PUSH(x->arena, &all) = runner->labels[i];
		for (size_t i = 0; i < n; i++)
			*ARENA_PUSH(x->arena, &all) = labels[i];
		hub_set_labels(x->hub, runner, all.items, all.n);
		hub_record(x->hub, HUB_OP_LABELS, HUB_BY_API, runner, NULL);
		answer_labels(x, runner);
	}
	json_object_put(body);
}

void
hub_add_labels(struct hub_exchange *x)
{
	change_labels(x, true);
}

void
hub_put_labels(struct hub_exchange *x)
{
	change_labels(x, false);
}

void
hub_delete_labels(struct hub_exchange *x)
{
	struct hub_runner *runner = runner_or_404(x);

	if (runner == NULL)
		return;
	hub_set_labels(x->hub, runner, NULL, 0);
	hub_record(x->hub, HUB_OP_LABELS, HUB_BY_API, runner, NULL);
	answer_labels(x, runner);
}

void
hub_delete_label(struct hub_exchange *x)
{
	struct hub_runner *runner = runner_or_404(x);
	VEC_OF(struct str) left = {0};
	size_t at = 0;

	if (runner == NULL)
		return;
	while (at < runner->nlabels &&
	    !str_eq_fold(runner->labels[at], x->id2))
		at++;
	if (at == runner->nlabels) {
		hub_error(x, 404, "Not Found");
		return;
	}
	if (at < runner->nfixed) {
		hub_error(x, 422, "Label '" STR_FMT "' is read-only and "
		    "cannot be removed.", STR_ARG(x->id2));
		return;
	}
	for (size_t i = runner->nfixed; i < runner->nlabels; i++)
		if (i != at)
			*ARENA_PUSH(x->arena, &left) = runner->labels[i];
	hub_set_labels(x->hub, runner, left.items, left.n);
	hub_record(x->hub, HUB_OP_LABELS, HUB_BY_API, runner, NULL);
	answer_labels(x, runner);
}

/* --------------------------------------------------------------- remove -- */

void
hub_delete_runner(struct hub_exchange *x)
{
	struct hub_runner *runner = runner_or_404(x);

	if (runner == NULL)
		return;
	if (hub_struck(x, HUB_JOB_FIRST) && hub_force_job(x->hub, runner))
		hub_strike_fired(x, HUB_JOB_FIRST);
	if (runner->job != NULL && hub_struck(x, HUB_BUSY_LIE)) {
		hub_strike_fired(x, HUB_BUSY_LIE);
	} else if (runner->job != NULL) {
		hub_record(x->hub, HUB_OP_DELETE_REFUSED, HUB_BY_API, runner,
		    runner->job);
		hub_error(x, 422, "Bad request - Runner \"" STR_FMT "\" is "
		    "still running a job\"", STR_ARG(runner->name));
		return;
	}
	hub_remove(x->hub, runner, HUB_BY_API);
	hub_empty(x, 204);
}
