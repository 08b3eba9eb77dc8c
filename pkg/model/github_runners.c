/* github_runners.c - runners: how they begin, listen and end. */
#include "model/github_state.h"

/* ------------------------------------------------------- registrations -- */

bool
hub_has_label(const struct str *labels, size_t n, struct str label)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_fold(labels[i], label))
			return true;
	return false;
}

/* The read-only ones stay; the others become these. */
void
hub_set_labels(struct hub *hub, struct hub_runner *runner,
    const struct str *labels, size_t n)
{
	struct str *all = ARENA_ARRAY(&hub->arena, struct str,
	    runner->nfixed + n);
	size_t count = runner->nfixed;

	for (size_t i = 0; i < count; i++)
		all[i] = runner->labels[i];
	for (size_t i = 0; i < n; i++)
		if (!hub_has_label(all, count, labels[i]))
			all[count++] = arena_str(&hub->arena, labels[i]);
	runner->labels = all;
	runner->nlabels = count;
}

struct hub_runner *
hub_make_runner(struct hub *hub, struct hub_scope *scope, struct str name,
    const struct str *labels, size_t n, int64_t group_id)
{
	struct hub_runner *runner = ARENA_NEW(&hub->arena, struct hub_runner);

	*runner = (struct hub_runner){
		.id = 20 + hub->next_id++, .scope = scope,
		.name = arena_str(&hub->arena, name), .os = STR("unknown"),
		.group_id = group_id, .created_ms = hub->now_ms,
		.seen_ms = -1, .removed_ms = -1, .evicted_at_ms = -1,
		.evict_after_ms = -1,
		.secret = hub_random_text(hub, 342,
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
	};
	hub_set_labels(hub, runner, labels, n);
	*ARENA_PUSH(&hub->arena, &hub->runners) = runner;
	return runner;
}

#define BOM "\xEF\xBB\xBF"

/* A member whose text is that of a .NET file, in base64. */
static void
put_file(struct hub *hub, struct json_out *out, const char *name,
    struct str text)
{
	json_out_member(out, name, hub_base64(&hub->arena, text));
}

void
hub_make_jit(struct hub *hub, struct hub_runner *runner, struct str base)
{
	struct arena *arena = &hub->arena;
	struct json_out out = {0};
	struct str part = STR("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
	    "opqrstuvwxyz0123456789+/ABCDEFGHIJKLMNOPQRSTUVWXYZ"), settings;

	settings = arena_printf(arena, BOM "{\n  \"agentId\": %lld,\n"
	    "  \"agentName\": \"" STR_FMT "\",\n  \"poolId\": %lld,\n"
	    "  \"poolName\": \"Default\",\n  \"disableUpdate\": true,\n"
	    "  \"ephemeral\": true,\n  \"serverUrl\": \"" STR_FMT "\",\n"
	    "  \"workFolder\": \"_work\",\n  \"useV2Flow\": true,\n"
	    "  \"serverUrlV2\": \"" STR_FMT "\"\n}", (long long)runner->id,
	    STR_ARG(runner->name), (long long)runner->group_id, STR_ARG(base),
	    STR_ARG(base));
	json_out_open(&out, '{');
	put_file(hub, &out, ".runner", settings);
	put_file(hub, &out, ".credentials", arena_printf(arena,
	    BOM "{\n  \"scheme\": \"OAuth\",\n  \"data\": {\n"
	    "    \"clientId\": \"6d1a0000-0000-4000-8000-%012llx\",\n"
	    "    \"authorizationUrl\": \"" STR_FMT "/_sim/token\",\n"
	    "    \"requireFipsCryptography\": \"True\"\n  }\n}",
	    (unsigned long long)runner->id, STR_ARG(base)));
	put_file(hub, &out, ".credentials_rsaparams", arena_printf(arena,
	    "{\"d\":\"" STR_FMT "\",\"dp\":\"" STR_FMT "\",\"dq\":\""
	    STR_FMT "\",\"exponent\":\"AQAB\",\"inverseQ\":\"" STR_FMT
	    "\",\"modulus\":\"" STR_FMT STR_FMT STR_FMT "\",\"p\":\"" STR_FMT
	    "\",\"q\":\"" STR_FMT "\"}", STR_ARG(runner->secret),
	    STR_ARG(part), STR_ARG(part), STR_ARG(part), STR_ARG(part),
	    STR_ARG(part), STR_ARG(part), STR_ARG(part), STR_ARG(part)));
	json_out_close(&out, '}');
	runner->jit = hub_base64(arena, json_out_take(&out, arena));
	runner->by_jit = runner->ephemeral = true;
}

void
hub_remove(struct hub *hub, struct hub_runner *runner, enum hub_actor actor)
{
	struct hub_job *job = runner->job;

	runner->removed_ms = hub->now_ms;
	runner->removed_by = actor;
	runner->robot = false;
	hub_record(hub, HUB_OP_DELETE, actor, runner, NULL);
	if (job == NULL)
		return;
	runner->removed_busy = job->status == HUB_RUNNING;
	runner->job = NULL;
	if (job->status == HUB_ASSIGNED) {
		job->status = HUB_QUEUED;
		job->runner = NULL;
		return;
	}
	job->cancelled_by_delete = true;
	hub_record(hub, HUB_OP_JOB_KILLED, actor, runner, job);
	hub_end_job(hub, job, HUB_CANCELLED);
}

bool
hub_people_delete(struct hub *hub, int64_t now_ms, int64_t id)
{
	struct hub_runner *runner;

	hub_advance(hub, now_ms);
	runner = hub_runner_by_id(hub, id);
	if (runner != NULL)
		hub_remove(hub, runner, HUB_BY_PEOPLE);
	return runner != NULL;
}

/* The scope that a registration URL means: its last two parts, or one. */
static struct hub_scope *
scope_of_url(struct hub *hub, struct str url)
{
	ptrdiff_t slash = str_rfind(url, '/'), before;
	struct hub_scope *scope;

	if (slash < 0)
		return NULL;
	before = str_rfind(str_sub(url, 0, (size_t)slash), '/');
	scope = before < 0 ? NULL : hub_find_scope(hub, str_sub(url,
	    (size_t)before + 1, url.len));
	return scope != NULL ? scope : hub_find_scope(hub,
	    str_sub(url, (size_t)slash + 1, url.len));
}

static struct hub_ticket *
find_ticket(struct hub *hub, struct str text, bool removes)
{
	for (size_t i = 0; i < hub->tickets.n; i++)
		if (hub->tickets.items[i].removes == removes &&
		    hub->tickets.items[i].expires_ms > hub->now_ms &&
		    str_eq(hub->tickets.items[i].text, text))
			return &hub->tickets.items[i];
	return NULL;
}

static int64_t
group_by_name(const struct hub *hub, const struct hub_scope *scope,
    struct str name)
{
	if (name.len == 0 || scope->kind == HUB_REPOSITORY)
		return 1;
	for (size_t i = 0; i < hub->groups.n; i++)
		if (hub->groups.items[i]->organization == scope &&
		    !hub->groups.items[i]->dead &&
		    str_eq_fold(hub->groups.items[i]->name, name))
			return hub->groups.items[i]->id;
	return 0;
}

static void
label_registered(struct hub *hub, struct hub_runner *runner,
    const struct hub_registration *wish)
{
	const struct str fixed[] = { STR("self-hosted"), STR("Linux"),
	    STR("X64") };

	runner->nfixed = 0;
	if (!wish->no_default_labels) {
		hub_set_labels(hub, runner, fixed, COUNTOF(fixed));
		runner->nfixed = COUNTOF(fixed);
	}
	hub_set_labels(hub, runner, wish->labels, wish->nlabels);
}

enum hub_reply
hub_register(struct hub *hub, int64_t now_ms,
    const struct hub_registration *wish, struct hub_runner **runner)
{
	struct hub_scope *scope;
	struct hub_ticket *ticket;
	int64_t group;

	hub_advance(hub, now_ms);
	scope = scope_of_url(hub, wish->url);
	ticket = find_ticket(hub, wish->token, false);
	if (ticket == NULL || scope == NULL || ticket->scope != scope)
		return ticket == NULL ? HUB_REFUSED : HUB_GONE;
	if (hub_version_refused(hub, wish->version))
		return HUB_TOO_OLD;
	group = group_by_name(hub, scope, wish->group);
	if (group == 0 || wish->name.len == 0 || wish->name.len > 64)
		return HUB_INVALID;
	*runner = hub_runner_by_name(hub, scope, wish->name);
	if (*runner != NULL && !wish->replace)
		return HUB_EXISTS;
	if (*runner == NULL) {
		*runner = hub_make_runner(hub, scope, wish->name, NULL, 0,
		    group);
		hub_record(hub, HUB_OP_REGISTER, HUB_BY_RUNNER, *runner, NULL);
	} else {	/* the same id, another key: the old session dies */
		(*runner)->session = 0;
		(*runner)->robot = false;
		(*runner)->secret = hub_random_text(hub, 342,
		    "abcdefghijklmnopqrstuvwxyz0123456789");
		hub_record(hub, HUB_OP_REPLACE, HUB_BY_RUNNER, *runner, NULL);
	}
	(*runner)->ephemeral = wish->ephemeral;
	(*runner)->version = arena_str(&hub->arena, wish->version);
	(*runner)->os = STR("Linux");
	label_registered(hub, *runner, wish);
	return HUB_OK;
}

enum hub_reply
hub_unregister(struct hub *hub, int64_t now_ms, int64_t id, struct str token)
{
	struct hub_runner *runner;
	struct hub_ticket *ticket;

	hub_advance(hub, now_ms);
	runner = hub_runner_by_id(hub, id);
	ticket = find_ticket(hub, token, true);
	if (ticket == NULL || (runner != NULL &&
	    (ticket->scope != runner->scope || runner->by_jit)))
		return HUB_REFUSED;
	if (runner == NULL)
		return HUB_GONE;
	if (runner->job != NULL)
		return HUB_TAKEN;
	hub_remove(hub, runner, HUB_BY_RUNNER);
	return HUB_OK;
}

/* ----------------------------------------------------------- listening -- */

/* The living runner with this open session; NULL if it is gone. */
static struct hub_runner *
in_session(struct hub *hub, int64_t now_ms, int64_t id, int64_t session)
{
	struct hub_runner *runner;

	hub_advance(hub, now_ms);
	runner = hub_runner_by_id(hub, id);
	return runner != NULL && session != 0 && runner->session == session
	    ? runner : NULL;
}

static void
open_session(struct hub *hub, struct hub_runner *runner, struct str version,
    struct str pod, bool robot)
{
	runner->session = hub->next_id++;
	runner->seen_ms = hub->now_ms;
	runner->robot = robot;
	runner->os = STR("Linux");
	runner->version = arena_str(&hub->arena, version);
	runner->pod = arena_str(&hub->arena, pod);
	if (runner->evict_after_ms >= 0)
		runner->evicted_at_ms = hub->now_ms + runner->evict_after_ms;
	hub_record(hub, HUB_OP_CONNECT, HUB_BY_RUNNER, runner, NULL);
	hub_schedule(hub);
}

enum hub_reply
hub_connect(struct hub *hub, int64_t now_ms, int64_t id, struct str secret,
    struct str version, struct str pod, int64_t *session)
{
	struct hub_runner *runner;

	hub_advance(hub, now_ms);
	runner = hub_runner_by_id(hub, id);
	if (runner == NULL)
		return HUB_GONE;
	if (!str_eq(runner->secret, secret))
		return HUB_REFUSED;
	if (hub_version_refused(hub, version))
		return HUB_TOO_OLD;
	if (hub_runner_online(hub, runner))
		return HUB_TAKEN;
	open_session(hub, runner, version, pod, false);
	*session = runner->session;
	return HUB_OK;
}

enum hub_reply
hub_poll(struct hub *hub, int64_t now_ms, int64_t id, int64_t session,
    struct hub_job **job)
{
	struct hub_runner *runner = in_session(hub, now_ms, id, session);

	*job = NULL;
	if (runner == NULL)
		return HUB_GONE;
	runner->seen_ms = hub->now_ms;
	if (hub_version_refused(hub, runner->version))
		return HUB_TOO_OLD;
	hub_schedule(hub);
	if (runner->job == NULL || runner->job->status != HUB_ASSIGNED)
		return HUB_OK;
	*job = runner->job;
	(*job)->status = HUB_RUNNING;
	(*job)->started_ms = (*job)->renewed_ms = hub->now_ms;
	(*job)->pod = runner->pod;
	hub_record(hub, HUB_OP_JOB_START, HUB_BY_GITHUB, runner, *job);
	return HUB_OK;
}

enum hub_reply
hub_renew(struct hub *hub, int64_t now_ms, int64_t id, int64_t session,
    int64_t job)
{
	struct hub_runner *runner = in_session(hub, now_ms, id, session);

	if (runner == NULL)
		return HUB_GONE;
	runner->seen_ms = hub->now_ms;
	if (runner->job == NULL || runner->job->id != job)
		return HUB_GONE;
	runner->job->renewed_ms = hub->now_ms;
	return HUB_OK;
}

enum hub_reply
hub_done(struct hub *hub, int64_t now_ms, int64_t id, int64_t session,
    int64_t job, enum hub_conclusion conclusion, struct str log)
{
	struct hub_runner *runner = in_session(hub, now_ms, id, session);

	if (runner == NULL)
		return HUB_GONE;
	runner->seen_ms = hub->now_ms;
	if (runner->job == NULL || runner->job->id != job)
		return HUB_GONE;
	runner->job->log = arena_str(&hub->arena, log);
	hub_end_job(hub, runner->job, conclusion);
	return HUB_OK;
}

void
hub_disconnect(struct hub *hub, int64_t now_ms, int64_t id, int64_t session)
{
	struct hub_runner *runner = in_session(hub, now_ms, id, session);

	if (runner != NULL)
		runner->session = 0;
}

/* -------------------------------------------------------------- robots -- */

static enum hub_reply
robot_begins(struct hub *hub, struct hub_runner *runner, struct str version,
    struct str pod)
{
	if (hub_robot_meets(hub, HUB_DEPRECATED))
		hub_set_least_version(hub, STR("9999"));
	if (hub_version_refused(hub, version))
		return HUB_TOO_OLD;
	if (hub_runner_online(hub, runner) ||
	    hub_robot_meets(hub, HUB_CONFLICT))
		return HUB_TAKEN;
	open_session(hub, runner, version, pod, true);
	return HUB_OK;
}

enum hub_reply
hub_robot_start(struct hub *hub, int64_t now_ms, struct str jit,
    struct str version, struct str pod)
{
	hub_advance(hub, now_ms);
	for (size_t i = hub->first_alive; i < hub->runners.n; i++) {
		struct hub_runner *runner = hub->runners.items[i];
		if (runner->removed_ms < 0 && str_eq(runner->jit, jit))
			return robot_begins(hub, runner, version, pod);
	}
	return HUB_GONE;
}

enum hub_reply
hub_robot_resume(struct hub *hub, int64_t now_ms, int64_t id,
    struct str version, struct str pod)
{
	struct hub_runner *runner;

	hub_advance(hub, now_ms);
	runner = hub_runner_by_id(hub, id);
	return runner == NULL ? HUB_GONE
	    : robot_begins(hub, runner, version, pod);
}

/* Its process is gone: nobody polls, nobody renews.  The session stays until
 * GitHub notices. */
static void
process_ends(struct hub *hub, struct hub_runner *runner)
{
	struct hub_job *job = runner->job;

	if (runner->robot)
		runner->seen_ms = hub->now_ms;
	runner->robot = false;
	if (job == NULL || job->status != HUB_RUNNING || job->died_ms >= 0)
		return;
	job->died_ms = hub->now_ms;
	hub_record(hub, HUB_OP_JOB_KILLED, HUB_BY_RUNNER, runner, job);
}

void
hub_robot_stop(struct hub *hub, int64_t now_ms, int64_t id)
{
	struct hub_runner *runner;

	hub_advance(hub, now_ms);
	runner = hub_runner_by_id(hub, id);
	if (runner != NULL && runner->robot)
		process_ends(hub, runner);
}

bool
hub_robot_alive(const struct hub *hub, int64_t id)
{
	const struct hub_runner *runner = hub_runner_by_id(hub, id);

	return runner != NULL && runner->robot;
}

void
hub_pod_ended(struct hub *hub, int64_t now_ms, struct str pod)
{
	hub_advance(hub, now_ms);
	for (size_t i = hub->first_alive; i < hub->runners.n; i++) {
		struct hub_runner *runner = hub->runners.items[i];
		if (runner->removed_ms < 0 && runner->pod.len > 0 &&
		    str_eq(runner->pod, pod))
			process_ends(hub, runner);
	}
}
