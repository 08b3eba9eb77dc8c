/* github_fake.c - see github_fake.h */
#include "github_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>


static int64_t
fake_mono(void *ctx)
{
	return ((struct fake *)ctx)->mono_ms;
}

static int64_t
fake_boot(void *ctx)
{
	struct fake *fake = ctx;
	return fake->mono_ms + fake->slept_ms;
}

int64_t
fake_github_wall(void *ctx)
{
	struct fake *fake = ctx;
	return fake->wall_ms + fake->mono_ms + fake->slept_ms;
}

static void
fake_bytes(void *ctx, void *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
}

static struct str
keep(struct fake *fake, struct str text)
{
	return text.data == NULL ? text : arena_str(&fake->arena, text);
}

static void
fake_start_http(void *ctx, uint64_t token, const struct http_request *request)
{
	struct fake *fake = ctx;
	assert_true(fake->n < SENT);
	struct sent *sent = &fake->sent[fake->n++];
	*sent = (struct sent){ .token = token, .request = *request,
		.at_ms = fake->mono_ms };
	sent->request.path = keep(fake, request->path);
	sent->request.body = keep(fake, request->body);
	sent->request.bearer = keep(fake, request->bearer);
	sent->request.etag = keep(fake, request->etag);
}

static void
fake_cancel(void *ctx, uint64_t token)
{
	struct fake *fake = ctx;
	for (size_t i = 0; i < fake->n; i++)
		if (fake->sent[i].token == token)
			fake->sent[i].done = true;
}

static void
fake_wait(void *ctx, struct arena *arena, int64_t deadline_ms,
    struct world_event *event)
{
	struct fake *fake = ctx;
	(void)arena;

	for (size_t i = 0; i < fake->n; i++) {
		struct sent *sent = &fake->sent[i];
		if (sent->done)
			continue;
		sent->done = true;
		fake->mono_ms += 10;
		*event = (struct world_event){ .type = WORLD_HTTP,
			.token = sent->token,
			.http = fake->script(fake, &sent->request, i) };
		return;
	}
	if (deadline_ms < 0)
		fail_msg("waits for ever");
	if (deadline_ms > fake->mono_ms)
		fake->mono_ms = deadline_ms;
	*event = (struct world_event){ .type = WORLD_DEADLINE };
}

static void
give_credential(void *ctx, struct github_credential *out)
{
	struct fake *fake = ctx;
	fake->asked++;
	*out = fake->credential;
}

void
fake_github_open(struct fake *fake, int64_t spacing_ms,
    struct http_answer (*script)(struct fake *fake,
	const struct http_request *request, size_t i))
{
	fake->script = script;
	fake->mono_ms = 5000;
	fake->wall_ms = WALL;
	fake->inner = (struct world){
		.clock = { fake, fake_mono, fake_boot,
		    fake_github_wall },
		.chance = { fake, fake_bytes },
		.ctx = fake,
		.start_http = fake_start_http, .cancel = fake_cancel,
		.wait = fake_wait,
	};
	fake->gh = github_world_new(&(struct github_world_config){
		.inner = &fake->inner, .api = STR("https://api.test/v3"),
		.credential = give_credential, .ctx = fake,
		.spacing_ms = spacing_ms });
	fake->world = github_world_seam(fake->gh);
}

void
fake_github_token(struct fake *fake, int64_t spacing_ms,
    struct http_answer (*script)(struct fake *fake,
	const struct http_request *request, size_t i))
{
	*fake = (struct fake){0};
	fake->credential.token = secret_new(STR("ghp_CANARY"));
	fake_github_open(fake, spacing_ms, script);
}

void
fake_github_close(struct fake *fake)
{
	github_world_free(fake->gh);
	arena_release(&fake->arena);
}

void
fake_github_start(struct fake *fake, uint64_t token, enum http_method method,
    const char *path)
{
	struct http_request request = {
		.method = method, .host = HOST_GITHUB, .path = str_from(path),
		.effect = method != HTTP_GET, .timeout_ms = 30000,
		.body = method == HTTP_POST ? STR("{\"a\":1}") :
		    (struct str){0},
	};
	fake->world->start_http(fake->world->ctx, token, &request);
}

struct world_event
fake_github_await(struct fake *fake)
{
	struct world_event event;
	fake->world->wait(fake->world->ctx, &fake->arena,
	    fake->mono_ms + 7200000, &event);
	return event;
}

struct http_answer
fake_github_ask(struct fake *fake, enum http_method method, const char *path)
{
	fake_github_start(fake, 77, method, path);
	struct world_event event = fake_github_await(fake);
	assert_int_equal(event.type, WORLD_HTTP);
	assert_int_equal(event.token, 77);
	return event.http;
}

struct http_answer
fake_github_says(int status, const char *body)
{
	return (struct http_answer){ .outcome = HTTP_ANSWERED,
		.status = status, .body = str_from(body) };
}

struct http_answer
fake_github_good(struct fake *fake, const struct http_request *request,
    size_t i)
{
	(void)fake;
	(void)request;
	(void)i;
	return fake_github_says(200, "{}");
}
