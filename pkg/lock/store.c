/* store.c - what is common to all stores */
#include "lock/store.h"

#include <assert.h>
#include <string.h>

#include "base/headers.h"
#include "base/probe.h"
#include "base/units.h"
#include "lock/crc.h"
#include "lock/lock.h"
#include "lock/store_driver.h"

enum { WAIT_MAX_MS = 30 * SECOND_MS, MARGIN_MS = 10 * SECOND_MS,
    LOOK_MS = 2 * SECOND_MS };

void
store_open(struct store *store, struct arena *arena,
    const struct store_place *place, const struct store_link *link,
    struct diags *diags)
{
	static const struct store_driver *const drivers[] = {
		[STORE_HTTP] = &store_http, [STORE_S3] = &store_s3,
		[STORE_ETCD] = &store_etcd,
	};

	assert(place->kind != STORE_FILE);
	*store = (struct store){
		.place = *place, .link = *link, .diags = diags,
		.arena = arena, .driver = drivers[place->kind],
	};
}

/* --------------------------------------------------------- exchanges ---- */

void
store_ask_once(struct store *store, struct http_request *request,
    struct http_answer *answer)
{
	request->host = HOST_STORE;
	if (request->timeout_ms == 0)
		request->timeout_ms = STORE_TIMEOUT_MS;
	store->exchanges++;
	*answer = (struct http_answer){0};
	store->link.exchange(store->link.ctx, store->arena, request, answer);
}

bool
store_may_pass(const struct http_answer *answer)
{
	return answer->outcome == HTTP_NOT_SENT ||
	    answer->outcome == HTTP_BROKEN ||
	    (answer->outcome == HTTP_ANSWERED && (answer->status == 408 ||
		answer->status == 429 || answer->status >= 500));
}

/* How long before the next try; 0: give up. */
static int64_t
pause_before(struct store *store, int tries, const struct http_answer *answer)
{
	const struct clock *clock = store->link.clock;
	int64_t wait_ms = (int64_t)SECOND_MS << (tries - 1);
	int64_t asked_ms = headers_retry_after(answer->retry_after,
	    answer->date, clock->wall_ms(clock->ctx));

	if (tries >= STORE_TRIES || asked_ms > WAIT_MAX_MS)
		return 0;
	return asked_ms > wait_ms ? asked_ms : wait_ms;
}

static bool
wait_before(struct store *store, int tries, const struct http_answer *answer)
{
	int64_t ms = pause_before(store, tries, answer);

	return ms > 0 && store->link.sleep(store->link.ctx, ms);
}

static enum store_result
away(struct store *store, const struct http_answer *answer)
{
	if (answer->outcome == HTTP_ANSWERED)
		diag_error(store->diags, "PF0620", NO_SPAN, "the record's "
		    "store '" STR_FMT "' answers %d", STR_ARG(
		    store->place.shown), answer->status);
	else
		diag_error(store->diags, "PF0620", NO_SPAN, "the record's "
		    "store '" STR_FMT "' cannot be reached: " STR_FMT,
		    STR_ARG(store->place.shown), STR_ARG(answer->reason));
	return STORE_AWAY;
}

enum store_result
store_ask(struct store *store, struct http_request *request,
    struct http_answer *answer)
{
	for (int tries = 1;; tries++) {
		store_ask_once(store, request, answer);
		if (answer->outcome == HTTP_TOO_LARGE) {
			diag_error(store->diags, "PF0621", NO_SPAN, "what "
			    "'" STR_FMT "' holds is too large for a record",
			    STR_ARG(store->place.shown));
			return STORE_REFUSED;
		}
		if (!store_may_pass(answer))
			return STORE_OK;
		if (!wait_before(store, tries, answer))
			return away(store, answer);
		PROBE("store_is_asked_again");
	}
}

enum store_result
store_refuse(struct store *store, const char *doing,
    const struct http_answer *answer)
{
	struct str body = str_sub(str_trim(answer->body), 0, 200);

	diag_error(store->diags, "PF0622", NO_SPAN, "the record's store '"
	    STR_FMT "' does not let us %s: it answers %d%s" STR_FMT,
	    STR_ARG(store->place.shown), doing, answer->status,
	    body.len > 0 ? ": " : "", STR_ARG(body));
	store->denied = answer->status == 401 || answer->status == 403 ||
	    str_search(body, STR("authentication failed")) >= 0; /* etcd: 400 */
	if (store->denied)
		diag_hint(store->diags, "%s",
		    store->place.kind == STORE_S3 ?
		    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and "
		    "AWS_SESSION_TOKEN, if you have one)" :
		    "set PODFORM_STORE_USERNAME and PODFORM_STORE_PASSWORD, or "
		    "PODFORM_STORE_TOKEN");
	return STORE_REFUSED;
}

/* -------------------------------------------------------------- hold ---- */

bool
store_is_own(const struct store *store, const struct mutex_holder *holder)
{
	return holder->id.len > 0 && str_eq(holder->id, store->self.id);
}

enum store_result
store_take(struct store *store, const struct mutex_holder *self,
    struct mutex_holder *other)
{
	*other = (struct mutex_holder){0};
	store->self = *self;
	enum store_result result = store->driver->take(store, other);
	store->held = result == STORE_OK;
	store->lost = false;
	return result;
}

void
store_await(struct store *store, int64_t ms)
{
	if (store->driver->await != NULL)
		store->driver->await(store, ms);
	else
		store->link.sleep(store->link.ctx, ms < LOOK_MS ? ms :
		    LOOK_MS);
}

void
store_release(struct store *store)
{
	if (!store->held)
		return;
	store->held = false;
	if (store->lost || store->driver->release(store) == STORE_OK)
		return;
	diag_warning(store->diags, "PF0623", NO_SPAN, "the hold on '" STR_FMT
	    "' could not be given back", STR_ARG(store->place.shown));
	diag_hint(store->diags, "podform unlock " STR_FMT,
	    STR_ARG(store->self.id));
}

enum store_result
store_holder(struct store *store, struct mutex_holder *holder)
{
	*holder = (struct mutex_holder){0};
	return store->driver->holder(store, holder);
}

enum store_result
store_break(struct store *store, struct str id, struct mutex_holder *holder)
{
	enum store_result result = store_holder(store, holder);

	/* Terraform's protocol has no question for it: the id must do. */
	if (result == STORE_MISSING && store->place.kind == STORE_HTTP)
		holder->id = id;
	else if (result != STORE_OK)
		return result;
	if (!str_eq(holder->id, id))
		return STORE_CHANGED;
	return store->driver->end(store, holder);
}

enum store_result
store_probe(struct store *store)
{
	assert(store->held);
	if (store->driver->probe == NULL)
		return STORE_OK;
	return store->driver->probe(store);
}

/* ------------------------------------------------------------ record ---- */

static uint64_t
checksum_of(struct str text)
{
	struct crc crc;

	crc_init(&crc);
	return crc_add(&crc, 0, text);
}

enum store_result
store_read(struct store *store, struct str *text)
{
	*text = (struct str){0};
	store->version = (struct str){0};
	enum store_result result = store->driver->read(store, text);
	store->known = result == STORE_OK || result == STORE_MISSING;
	store->checksum = checksum_of(*text);
	return result;
}

static enum store_result
lose(struct store *store, enum store_result result)
{
	store->lost = true;
	if (result == STORE_CHANGED)
		diag_error(store->diags, "PF0624", NO_SPAN, "somebody else has "
		    "written to '" STR_FMT "' meanwhile",
		    STR_ARG(store->place.shown));
	else
		diag_error(store->diags, "PF0624", NO_SPAN, "the hold on '"
		    STR_FMT "' is lost", STR_ARG(store->place.shown));
	diag_hint(store->diags, "nothing more is sent from here; let the other "
	    "run end, then run podform again");
	return result;
}

/*
 * What is there now, after a write that was refused or whose answer was lost?
 * STORE_OK: that write.  STORE_UNKNOWN: what was there before it, or a write
 * of ours before that, so it may be tried again.
 */
static enum store_result
look_again(struct store *store, uint64_t wanted)
{
	uint64_t before = store->checksum;
	struct str there;
	enum store_result result = store_read(store, &there);

	if (result != STORE_OK && result != STORE_MISSING) {
		store->checksum = before;
		return result;
	}
	if (store->checksum == wanted) {
		PROBE("store_knows_own_write");
		return STORE_OK;
	}
	return store->checksum == before ||
	    store->checksum == store->attempted ? STORE_UNKNOWN :
	    STORE_CHANGED;
}

enum store_result
store_write(struct store *store, struct str text)
{
	uint64_t wanted = checksum_of(text);
	struct http_answer none = { .outcome = HTTP_BROKEN,
		.reason = STR("no clear answer to a write") };

	assert(store->held);
	if (store->lost)
		return STORE_LOST;
	for (int tries = 1;; tries++) {
		enum store_result result = store->known ?
		    store->driver->write(store, text) : STORE_UNKNOWN;
		if (result == STORE_CHANGED || result == STORE_UNKNOWN) {
			bool sent = store->known;
			result = look_again(store, wanted);
			store->attempted = wanted;
			/* Only to know what is there: that was no try. */
			if (result == STORE_UNKNOWN && !sent)
				continue;
		}
		if (result == STORE_OK) {
			store->checksum = wanted;
			return STORE_OK;
		}
		if (result == STORE_CHANGED || result == STORE_LOST)
			return lose(store, result);
		if (result != STORE_UNKNOWN)
			return result;
		if (!wait_before(store, tries, &none))
			return away(store, &none);
	}
}

/* ------------------------------------------------------------- lease ---- */

static int64_t
boot_now(const struct store *store)
{
	const struct clock *clock = store->link.clock;

	return clock->boot_ms(clock->ctx);
}

int64_t
store_renew_at(const struct store *store)
{
	if (!store->held || store->lost || store->driver->renew == NULL)
		return INT64_MAX;
	return store->lease_until_ms - STORE_LEASE_MS * 2 / 3;
}

enum store_result
store_renew(struct store *store)
{
	if (store->lost)
		return STORE_LOST;
	if (!store->held || store->driver->renew == NULL)
		return STORE_OK;
	enum store_result result = store->driver->renew(store);
	if (result == STORE_LOST)
		lose(store, result);
	return result;
}

bool
store_may_send(const struct store *store, int64_t timeout_ms)
{
	if (!store->held || store->lost)
		return false;
	return store->driver->renew == NULL ||
	    boot_now(store) + timeout_ms + MARGIN_MS < store->lease_until_ms;
}
