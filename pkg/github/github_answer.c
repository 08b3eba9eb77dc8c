/*
 * github_answer.c - what becomes of an answer of GitHub: limits, redirects,
 * refused tokens, pages, and what is known still.
 */
#include "base/units.h"
#include "github/github_classify.h"
#include "github/github_link.h"
#include "github/github_world_parts.h"

enum {
	REDIRECTS = 5,
	DOUBLINGS = 6,		/* of a secondary limit: up to an hour */
	JITTER_MS = 4000,
};

/* "https://host:port" of a URL, as far as its path. */
static struct str
origin(struct str url)
{
	ptrdiff_t at = str_search(url, STR("://"));
	size_t n = at < 0 ? 0 : (size_t)at + 3;

	while (at >= 0 && n < url.len && url.data[n] != '/' &&
	    url.data[n] != '?' && url.data[n] != '#')
		n++;
	return str_sub(url, 0, n);
}

/* A port that is the scheme's says nothing. */
static struct str
without_port(struct str origin)
{
	if (str_starts(origin, STR("https://")) &&
	    str_ends(origin, STR(":443")))
		origin.len -= 4;
	else if (str_starts(origin, STR("http://")) &&
	    str_ends(origin, STR(":80")))
		origin.len -= 3;
	return origin;
}

bool
github_world_same_origin(struct str a, struct str b)
{
	a = without_port(origin(a));
	b = without_port(origin(b));
	return a.len > 0 && str_eq_fold(a, b) && str_find(b, '@') < 0;
}

static void
remember_link(struct github_world *gh, struct str url, int place)
{
	if (place < 0)
		return;
	size_t i = 0;
	if (gh->nlinks < GITHUB_WORLD_LINKS)
		i = gh->nlinks++;
	else {		/* the oldest goes */
		strbuf_release(&gh->links[0].url);
		for (; i + 1 < GITHUB_WORLD_LINKS; i++)
			gh->links[i] = gh->links[i + 1];
		gh->links[i].url = (struct strbuf){0};
	}
	strbuf_add(&gh->links[i].url, url);
	gh->links[i].place = place;
}

static void
take_limit(struct github_world *gh, struct arena *arena,
    const struct http_answer *answer)
{
	struct github_problem problem = {0};
	int64_t wait_ms, now = github_world_now_ms(gh);
	unsigned char byte = 0;

	if (answer->status != 403 && answer->status != 429) {
		if (answer->status / 100 == 2)
			gh->secondary = 0;
		return;
	}
	problem = github_classify_problem(arena, answer->body,
	    answer->status);
	enum github_limit limit = github_classify_limit(answer, &problem,
	    github_world_wall_ms(gh), &wait_ms);
	if (limit == GITHUB_LIMIT_NONE)
		return;
	if (limit == GITHUB_LIMIT_SECONDARY) {
		wait_ms <<= gh->secondary;
		if (gh->secondary < DOUBLINGS)
			gh->secondary++;
	} else if (limit == GITHUB_LIMIT_PRIMARY) {
		/* Not all clients of the hour at its first instant. */
		gh->inner->chance.bytes(gh->inner->chance.ctx, &byte, 1);
		wait_ms += SECOND_MS + byte * JITTER_MS / 256;
	}
	if (wait_ms > HOUR_MS)
		wait_ms = HOUR_MS;
	if (now + wait_ms > gh->limit_ms)
		gh->limit_ms = now + wait_ms;
}

static bool
is_redirect(int status)
{
	return status == 301 || status == 302 || status == 307 ||
	    status == 308;
}

static void
spoil(struct http_answer *answer, struct str why)
{
	answer->outcome = HTTP_BROKEN;
	answer->reason = why;
	answer->body = (struct str){0};
}

/* A repository that was renamed: the same request, method and body, to its
 * new address.  True if it goes on. */
static bool
follow(struct github_world *gh, struct github_call *call,
    struct http_answer *answer)
{
	struct str to = answer->location;

	if (call->redirects++ == REDIRECTS) {
		spoil(answer, STR("more than 5 redirects"));
		return false;
	}
	if (to.len > 1 && to.data[0] == '/' && to.data[1] != '/')
		to = arena_printf(&call->arena, STR_FMT STR_FMT,
		    STR_ARG(origin(strbuf_str(&gh->api))), STR_ARG(to));
	if (!github_world_same_origin(strbuf_str(&gh->api), to)) {
		spoil(answer, STR("a redirect to another host, which is not "
		    "followed"));
		return false;
	}
	call->request.path = arena_str(&call->arena, to);
	call->out = false;
	return true;
}

/* A listing must not go on elsewhere. */
static void
check_link(struct github_world *gh, const struct github_call *call,
    struct http_answer *answer)
{
	struct str next;

	if (answer->link.len == 0 || !github_link_next(answer->link, &next) ||
	    next.data == NULL)
		return;		/* the decoder says what cannot be read */
	if (next.data[0] != '/' &&
	    !github_world_same_origin(strbuf_str(&gh->api), next))
		spoil(answer, STR("the next page is at another host"));
	else
		remember_link(gh, next, call->place);
}

/* A token was refused that was good before: once more with a new one. */
static bool
try_again(struct github_world *gh, struct github_call *call)
{
	if (gh->app == NULL || call->own_bearer || call->refused ||
	    call->place < 0)
		return false;
	call->refused = true;
	github_app_refused(gh->app, call->place);
	call->out = false;
	return true;
}

void
github_answer_own(struct github_world *gh, struct github_call *call,
    struct arena *arena, const struct http_answer *answer)
{
	int64_t now = github_world_now_ms(gh), before = gh->limit_ms;
	int place = call->place;

	take_limit(gh, arena, answer);
	if (gh->limit_ms > now && gh->limit_ms > before)
		github_app_again(gh->app, place);
	else
		github_app_answer(gh->app, place, answer,
		    github_world_wall_ms(gh), github_world_boot_ms(gh));
	github_call_end(gh, call);
	github_world_fail_place(gh, place);
}

bool
github_answer_take(struct github_world *gh, struct github_call *call,
    struct arena *arena, struct http_answer *answer)
{
	if (call->request.effect)
		gh->change_ms = github_world_now_ms(gh) + gh->config.spacing_ms;
	if (answer->outcome != HTTP_ANSWERED)
		return true;
	take_limit(gh, arena, answer);
	if (answer->token_ends.len > 0) {
		strbuf_reset(&gh->token_ends);
		strbuf_add(&gh->token_ends, answer->token_ends);
	}
	if (is_redirect(answer->status))
		return !follow(gh, call, answer);
	if (answer->status == 401 && try_again(gh, call))
		return false;
	if (answer->status == 304 && call->request.etag.len > 0) {
		if (!github_cache_use(gh->cache, call->request.path, arena,
			answer))
			spoil(answer, STR("an answer that is not known any "
			    "more"));
	} else if (answer->status == 200 &&
	    call->request.method == HTTP_GET && call->request.quiet_ms == 0)
		github_cache_keep(gh->cache, call->request.path, answer);
	check_link(gh, call, answer);
	return true;
}
