/*
 * github_wire.c - what the stand-in package's listener says to the hub.
 *
 * A protocol of our own (the real one is undocumented), lines of
 * `name=value` both ways:
 *
 *	POST /_sim/register	url token name labels group version ephemeral
 *				replace no_default_labels -> id secret group
 *	POST /_sim/unregister	id token
 *	POST /_sim/runner/ID/session	version pod -> session
 *	POST /_sim/runner/ID/poll	session -> nothing, or job name seconds
 *					repository fails run
 *	POST /_sim/runner/ID/renew	session job
 *	POST /_sim/runner/ID/done	session job result, an empty line, then
 *					the end of the job's output
 *	POST /_sim/runner/ID/close	session
 *
 * The secret of the registration goes as a bearer token.  200 is good; 404
 * the registration (or the job) is gone, 409 taken, 401 wrong secret or
 * token, 403 the version is refused, 422 not to be had.
 */
#include "model/github_state.h"

/* A value of the request's lines; absent if there is none. */
static struct str
line_of(const struct hub_exchange *x, const char *name)
{
	struct str rest = x->request->body, wanted = str_from(name);

	while (rest.len > 0) {
		struct str value, line = str_cut(rest, '\n', &rest);
		if (line.len == 0)
			break;
		if (str_eq(str_cut(line, '=', &value), wanted))
			return value;
	}
	return (struct str){0};
}

static int64_t
number_of(const struct hub_exchange *x, const char *name)
{
	int64_t value;

	return hub_number(line_of(x, name), &value) ? value : 0;
}

/* What follows the first empty line. */
static struct str
text_of(const struct hub_exchange *x)
{
	ptrdiff_t at = str_search(x->request->body, STR("\n\n"));

	return at < 0 ? (struct str){0} : str_sub(x->request->body,
	    (size_t)at + 2, x->request->body.len);
}

static struct str
secret_of(const struct hub_exchange *x)
{
	struct str secret;

	str_cut(x->request->authorization, ' ', &secret);
	return str_trim(secret);
}

static void
say(struct hub_exchange *x, enum hub_reply reply, struct str lines)
{
	static const int status[] = {
		[HUB_OK] = 200, [HUB_GONE] = 404, [HUB_TAKEN] = 409,
		[HUB_REFUSED] = 401, [HUB_TOO_OLD] = 403, [HUB_EXISTS] = 409,
		[HUB_INVALID] = 422,
	};

	x->reply->status = status[reply];
	x->reply->content_type = STR("text/plain; charset=utf-8");
	x->reply->body = reply == HUB_OK && lines.data != NULL ? lines
	    : STR("");
}

static void
register_runner(struct hub_exchange *x)
{
	struct hub_registration wish = {
		.url = line_of(x, "url"), .token = line_of(x, "token"),
		.name = line_of(x, "name"), .version = line_of(x, "version"),
		.group = line_of(x, "group"),
		.ephemeral = number_of(x, "ephemeral") == 1,
		.replace = number_of(x, "replace") == 1,
		.no_default_labels = number_of(x, "no_default_labels") == 1,
	};
	struct hub_runner *runner = NULL;
	struct str *labels, lines = {0};
	enum hub_reply reply;

	wish.nlabels = rest_split(x->arena, line_of(x, "labels"), &labels);
	wish.labels = labels;
	reply = hub_register(x->hub, x->hub->now_ms, &wish, &runner);
	if (reply == HUB_OK)
		lines = arena_printf(x->arena, "id=%lld\nsecret=" STR_FMT
		    "\ngroup=%lld\n", (long long)runner->id,
		    STR_ARG(runner->secret), (long long)runner->group_id);
	say(x, reply, lines);
}

static void
open_session(struct hub_exchange *x, int64_t id)
{
	struct str version = line_of(x, "version"), lines = {0};
	enum hub_reply reply;
	int64_t session = 0;

	if (hub_struck(x, HUB_DEPRECATED)) {
		hub_set_least_version(x->hub, STR("9999"));
		hub_strike_fired(x, HUB_DEPRECATED);
	}
	if (hub_struck(x, HUB_CONFLICT)) {
		hub_strike_fired(x, HUB_CONFLICT);
		say(x, HUB_TAKEN, lines);
		return;
	}
	reply = hub_connect(x->hub, x->hub->now_ms, id, secret_of(x), version,
	    line_of(x, "pod"), &session);
	if (reply == HUB_OK)
		lines = arena_printf(x->arena, "session=%lld\n",
		    (long long)session);
	say(x, reply, lines);
}

static void
poll_for_job(struct hub_exchange *x, int64_t id)
{
	struct str lines = {0};
	struct hub_job *job;
	enum hub_reply reply = hub_poll(x->hub, x->hub->now_ms, id,
	    number_of(x, "session"), &job);

	if (job != NULL)
		lines = arena_printf(x->arena, "job=%lld\nname=" STR_FMT
		    "\nmilliseconds=%lld\nrepository=" STR_FMT "\nrunid=%lld"
		    "\nfails=%d\nrun=" STR_FMT "\n", (long long)job->id,
		    STR_ARG(job->name), (long long)job->duration_ms,
		    STR_ARG(job->repository->name), (long long)job->run_id,
		    job->fails, STR_ARG(hub_base64(x->arena, job->run)));
	say(x, reply, lines);
}

static void
finish_job(struct hub_exchange *x, int64_t id)
{
	struct str result = line_of(x, "result");
	enum hub_conclusion conclusion = HUB_FAILURE;

	if (str_is(result, "Succeeded"))
		conclusion = HUB_SUCCESS;
	else if (str_is(result, "Canceled"))
		conclusion = HUB_CANCELLED;
	say(x, hub_done(x->hub, x->hub->now_ms, id, number_of(x, "session"),
	    number_of(x, "job"), conclusion, text_of(x)), (struct str){0});
}

static bool
of_runner(struct hub_exchange *x, int64_t id, struct str verb)
{
	bool session = str_is(verb, "session"), poll = str_is(verb, "poll");

	if (session || poll) {
		x->call = session ? HUB_SESSION : HUB_POLL;
		x->hub->calls[x->call]++;
		hub_strike_draw(x->hub, x->call, &x->strike);
		if (hub_struck(x, HUB_REMOVED) &&
		    hub_people_delete(x->hub, x->hub->now_ms, id))
			hub_strike_fired(x, HUB_REMOVED);
	}
	if (session)
		open_session(x, id);
	else if (poll)
		poll_for_job(x, id);
	else if (str_is(verb, "renew"))
		say(x, hub_renew(x->hub, x->hub->now_ms, id,
		    number_of(x, "session"), number_of(x, "job")),
		    (struct str){0});
	else if (str_is(verb, "done"))
		finish_job(x, id);
	else if (str_is(verb, "close"))
		hub_disconnect(x->hub, x->hub->now_ms, id,
		    number_of(x, "session"));
	else
		return false;
	if (x->reply->status == 0)
		say(x, HUB_OK, (struct str){0});
	return true;
}

bool
hub_wire(struct hub_exchange *x)
{
	int64_t id;

	if (!str_is(x->request->method, "POST") || x->nparts < 2)
		return false;
	if (x->nparts == 4 && str_is(x->parts[1], "runner") &&
	    hub_number(x->parts[2], &id))
		return of_runner(x, id, x->parts[3]);
	if (x->nparts == 2 && str_is(x->parts[1], "register")) {
		register_runner(x);
		return true;
	}
	if (x->nparts == 2 && str_is(x->parts[1], "unregister")) {
		say(x, hub_unregister(x->hub, x->hub->now_ms,
		    number_of(x, "id"), line_of(x, "token")),
		    (struct str){0});
		return true;
	}
	return false;
}
