/* session_world.c - see session_world.h */
#include "session_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lock_fixture.h"

/* --------------------------------------------------------- HTTP of both -- */

/*
 * Providers are pure functions without a context: so a request travels as
 * its own bytes in the body, and an answer likewise.
 */
static struct str
bytes_of(struct arena *arena, const void *value, size_t size)
{
	return arena_str(arena, (struct str){ value, size });
}

static void
encode_cloud(struct arena *arena, const struct cloud_request *request,
    struct http_request *out)
{
	*out = (struct http_request){ .host = HOST_CLOUD,
		.body = bytes_of(arena, request, sizeof *request) };
}

static void
decode_cloud(struct arena *arena, const struct cloud_request *request,
    const struct http_answer *http, int64_t wall_ms,
    struct cloud_answer *out)
{
	(void)arena;
	(void)request;
	(void)wall_ms;
	assert_int_equal(http->body.len, sizeof *out);
	memcpy(out, http->body.data, sizeof *out);
}

static void
encode_github(struct arena *arena, const struct github_request *request,
    struct http_request *out)
{
	*out = (struct http_request){ .host = HOST_GITHUB,
		.body = bytes_of(arena, request, sizeof *request) };
}

static void
decode_github(struct arena *arena, const struct github_request *request,
    const struct http_answer *http, int64_t wall_ms,
    struct github_answer *out)
{
	(void)arena;
	(void)request;
	(void)wall_ms;
	assert_int_equal(http->body.len, sizeof *out);
	memcpy(out, http->body.data, sizeof *out);
}

/* --------------------------------------------------------------- asking -- */

static struct play_call *
call(struct session_world *s, enum world_event_type type, uint64_t token)
{
	struct play_call *call = ARENA_PUSH(&s->r.w.arena, &s->waiting);

	call->type = type;
	call->token = token;
	return call;
}

static void
start_http(void *ctx, uint64_t token, const struct http_request *request)
{
	struct session_world *s = ctx;
	struct play_call *made = call(s, WORLD_HTTP, token);

	made->host = request->host;
	assert_true(request->timeout_ms > 0);
	if (request->host == HOST_STORE) {
		struct arena *arena = &s->r.w.arena;
		made->store = *request;
		made->store.path = arena_str(arena, request->path);
		made->store.body = arena_str(arena, request->body);
		made->store.if_match = arena_str(arena, request->if_match);
		made->store.etag = arena_str(arena, request->etag);
		made->store.authorization = arena_str(arena,
		    request->authorization);
		strbuf_addf(&s->log, "store %s " STR_FMT "\n",
		    http_method_name(request->method),
		    STR_ARG(request->path));
		return;
	}
	if (request->host == HOST_GITHUB) {
		memcpy(&made->github, request->body.data,
		    sizeof made->github);
		assert_int_equal(request->effect,
		    github_op_changes(made->github.op));
		strbuf_addf(&s->log, "github %s",
		    github_op_words(made->github.op));
		if (made->github.version.len > 0)
			strbuf_addf(&s->log, " of " STR_FMT,
			    STR_ARG(made->github.version));
		if (made->github.cursor.len > 0)
			strbuf_addf(&s->log, " at " STR_FMT,
			    STR_ARG(made->github.cursor));
	} else {
		memcpy(&made->cloud, request->body.data, sizeof made->cloud);
		assert_int_equal(request->effect,
		    cloud_op_changes(made->cloud.op));
		strbuf_addf(&s->log, "ask %s",
		    cloud_op_words(made->cloud.op));
		if (made->cloud.id.len > 0)
			strbuf_addf(&s->log, " " STR_FMT,
			    STR_ARG(made->cloud.id));
		if (made->cloud.cursor.len > 0)
			strbuf_addf(&s->log, " at " STR_FMT,
			    STR_ARG(made->cloud.cursor));
	}
	strbuf_addc(&s->log, '\n');
}

static void
start_banner(void *ctx, uint64_t token, struct str host, uint16_t port,
    int64_t timeout_ms)
{
	struct session_world *s = ctx;

	assert_true(timeout_ms > 0);
	call(s, WORLD_BANNER, token);
	strbuf_addf(&s->log, "probe " STR_FMT ":%u\n", STR_ARG(host), port);
}

static void
start_ssh(void *ctx, uint64_t token, const struct ssh_request *request)
{
	struct session_world *s = ctx;

	call(s, WORLD_SSH, token)->ssh = *request;
	strbuf_addf(&s->log, "ssh " STR_FMT " " STR_FMT "\n",
	    STR_ARG(request->target.pod), STR_ARG(request->name));
}

static void
start_holder(void *ctx, uint64_t token, const struct holder_request *request)
{
	static const char *const verbs[] = { [HOLDER_LIST] = "list",
		[HOLDER_OPEN] = "open", [HOLDER_CLOSE] = "close" };
	struct session_world *s = ctx;

	call(s, WORLD_HOLDER, token)->holder = *request;
	strbuf_addf(&s->log, "holder %s\n", verbs[request->verb]);
}

static void
start_fetch(void *ctx, uint64_t token, const struct fetch_request *request)
{
	struct session_world *s = ctx;

	call(s, WORLD_FETCH, token);
	strbuf_addf(&s->log, "fetch " STR_FMT "\n", STR_ARG(request->path));
}

static void
cancel(void *ctx, uint64_t token)
{
	struct session_world *s = ctx;

	for (size_t i = 0; i < s->waiting.n; i++)
		if (s->waiting.items[i].token == token) {
			s->waiting.n--;
			memmove(&s->waiting.items[i], &s->waiting.items[i + 1],
			    (s->waiting.n - i) * sizeof *s->waiting.items);
			strbuf_adds(&s->log, "cancel\n");
			return;
		}
	fail_msg("what is cancelled is not on its way; said:\n%s",
	    play_said(s));
}

/* -------------------------------------------------------------- waiting -- */

static void
ask_store(struct session_world *s, struct arena *arena,
    const struct http_request *request, struct http_answer *answer)
{
	struct model_reply reply;
	struct depot_request ask = {
		.method = str_from(http_method_name(request->method)),
		.path = str_cut(request->path, '?', &ask.query),
		.authorization = request->authorization,
		.if_match = request->if_match,
		.if_none_match = request->etag, .body = request->body,
	};

	depot_http(s->depot, s->r.now_ms, arena, &ask, &reply);
	*answer = (struct http_answer){ .outcome = HTTP_ANSWERED,
		.status = reply.status, .body = reply.body };
	for (size_t i = 0; i < reply.nheaders; i++)
		if (strcmp(reply.headers[i].name, "ETag") == 0)
			answer->etag = reply.headers[i].value;
	if (reply.transport != MODEL_ANSWERED)
		*answer = (struct http_answer){ .outcome = HTTP_BROKEN,
			.reason = STR("connection closed") };
}

static void
answer(struct session_world *s, struct arena *arena,
    const struct play_call *call, struct world_event *event)
{
	struct cloud_answer cloud;
	struct github_answer github;
	struct ssh_answer *ssh;
	struct holder_answer *holder;

	*event = (struct world_event){ .type = call->type,
		.token = call->token };
	switch (call->type) {
	case WORLD_HTTP:
		event->http = (struct http_answer){ .outcome = HTTP_ANSWERED,
			.status = 200 };
		if (call->host == HOST_STORE) {
			ask_store(s, arena, &call->store, &event->http);
		} else if (call->host == HOST_GITHUB) {
			run_github_says(&s->r, &call->github, &github);
			event->http.body = bytes_of(arena, &github,
			    sizeof github);
		} else {
			run_cloud_says(&s->r, &call->cloud, &cloud);
			event->http.body = bytes_of(arena, &cloud,
			    sizeof cloud);
		}
		break;
	case WORLD_BANNER:
		event->banner_ok = !s->r.no_banner;
		event->banner_reason = STR("connection refused");
		break;
	case WORLD_SSH:
		ssh = ARENA_NEW(arena, struct ssh_answer);
		*ssh = run_ssh_says(&s->r, &call->ssh);
		event->ssh = ssh;
		break;
	case WORLD_HOLDER:
		holder = ARENA_NEW(arena, struct holder_answer);
		*holder = run_holder_says(&s->r, &call->holder);
		event->holder = holder;
		break;
	default:
		event->fetch_ok = s->fetch_fails == NULL;
		event->fetch_reason = str_from(s->fetch_fails);
		break;
	}
}

static bool
planned_event(struct session_world *s, struct world_event *event)
{
	for (size_t i = 0; i < s->events.n; i++)
		if (s->events.items[i].at == s->waits) {
			*event = s->events.items[i].event;
			s->events.items[i] =
			    s->events.items[--s->events.n];
			return true;
		}
	return false;
}

static void
wait_for(void *ctx, struct arena *arena, int64_t deadline_ms,
    struct world_event *event)
{
	struct session_world *s = ctx;

	if (++s->waits > 20000)
		fail_msg("it does not end; said:\n%s", play_said(s));
	if (planned_event(s, event))
		return;
	if (s->waiting.n > 0) {
		struct play_call first = s->waiting.items[0];
		s->waiting.n--;
		memmove(s->waiting.items, s->waiting.items + 1,
		    s->waiting.n * sizeof first);
		s->r.now_ms += 10;
		answer(s, arena, &first, event);
		return;
	}
	if (deadline_ms == -1)
		fail_msg("it waits for nothing; said:\n%s", play_said(s));
	*event = (struct world_event){ .type = WORLD_DEADLINE };
	if (s->max_wait_ms > 0 && s->r.now_ms + s->max_wait_ms < deadline_ms) {
		s->r.now_ms += s->max_wait_ms;
		event->type = WORLD_SUSPENDED;
	} else if (s->r.now_ms < deadline_ms) {
		s->r.now_ms = deadline_ms;
	}
}

void
play_at(struct session_world *s, unsigned nth, struct world_event event)
{
	*ARENA_PUSH(&s->r.w.arena, &s->events) = (struct play_event){
		.at = s->waits + nth, .event = event };
}

void
play_signal_at(struct session_world *s, unsigned nth, int number)
{
	play_at(s, nth, (struct world_event){ .type = WORLD_SIGNAL,
		.signal = number });
}

/* ----------------------------------------------------- the rest of it --- */

/* Ids of ops as run_world.h has them; names of files are all different. */
static void
next_bytes(void *ctx, void *out, size_t n)
{
	struct session_world *s = ctx;

	memset(out, n == 16 ? ++s->r.ops : ++s->names, n);
}

static int64_t
mono_ms(void *ctx)
{
	const struct session_world *s = ctx;
	return s->r.now_ms;
}

static int64_t
wall_ms(void *ctx)
{
	const struct session_world *s = ctx;
	return s->r.w.options.wall_ms + s->r.now_ms;
}

static struct str
environment(void *ctx, const char *name)
{
	struct session_world *s = ctx;

	(void)name;
	return str_from(s->environment);
}

static int
run_command(void *ctx, struct arena *arena, const char *const *argv,
    int64_t timeout_ms, size_t limit, struct str *output)
{
	struct session_world *s = ctx;

	assert_true(timeout_ms > 0 && limit > 0);
	strbuf_adds(&s->log, "run");
	for (size_t i = 0; argv[i] != NULL; i++)
		strbuf_addf(&s->log, " %s", argv[i]);
	strbuf_addc(&s->log, '\n');
	*output = arena_str(arena, str_from(s->command_says));
	return s->command_status;
}

static void
note(void *ctx, const struct run_note *note)
{
	struct session_world *s = ctx;

	if (note->type != NOTE_UNCLEAR)
		return;
	strbuf_addf(&s->log, "note " STR_FMT ": " STR_FMT "\n",
	    STR_ARG(note->address), STR_ARG(note->text));
}

static void
sent(void *ctx, const struct cloud_request *request)
{
	struct session_world *s = ctx;

	strbuf_addf(&s->log, "sent %s\n", cloud_op_words(request->op));
}

static struct world
world_of(struct session_world *s)
{
	return (struct world){
		.clock = { s, mono_ms, mono_ms, wall_ms },
		.chance = { s, next_bytes },
		.fs = fake_fs_seam(s->r.w.fake),
		.ctx = s,
		.start_http = start_http,
		.start_banner = start_banner,
		.start_ssh = start_ssh,
		.start_holder = start_holder,
		.start_fetch = start_fetch,
		.cancel = cancel,
		.wait = wait_for,
		.environment = environment,
		.run_command = run_command,
	};
}

int
play_setup(void **state)
{
	static struct session_world s;

	memset(&s, 0, sizeof s);
	run_init(&s.r);
	s.world = world_of(&s);
	s.cloud = (struct cloud){ "sim", encode_cloud, decode_cloud };
	s.github = (struct github){ encode_github, decode_github };
	s.config = (struct session_config){
		.world = &s.world, .cloud = &s.cloud, .github = &s.github,
		.lock_path = STR("podform.lock"), .work_dir = STR(".podform"),
		.own_uid = 1000, .who = STR("me@here"),
		.boot_id = STR("boot"), .pid = 4711,
		.operation = STR("apply"), .version = STR("1"),
		.note = note, .note_ctx = &s, .sent = sent,
	};
	*state = &s;
	return 0;
}

int
play_teardown(void **state)
{
	struct session_world *s = *state;

	if (s->session.arena != NULL)
		session_close(&s->session);
	strbuf_release(&s->log);
	depot_free(s->depot);
	run_release(&s->r);
	return 0;
}

void
play_store(struct session_world *s, const struct depot_config *config)
{
	static const char *const urls[] = {
		[DEPOT_HTTP] = "https://store.example/state/podform",
		[DEPOT_S3] = "s3://bucket/podform.lock",
		[DEPOT_ETCD] = "etcd://store.example/podform/lock",
	};
	struct str why;

	s->depot = depot_new(config);
	assert_true(store_parse(&s->r.w.arena, str_from(urls[config->kind]),
	    &s->config.store, &why));
}

struct session *
play_begin(struct session_world *s, const char *yaml)
{
	if (yaml != NULL)
		world_spec(&s->r.w, yaml);
	if (s->session.arena != NULL)
		session_close(&s->session);
	session_open(&s->session, &s->r.w.arena, &s->config, s->r.w.spec,
	    &s->r.w.diags);
	s->session.lock = &s->r.w.lock;
	return &s->session;
}

struct session *
play_begin_writing(struct session_world *s, const char *yaml)
{
	struct session *session = play_begin(s, yaml);

	session->lock = NULL;
	assert_int_equal(session_take_mutex(session), EXIT_OK);
	assert_int_equal(session_load(session), EXIT_OK);
	return session;
}

const char *
play_said(struct session_world *s)
{
	const char *said = arena_str(&s->r.w.arena,
	    strbuf_str(&s->log)).data;

	strbuf_reset(&s->log);
	return said != NULL ? said : "";
}

const char *
play_report(struct session_world *s)
{
	struct diags *diags = &s->r.w.diags;
	struct strbuf out = {0};

	diags_print(&out, diags, (struct diag_style){0});
	const char *text = arena_str(&s->r.w.arena, strbuf_str(&out)).data;
	strbuf_release(&out);
	diags->list.n = 0;
	diags->errors = diags->warnings = 0;
	return text != NULL ? text : "";
}

void
play_reports(struct session_world *s, const char *part)
{
	const char *report = play_report(s);

	if (part == NULL)
		assert_text(report, "");
	else if (strstr(report, part) == NULL)
		fail_msg("no '%s' in:\n%s", part, report);
}

const struct plan *
play_plan(struct session_world *s)
{
	struct session_plan_options options = { .refresh = true,
		.plan = { .wall_ms = s->r.w.options.wall_ms } };
	const struct plan *plan;
	int code = session_plan_to_apply(&s->session, &options, 0, &plan);

	if (code != EXIT_OK)
		fail_msg("no plan (%d): %s", code, play_report(s));
	return plan;
}

struct lock_op *
play_pending(struct session_world *s, enum kind kind, enum op_action action)
{
	static const char *const addresses[] = { [KIND_POD] = "pod.x",
		[KIND_RUNNER] = "runner.x", [KIND_VOLUME] = "volume.x" };
	struct lock_op *op = ARENA_PUSH(&s->r.w.arena, &s->r.w.lock.pending);

	*op = (struct lock_op){ .op = op_id(7), .action = action,
		.address = str_from(addresses[kind]),
		.entry = { .kind = kind, .address = str_from(addresses[kind]),
			.id = STR("gone1"), .op = op_id(7) } };
	if (kind == KIND_RUNNER)
		op->entry.runner = (struct lock_runner){
			.repository = STR("acme/m"), .name = STR("x-1") };
	return op;
}

size_t
play_count(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part)) != NULL) {
		text += strlen(part);
		n++;
	}
	return n;
}
