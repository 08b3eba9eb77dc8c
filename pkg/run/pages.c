/* pages.c - see pages.h */
#include "run/pages.h"

#include "base/map.h"

/* Nobody's account is as large: 100,000 pods are some 140 MB. */
enum { PAGES_MAX = 1000, BYTES_MAX = 256 << 20 };

static void
refuse(struct pages *pages, struct cloud_answer *answer, struct str why)
{
	*pages = (struct pages){ .arena = pages->arena };
	*answer = (struct cloud_answer){
		.outcome = OUTCOME_UNKNOWN,
		.reason = REASON_MALFORMED,
		.status = answer->status,
		.message = why,
		.request_id = answer->request_id,
		.ratelimit_left = answer->ratelimit_left,
		.ratelimit_reset_ms = answer->ratelimit_reset_ms,
	};
}

static void
keep(struct pages *pages, const struct cloud_answer *page)
{
	for (size_t i = 0; i < page->npods; i++)
		*ARENA_PUSH(pages->arena, &pages->pods) = page->pods[i];
	for (size_t i = 0; i < page->nvolumes; i++)
		*ARENA_PUSH(pages->arena, &pages->volumes) =
		    page->volumes[i];
}

/* Each page is without doubles; together they must be, too. */
static bool
has_doubles(const struct pages *pages)
{
	struct arena scratch = {0};
	struct map seen = {0};
	bool found = false;

	for (size_t i = 0; i < pages->pods.n && !found; i++)
		found = map_put(&seen, &scratch, pages->pods.items[i].id,
		    &pages->pods.items[i]) != NULL;
	arena_release(&scratch);
	return found;
}

static void
join(struct pages *pages, struct cloud_answer *answer)
{
	keep(pages, answer);
	if (has_doubles(pages)) {
		refuse(pages, answer,
		    STR("one pod is on two pages of the listing"));
		return;
	}
	answer->pods = pages->pods.items;
	answer->npods = pages->pods.n;
	answer->volumes = pages->volumes.items;
	answer->nvolumes = pages->volumes.n;
}

bool
pages_take(struct pages *pages, const struct cloud *cloud,
    struct arena *arena, const struct cloud_request *request,
    const struct http_answer *http, int64_t wall_ms,
    struct cloud_answer *answer)
{
	cloud->decode(arena, request, http, wall_ms, answer);
	if (answer->outcome != OUTCOME_OK)
		return true;
	if (answer->next_cursor.len == 0) {
		if (pages->n > 0)
			join(pages, answer);
		return true;
	}
	if (pages->n + 1 >= PAGES_MAX ||
	    pages->bytes + http->body.len > BYTES_MAX ||
	    str_eq(answer->next_cursor, pages->cursor)) {
		refuse(pages, answer,
		    STR("the pages of the listing do not end"));
		return true;
	}
	/* Texts of an answer borrow its body, which dies with the turn. */
	struct http_answer kept = *http;
	kept.body = arena_str(pages->arena, http->body);
	cloud->decode(pages->arena, request, &kept, wall_ms, answer);
	keep(pages, answer);
	pages->cursor = answer->next_cursor;
	pages->bytes += http->body.len;
	pages->n++;
	return false;
}

static void
no_end(struct runner_pages *pages, struct github_answer *answer)
{
	*pages = (struct runner_pages){ .arena = pages->arena };
	*answer = (struct github_answer){
		.outcome = OUTCOME_UNKNOWN,
		.reason = REASON_MALFORMED,
		.status = answer->status,
		.message = STR("the pages of the listing do not end"),
		.ratelimit_left = answer->ratelimit_left,
		.total = -1,
	};
}

bool
runner_pages_take(struct runner_pages *pages, const struct github *github,
    struct arena *arena, const struct github_request *request,
    const struct http_answer *http, int64_t wall_ms,
    struct github_answer *answer)
{
	github->decode(arena, request, http, wall_ms, answer);
	if (answer->outcome != OUTCOME_OK)
		return true;
	if (answer->next_cursor.len == 0 && pages->n == 0)
		return true;
	if (pages->n + 1 >= PAGES_MAX ||
	    pages->bytes + http->body.len > BYTES_MAX ||
	    str_eq(answer->next_cursor, pages->cursor)) {
		no_end(pages, answer);
		return true;
	}
	/* Texts of an answer may borrow its body, which dies with the turn. */
	struct http_answer kept = *http;
	kept.body = arena_str(pages->arena, http->body);
	kept.link = arena_str(pages->arena, http->link);
	github->decode(pages->arena, request, &kept, wall_ms, answer);
	for (size_t i = 0; i < answer->nrunners; i++)
		*ARENA_PUSH(pages->arena, &pages->runners) =
		    answer->runners[i];
	pages->bytes += http->body.len;
	pages->n++;
	pages->cursor = answer->next_cursor;
	if (pages->cursor.len > 0)
		return false;
	answer->runners = pages->runners.items;
	answer->nrunners = pages->runners.n;
	return true;
}
